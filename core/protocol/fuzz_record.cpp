#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/assert.h"
#include "core/protocol/record.h"

namespace {

/// Whatever a disk gives is such a record or is none; what is one has exactly one encoding.
template <class Record>
void check(std::span<const std::uint8_t> bytes) {
  if (const auto record = copal::decode_record<Record>(bytes)) {
    std::vector<std::uint8_t> room(bytes.size());
    const auto again = copal::encode_record(*record, room);
    COPAL_ASSERT(std::ranges::equal(again, bytes));
  }
}

}  // namespace

// The first byte says of which kind the rest should be.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  if (size_bytes == 0) {
    return 0;
  }
  const std::span bytes(data + 1, size_bytes - 1);
  switch (data[0] % 4) {
    case 0:
      check<copal::MNodeRecord>(bytes);
      break;
    case 1:
      check<copal::GroupRecord>(bytes);
      break;
    case 2:
      check<copal::SelfRecord>(bytes);
      break;
    default:
      check<copal::RosterRecord>(bytes);
      break;
  }
  return 0;
}

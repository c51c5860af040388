#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/assert.h"
#include "core/protocol/codec.h"

// Whatever a peer sends decodes or is refused; what decodes has exactly one encoding, the one that
// came. So a frame can be passed on, hashed and compared as it is.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::span<const std::byte> frame(reinterpret_cast<const std::byte*>(data), size_bytes);
  const copal::Result<copal::Message> message = copal::decode(frame);
  if (message) {
    std::array<std::byte, copal::kMessageSizeMaxBytes> again{};
    const std::size_t again_size_bytes = copal::encode(*message, again);
    COPAL_ASSERT(again_size_bytes == frame.size());
    COPAL_ASSERT(std::equal(frame.begin(), frame.end(), again.begin()));
  }
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "sim/workload/per_minute.h"
#include "sim/workload/utc.h"

// Any bytes as a line of a recording by minute: read or refused; what is read can be written again.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view line(reinterpret_cast<const char*>(data), size_bytes);
  copal::sim::MinuteRow row;
  if (copal::sim::parse_minute_row(line, row).empty()) {
    COPAL_ASSERT(row.at % 60 == 0 && row.requests >= 0 && row.bytes >= 0);
    COPAL_ASSERT(copal::sim::parse_utc(copal::sim::utc_text(row.at)) == row.at);
  }
  return 0;
}

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/assert.h"
#include "sim/workload/access_log.h"
#include "sim/workload/access_log_line.h"

// Any bytes as a line of an access log: read or refused, and what is read points into the line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  const std::string_view line(reinterpret_cast<const char*>(data), size_bytes);
  copal::sim::AccessLine parsed;
  if (!copal::sim::parse_access_line(line, parsed).empty()) {
    return 0;
  }
  COPAL_ASSERT(!parsed.address.empty());
  COPAL_ASSERT(parsed.status >= 100 && parsed.status <= 999);
  for (const std::string_view text : {parsed.address, parsed.method, parsed.agent}) {
    COPAL_ASSERT(text.empty() || (text.data() >= line.data() &&
                                  text.data() + text.size() <= line.data() + line.size()));
  }
  COPAL_ASSERT(copal::sim::record_of(parsed).session != 0);
  return 0;
}

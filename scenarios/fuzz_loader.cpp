#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/assert.h"
#include "scenarios/loader.h"

// Any bytes as a scenario file. Up to a byte 0 they are the file, behind it one setting: it loads
// or it says why not, and every message has a text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  using namespace copal::scenario;
  const std::string_view all(reinterpret_cast<const char*>(data), size_bytes);
  const std::size_t end = all.find('\0');
  LoadOptions options{.check_files = false};
  if (end != std::string_view::npos) {
    options.settings.emplace_back(all.substr(end + 1));
  }
  const LoadResult result = load_text(all.substr(0, end), "fuzz.yaml", "", options);
  COPAL_ASSERT(result.scenarios.empty() != result.problems.empty());
  COPAL_ASSERT(result.problems.size() <= Problems::kProblemsMax);
  for (const Problem& problem : result.problems) {
    COPAL_ASSERT(!problem.text.empty() && !problem.message().empty());
  }
  return 0;
}

#include "sim/report/result.h"

#include "core/base/assert.h"
#include "sim/report/metrics.h"

namespace copal::sim {

bool has_caches(const RunResult& run) {
  return run.metrics.size() > metric_infos().size();
}

double metric(const RunResult& run, std::string_view name) {
  const std::pair<std::string, double>* found = nullptr;
  for (const auto& entry : run.metrics) {
    if (entry.first == name) {
      found = &entry;
      break;
    }
  }
  COPAL_ASSERT(found != nullptr);
  return found->second;
}

}  // namespace copal::sim

#include "sim/report/result.h"

#include <gtest/gtest.h>

#include "sim/testing/fixture_results.h"

namespace copal::sim {
namespace {

TEST(RunResult, MetricIsFoundByName) {
  RunResult run = flat_run("maglev", 1, 3);
  set_metric(run, "latency_ms_p99", 41.5);
  EXPECT_EQ(metric(run, "latency_ms_p99"), 41.5);
  EXPECT_EQ(metric(run, "message_bytes_count"), 3);
}

TEST(RunResult, UnknownMetricIsAsserted) {
  EXPECT_DEATH(metric(flat_run("maglev", 1, 3), "latency_ms_p98"), "found");
}

}  // namespace
}  // namespace copal::sim

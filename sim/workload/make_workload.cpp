#include "sim/workload/make_workload.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sim/workload/access_log.h"
#include "sim/workload/bursty.h"
#include "sim/workload/closed_loop.h"
#include "sim/workload/key_loop.h"
#include "sim/workload/key_trace.h"
#include "sim/workload/open_loop.h"
#include "sim/workload/per_minute.h"
#include "sim/workload/poisson.h"
#include "sim/workload/trace_window.h"

namespace copal::sim {

namespace {

using scenario::WorkloadSpec;

std::unique_ptr<ArrivalProcess> synthetic_process(const WorkloadSpec& spec, std::uint64_t seed) {
  switch (spec.kind) {
    case WorkloadSpec::Kind::kPoisson:
    case WorkloadSpec::Kind::kKeyTrace:
    case WorkloadSpec::Kind::kClusterStats:
      return std::make_unique<PoissonProcess>(constant_rate(spec.rate_per_s), seed);
    case WorkloadSpec::Kind::kBursty:
      return std::make_unique<BurstyProcess>(spec, seed);
    case WorkloadSpec::Kind::kDiurnal:
      return std::make_unique<DiurnalProcess>(spec, seed);
    case WorkloadSpec::Kind::kFlashCrowd:
      return std::make_unique<PoissonProcess>(flash_crowd_rates(spec), seed);
    case WorkloadSpec::Kind::kPiecewise:
      return std::make_unique<PoissonProcess>(stepwise_rates(spec.rates), seed);
    case WorkloadSpec::Kind::kClosed:
    case WorkloadSpec::Kind::kPerMinute:
    case WorkloadSpec::Kind::kAccessLog:
      break;
  }
  return nullptr;
}

std::optional<std::string> make_closed(const WorkloadSpec& spec, RequestModel model,
                                       std::uint64_t seed, MadeWorkload& made) {
  Sampler think_time;
  if (auto error = load_sampler(spec.think_time, think_time)) {
    return error;
  }
  made.workload =
      std::make_unique<ClosedLoop>(spec.users, std::move(think_time), std::move(model), seed);
  return std::nullopt;
}

std::optional<std::string> make_per_minute(const WorkloadSpec& spec, RequestModel model,
                                           std::uint64_t seed, MadeWorkload& made) {
  TraceWindow window;
  if (auto error = load_window(spec, window)) {
    return error;
  }
  std::vector<MinuteRow> rows;
  if (auto error = load_per_minute(window, made.input, rows)) {
    return error;
  }
  if (!(model.answer_size.mean() > 0)) {
    model.answer_size = Sampler(scenario::Distribution{.mean = 1});
  }
  const UtcSeconds start = window.begins() ? window.from : rows.front().at;
  auto process = std::make_unique<PerMinuteProcess>(std::move(rows), window, start, spec,
                                                    model.answer_size.mean(), seed);
  made.workload = std::make_unique<OpenLoop>(std::move(process), std::move(model), seed);
  return std::nullopt;
}

std::optional<std::string> make_access_log(const WorkloadSpec& spec, RequestModel model,
                                           std::uint64_t seed, MadeWorkload& made) {
  TraceWindow window;
  if (auto error = load_window(spec, window)) {
    return error;
  }
  std::vector<LogRecord> records;
  if (auto error = load_access_log(window, made.input, records)) {
    return error;
  }
  const bool has_durations = std::any_of(
      records.begin(), records.end(),
      [](const LogRecord& record) { return record.duration_us != LogRecord::kNoDuration; });
  if (spec.service_from == WorkloadSpec::ServiceFrom::kLog && !has_durations) {
    return spec.file +
           ": no line says how long its request took; expected behind the agent nginx's "
           "$request_time (0.123, seconds) or Apache's %D (123000, microseconds), or the scenario "
           "with workload.service_from: model";
  }
  order_by_arrival(records, seed);
  constexpr std::int64_t kSecondNs = 1'000'000'000;
  const std::int64_t start_ns =
      window.begins() ? window.from * kSecondNs : records.front().time_ns / kSecondNs * kSecondNs;
  made.workload =
      std::make_unique<AccessLogReplay>(std::move(records), start_ns, spec, std::move(model), seed);
  if (made.workload->next_at() == kNever) {
    made.workload.reset();
    return spec.file + ": no session is left at workload.rate_scale; expected a larger one";
  }
  return std::nullopt;
}

std::optional<std::string> make_key_trace(const WorkloadSpec& spec, RequestModel model,
                                          std::uint64_t seed, MadeWorkload& made) {
  std::vector<std::uint32_t> keys;
  if (auto error = load_key_trace(spec.file, keys)) {
    return error;
  }
  made.input.lines_read = keys.size();
  auto requests = std::make_unique<OpenLoop>(synthetic_process(spec, seed), std::move(model), seed);
  made.workload = std::make_unique<KeyLoop>(std::move(requests), std::move(keys));
  return std::nullopt;
}

std::optional<std::string> make(const scenario::Scenario& scenario, std::uint64_t seed,
                                MadeWorkload& made) {
  const WorkloadSpec& spec = scenario.workload;
  RequestModel model;
  if (auto error = load_request_model(scenario, model)) {
    return error;
  }
  switch (spec.kind) {
    case WorkloadSpec::Kind::kClosed:
      return make_closed(spec, std::move(model), seed, made);
    case WorkloadSpec::Kind::kPerMinute:
      made.input.file = spec.file;
      return make_per_minute(spec, std::move(model), seed, made);
    case WorkloadSpec::Kind::kAccessLog:
      made.input.file = spec.file;
      return make_access_log(spec, std::move(model), seed, made);
    case WorkloadSpec::Kind::kKeyTrace:
      made.input.file = spec.file;
      return make_key_trace(spec, std::move(model), seed, made);
    case WorkloadSpec::Kind::kClusterStats:
      made.input.file = spec.file;
      made.input.lines_read = 1;
      break;
    case WorkloadSpec::Kind::kPoisson:
    case WorkloadSpec::Kind::kBursty:
    case WorkloadSpec::Kind::kDiurnal:
    case WorkloadSpec::Kind::kFlashCrowd:
    case WorkloadSpec::Kind::kPiecewise:
      break;
  }
  made.workload = std::make_unique<OpenLoop>(synthetic_process(spec, seed), std::move(model), seed);
  return std::nullopt;
}

}  // namespace

MadeWorkload make_workload(const scenario::Scenario& scenario, std::uint64_t seed) {
  MadeWorkload made;
  if (auto error = make(scenario, seed, made)) {
    made.error = *error;
  }
  return made;
}

}  // namespace copal::sim

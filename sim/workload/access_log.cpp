#include "sim/workload/access_log.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "sim/workload/line_reader.h"

namespace copal::sim {

namespace {

constexpr std::string_view kExpected =
    "lines of the Common or Combined Log Format such as "
    "192.0.2.7 - - [17/May/2015:10:05:03 +0000] \"GET / HTTP/1.1\" 200 5120 \"-\" \"Mozilla/5.0\"";
constexpr std::int64_t kSecondNs = 1'000'000'000;

std::uint32_t clamped(std::uint64_t number) {
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(number, LogRecord::kNoDuration - 1));
}

double unit_of(std::uint64_t hash) {
  return static_cast<double>(hash >> 11U) * 0x1p-53;
}

void sort_by_time(std::vector<LogRecord>& records) {
  const auto earlier = [](const LogRecord& a, const LogRecord& b) { return a.time_ns < b.time_ns; };
  if (!std::is_sorted(records.begin(), records.end(), earlier)) {
    std::stable_sort(records.begin(), records.end(), earlier);
  }
}

/// Gives the requests of one second times within it, ascending.
void spread(std::span<LogRecord> second, Prng& random, std::vector<std::uint64_t>& offsets) {
  offsets.clear();
  for (std::size_t i = 0; i < second.size(); ++i) {
    offsets.push_back(draw_below(random, static_cast<std::uint32_t>(kSecondNs)));
  }
  std::sort(offsets.begin(), offsets.end());
  for (std::size_t i = 0; i < second.size(); ++i) {
    second[i].time_ns += static_cast<std::int64_t>(offsets[i]);
  }
}

}  // namespace

LogRecord record_of(const AccessLine& line) {
  LogRecord record;
  record.time_ns = line.time * kSecondNs;
  const std::uint64_t address = hash_bytes(line.address.data(), line.address.size());
  record.session =
      std::max<std::uint64_t>(1, hash_bytes(line.agent.data(), line.agent.size(), address));
  record.answer_size_bytes = clamped(line.bytes);
  record.duration_us = line.duration_us ? clamped(*line.duration_us) : LogRecord::kNoDuration;
  record.repeatable = is_repeatable(line.method);
  record.fails = line.status >= 500 && line.status <= 599;
  record.time_is_end = line.time_is_end;
  return record;
}

std::optional<std::string> load_access_log(const TraceWindow& window, InputReport& report,
                                           std::vector<LogRecord>& records) {
  LineReader reader(report.file);
  UtcSeconds first = std::numeric_limits<UtcSeconds>::max();
  UtcSeconds last = std::numeric_limits<UtcSeconds>::min();
  AccessLine parsed;
  while (reader.next()) {
    const std::string_view line = reader.line();
    if (line.empty()) {
      continue;
    }
    const std::string_view reason = reader.too_long() ? "expected a line of at most 65536 bytes"
                                                      : parse_access_line(line, parsed);
    if (!reason.empty()) {
      add_broken(report, reader.line_number(), line, reason);
      continue;
    }
    ++report.lines_read;
    first = std::min(first, parsed.time);
    last = std::max(last, parsed.time);
    if (window.holds(parsed.time)) {
      records.push_back(record_of(parsed));
    }
  }
  if (reader.failure()) {
    return reader.failure();
  }
  if (auto error = unusable(report, kExpected)) {
    return error;
  }
  if (records.empty()) {
    return nothing_in_window(report.file, window, first, last);
  }
  return std::nullopt;
}

void order_by_arrival(std::vector<LogRecord>& records, std::uint64_t seed) {
  sort_by_time(records);
  Prng random(seed, "times within a second");
  std::vector<std::uint64_t> offsets;
  for (std::size_t begin = 0; begin < records.size();) {
    std::size_t end = begin + 1;
    while (end < records.size() && records[end].time_ns == records[begin].time_ns) {
      ++end;
    }
    spread(std::span(records).subspan(begin, end - begin), random, offsets);
    begin = end;
  }
  for (LogRecord& record : records) {
    if (record.time_is_end) {
      record.time_ns -= std::int64_t{record.duration_us} * 1'000;
    }
  }
  sort_by_time(records);
}

AccessLogReplay::AccessLogReplay(std::vector<LogRecord> records, std::int64_t start_ns,
                                 const scenario::WorkloadSpec& spec, RequestModel model,
                                 std::uint64_t seed)
    : records_(std::move(records)),
      start_ns_(start_ns),
      spec_(spec),
      model_(std::move(model)),
      streams_(seed),
      copy_seed_(Prng(seed, "copies of sessions").next()),
      shift_max_(from_seconds(std::max(60 / spec.time_scale, 1.0))) {
  COPAL_ASSERT(records_.size() < std::numeric_limits<std::uint32_t>::max());
  COPAL_ASSERT(spec_.rate_scale > 0 && spec_.time_scale > 0);
  if (!records_.empty()) {
    next_record_at_ = time_of(records_.front());
  }
  refill();
}

TimePoint AccessLogReplay::time_of(const LogRecord& record) const {
  const std::int64_t since_start = std::max<std::int64_t>(0, record.time_ns - start_ns_);
  if (spec_.time_scale == 1) {
    return TimePoint{Duration{since_start}};
  }
  const double scaled = static_cast<double>(since_start) / spec_.time_scale;
  return TimePoint{Duration{static_cast<std::int64_t>(scaled + 0.5)}};
}

std::uint32_t AccessLogReplay::copies_of(std::uint64_t session) const {
  const auto whole = static_cast<std::uint32_t>(spec_.rate_scale);
  const double part = spec_.rate_scale - whole;
  return whole + (part > 0 && unit_of(mix64(copy_seed_, session)) < part ? 1 : 0);
}

Duration AccessLogReplay::shift_of(std::uint64_t session, std::uint32_t copy) const {
  if (copy == 0) {
    return 0s;
  }
  const double share = unit_of(mix64(mix64(copy_seed_, session), copy));
  return Duration{static_cast<std::int64_t>(share * static_cast<double>(shift_max_.count()))};
}

void AccessLogReplay::refill() {
  // No copy comes before its request, so once the next request is later than the earliest copy at
  // hand, that one is due.
  while (next_record_ < records_.size() && (due_.empty() || next_record_at_ <= due_.front().at)) {
    const LogRecord& record = records_[next_record_];
    const std::uint32_t copies = copies_of(record.session);
    for (std::uint32_t copy = 0; copy < copies; ++copy) {
      due_.push_back({next_record_at_ + shift_of(record.session, copy),
                      static_cast<std::uint32_t>(next_record_), copy});
      std::push_heap(due_.begin(), due_.end());
    }
    ++next_record_;
    next_record_at_ = next_record_ < records_.size() ? time_of(records_[next_record_]) : kNever;
  }
}

Arrival AccessLogReplay::take() {
  COPAL_ASSERT(!due_.empty());
  std::pop_heap(due_.begin(), due_.end());
  const Due due = due_.back();
  due_.pop_back();
  const LogRecord& record = records_[due.record];
  Arrival arrival;
  arrival.at = due.at;
  arrival.session = due.copy == 0
                        ? SessionId{record.session}
                        : SessionId{std::max<std::uint64_t>(1, mix64(record.session, due.copy))};
  arrival.user = arrival.session.value;
  arrival.routing_key = routing_key_of(arrival.session);
  draw_demand(model_, streams_, 1, arrival);
  arrival.answer_size_bytes = record.answer_size_bytes;
  arrival.fails = record.fails;
  arrival.repeatable = record.repeatable;
  if (spec_.service_from == scenario::WorkloadSpec::ServiceFrom::kLog &&
      record.duration_us != LogRecord::kNoDuration) {
    arrival.work = std::chrono::microseconds(record.duration_us);
  }
  refill();
  return arrival;
}

}  // namespace copal::sim

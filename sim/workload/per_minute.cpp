#include "sim/workload/per_minute.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "sim/workload/line_reader.h"
#include "sim/workload/sampler.h"

namespace copal::sim {

namespace {

constexpr std::string_view kHeader = "minute_utc,requests,bytes";
constexpr std::string_view kExpectedRow =
    "the header minute_utc,requests,bytes and lines such as 1998-06-30T18:00Z,38402,109234871";
constexpr UtcSeconds kMinute = 60;

/// Takes everything up to the next comma, or the end.
std::string_view take_field(std::string_view& text) {
  const std::size_t comma = text.find(',');
  const std::string_view field = text.substr(0, comma);
  text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
  return field;
}

/// A whole number up to 10^15: doubles hold it exactly.
std::optional<double> exact_number(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number > 1'000'000'000'000'000) {
    return std::nullopt;
  }
  return static_cast<double>(number);
}

/// Sorted, with each minute once.
void tidy(std::vector<MinuteRow>& rows) {
  std::stable_sort(rows.begin(), rows.end(),
                   [](const MinuteRow& a, const MinuteRow& b) { return a.at < b.at; });
  std::size_t kept = 0;
  for (const MinuteRow& row : rows) {
    if (kept > 0 && rows[kept - 1].at == row.at) {
      rows[kept - 1].requests += row.requests;
      rows[kept - 1].bytes += row.bytes;
    } else {
      rows[kept++] = row;
    }
  }
  rows.resize(kept);
}

}  // namespace

std::string_view parse_minute_row(std::string_view line, MinuteRow& row) {
  const auto at = parse_utc(take_field(line));
  if (!at || *at % kMinute != 0) {
    return "expected a minute in UTC such as 1998-06-30T18:00Z";
  }
  const auto requests = exact_number(take_field(line));
  if (!requests) {
    return "expected a whole number of requests";
  }
  if (line.empty()) {
    return "expected a number of bytes";
  }
  const auto bytes = exact_number(take_field(line));
  if (!bytes || !line.empty()) {
    return "expected a whole number of bytes, and nothing behind it";
  }
  row = {*at, *requests, *bytes};
  return {};
}

std::optional<std::string> load_per_minute(const TraceWindow& window, InputReport& report,
                                           std::vector<MinuteRow>& rows) {
  LineReader reader(report.file);
  UtcSeconds first = 0;
  UtcSeconds last = 0;
  bool header = false;
  while (reader.next()) {
    const std::string_view line = reader.line();
    if (line.empty()) {
      continue;
    }
    if (!header && line != kHeader) {
      return report.file + ":" + std::to_string(reader.line_number()) + ": '" + shown(line) +
             "'; expected " + std::string(kExpectedRow);
    }
    if (!std::exchange(header, true)) {
      continue;
    }
    MinuteRow row;
    if (const std::string_view reason = parse_minute_row(line, row); !reason.empty()) {
      add_broken(report, reader.line_number(), line, reason);
      continue;
    }
    const bool none_before = report.lines_read++ == report.lines_broken;
    first = none_before ? row.at : std::min(first, row.at);
    last = none_before ? row.at : std::max(last, row.at);
    if (row.requests > 0 && row.at + kMinute > window.from && row.at < window.to) {
      rows.push_back(row);
    }
  }
  if (reader.failure()) {
    return reader.failure();
  }
  if (auto error = unusable(report, kExpectedRow)) {
    return error;
  }
  if (rows.empty()) {
    return nothing_in_window(report.file, window, first, last + kMinute);
  }
  tidy(rows);
  return std::nullopt;
}

PerMinuteProcess::PerMinuteProcess(std::vector<MinuteRow> rows, const TraceWindow& window,
                                   UtcSeconds start, const scenario::WorkloadSpec& spec,
                                   double answer_mean, std::uint64_t seed)
    : rows_(std::move(rows)),
      window_(window),
      start_(start),
      rate_scale_(spec.rate_scale),
      time_scale_(spec.time_scale),
      answer_mean_(answer_mean),
      random_(seed, "arrivals") {
  COPAL_ASSERT(answer_mean_ > 0 && rate_scale_ > 0 && time_scale_ > 0);
}

void PerMinuteProcess::begin_minute() {
  const MinuteRow& row = rows_[next_row_++];
  // A window that begins or ends within the minute has that share of its requests.
  const UtcSeconds from = std::max(row.at, window_.from);
  const UtcSeconds to = std::min(row.at + kMinute, window_.to);
  COPAL_ASSERT(from >= start_ && to > from);
  begin_s_ = static_cast<double>(from - start_);
  length_s_ = static_cast<double>(to - from);
  const double wanted = row.requests * length_s_ / kMinute * rate_scale_ + carried_;
  left_ = static_cast<std::uint64_t>(wanted);
  carried_ = wanted - static_cast<double>(left_);
  rest_ = 1;
  answer_factor_ = row.bytes / row.requests / answer_mean_;
}

TimePoint PerMinuteProcess::next() {
  while (left_ == 0) {
    if (next_row_ == rows_.size()) {
      return kNever;
    }
    begin_minute();
  }
  // The earliest of n evenly distributed times: what remains behind it is the n-th root of an
  // evenly distributed number. So the times come in order and none has to be kept.
  rest_ *= math::exp(-draw_exponential(random_) / static_cast<double>(left_));
  --left_;
  return TimePoint{from_seconds((begin_s_ + (1 - rest_) * length_s_) / time_scale_)};
}

}  // namespace copal::sim

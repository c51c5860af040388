#include "sim/workload/trace_window.h"

namespace copal::sim {

namespace {

std::optional<std::string> read_bound(const char* key, const std::string& text, UtcSeconds& bound) {
  if (text.empty()) {
    return std::nullopt;
  }
  const auto time = parse_utc(text);
  if (!time) {
    return std::string(key) + ": '" + text + "'; expected a time in UTC such as 1998-06-30T18:00Z";
  }
  bound = *time;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> load_window(const scenario::WorkloadSpec& spec, TraceWindow& window) {
  if (auto error = read_bound("workload.window_from", spec.window_from, window.from)) {
    return error;
  }
  if (auto error = read_bound("workload.window_to", spec.window_to, window.to)) {
    return error;
  }
  if (window.from >= window.to) {
    return "workload.window_to: '" + spec.window_to + "'; expected a time after window_from, " +
           spec.window_from;
  }
  return std::nullopt;
}

std::string nothing_in_window(const std::string& file, const TraceWindow& window, UtcSeconds first,
                              UtcSeconds last) {
  std::string text = file + ": has no requests";
  if (window.begins()) {
    text += " from " + utc_text(window.from) + " on";
  }
  if (window.ends()) {
    text += " before " + utc_text(window.to);
  }
  return text + "; it covers " + utc_text(first) + " to " + utc_text(last);
}

}  // namespace copal::sim

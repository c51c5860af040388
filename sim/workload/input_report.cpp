#include "sim/workload/input_report.h"

namespace copal::sim {

std::string shown(std::string_view text) {
  return std::string(text.substr(0, kShownTextMax));
}

void add_broken(InputReport& report, std::uint64_t line, std::string_view text,
                std::string_view reason) {
  ++report.lines_read;
  ++report.lines_broken;
  if (report.first_broken.size() < kBrokenLinesShown) {
    report.first_broken.push_back({line, shown(text), std::string(reason)});
  }
}

std::optional<std::string> unusable(const InputReport& report, std::string_view expected) {
  if (report.lines_read == 0) {
    return report.file + ": has no lines; expected " + std::string(expected);
  }
  if (report.lines_broken * 2 <= report.lines_read) {
    return std::nullopt;
  }
  std::string text = report.file + ": " + std::to_string(report.lines_broken) + " of " +
                     std::to_string(report.lines_read) + " lines can't be understood; expected " +
                     std::string(expected);
  for (const ReportContext::BrokenLine& broken : report.first_broken) {
    text += "\n" + report.file + ":" + std::to_string(broken.line) + ": " + broken.reason + ": '" +
            broken.text + "'";
  }
  return text;
}

}  // namespace copal::sim

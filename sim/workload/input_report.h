#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sim/report/report.h"

namespace copal::sim {

/// What reading a trace found: how many lines it has, how many of them are broken, and the first
/// of those. Lines that carry no data (blank ones, a header, comments) are not counted.
using InputReport = ReportContext::Input;

inline constexpr std::size_t kBrokenLinesShown = 5;
inline constexpr std::size_t kShownTextMax = 200;  // bytes of a line's text

/// The text as people get to see it: at most kShownTextMax bytes.
std::string shown(std::string_view text);

/// Counts a line that could not be understood. line  its number in the file, from 1.
/// reason  what was expected instead. The line counts as read too.
void add_broken(InputReport& report, std::uint64_t line, std::string_view text,
                std::string_view reason);

/// Returns why the file can't be used, for people: nothing of it could be read, or more than half
/// of its lines are broken, of which the first are shown. Nothing if all is well.
/// expected  what its lines should look like.
std::optional<std::string> unusable(const InputReport& report, std::string_view expected);

}  // namespace copal::sim

#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sim/report/report.h"
#include "sim/report/result.h"

// The comparison as one page that needs no network: analysis/report/ with style, script, Chart.js
// and the results inside it.

namespace copal::sim {

/// Returns the page. runs  as for write_results; series are thinned (downsample.h) so that a page
/// stays below about 6 MB whatever the length of the run, and the page says so.
std::string html_report(const ReportContext& context, std::span<const RunResult> runs);

/// Returns text with & < > " ' as character references, for elements and quoted attributes.
std::string escape_html(std::string_view text);

/// Returns JSON text that may stand inside <script>: every < as \u003c, so that no text of a
/// scenario can end the element.
std::string escape_json_for_script(std::string_view json);

}  // namespace copal::sim

#include "sim/report/html_report.h"

#include <algorithm>
#include <functional>

#include "core/base/assert.h"
#include "scenarios/embedded.h"
#include "sim/report/page_data.h"

namespace copal::sim {

namespace {

/// Replaces every {{name}} of the page by what `part` gives for it. One pass: what is put in is
/// not looked at again, so no text of a scenario can pull in another part.
std::string fill(std::string_view page, const std::function<std::string(std::string_view)>& part) {
  std::string text;
  while (true) {
    const std::size_t begin = page.find("{{");
    const std::size_t end = page.find("}}", begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) {
      return text.append(page);
    }
    text.append(page.substr(0, begin));
    text += part(page.substr(begin + 2, end - begin - 2));
    page.remove_prefix(end + 2);
  }
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string escaped;
  for (const char character : text) {
    switch (character) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += character;
    }
  }
  return escaped;
}

std::string escape_json_for_script(std::string_view json) {
  std::string escaped;
  escaped.reserve(json.size());
  for (const char character : json) {
    // Outside of texts JSON knows no <, so this never changes what it means.
    if (character == '<') {
      escaped += "\\u003c";
    } else {
      escaped += character;
    }
  }
  return escaped;
}

std::string html_report(const ReportContext& context, std::span<const RunResult> runs) {
  return fill(embedded("report.html"), [&](std::string_view name) {
    if (name == "title") {
      return escape_html(context.scenario_title);
    }
    if (name == "data") {
      return escape_json_for_script(page_data(context, runs));
    }
    const std::string_view file = embedded(name);
    COPAL_ASSERT(!file.empty());
    return std::string(file);
  });
}

}  // namespace copal::sim

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sim/workload/utc.h"

namespace copal::sim {

/// What one line of an access log says. Texts point into the line, with their escapes as written.
struct AccessLine {
  UtcSeconds time = 0;
  std::string_view address;
  std::string_view method;  // empty where the client sent no request that could be understood
  std::string_view agent;   // empty in the Common Log Format
  unsigned status = 0;      // 100 to 999
  std::uint64_t bytes = 0;  // of the answer's body; 0 for "-"
  std::optional<std::uint64_t> duration_us;
  bool time_is_end = false;  // `time` is when the request ended, not when it came
};

/// Reads a line of the Common or the Combined Log Format, of nginx or Apache, also with the virtual
/// host in front:
///   [host:port ]address ident user [17/May/2015:10:05:03 +0000] "request" status bytes
///   … "referer" "agent" [further fields]
/// Inside quotes a backslash escapes what follows (Apache's \" and \xHH, nginx's \x22); the user
/// may hold blanks; "-" stands for nothing. A request that is no request line (a port scan, TLS
/// spoken to a plain port) does not break the line: the server had it to answer.
///
/// Duration, among the fields without quotes behind the known ones: the first number with a dot is
/// in seconds (nginx, $request_time); else, of whole numbers, the last one is in microseconds
/// (Apache, %D), but two alone are mod_logio's bytes in and out (%I %O) and no duration. nginx
/// writes down when a request ended, Apache when it came: time_is_end.
///
/// Returns what was expected instead; empty if the line is well.
/// Source: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html,
/// https://nginx.org/en/docs/http/ngx_http_log_module.html
std::string_view parse_access_line(std::string_view line, AccessLine& result);

/// Whether a request with this method is safe, so that it may be sent twice: GET, HEAD, OPTIONS,
/// TRACE. PUT and DELETE are idempotent but not safe: who repeats them may undo what a third one
/// did in between. Source: RFC 9110, 9.2.1.
bool is_repeatable(std::string_view method);

}  // namespace copal::sim

#pragma once

#include <string>

namespace copal::sim {

/// The folder of the scenarios that are shipped, with a slash at its end.
inline const std::string kScenarios = std::string(COPAL_SOURCE_DIR) + "/scenarios/";

/// A recording that a test reads. Real ones are no part of the project: they lie in the folder that
/// the environment variable COPAL_DATA names, by default ../shared/data beside the source tree (or
/// beside the current directory). Where one is missing, a generated file of the same format takes
/// its place for as long as the process runs, and a line says so:
///   [ DATA ] generated: <file> for <test>; …
struct TestData {
  std::string path;
  bool real = false;
};

/// Requests per minute to the World Cup site of 1998, gzip. 30 June 18:00 to 22:00 UTC is within
/// it, about 130,000 requests a minute; in the real one 31,881,062 in all.
TestData worldcup_data();

/// The keys asked of a cache in front of a product web site, in order, xz: see load_key_trace().
/// 76,118 requests; in the real one for 20,484 keys.
TestData key_trace_data();

/// Statistics of cache clusters, CSV: see load_cluster_stats(). In the generated one clusters 7, 19
/// and 50.
TestData cluster_stats_data();

/// An access log in the Combined Log Format, gzip: 10,000 lines over 83 hours, one of them broken.
TestData access_log_data();

}  // namespace copal::sim

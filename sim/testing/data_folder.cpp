#include "sim/testing/data_folder.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string_view>

#include "sim/testing/trace_maker.h"

namespace copal::sim {

namespace {

bool is_readable(const std::string& path) {
  std::ifstream file(path);
  return file.good() && file.peek() != std::ifstream::traits_type::eof();
}

/// Empty if there is no such file.
std::string find_real(const std::string& name) {
  if (const char* folder = std::getenv("COPAL_DATA")) {
    const std::string path = std::string(folder) + "/" + name;
    return is_readable(path) ? path : std::string();
  }
#ifdef COPAL_SOURCE_DIR
  constexpr std::string_view kFolders[] = {COPAL_SOURCE_DIR "/../shared/data/", "../shared/data/"};
#else
  constexpr std::string_view kFolders[] = {"../shared/data/"};
#endif
  for (const std::string_view folder : kFolders) {
    std::string path = std::string(folder) + name;
    if (is_readable(path)) {
      return path;
    }
  }
  return {};
}

void say_generated(const std::string& name) {
  const testing::TestInfo* test = testing::UnitTest::GetInstance()->current_test_info();
  const std::string who =
      test == nullptr ? "the tests" : std::string(test->test_suite_name()) + "." + test->name();
  std::cout << "[ DATA ] generated: " << name << " for " << who
            << "; the real one is read from the folder that COPAL_DATA names" << std::endl;
}

}  // namespace

TestData worldcup_data() {
  const std::string name = "worldcup98-per-minute.csv.gz";
  const std::string real = find_real(name);
  if (!real.empty()) {
    return {real, true};
  }
  say_generated(name);
  static const TemporaryFile kGenerated(name, gzip_of(make_per_minute()));
  return {kGenerated.path(), false};
}

TestData key_trace_data() {
  const std::string name = "cache2k-web07.trace.xz";
  const std::string real = find_real(name);
  if (!real.empty()) {
    return {real, true};
  }
  say_generated(name);
  static const TemporaryFile kGenerated(name, xz_of(make_key_trace(76'118)));
  return {kGenerated.path(), false};
}

TestData cluster_stats_data() {
  const std::string name = "twitter-2020-cluster-stats.csv";
  const std::string real = find_real(name);
  if (!real.empty()) {
    return {real, true};
  }
  say_generated(name);
  static const TemporaryFile kGenerated(
      name,
      "cluster,miss_ratio,key_bytes,value_bytes,rate_kqps,ttl_mix,wss_mb,operation_mix,zipf_alpha\n"
      "7,0.2,20,2000,1.5,\"1.8h:0.5, 2h:0.5,\",85,get:0.82 set:0.18,1.1\n"
      "19,0.5,40,100,3.5,\"7h:1.00,\",3400,get:0.75 set:0.25,0.7\n"
      "50,0.5,20,67000,0.25,\"900s:0.7, 1200s:0.3,\",150,get:0.5 set:0.5,1.3\n");
  return {kGenerated.path(), false};
}

TestData access_log_data() {
  const std::string name = "apache-combined-10k.log.gz";
  const std::string real = find_real(name);
  if (!real.empty()) {
    return {real, true};
  }
  say_generated(name);
  static const TemporaryFile kGenerated(name, gzip_of(make_access_log({})));
  return {kGenerated.path(), false};
}

}  // namespace copal::sim

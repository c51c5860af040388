#include "sim/workload/cluster_stats.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "sim/workload/input_report.h"
#include "sim/workload/line_reader.h"

namespace copal::sim {

namespace {

using Fields = std::vector<std::string>;

constexpr std::string_view kColumns[] = {"cluster",     "miss_ratio",    "key_bytes",
                                         "value_bytes", "rate_kqps",     "ttl_mix",
                                         "wss_mb",      "operation_mix", "zipf_alpha"};

/// Fields of a line of CSV; quotes keep commas.
Fields split(std::string_view line) {
  Fields fields(1);
  bool quoted = false;
  for (const char character : line) {
    if (character == '"') {
      quoted = !quoted;
    } else if (character == ',' && !quoted) {
      fields.emplace_back();
    } else {
      fields.back() += character;
    }
  }
  return fields;
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool good = error == std::errc() && end == text.data() + text.size();
  return good && value >= 0 && value < 1e15 ? std::optional(value) : std::nullopt;
}

/// "1.8h", "240s", "4d".
std::optional<Duration> lifetime_of(std::string_view text) {
  const double second = text.empty()         ? 0
                        : text.back() == 's' ? 1
                        : text.back() == 'h' ? 3600
                        : text.back() == 'd' ? 86'400
                                             : 0;
  const auto number = text.empty() ? std::nullopt : number_of(text.substr(0, text.size() - 1));
  return second > 0 && number && *number < 1e6 ? std::optional(from_seconds(*number * second))
                                               : std::nullopt;
}

/// Calls visit(name, share) for each "name:share" between blanks and commas. Returns whether all
/// is well.
template <class Visit>
bool for_each_share(std::string_view text, const Visit& visit) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" ,"), text.size());
    const std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t colon = part.find(':');
    if (part.empty()) {
      continue;
    }
    const auto share = colon < part.size() ? number_of(part.substr(colon + 1)) : std::nullopt;
    if (!share || *share > 1 || !visit(part.substr(0, colon), *share)) {
      return false;
    }
  }
  return true;
}

class Row {
 public:
  Row(const std::map<std::string, std::size_t>& places, const Fields& fields)
      : places_(places), fields_(fields) {}

  const std::string& text(const std::string& column) const { return fields_[places_.at(column)]; }
  void read(const std::string& column, double factor, double& field) {
    if (text(column) == "NA") {
      field = 0;  // not known
      return;
    }
    const auto number = number_of(text(column));
    wrong_ = wrong_.empty() && !number ? column : wrong_;
    field = number.value_or(0) * factor;
  }
  /// The column that is not as expected; empty if all are.
  const std::string& wrong() const { return wrong_; }

 private:
  std::string wrong_;
  const std::map<std::string, std::size_t>& places_;
  const Fields& fields_;
};

/// Returns the column that is wrong.
std::string read_row(Row row, ClusterStats& stats) {
  row.read("miss_ratio", 1, stats.miss_ratio);
  row.read("key_bytes", 1, stats.key_bytes);
  row.read("value_bytes", 1, stats.value_bytes);
  row.read("rate_kqps", 1000, stats.rate_per_s);
  row.read("wss_mb", 1e6, stats.working_set_bytes);
  row.read("zipf_alpha", 1, stats.zipf_exponent);
  if (!for_each_share(row.text("ttl_mix"), [&](std::string_view name, double share) {
        const auto lifetime = lifetime_of(name);
        stats.lifetimes.push_back({lifetime.value_or(0ns), share});
        return lifetime.has_value();
      })) {
    return "ttl_mix";
  }
  if (!for_each_share(row.text("operation_mix"), [&](std::string_view name, double share) {
        stats.read_share += name == "get" || name == "gets" ? share : 0;
        stats.remove_share += name == "delete" ? share : 0;
        return true;
      })) {
    return "operation_mix";
  }
  stats.read_share = std::min(stats.read_share, 1.0);
  stats.remove_share = std::min(stats.remove_share, 1 - stats.read_share);
  return row.wrong();
}

std::string header_error(const Fields& header, std::map<std::string, std::size_t>& places) {
  for (std::size_t i = 0; i < header.size(); ++i) {
    places.try_emplace(header[i], i);
  }
  for (const std::string_view column : kColumns) {
    if (!places.contains(std::string(column))) {
      return "has no column '" + std::string(column) + "'; expected a header with cluster, " +
             "miss_ratio, key_bytes, value_bytes, rate_kqps, ttl_mix, wss_mb, operation_mix and "
             "zipf_alpha";
    }
  }
  return {};
}

}  // namespace

std::optional<std::string> load_cluster_stats(const std::string& path, std::uint32_t cluster,
                                              ClusterStats& stats) {
  LineReader reader(path);
  std::map<std::string, std::size_t> places;
  std::size_t columns = 0;
  while (reader.next()) {
    const std::string where = path + ":" + std::to_string(reader.line_number()) + ": ";
    const Fields fields = split(reader.line());
    if (places.empty()) {
      columns = fields.size();
      const std::string error = header_error(fields, places);
      if (!error.empty()) {
        return where + error;
      }
    } else if (fields.size() == columns &&
               fields[places.at("cluster")] == std::to_string(cluster)) {
      const std::string wrong = read_row(Row(places, fields), stats);
      if (!wrong.empty()) {
        return where + wrong + " is '" + shown(fields[places.at(wrong)]) + "'; expected " +
               (wrong == "ttl_mix"         ? "lifetimes by share such as 4d:0.59, 12h:0.41"
                : wrong == "operation_mix" ? "operations by share such as get:0.9 set:0.1"
                                           : "a number not below 0");
      }
      return std::nullopt;
    }
  }
  if (reader.failure()) {
    return reader.failure();
  }
  return path + ": has no row of a cluster " + std::to_string(cluster);
}

std::optional<std::string> follow_cluster(scenario::Scenario& scenario) {
  scenario::WorkloadSpec& load = scenario.workload;
  ClusterStats stats;
  if (auto error = load_cluster_stats(load.file, load.cluster, stats)) {
    return error;
  }
  const double entry_bytes = std::max(1.0, stats.key_bytes + stats.value_bytes);
  const double keys = load.key_count > 0            ? load.key_count
                      : stats.working_set_bytes > 0 ? stats.working_set_bytes / entry_bytes
                                                    : 100'000;
  load.rate_per_s = std::max(stats.rate_per_s * load.rate_scale, 1e-3);
  for (scenario::CacheUse& use : scenario.application.cache_use) {
    if (use.keys == scenario::CacheUse::Keys::kTrace) {
      use.key_count = static_cast<std::uint32_t>(std::clamp(keys, 1.0, 1e8));
      use.zipf_exponent = std::min(stats.zipf_exponent, 10.0);
      use.key_size_bytes = static_cast<std::uint32_t>(std::clamp(stats.key_bytes, 10.0, 1024.0));
      use.value_size = {.mean = std::max(1.0, stats.value_bytes)};
      use.read_share = stats.read_share;
      use.remove_share = stats.remove_share;
      use.lifetimes = stats.lifetimes;
    }
  }
  return std::nullopt;
}

}  // namespace copal::sim

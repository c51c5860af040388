#include "sim/run_wire.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

/// Walks the same fields for both directions.
class Out {
 public:
  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(const Number& number) {
    bytes_.append(reinterpret_cast<const char*>(&number), sizeof number);
  }
  void operator()(const std::string& text) {
    (*this)(static_cast<std::uint64_t>(text.size()));
    bytes_ += text;
  }
  template <class Item>
  void list(const std::vector<Item>& items, auto&& fields) {
    (*this)(static_cast<std::uint64_t>(items.size()));
    for (const Item& item : items) {
      fields(item, *this);
    }
  }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class In {
 public:
  explicit In(const std::string& bytes) : rest_(bytes) {}

  template <class Number>
  requires std::is_arithmetic_v<Number>
  void operator()(Number& number) {
    COPAL_ASSERT(rest_.size() >= sizeof number);
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_.remove_prefix(sizeof number);
  }
  void operator()(std::string& text) {
    std::uint64_t size = 0;
    (*this)(size);
    COPAL_ASSERT(rest_.size() >= size);
    text.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  template <class Item>
  void list(std::vector<Item>& items, auto&& fields) {
    std::uint64_t size = 0;
    (*this)(size);
    items.resize(size);
    for (Item& item : items) {
      fields(item, *this);
    }
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

void series_fields(auto& row, auto& visit) {
  visit(row.time_s);
  visit(row.arrivals_per_s);
  visit(row.answers_per_s);
  visit(row.errors_per_s);
  visit(row.latency_ms_p50);
  visit(row.latency_ms_p95);
  visit(row.latency_ms_p99);
  visit(row.in_flight);
  visit(row.servers_active);
  visit(row.servers_on);
  visit(row.cpu_ratio_mean);
  visit(row.cpu_ratio_max);
  visit(row.power_watts);
}

void server_fields(auto& server, auto& visit) {
  visit(server.name);
  visit(server.requests);
  visit(server.active_mean);
  visit(server.cpu_ratio_mean);
  visit(server.awake_s);
  visit(server.energy_joules);
}

void run_fields(auto& run, std::vector<std::uint64_t>& latency, auto& visit) {
  visit(run.line);
  visit(run.algorithm);
  visit(run.seed);
  visit(run.event_hash);
  visit.list(run.metrics, [](auto& metric, auto& inner) {
    inner(metric.first);
    inner(metric.second);
  });
  visit.list(latency, [](auto& word, auto& inner) { inner(word); });
  visit.list(run.servers, [](auto& server, auto& inner) { server_fields(server, inner); });
  visit.list(run.series, [](auto& row, auto& inner) { series_fields(row, inner); });
}

}  // namespace

std::string run_to_bytes(const RunResult& run) {
  Out out;
  std::vector<std::uint64_t> latency = run.latency.to_words();
  run_fields(run, latency, out);
  return out.take();
}

RunResult run_from_bytes(const std::string& bytes) {
  In in(bytes);
  RunResult run;
  std::vector<std::uint64_t> latency;
  run_fields(run, latency, in);
  COPAL_ASSERT(in.done());
  run.latency = Histogram::from_words(latency);
  return run;
}

}  // namespace copal::sim

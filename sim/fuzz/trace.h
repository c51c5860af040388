#pragma once

#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/fuzz/message_text.h"
#include "sim/fuzz/trial.h"
#include "sim/network.h"

namespace copal::sim::fuzz {

/// What a trace shows of a run.
struct TraceOptions {
  bool steps = false;                   // what each node is told and says
  std::vector<std::string> containing;  // only lines with one of these words; empty: all
  double from_s = 0;
  double to_s = 1e9;
};

/// Writes a run for people, a line for each thing that happens.
class TextTrace final : public MemberWatcher {
 public:
  TextTrace(std::FILE* out, const Trial& world, TraceOptions options);

  void on_step(NodeId node, const Input& input, Now now, const Effects& effects) override;

  /// Plan, faults and operations, in the order of time; for after the run.
  void write_outline();

 private:
  void line(TimePoint at, const std::string& text);
  std::string node_name(std::uint32_t node) const;
  std::string text_of(const StorageBatch& batch) const;

  std::FILE* out_;
  const Trial& world_;
  TraceOptions options_;
  std::map<KeyHash, std::string> key_names_;
  KeyNames keys_;
};

/// Collects a run for the Perfetto viewer (ui.perfetto.dev) in Chrome's trace event format: nodes
/// are tracks, messages are arrows between them, clients' operations are spans.
/// Source: "Trace Event Format", chromium.org.
class PerfettoTrace final : public Network::Watcher, public MemberWatcher {
 public:
  explicit PerfettoTrace(const Trial& world) : world_(world) {}

  void on_sent(std::uint32_t flight, NodeId from, NodeId to,
               std::span<const std::byte> frame) override;
  void on_arrived(std::uint32_t flight) override;
  void on_lost(std::uint32_t flight) override;
  void on_step(NodeId node, const Input& input, Now now, const Effects& effects) override;

  /// Returns an error's text, or an empty one.
  std::string write(const std::string& path) const;

 private:
  struct Arrow {
    std::uint64_t id = 0;
    NodeId from;
    NodeId to;
    TimePoint sent{};
    TimePoint arrived = kNever;
    std::string name;
    bool lost = false;
  };
  struct Step {
    NodeId node;
    TimePoint at{};
    std::string name;
  };

  const Trial& world_;
  std::vector<Arrow> arrows_;
  std::map<std::uint32_t, std::size_t> under_way_;  // flight -> arrow
  std::vector<Step> steps_;
};

}  // namespace copal::sim::fuzz

#include "sim/fuzz/trace.h"

#include <algorithm>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>

#include "core/protocol/codec.h"
#include "sim/checkers/checkers.h"
#include "sim/fuzz/fault_names.h"

namespace copal::sim::fuzz {

using Json = nlohmann::json;

namespace {

std::string name_of_node(const Plan& plan, std::uint32_t node) {
  if (plan.is_member(node)) {
    return "triad-" + std::to_string(node);
  }
  return plan.is_server(node) ? "server-" + std::to_string(node - 3)
                              : "balancer-" + std::to_string(node - 3 - plan.servers);
}

std::string text_of_fault(const Plan& plan, const PlannedFault& fault) {
  std::string text = fault_name(fault.kind);
  if (!is_partition(fault.kind) || fault.kind == PlannedFault::Kind::kBridge) {
    text += " of " + name_of_node(plan, fault.node);
  }
  if (fault.other != PlannedFault::kAnyNode) {
    text += " towards " + name_of_node(plan, fault.other);
  }
  if (is_partition(fault.kind)) {
    text += ":";
    for (std::uint32_t node = 0; node < plan.node_count(); ++node) {
      text += (fault.mask >> node & 1U) != 0 ? " " + name_of_node(plan, node) : "";
    }
  }
  return text + (fault.amount != 0 ? ", " + std::to_string(fault.amount) : "") + ", for " +
         std::to_string(to_seconds(fault.lasting)) + " s";
}

}  // namespace

TextTrace::TextTrace(std::FILE* out, const Trial& world, TraceOptions options)
    : out_(out), world_(world), options_(std::move(options)) {
  for (const auto& [name, key] : world_.history().keys) {
    key_names_[key.hash] = "key " + std::to_string(name.cache) + "/" + std::to_string(name.key);
  }
  keys_ = [this](const KeyHash& hash) {
    const auto found = key_names_.find(hash);
    return found == key_names_.end() ? std::string{} : found->second;
  };
}

std::string TextTrace::node_name(std::uint32_t node) const {
  return name_of_node(world_.plan(), node);
}

void TextTrace::line(TimePoint at, const std::string& text) {
  const double time_s = to_seconds(at.time_since_epoch());
  const bool wanted = options_.containing.empty() ||
                      std::ranges::any_of(options_.containing, [&](const std::string& word) {
                        return text.find(word) != std::string::npos;
                      });
  if (wanted && time_s >= options_.from_s && time_s <= options_.to_s) {
    std::fprintf(out_, "%12.6f  %s\n", time_s, text.c_str());
  }
}

void TextTrace::on_step(NodeId node, const Input& input, Now, const Effects& effects) {
  if (!options_.steps) {
    return;
  }
  const std::string name = node_name(node.value) + "  ";
  line(world_.now(), name + fuzz::text_of(input, keys_));
  for (const Effect& effect : effects) {
    if (const auto* send = std::get_if<Send>(&effect)) {
      line(world_.now(), name + "  to n" + std::to_string(send->to.value) + ": " +
                             fuzz::text_of(send->message, keys_) +
                             (send->after_sync ? " after sync" : ""));
    } else if (const auto* answer = std::get_if<AnswerCall>(&effect)) {
      line(world_.now(), name + "  answers call " + std::to_string(answer->call.value) + " with #" +
                             std::to_string(static_cast<int>(answer->status)));
    }
  }
  if (!effects.store().empty()) {
    line(world_.now(), name + "  writes" + text_of(effects.store()));
  }
}

/// What it does to m-nodes whose keys have names, and how much there is.
std::string TextTrace::text_of(const StorageBatch& batch) const {
  std::string named;
  std::size_t count = 0;
  for (StorageChanges changes(batch.bytes()); !changes.done(); ++count) {
    const StorageBatch::Change change = changes.next();
    KeyHash key;
    if (change.family == Family::kMNodes && change.key.size() == key.bytes.size()) {
      std::ranges::copy(change.key, key.bytes.begin());
      const std::string name = keys_(key);
      named += name.empty() ? "" : (change.is_put ? " " : " erases ") + name + ",";
    }
  }
  return named + " " + std::to_string(count) + " records, " + std::to_string(batch.size_bytes()) +
         " bytes";
}

void TextTrace::write_outline() {
  std::vector<std::pair<TimePoint, std::string>> lines;
  const Plan& plan = world_.plan();
  for (const PlannedFault& fault : plan.faults) {
    lines.emplace_back(TimePoint{fault.at}, "fault: " + text_of_fault(plan, fault));
  }
  for (const Operation& operation : world_.history().operations) {
    std::string text =
        describe(operation) + " -> #" + std::to_string(static_cast<int>(operation.status));
    text += operation.died ? ", its server died" : "";
    lines.emplace_back(operation.asked, text);
  }
  // Groups mostly come and go together.
  std::map<std::tuple<TimePoint, std::uint32_t, std::uint32_t, TimePoint>, std::string> acting;
  for (std::size_t group = 0; group < kGroups; ++group) {
    for (const ActingSpan& span : world_.history().acting[group]) {
      acting[{span.from, span.member, span.term, span.to}] += " " + std::to_string(group);
    }
  }
  for (const auto& [span, groups] : acting) {
    const auto& [from, member, term, to] = span;
    lines.emplace_back(from, "triad-" + std::to_string(member) + " acts in term " +
                                 std::to_string(term) + " until " + seconds(to) + " for groups" +
                                 groups);
  }
  lines.emplace_back(world_.core_from(), "a core is healed, the rest stays broken");
  lines.emplace_back(world_.healed_from(), "all is healed");
  std::ranges::stable_sort(lines, {}, &std::pair<TimePoint, std::string>::first);
  for (const auto& [at, text] : lines) {
    line(at, text);
  }
}

// ---- Perfetto

void PerfettoTrace::on_sent(std::uint32_t flight, NodeId from, NodeId to,
                            std::span<const std::byte> frame) {
  const auto message = decode(frame);
  under_way_[flight] = arrows_.size();
  arrows_.push_back({.id = arrows_.size() + 1,
                     .from = from,
                     .to = to,
                     .sent = world_.now(),
                     .name = message ? kind_name(*message) : "?"});
}

void PerfettoTrace::on_arrived(std::uint32_t flight) {
  if (const auto found = under_way_.find(flight); found != under_way_.end()) {
    arrows_[found->second].arrived = world_.now();
    under_way_.erase(found);
  }
}

void PerfettoTrace::on_lost(std::uint32_t flight) {
  if (const auto found = under_way_.find(flight); found != under_way_.end()) {
    arrows_[found->second].lost = true;
    under_way_.erase(found);
  }
}

void PerfettoTrace::on_step(NodeId node, const Input& input, Now, const Effects&) {
  if (!std::holds_alternative<Wake>(input)) {
    const auto* received = std::get_if<MessageReceived>(&input);
    steps_.push_back({node, world_.now(),
                      received != nullptr ? kind_name(received->message) : text_of(input, {})});
  }
}

namespace {

double micros(TimePoint at) {
  return static_cast<double>(at.time_since_epoch().count()) / 1e3;
}

/// One event of the format. In process 1 each thread is a node; process 2 has the operations.
Json event(const char* phase, int process, std::uint32_t node, TimePoint at, std::string name) {
  return {{"ph", phase},
          {"pid", process},
          {"tid", node},
          {"ts", micros(at)},
          {"name", std::move(name)}};
}

/// A slice: a step takes no time, but what is to be seen must have some.
Json trace_slice(NodeId node, TimePoint at, std::string name) {
  Json made = event("X", 1, node.value, at, std::move(name));
  made["dur"] = 20;
  return made;
}

/// One end of an arrow, or of an operation.
Json end(Json made, const char* category, std::uint64_t id) {
  made["cat"] = category;
  made["id"] = id;
  return made;
}

}  // namespace

std::string PerfettoTrace::write(const std::string& path) const {
  std::ofstream out(path);
  out << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  bool first = true;
  const auto put = [&](const Json& made) {
    out << (first ? "" : ",\n") << made.dump();
    first = false;
  };
  for (std::uint32_t node = 0; node < world_.plan().node_count(); ++node) {
    Json name = event("M", 1, node, TimePoint{}, "thread_name");
    name["args"] = {{"name", name_of_node(world_.plan(), node)}};
    put(name);
  }
  for (const Step& step : steps_) {
    put(trace_slice(step.node, step.at, step.name));
  }
  for (const Arrow& arrow : arrows_) {
    put(trace_slice(arrow.from, arrow.sent, arrow.name + (arrow.lost ? " (lost)" : "")));
    if (arrow.arrived != kNever) {
      put(end(event("s", 1, arrow.from.value, arrow.sent, arrow.name), "message", arrow.id));
      Json tip = event("f", 1, arrow.to.value, arrow.arrived, arrow.name);
      tip["bp"] = "e";  // bound to the slice around it
      put(end(tip, "message", arrow.id));
    }
  }
  for (const Operation& operation : world_.history().operations) {
    const TimePoint over = operation.is_over() ? operation.answered : world_.now();
    const std::string name = describe(operation);
    put(end(event("b", 2, operation.server, operation.asked, name), "operation", operation.id));
    put(end(event("e", 2, operation.server, over, name), "operation", operation.id));
  }
  out << "\n]}\n";
  out.close();
  return out ? std::string{} : path + ": can't be written";
}

}  // namespace copal::sim::fuzz

#include "sim/fuzz/trace.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

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
  std::string text = fault_name(fault.kind) + " of " + name_of_node(plan, fault.node);
  if (fault.other != PlannedFault::kAnyNode) {
    text += " towards " + name_of_node(plan, fault.other);
  }
  if (fault.kind == PlannedFault::Kind::kPartition) {
    text = "partition:";
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
  line(world_.now(), name + text_of(input, keys_));
  for (const Effect& effect : effects) {
    if (const auto* send = std::get_if<Send>(&effect)) {
      line(world_.now(), name + "  to n" + std::to_string(send->to.value) + ": " +
                             text_of(send->message, keys_) +
                             (send->after_sync ? " after sync" : ""));
    } else if (const auto* answer = std::get_if<AnswerCall>(&effect)) {
      line(world_.now(), name + "  answers call " + std::to_string(answer->call.value) + " with #" +
                             std::to_string(static_cast<int>(answer->status)));
    }
  }
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
  for (std::size_t group = 0; group < kGroups; ++group) {
    for (const ActingSpan& span : world_.history().acting[group]) {
      const std::string text = "triad-" + std::to_string(span.member) + " acts for group " +
                               std::to_string(group) + " in term " + std::to_string(span.term) +
                               " until " + seconds(span.to);
      lines.emplace_back(span.from, text);
    }
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

std::string PerfettoTrace::write(const std::string& path) const {
  const auto micros = [](TimePoint at) {
    return static_cast<double>(at.time_since_epoch().count()) / 1e3;
  };
  std::ofstream out(path);
  out << "{\"displayTimeUnit\":\"ms\",\"traceEvents\":[\n";
  bool first = true;
  const auto put = [&](const Json& event) {
    out << (first ? "" : ",\n") << event.dump();
    first = false;
  };
  constexpr double kStepTime = 20;  // µs: a step takes no time, but a slice must have some
  for (std::uint32_t node = 0; node < world_.plan().node_count(); ++node) {
    put({{"ph", "M"},
         {"pid", 1},
         {"tid", node},
         {"name", "thread_name"},
         {"args", {{"name", name_of_node(world_.plan(), node)}}}});
  }
  for (const Step& step : steps_) {
    put({{"ph", "X"},
         {"pid", 1},
         {"tid", step.node.value},
         {"ts", micros(step.at)},
         {"dur", kStepTime},
         {"name", step.name}});
  }
  for (const Arrow& arrow : arrows_) {
    put({{"ph", "X"},
         {"pid", 1},
         {"tid", arrow.from.value},
         {"ts", micros(arrow.sent)},
         {"dur", kStepTime},
         {"name", arrow.name + (arrow.lost ? " (lost)" : "")}});
    if (arrow.arrived != kNever) {
      put({{"ph", "s"},
           {"pid", 1},
           {"tid", arrow.from.value},
           {"ts", micros(arrow.sent)},
           {"id", arrow.id},
           {"name", arrow.name},
           {"cat", "message"}});
      put({{"ph", "f"},
           {"bp", "e"},
           {"pid", 1},
           {"tid", arrow.to.value},
           {"ts", micros(arrow.arrived)},
           {"id", arrow.id},
           {"name", arrow.name},
           {"cat", "message"}});
    }
  }
  for (const Operation& operation : world_.history().operations) {
    const TimePoint end = operation.is_over() ? operation.answered : world_.now();
    put({{"ph", "b"},
         {"pid", 2},
         {"tid", operation.server},
         {"cat", "operation"},
         {"id", operation.id},
         {"ts", micros(operation.asked)},
         {"name", describe(operation)}});
    put({{"ph", "e"},
         {"pid", 2},
         {"tid", operation.server},
         {"cat", "operation"},
         {"id", operation.id},
         {"ts", micros(end)},
         {"name", describe(operation)}});
  }
  out << "\n]}\n";
  out.close();
  return out ? std::string{} : path + ": can't be written";
}

}  // namespace copal::sim::fuzz

#include "sim/fuzz/capsule.h"

#include <algorithm>
#include <concepts>
#include <nlohmann/json.hpp>
#include <span>
#include <stdexcept>

#include "sim/fuzz/fault_names.h"

namespace copal::sim::fuzz {

using OrderedJson = nlohmann::ordered_json;

namespace {

constexpr int kFormat = 1;

// ---- the fields, listed once

constexpr std::array<std::string_view, 2> kConsistencies = {"available", "replicated"};
constexpr std::array<std::string_view, 3> kSyncs = {"by_system", "interval", "always"};
static_assert(static_cast<int>(Consistency::kReplicated) == 1);
static_assert(static_cast<int>(Sync::kBySystem) == 0 && static_cast<int>(Sync::kAlways) == 2);

std::span<const std::string_view> names_of(Consistency) {
  return kConsistencies;
}
std::span<const std::string_view> names_of(Sync) {
  return kSyncs;
}
std::span<const std::string_view> names_of(balance::Algorithm) {
  return balance::algorithm_names();
}
std::span<const std::string_view> names_of(PlannedOp::Kind) {
  return op_names();
}
std::span<const std::string_view> names_of(PlannedFault::Kind) {
  return fault_names();
}

void fields(auto& cache, auto&& visit) requires
    std::same_as<std::remove_const_t<std::remove_reference_t<decltype(cache)>>, PlannedCache> {
  visit("consistency", cache.consistency);
  visit("sync", cache.sync);
  visit("local_read_timeout_ns", cache.local_read_timeout);
  visit("expire_timeout_ns", cache.expire_timeout);
  visit.if_given("expire_spread_percent", cache.expire_spread_percent);
  visit("idle_timeout_ms", cache.idle_timeout_ms);
  visit("refuse_degraded", cache.refuse_degraded);
  visit("evict", cache.evict);
}

void fields(auto& op, auto&& visit) requires
    std::same_as<std::remove_const_t<std::remove_reference_t<decltype(op)>>, PlannedOp> {
  visit("at_ns", op.at);
  visit("kind", op.kind);
  visit("client", op.client);
  visit("server", op.server);
  visit("cache", op.cache);
  visit("key", op.key);
  visit("value", op.value);
  visit("value_size_bytes", op.value_size_bytes);
  visit.if_given("user_flags", op.user_flags);
  visit.if_given("expire_timeout_ns", op.expire_timeout);
  visit("timeout_ns", op.timeout);
  visit.if_given("bulk", op.bulk);
  visit.if_given("sticks", op.sticks);
}

void fields(auto& fault, auto&& visit) requires
    std::same_as<std::remove_const_t<std::remove_reference_t<decltype(fault)>>, PlannedFault> {
  visit("at_ns", fault.at);
  visit("kind", fault.kind);
  visit("lasting_ns", fault.lasting);
  visit("node", fault.node);
  visit("other", fault.other);
  visit("mask", fault.mask);
  visit("amount", fault.amount);
}

void fields(auto& plan, auto&& visit) requires
    std::same_as<std::remove_const_t<std::remove_reference_t<decltype(plan)>>, Plan> {
  visit("seed", plan.seed);
  visit("slots", plan.slots);
  visit("servers", plan.servers);
  visit("balancers", plan.balancers);
  visit("keys", plan.keys);
  visit("latency_ns", plan.latency);
  visit("tombstone_lifetime_ns", plan.tombstone_lifetime);
  visit("kept_write_lifetime_ns", plan.kept_write_lifetime);
  visit("compare_interval_ns", plan.compare_interval);
  visit("values_max_bytes", plan.values_max_bytes);
  visit("memory_max_bytes", plan.memory_max_bytes);
  visit("kept_max_bytes", plan.kept_max_bytes);
  visit("replication_log_max", plan.replication_log_max);
  visit.if_given("algorithm", plan.algorithm);
  visit("start_alone_timeout_ns", plan.start_alone_timeout);
  visit("faults_for_ns", plan.faults_for);
  visit("core_for_ns", plan.core_for);
  visit("healed_for_ns", plan.healed_for);
  visit("core_mask", plan.core_mask);
  visit("caches", plan.caches);
  visit("faults", plan.faults);
  visit("ops", plan.ops);
}

// ---- writing

class Writer {
 public:
  OrderedJson json = OrderedJson::object();

  void operator()(const char* name, const Duration& duration) { json[name] = duration.count(); }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char* name, Enum value) {
    json[name] = std::string(names_of(value)[static_cast<std::size_t>(value)]);
  }
  template <std::integral Number>
  void operator()(const char* name, Number number) {
    json[name] = number;
  }
  template <class Part>
  void operator()(const char* name, const std::vector<Part>& parts) {
    OrderedJson list = OrderedJson::array();
    for (const Part& part : parts) {
      Writer writer;
      fields(part, writer);
      list.push_back(std::move(writer.json));
    }
    json[name] = std::move(list);
  }
  /// Of what most plans do without, and older capsules do not know: left out where it is nothing.
  template <class Value>
  void if_given(const char* name, const Value& value) {
    if (value != Value{}) {
      (*this)(name, value);
    }
  }
};

// ---- reading

class Reader {
 public:
  Reader(const OrderedJson& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) {
      fail("", "an object");
    }
  }

  void operator()(const char* name, Duration& duration) {
    std::int64_t count = 0;
    (*this)(name, count);
    if (count < 0) {
      fail(name, "a time that is not negative");
    }
    duration = Duration{count};
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const char* name, Enum& value) {
    const OrderedJson& found = at(name);
    const auto names = names_of(value);
    const auto known =
        found.is_string() ? std::ranges::find(names, found.get<std::string>()) : names.end();
    if (known == names.end()) {
      std::string all;
      for (const std::string_view each : names) {
        all += (all.empty() ? "" : ", ") + std::string(each);
      }
      fail(name, "one of " + all);
    }
    value = static_cast<Enum>(known - names.begin());
  }
  template <std::integral Number>
  void operator()(const char* name, Number& number) {
    const OrderedJson& found = at(name);
    if constexpr (std::same_as<Number, bool>) {
      if (!found.is_boolean()) {
        fail(name, "true or false");
      }
    } else if (!found.is_number_integer() ||
               (std::is_unsigned_v<Number> && !found.is_number_unsigned()) ||
               !std::in_range<Number>(found.is_number_unsigned() ? found.get<std::uint64_t>()
                                                                 : 0)) {
      fail(name, "a whole number");
    }
    number = found.get<Number>();
  }
  template <class Part>
  void operator()(const char* name, std::vector<Part>& parts) {
    const OrderedJson& list = at(name);
    if (!list.is_array()) {
      fail(name, "a list");
    }
    for (const OrderedJson& each : list) {
      Reader reader(each, where_ + name + "[" + std::to_string(parts.size()) + "].");
      fields(parts.emplace_back(), reader);
    }
  }
  template <class Value>
  void if_given(const char* name, Value& value) {
    if (json_.contains(name)) {
      (*this)(name, value);
    }
  }

 private:
  [[noreturn]] void fail(const std::string& name, const std::string& expected) const {
    throw std::runtime_error(where_ + name + ": expected " + expected);
  }
  const OrderedJson& at(const char* name) const {
    const auto found = json_.find(name);
    if (found == json_.end()) {
      fail(name, "a value; there is none");
    }
    return *found;
  }

  const OrderedJson& json_;
  std::string where_;
};

void demand(bool holds, const std::string& where, const char* expected) {
  if (!holds) {
    throw std::runtime_error(where + ": expected " + expected);
  }
}

using Kind = PlannedFault::Kind;

bool can_befall(const Plan& plan, const PlannedFault& fault) {
  switch (fault.kind) {
    case Kind::kBridge:
      return plan.is_member(fault.node);
    case Kind::kSlowStart:
      return plan.is_member(fault.node) || plan.is_server(fault.node);
    case Kind::kCrashForGood:
      return (plan.core_mask >> fault.node & 1U) == 0;
    case Kind::kDisable:
    case Kind::kDrain:
    case Kind::kFalseLoad:
      return plan.is_server(fault.node);
    default:
      return fault.kind < Kind::kDiskSlow || plan.is_member(fault.node);
  }
}

/// Nothing in a plan may lead out of what it builds.
void check(const Plan& plan) {
  demand(plan.slots >= 1 && plan.slots <= 7, "slots", "1 to 7");
  demand(plan.servers >= 1 && plan.servers <= 16, "servers", "1 to 16");
  demand(plan.balancers >= 1 && plan.balancers <= 8, "balancers", "1 to 8");
  demand(!plan.caches.empty() && plan.caches.size() <= 16, "caches", "1 to 16 of them");
  demand(plan.keys >= 1 && plan.keys <= 1'000, "keys", "1 to 1000");
  demand(plan.compare_interval >= 100ms, "compare_interval_ns", "at least 100 ms");
  demand(plan.whole() <= std::chrono::hours{10}, "faults_for_ns, core_for_ns and healed_for_ns",
         "at most 10 hours together");
  for (std::size_t i = 0; i < plan.ops.size(); ++i) {
    const PlannedOp& op = plan.ops[i];
    const std::string where = "ops[" + std::to_string(i) + "]";
    demand(op.server < (is_of_balancer(op.kind) ? plan.balancers : plan.servers), where + ".server",
           "one that there is");
    demand(op.cache >= 1 && op.cache <= plan.caches.size(), where + ".cache", "one that there is");
    demand(op.key < plan.keys, where + ".key", "one that there is");
    demand(op.value_size_bytes <= 16U << 20U, where + ".value_size_bytes", "at most 16 MiB");
  }
  for (std::size_t i = 0; i < plan.faults.size(); ++i) {
    const PlannedFault& fault = plan.faults[i];
    const std::string where = "faults[" + std::to_string(i) + "]";
    demand(fault.node < plan.node_count() && can_befall(plan, fault), where + ".node",
           "one that there is and that this can befall");
    demand(fault.kind != Kind::kClockOffset || fault.at == 0ns, where + ".at_ns", "0, the start");
    demand(fault.other < plan.node_count() || fault.other == PlannedFault::kAnyNode,
           where + ".other", "a node, or 65535 for all");
  }
}

}  // namespace

std::string to_json(const Capsule& capsule) {
  Writer writer;
  fields(capsule.plan, writer);
  OrderedJson json{{"capsule", kFormat},
                   {"program", capsule.program},
                   {"checker", capsule.checker},
                   {"finding", capsule.finding},
                   {"cause", capsule.cause}};
  std::string text = "{\n";
  const auto line = [&](const std::string& name, const OrderedJson& value) {
    text += "  " + OrderedJson(name).dump() + ": ";
    if (value.is_array()) {
      text += "[";
      for (std::size_t i = 0; i < value.size(); ++i) {
        text += (i == 0 ? "\n    " : ",\n    ") + value[i].dump();
      }
      text += value.empty() ? "]" : "\n  ]";
    } else {
      text += value.dump();
    }
    text += ",\n";
  };
  for (const auto& [name, value] : json.items()) {
    line(name, value);
  }
  for (const auto& [name, value] : writer.json.items()) {
    line(name, value);
  }
  text.replace(text.size() - 2, 2, "\n}\n");
  return text;
}

ReadCapsule capsule_from_json(const std::string& text) {
  try {
    const OrderedJson json = OrderedJson::parse(text);
    int format = 0;
    Capsule capsule;
    Reader reader(json, "");
    reader("capsule", format);
    demand(format == kFormat, "capsule", "format 1");
    capsule.program = json.value("program", "");
    capsule.checker = json.value("checker", "");
    capsule.finding = json.value("finding", "");
    capsule.cause = json.value("cause", "");
    fields(capsule.plan, reader);
    check(capsule.plan);
    return {std::move(capsule), {}};
  } catch (const std::exception& error) {
    return {std::nullopt, error.what()};
  }
}

}  // namespace copal::sim::fuzz

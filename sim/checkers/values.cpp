// What is read under a version is what was written under it, byte for byte: the value of the
// operation that made it, where that is known, and the same at every read; and so are the flags and
// the timeouts that come with it.

#include <algorithm>

#include "core/mnode/value_name.h"
#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

/// The sum that a put's value has.
std::uint64_t written_sum(const Operation& write) {
  const Blob bytes = fuzz::value_bytes(write.planned.value, write.planned.value_size_bytes);
  return fuzz::value_sum(bytes.bytes());
}

/// Who may not change entries has changed none (R9).
void check_writers(const fuzz::Trial& world, Findings& findings) {
  for (const auto& [name, key] : world.history().keys) {
    for (const auto& [version, mnode] : key.states) {
      const NodeId server = mnode.change.server;
      if (server != kNoNode && !world.plan().is_server(server.value)) {
        findings.violated("version " + describe(version) + " of " + key.text + " is of node " +
                          std::to_string(server.value) + ", which may not write");
      }
    }
  }
}

}  // namespace

void check_values(fuzz::Trial& world, Findings& findings) {
  const History& history = world.history();
  check_writers(world, findings);
  std::map<std::pair<KeyName, Version>, std::uint64_t> written;
  for (const Operation& write : history.operations) {
    if (write.changed() && write.change.action == Action::kPut && write.entry) {
      written[{write.name(), write.version}] = written_sum(write);
    }
  }
  for (const Operation& read : history.operations) {
    if (read.planned.kind != fuzz::PlannedOp::Kind::kGet || read.status != CacheStatus::kDone ||
        !read.is_over()) {
      continue;
    }
    findings.judged();
    const KeyHistory& key = history.keys.at(read.name());
    const auto state = key.states.find(read.version);
    if (state == key.states.end()) {
      findings.violated(describe(read) + " has a version that no member ever had");
      continue;
    }
    const bool has_attributes = read.entry->user_flags == state->second.user_flags &&
                                read.entry->expire_timeout == state->second.expire_timeout &&
                                read.entry->idle_timeout_ms == state->second.idle_timeout_ms;
    if (!has_attributes) {
      findings.violated(describe(read) + " has other flags or timeouts than its version");
    }
    const auto put = written.find({read.name(), read.version});
    const auto seen = key.value_sums.find(read.version);
    if ((put != written.end() && put->second != read.value_sum) ||
        (seen != key.value_sums.end() && seen->second != read.value_sum)) {
      findings.violated(describe(read) + " has other bytes than were written");
    }
  }
}

}  // namespace copal::sim

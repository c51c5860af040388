#include "core/cache/replication_feed.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

/// Returns nothing if this is of an earlier start of the sender.
ReplicationFeed::Source* ReplicationFeed::source_of(NodeId from, Incarnation incarnation) {
  auto at = std::lower_bound(sources_.begin(), sources_.end(), from,
                             [](const Source& source, NodeId node) { return source.from < node; });
  if (at == sources_.end() || at->from != from) {
    at = sources_.insert(at, Source{.from = from});
  }
  if (incarnation < at->incarnation) {
    return nullptr;
  }
  if (incarnation > at->incarnation) {
    *at = Source{.from = from, .incarnation = incarnation};
  }
  return &*at;
}

std::uint64_t ReplicationFeed::complete(const Source& source) {
  return source.waiting.empty() ? source.received : source.waiting.front().before;
}

std::uint64_t ReplicationFeed::complete(NodeId from) const {
  for (const Source& source : sources_) {
    if (source.from == from) {
      return complete(source);
    }
  }
  return 0;
}

void ReplicationFeed::acknowledge(Source& source, Effects& effects) {
  effects.push_back(
      Send{source.from, ReplicateAck{source.incarnation, complete(source)}, source.after_sync});
  source.after_sync = source.after_sync && !source.waiting.empty();
}

/// Whether this is the next one of its stream.
bool ReplicationFeed::take(Source& source, std::uint64_t position,
                           std::uint64_t previous_position) {
  const bool in_sequence = previous_position == 0 || previous_position == source.received;
  if (position <= source.received || !in_sequence) {
    return false;
  }
  source.received = position;
  return true;
}

void ReplicationFeed::on_replicate(NodeId from, const Replicate& copy, bool after_sync,
                                   TimePoint now, Effects& effects) {
  Source* source = source_of(from, copy.incarnation);
  if (source == nullptr) {
    return;
  }
  source->after_sync = source->after_sync || after_sync;
  const MNode mnode = dated(copy.entry, now);
  const bool brings_value = copy.value.size_bytes() > 0;
  if (brings_value) {
    replica_.values().pin(mnode.value_hash);
    replica_.values().provide(mnode.value_hash, copy.value);
  }
  // Installed even after a gap: by its version it is as good as any.
  replica_.install(mnode, copy.key_text);
  if (brings_value) {
    replica_.values().unpin(mnode.value_hash);
  }
  const std::uint64_t before = source->received;
  if (take(*source, copy.position, copy.previous_position)) {
    wait_for_value(*source, copy, before, now, effects);
  }
  acknowledge(*source, effects);
}

void ReplicationFeed::on_replicate_clear(NodeId from, const ReplicateClear& copy, bool after_sync,
                                         Effects& effects) {
  if (Source* source = source_of(from, copy.incarnation)) {
    source->after_sync = source->after_sync || after_sync;
    replica_.clear(copy.group, copy.cache, copy.cleared);
    take(*source, copy.position, copy.previous_position);
    acknowledge(*source, effects);
  }
}

void ReplicationFeed::wait_for_value(Source& source, const Replicate& copy, std::uint64_t before,
                                     TimePoint now, Effects& effects) {
  Waiting waiting{copy.position, before, copy.entry.mnode.key, copy.entry.mnode.value_hash, now};
  if (!is_met(waiting) && !COPAL_MUTANT(kAckedWithoutBytes)) {
    source.waiting.push_back(waiting);
    fetch_.want(waiting.hash, source.from, now, effects);
  }
}

/// Whether the bytes are here of the state that is held of a key, or it has none.
bool ReplicationFeed::is_met(Waiting& waiting) const {
  const MNodeEntry* held = replica_.find(waiting.key);
  if (held == nullptr || !held->mnode().has_stored_value()) {
    return true;
  }
  waiting.hash = held->mnode().value_hash;
  return replica_.values().has(waiting.hash);
}

void ReplicationFeed::on_value(const ValueHash& hash, Effects& effects) {
  settle(hash, TimePoint::min(), effects);
}

void ReplicationFeed::on_nowhere(const ValueHash& hash, TimePoint now, Effects& effects) {
  settle(hash, now - kNowhereAfter, effects);
}

/// gives_up_since  what waits since then or earlier is not waited for any more.
void ReplicationFeed::settle(const ValueHash& hash, TimePoint gives_up_since, Effects& effects) {
  for (Source& source : sources_) {
    bool any = false;
    for (auto at = source.waiting.begin(); at != source.waiting.end();) {
      const bool met =
          at->hash == hash && (is_met(*at) || (at->since <= gives_up_since && at->hash == hash));
      at = met ? source.waiting.erase(at) : at + 1;
      any = any || met;
    }
    if (any) {
      acknowledge(source, effects);
    }
  }
}

void ReplicationFeed::on_not_written() {
  for (Source& source : sources_) {
    source.after_sync = has_synced_caches_;
  }
}

void ReplicationFeed::on_time(Effects& effects) {
  for (Source& source : sources_) {
    const std::uint64_t before = complete(source);
    for (auto at = source.waiting.begin(); at != source.waiting.end();) {
      at = is_met(*at) ? source.waiting.erase(at) : at + 1;
    }
    if (complete(source) != before) {
      acknowledge(source, effects);
    }
  }
}

void ReplicationFeed::check_invariants() const {
  for (const Source& source : sources_) {
    for (std::size_t i = 0; i < source.waiting.size(); ++i) {
      COPAL_ASSERT(source.waiting[i].position <= source.received);
      COPAL_ASSERT(source.waiting[i].before < source.waiting[i].position);
      COPAL_ASSERT(i == 0 || source.waiting[i - 1].position < source.waiting[i].position);
    }
  }
}

}  // namespace copal

#include "core/cache/replication_log.h"

#include <algorithm>
#include <string>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

const ReplicationLog::Stream* ReplicationLog::find(NodeId peer) const {
  const auto at = std::find_if(streams_.begin(), streams_.end(),
                               [peer](const Stream& stream) { return stream.peer == peer; });
  return at == streams_.end() ? nullptr : &*at;
}

ReplicationLog::Stream* ReplicationLog::find(NodeId peer) {
  const auto at = std::find_if(streams_.begin(), streams_.end(),
                               [peer](const Stream& stream) { return stream.peer == peer; });
  return at == streams_.end() ? nullptr : &*at;
}

void ReplicationLog::start(NodeId peer) {
  stop(peer);
  Stream stream;
  stream.peer = peer;
  stream.began = last_;
  stream.heard = last_;
  stream.sent = last_;
  streams_.insert(std::upper_bound(
                      streams_.begin(), streams_.end(), stream,
                      [](const Stream& one, const Stream& other) { return one.peer < other.peer; }),
                  stream);
}

void ReplicationLog::stop(NodeId peer) {
  std::erase_if(streams_, [peer](const Stream& stream) { return stream.peer == peer; });
  trim();
}

std::uint64_t ReplicationLog::append(const MNode& mnode, bool brings_value) {
  return append({.key = mnode.key, .version = mnode.version, .brings_value = brings_value});
}

std::uint64_t ReplicationLog::append_clear(Group group, CacheId cache, const Version& version) {
  return append({.version = version, .cleared = cache, .group = group, .is_clear = true});
}

std::uint64_t ReplicationLog::append(const Entry& entry) {
  ++last_;
  log_.push_back(entry);
  if (log_.size() > config_.log_max) {
    give_up_the_slow();
  }
  trim();
  return last_;
}

/// The streams that need the oldest change.
void ReplicationLog::give_up_the_slow() {
  const std::uint64_t oldest = last_ - log_.size() + 1;
  for (Stream& stream : streams_) {
    stream.behind = stream.behind || stream.heard < oldest;
  }
}

void ReplicationLog::trim() {
  std::uint64_t needed = last_ + 1;
  for (const Stream& stream : streams_) {
    if (!stream.behind) {
      needed = std::min(needed, stream.heard + 1);
    }
  }
  while (!log_.empty() && last_ - log_.size() + 1 < needed) {
    log_.pop_front();
  }
}

const ReplicationLog::Entry& ReplicationLog::entry(std::uint64_t position) const {
  COPAL_ASSERT(position <= last_ && last_ - position < log_.size());
  return log_[log_.size() - 1 - (last_ - position)];
}

void ReplicationLog::send(Now now, Effects& effects) {
  for (Stream& stream : streams_) {
    if (!stream.behind && now.mono >= stream.paused_until) {
      if (stream.heard < stream.sent && now.mono - stream.answered >= config_.resend_after) {
        rewind(stream);
      }
      send(stream, now.mono, effects);
    }
  }
}

void ReplicationLog::send(Stream& stream, TimePoint now, Effects& effects) {
  while (stream.sent < last_ && stream.sent - stream.heard < config_.window_max) {
    if (stream.sent == stream.heard) {
      stream.answered = now;
    }
    const std::uint64_t position = ++stream.sent;
    if (send_one(stream, entry(position), now, effects)) {
      stream.last_sent = position;
    } else if (position < last_) {
      leave_out(stream, position);
    }
  }
  settle(stream);
}

/// What is remembered of later ones is covered by what is remembered of this one.
void ReplicationLog::leave_out(Stream& stream, std::uint64_t position) const {
  while (!stream.left_out.empty() && stream.left_out.back().first >= position) {
    stream.left_out.pop_back();
  }
  if (stream.left_out.empty() || stream.left_out.back().needs < last_) {
    stream.left_out.push_back({position, last_});
  }
}

/// Returns whether there was something to send.
bool ReplicationLog::send_one(Stream& stream, const Entry& change, TimePoint now,
                              Effects& effects) {
  if (change.is_clear) {
    effects.push_back(
        Send{stream.peer, ReplicateClear{incarnation_, stream.sent, stream.last_sent, change.group,
                                         change.cleared, change.version}});
    return true;
  }
  if (COPAL_MUTANT_SOMETIMES(kReplicationSkipped, 20)) {
    return false;
  }
  const MNodeEntry* held = replica_.find(change.key);
  // Dropped or changed since: a later position speaks of this key, or another owner does.
  if (held == nullptr || held->mnode().version != change.version) {
    return false;
  }
  Replicate copy{.incarnation = incarnation_,
                 .position = stream.sent,
                 .previous_position = stream.last_sent,
                 .entry = aged(held->mnode(), now),
                 .key_text = std::string(held->key_text())};
  if (change.brings_value && held->mnode().has_stored_value()) {
    const Blob* value = replica_.values().find(held->mnode().value_hash);
    copy.value = value == nullptr ? Blob() : *value;
  }
  effects.push_back(Send{stream.peer, std::move(copy)});
  return true;
}

/// What was left out at the end needs no answer once all that was sent has one.
void ReplicationLog::settle(Stream& stream) {
  if (stream.last_sent <= stream.heard) {
    heard(stream, stream.sent);
  }
}

void ReplicationLog::heard(Stream& stream, std::uint64_t position) {
  stream.heard = position;
  while (!stream.left_out.empty() && stream.left_out.front().needs <= position) {
    stream.left_out.pop_front();
  }
}

/// A change that was left out is there when what is newer is.
std::uint64_t ReplicationLog::acked(const Stream& stream) {
  return stream.left_out.empty() ? stream.heard
                                 : std::min(stream.heard, stream.left_out.front().first - 1);
}

/// Everything after the last answer again. The first of it counts as the first of a stream: what
/// the member has received beyond its answer is not known here. Its answer to that may still come,
/// so what was left out stays remembered.
void ReplicationLog::rewind(Stream& stream) {
  stream.sent = stream.heard;
  stream.last_sent = 0;
}

bool ReplicationLog::on_ack(NodeId peer, const ReplicateAck& ack, TimePoint now) {
  Stream* stream = find(peer);
  if (stream == nullptr || stream->behind || ack.incarnation != incarnation_ ||
      ack.position <= stream->heard || ack.position > last_) {
    return false;
  }
  heard(*stream, ack.position);
  stream->sent = std::max(stream->sent, ack.position);  // it had more than was known at a rewind
  stream->answered = now;
  settle(*stream);
  trim();
  return true;
}

void ReplicationLog::on_link_down(NodeId peer, TimePoint now) {
  if (Stream* stream = find(peer)) {
    if (COPAL_MUTANT(kHiddenBrokenLinkNotResent)) {
      stream->last_sent = 0;
    } else {
      rewind(*stream);
    }
    stream->paused_until = now + config_.reconnect_after;
  }
}

std::uint64_t ReplicationLog::acked(NodeId peer) const {
  const Stream* stream = find(peer);
  return stream == nullptr ? 0 : acked(*stream);
}

bool ReplicationLog::has_acked(NodeId peer, std::uint64_t position) const {
  const Stream* stream = find(peer);
  return stream != nullptr && position > stream->began && position <= acked(*stream);
}

bool ReplicationLog::is_before(NodeId peer, std::uint64_t position) const {
  const Stream* stream = find(peer);
  return stream != nullptr && position <= stream->began;
}

std::uint64_t ReplicationLog::acked_by_all(std::span<const NodeId> peers) const {
  std::uint64_t all = last_;
  for (const NodeId peer : peers) {
    all = std::min(all, acked(peer));
  }
  return all;
}

bool ReplicationLog::is_behind(NodeId peer) const {
  const Stream* stream = find(peer);
  return stream != nullptr && stream->behind;
}

std::vector<NodeId> ReplicationLog::streams() const {
  std::vector<NodeId> peers;
  for (const Stream& stream : streams_) {
    if (!stream.behind) {
      peers.push_back(stream.peer);
    }
  }
  return peers;
}

TimePoint ReplicationLog::next_deadline() const {
  TimePoint next = kNever;
  for (const Stream& stream : streams_) {
    if (stream.behind) {
      continue;
    }
    if (stream.heard < stream.sent) {
      next = std::min(next, std::max(stream.answered + config_.resend_after, stream.paused_until));
    } else if (stream.sent < last_) {
      next = std::min(next, stream.paused_until);
    }
  }
  return next;
}

void ReplicationLog::check_invariants() const {
  COPAL_ASSERT(log_.size() <= config_.log_max && log_.size() <= last_);
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const Stream& stream = streams_[i];
    COPAL_ASSERT(i == 0 || streams_[i - 1].peer < stream.peer);
    COPAL_ASSERT(stream.began <= acked(stream) && acked(stream) <= stream.heard);
    COPAL_ASSERT(stream.heard <= stream.sent && stream.sent <= last_);
    COPAL_ASSERT(stream.behind || last_ - stream.heard <= log_.size());
    COPAL_ASSERT(std::ranges::is_sorted(stream.left_out, {}, &LeftOut::first));
  }
}

}  // namespace copal

#include "core/detector/failure_detector.h"

#include <algorithm>

#include "core/base/assert.h"

namespace copal {

FailureDetector::FailureDetector(const FailureDetectorConfig& config, Now now)
    : config_(config),
      began_(static_cast<std::uint64_t>(now.wall.time_since_epoch().count())),
      last_step_(now.mono),
      heard_anyone_(now.mono) {
  COPAL_ASSERT(config.suspect_after > 0ns && config.suspect_after <= config.dead_after);
}

FailureDetector::Peer* FailureDetector::find(NodeId node) {
  const auto at =
      std::lower_bound(peers_.begin(), peers_.end(), node,
                       [](const Peer& peer, NodeId other) { return peer.node < other; });
  return at != peers_.end() && at->node == node ? &*at : nullptr;
}

const FailureDetector::Peer* FailureDetector::find(NodeId node) const {
  const auto at =
      std::lower_bound(peers_.begin(), peers_.end(), node,
                       [](const Peer& peer, NodeId other) { return peer.node < other; });
  return at != peers_.end() && at->node == node ? &*at : nullptr;
}

void FailureDetector::add(NodeId peer, TimePoint now) {
  if (find(peer) != nullptr) {
    return;
  }
  Peer added;
  added.node = peer;
  added.since = now;
  peers_.insert(std::upper_bound(peers_.begin(), peers_.end(), peer,
                                 [](NodeId node, const Peer& other) { return node < other.node; }),
                added);
}

void FailureDetector::on_leave(NodeId node) {
  if (Peer* peer = find(node)) {
    peer->has_left = true;
  }
}

void FailureDetector::remember(NodeId node, Incarnation incarnation, std::uint64_t began) {
  Peer* peer = find(node);
  COPAL_ASSERT(peer != nullptr && peer->received == 0);
  peer->incarnation = incarnation;
  peer->began = began;
  peer->is_known = true;
}

FailureDetector::Numbers FailureDetector::next_heartbeat(NodeId node, TimePoint now) {
  Peer* peer = find(node);
  COPAL_ASSERT(peer != nullptr);
  ++peer->sent;
  peer->sent_at[peer->sent % kSentKept] = now;
  return {peer->sent, peer->received, began_};
}

FailureDetector::Heard FailureDetector::on_heartbeat(NodeId node, Incarnation incarnation,
                                                     Numbers numbers, TimePoint now) {
  Peer* peer = find(node);
  if (peer == nullptr || (peer->is_known && incarnation < peer->incarnation) ||
      (incarnation == peer->incarnation &&
       (numbers.sequence <= peer->received || (peer->is_known && numbers.began != peer->began)))) {
    return Heard::kStale;
  }
  const PeerState before = state(*peer, now);
  const bool restarted = peer->received > 0 && incarnation != peer->incarnation;
  peer->incarnation = incarnation;
  peer->began = numbers.began;
  peer->is_known = true;
  peer->received = numbers.sequence;
  peer->heard = now;
  peer->was_heard = true;
  peer->link_broken = false;
  peer->has_left = false;
  heard_anyone_ = now;
  if (restarted) {
    peer->echoed = 0;
  }
  // An echo of what was never sent is a lie, or of our own earlier start: no contact.
  if (numbers.echo > peer->echoed && numbers.echo <= peer->sent &&
      peer->sent - numbers.echo < kSentKept) {
    peer->echoed = numbers.echo;
    peer->echoed_sent_at = peer->sent_at[numbers.echo % kSentKept];
  }
  if (restarted) {
    return Heard::kRestarted;
  }
  if (before == PeerState::kUnknown) {
    return Heard::kFirst;
  }
  return is_dead(before) ? Heard::kReturned : Heard::kAgain;
}

void FailureDetector::on_link_down(NodeId node) {
  if (Peer* peer = find(node)) {
    peer->link_broken = true;
  }
}

bool FailureDetector::on_step(TimePoint now) {
  const bool frozen = now - last_step_ > config_.dead_after;
  last_step_ = now;
  if (frozen) {
    heard_anyone_ = now;
    for (Peer& peer : peers_) {
      peer.was_heard = false;
      peer.since = now;
      peer.echoed = 0;
    }
  }
  return frozen;
}

PeerState FailureDetector::state(NodeId node, TimePoint now) const {
  const Peer* peer = find(node);
  return peer == nullptr ? PeerState::kDead : state(*peer, now);
}

PeerState FailureDetector::state(const Peer& peer, TimePoint now) const {
  if (peer.has_left) {
    return PeerState::kDead;
  }
  const Duration silent = now - (peer.was_heard ? peer.heard : peer.since);
  if (silent >= config_.dead_after) {
    return peer.was_heard && !peer.link_broken ? PeerState::kFrozen : PeerState::kDead;
  }
  if (!peer.was_heard) {
    return PeerState::kUnknown;
  }
  if (silent >= config_.suspect_after || peer.link_broken) {
    return PeerState::kSuspect;
  }
  // Before its first echo it is only as old as our first heartbeat to it.
  const TimePoint known = peer.echoed > 0 ? peer.echoed_sent_at : peer.since;
  return now - known >= config_.suspect_after ? PeerState::kSlow : PeerState::kAlive;
}

Duration FailureDetector::contact_age(NodeId node, TimePoint now) const {
  const Peer* peer = find(node);
  if (peer == nullptr || peer->echoed == 0) {
    return std::chrono::hours{24};
  }
  return now - peer->echoed_sent_at;
}

Incarnation FailureDetector::incarnation(NodeId node) const {
  const Peer* peer = find(node);
  return peer == nullptr ? Incarnation{} : peer->incarnation;
}

std::uint64_t FailureDetector::began(NodeId node) const {
  const Peer* peer = find(node);
  return peer == nullptr ? 0 : peer->began;
}

TimePoint FailureDetector::next_change(TimePoint now) const {
  TimePoint next = kNever;
  const auto consider = [now, &next](TimePoint at) {
    if (at > now) {
      next = std::min(next, at);
    }
  };
  for (const Peer& peer : peers_) {
    if (peer.has_left) {
      continue;
    }
    const TimePoint since = peer.was_heard ? peer.heard : peer.since;
    consider(since + config_.dead_after);
    if (peer.was_heard) {
      consider(since + config_.suspect_after);
      consider((peer.echoed > 0 ? peer.echoed_sent_at : peer.since) + config_.suspect_after);
    }
  }
  return next;
}

void FailureDetector::check_invariants(TimePoint now) const {
  for (std::size_t i = 0; i < peers_.size(); ++i) {
    COPAL_ASSERT(i == 0 || peers_[i - 1].node < peers_[i].node);
    COPAL_ASSERT(peers_[i].heard <= now && peers_[i].since <= now);
    COPAL_ASSERT(peers_[i].echoed <= peers_[i].sent);
  }
}

}  // namespace copal

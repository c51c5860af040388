#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "core/ownership/acting_owner.h"

namespace copal {

using Kind = OwnerEvent::Kind;

inline constexpr Slot kA{0};
inline constexpr Slot kB{1};
inline constexpr Slot kC{2};
inline constexpr Group kABC{0};  // order 0: A, B, C
inline constexpr Group kBCA{1};
inline constexpr Group kCAB{2};
inline constexpr PeerState kAlive = PeerState::kAlive;
inline constexpr PeerState kDead = PeerState::kDead;
inline constexpr PeerState kUnknown = PeerState::kUnknown;

/// One member, told of everything by hand. What it says of groups is looked at in few.
class ActingOwnerTest : public ::testing::Test {
 protected:
  void begin(Slot self, SlotSet filled = SlotSet(0b111), TermRange terms = {1, 1'000'000}) {
    owner_.emplace(ActingOwnerConfig{}, self, filled, terms, now_);
    states_.fill(kUnknown);
  }

  void states(PeerState a, PeerState b, PeerState c) {
    states_ = {a, b, c};
    owner_->on_peer_states(states_, now_, fresh());
    owner_->check_invariants();
  }

  /// The same of all groups.
  void hear(Slot from, GroupAnnouncement said) {
    Announcement announcement;
    announcement.fill(said);
    states_[from.value] = is_alive(states_[from.value]) ? states_[from.value] : kAlive;
    owner_->on_peer_states(states_, now_, fresh());
    owner_->on_heartbeat(from, announcement, now_, events_);
    owner_->check_invariants();
  }

  void compare(Slot with, bool was_ready) {
    fresh();
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      owner_->on_compared({i}, with, was_ready, now_, now_, events_);
    }
    owner_->check_invariants();
  }

  void pass(Duration time) {
    now_ += time;
    owner_->on_time(now_, fresh());
    owner_->check_invariants();
  }

  /// Ready beside two peers that are ready and under whose view nobody acts yet.
  void begin_ready(Slot self) {
    begin(self);
    for (const Slot peer : {kA, kB, kC}) {
      if (peer != self) {
        hear(peer, {.ready = true});
      }
    }
    // Once to be ready, once more to be prepared where it then acts.
    for (const Slot peer : {kA, kB, kC, kA, kB, kC}) {
      if (peer != self) {
        compare(peer, true);
      }
    }
  }

  OwnerEvents& fresh() {
    events_.clear();
    return events_;
  }
  std::vector<OwnerEvent> events(Kind kind, Group group) const {
    std::vector<OwnerEvent> found;
    std::ranges::copy_if(events_, std::back_inserter(found), [&](const OwnerEvent& event) {
      return event.kind == kind && event.group == group;
    });
    return found;
  }
  bool wants(Group group, Slot peer) const {
    const auto wanted = owner_->comparisons_wanted(now_, 1'000);
    return std::ranges::count(wanted, ActingOwner::Comparison{group, peer}) > 0;
  }

  TimePoint now_{100s};
  std::optional<ActingOwner> owner_;
  std::array<PeerState, kSlots> states_{};
  OwnerEvents events_;
};

}  // namespace copal

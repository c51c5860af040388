#pragma once

// CatchUp and CompareAnswer together: two replicas, and the wire in between.

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/ownership/catch_up.h"
#include "core/protocol/codec.h"
#include "core/testing/replica_bed.h"

namespace copal {

inline constexpr NodeId kAsker{0};
inline constexpr NodeId kAnswerer{1};
inline constexpr Slot kPeer{1};
inline constexpr Group kGroup{5};

class CatchUpBed : public ::testing::Test {
 protected:
  struct Side {
    explicit Side(Now now) : clock(now, 0) {}
    Replica replica;
    HybridClock clock;
    SetAside set_aside{replica};
  };

  void SetUp() override { begin(); }
  void begin(const CatchUpConfig& config = {}) {
    catch_up_.emplace(config, Incarnation{3},
                      std::array<NodeId, kSlots>{kAsker, kAnswerer, NodeId{2}}, mine_.replica,
                      mine_.clock, mine_.set_aside);
    answer_.emplace(theirs_.replica, theirs_.clock, theirs_.set_aside);
  }

  /// Nothing is lost unless the test takes it from the wire.
  void want(Group group = kGroup, bool ready = false) {
    const CatchUp::Wanted wanted{group, kPeer, ready, my_uses_within_};
    Effects effects;
    catch_up_->want(std::array{wanted}, now_, effects);
    take(effects, kAsker);
  }
  void take(const Effects& effects, NodeId from) {
    for (const Effect& effect : effects) {
      const auto& send = std::get<Send>(effect);
      EXPECT_EQ(send.to, from == kAsker ? kAnswerer : kAsker);
      std::vector<std::byte> frame(kMessageSizeMaxBytes);
      wire_.push_back(*decode(std::span(frame).first(encode(send.message, frame))));
      ++messages_;
    }
    catch_up_->check_invariants();
  }
  /// Delivers one message.
  void deliver() {
    const Message message = wire_.front();
    wire_.pop_front();
    Effects effects;
    NodeId at = kAsker;
    if (const auto* open = std::get_if<CompareOpen>(&message)) {
      answer_->on_open(kAsker, *open, they_are_ready_, their_uses_within_, now_, effects);
      at = kAnswerer;
    } else if (const auto* sums = std::get_if<CompareSums>(&message)) {
      answer_->on_sums(kAsker, *sums, effects);
      at = kAnswerer;
    } else if (const auto* exchange = std::get_if<CompareExchange>(&message)) {
      answer_->on_exchange(kAsker, *exchange, now_, effects);
      at = kAnswerer;
    } else if (const auto* uses = std::get_if<CompareUses>(&message)) {
      answer_->on_uses(kAsker, *uses, now_, effects);
      at = kAnswerer;
    } else if (const auto* close = std::get_if<CompareClose>(&message)) {
      if (const auto compared = answer_->on_close(kAsker, *close, now_, effects)) {
        done_there_ = compared;
      }
      at = kAnswerer;
    } else if (const auto* opened = std::get_if<CompareOpened>(&message)) {
      catch_up_->on_opened(*opened, now_, effects);
    } else if (const auto* differ = std::get_if<CompareDiffer>(&message)) {
      catch_up_->on_differ(*differ, now_, effects);
    } else if (const auto* exchanged = std::get_if<CompareExchanged>(&message)) {
      catch_up_->on_exchanged(*exchanged, now_, effects);
    } else if (const auto* used = std::get_if<CompareUsed>(&message)) {
      catch_up_->on_used(*used, now_, effects);
    } else if (const auto done =
                   catch_up_->on_closed(std::get<CompareClosed>(message), now_, effects)) {
      done_ = done;
    }
    take(effects, at);
  }
  /// The whole comparison. Returns how many messages that took.
  int compare(Group group = kGroup) {
    messages_ = 0;
    done_.reset();
    want(group);
    while (!wire_.empty()) {
      deliver();
    }
    EXPECT_TRUE(done_.has_value());
    mine_.replica.check_invariants();
    theirs_.replica.check_invariants();
    return messages_;
  }
  /// The same with each message changed on its way: nothing comes of it, and it ends.
  void expect_disbelief(const std::function<void(Message&)>& spoil) {
    want();
    while (!wire_.empty()) {
      spoil(wire_.front());
      deliver();
      ASSERT_LT(messages_, 50);
    }
    EXPECT_FALSE(done_.has_value());
  }
  bool same(Group group = kGroup) {
    const auto mine = cache_sums(mine_.replica, group);
    const auto theirs = cache_sums(theirs_.replica, group);
    return std::ranges::equal(mine, theirs, [](const CacheSum& one, const CacheSum& other) {
      return one.cache == other.cache && one.sum == other.sum && one.cleared == other.cleared;
    });
  }
  /// Puts an m-node with the n-th key of the group at a side.
  static std::uint32_t install(Side& side, std::uint32_t key, std::uint64_t counter,
                               const Blob& value = filled_bytes(1)) {
    const std::uint32_t number = key_in(kGroup, key);
    side.replica.install(mnode_of(number, counter, value), "key " + std::to_string(number));
    return number;
  }
  /// An m-node of the group whose key is in one leaf with all others made here, as somebody who
  /// chooses keys may have it on purpose.
  static MNode crowded(std::uint32_t number, std::uint64_t counter = 5) {
    MNode mnode = mnode_of(0, counter, filled_bytes(1));
    mnode.key = key_hash_of(key_in(kGroup));
    mnode.key.bytes[30] = static_cast<std::uint8_t>(number / 256);
    mnode.key.bytes[31] = static_cast<std::uint8_t>(number % 256);
    return mnode;
  }
  /// An m-node with an idle timeout, last used so long ago.
  std::uint32_t install_idle(Side& side, std::uint32_t key, Duration used_ago,
                             std::uint32_t idle_timeout_ms = 100'000) {
    const std::uint32_t number = key_in(kGroup, key);
    MNode mnode = mnode_of(number, 5, filled_bytes(1));
    mnode.idle_timeout_ms = idle_timeout_ms;
    mnode.accessed = now_.mono - used_ago;
    side.replica.install(mnode, "key " + std::to_string(number));
    return number;
  }
  Duration used_ago(const Side& side, std::uint32_t number) {
    return now_.mono - find(side, number)->mnode().accessed;
  }
  static const MNodeEntry* find(const Side& side, std::uint32_t number) {
    return side.replica.find(key_hash_of(number));
  }

  Now now_{TimePoint{100s}, {}};
  Side mine_{now_};
  Side theirs_{now_};
  std::optional<CatchUp> catch_up_;
  std::optional<CompareAnswer> answer_;
  std::deque<Message> wire_;
  std::optional<CatchUp::Done> done_;
  std::optional<Compared> done_there_;
  bool they_are_ready_ = true;
  Duration my_uses_within_ = Duration::max();
  Duration their_uses_within_{};
  int messages_ = 0;
};

}  // namespace copal

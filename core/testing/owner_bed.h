#pragma once

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/cache/owner_cache.h"

namespace copal {

/// One acting owner with all that it stands on; the test is its servers, its peers and its clock.
/// It is the member in slot 0, acts for all groups under term 7, and both peers are ready.
class OwnerBed : public ::testing::Test {
 protected:
  static constexpr NodeId kSelf{0};
  static constexpr NodeId kPeer{1};
  static constexpr NodeId kThird{2};
  static constexpr NodeId kServer{10};
  static constexpr Incarnation kStart{5};
  static constexpr View kMyView{7, Slot{0}};
  static constexpr CacheId kPlain{1};
  static constexpr CacheId kSafe{2};

  /// To be called after changes of the configuration below.
  void begin() {
    limits_.incarnation = kStart;
    limits_.members = {kSelf, kPeer, kThird};
    catalog_.emplace(std::vector{plain_, safe_});
    log_.start(kPeer);
    log_.start(kThird);
    fetch_.set_members({kNoNode, kPeer, kThird});
    owner_.emplace(limits_, me_, *catalog_, replica_, log_, clock_, fetch_, store_);
    set_duty({.acts = true, .prepared = true, .view = kMyView, .ready_replicas = SlotSet(0b110)});
  }
  void set_duty(const Duty& duty) {
    duty_ = duty;
    std::array<Duty, kGroups> duties;
    duties.fill(duty);
    set_duties(duties);
  }
  void set_duties(const std::array<Duty, kGroups>& duties) {
    effects_.clear();
    owner_->set_duties(duties, effects_);
    owner_->check_invariants();
  }
  void set_ready(SlotSet ready) {
    Duty duty = duty_;
    duty.ready_replicas = ready;
    set_duty(duty);
  }

  static KeyHash key_hash(const std::string& key, CacheId cache = kPlain) {
    return hash_key(cache.value,
                    std::span(reinterpret_cast<const std::uint8_t*>(key.data()), key.size()));
  }
  static Blob bytes(std::uint8_t number, std::size_t size_bytes = 100) {
    return Blob(std::vector<std::uint8_t>(size_bytes, number));
  }
  static ValueHash hash(const Blob& value) { return hash_value(value.bytes()); }

  CacheChange change_of(const std::string& key, Change change, const Blob& value = {},
                        CacheId cache = kPlain) {
    if (value.size_bytes() > 0) {
      change.value = name_value(value.bytes());
    }
    ++sequence_;
    return {.sequence = sequence_,
            .answered_below = sequence_ > 100 ? sequence_ - 100 : 0,
            .incarnation = Incarnation{3},
            .attempt = 1,
            .time_left = 10s,
            .cache = cache,
            .key = key_hash(key, cache),
            .key_text = key,
            .change = change,
            .value = change.value.is_inline ? Blob() : value};
  }
  CacheChange put_of(const std::string& key, const Blob& value, CacheId cache = kPlain) {
    return change_of(key, {.value = name_value(value.bytes())}, value, cache);
  }
  /// What the other member is sent.
  std::vector<CacheChange> pass_on(const CacheChange& change, Slot to, Incarnation to_start) {
    effects_.clear();
    owner_->pass_on(kServer, change, to, to_start, effects_);
    owner_->check_invariants();
    std::vector<CacheChange> passed_on;
    for (auto& [node, message] : sent<CacheChange>()) {
      EXPECT_EQ(node, limits_.members.at(to.value));
      passed_on.push_back(message);
    }
    return passed_on;
  }
  /// Hands a change to the owner. Returns the answer, if there is one at once.
  std::optional<CacheAnswer> ask(const CacheChange& change, NodeId from = kServer) {
    effects_.clear();
    owner_->on_change(from, change, now_, effects_);
    owner_->check_invariants();
    replica_.check_invariants();
    return answer();
  }
  std::optional<CacheAnswer> put(const std::string& key, const Blob& value,
                                 CacheId cache = kPlain) {
    return ask(put_of(key, value, cache));
  }
  std::optional<CacheAnswer> get(const std::string& key, Version held = kNoVersion,
                                 bool wants_value = true, CacheId cache = kPlain) {
    effects_.clear();
    owner_->on_get(kServer,
                   {.sequence = ++sequence_,
                    .time_left = 10s,
                    .cache = cache,
                    .key = key_hash(key, cache),
                    .held = held,
                    .wants_value = wants_value},
                   now_, effects_);
    return answer();
  }
  /// A member has all up to this position.
  void acknowledge(NodeId member, std::uint64_t position) {
    effects_.clear();
    Effects sent;
    log_.send(now_, sent);
    if (log_.on_ack(member, {kStart, position}, now_.mono)) {
      owner_->on_replicated(effects_);
    }
    owner_->check_invariants();
  }
  /// Bytes came from another member.
  void receive(const Blob& value) {
    effects_.clear();
    replica_.values().provide(hash(value), value);
    fetch_.on_fetched(kPeer, {hash(value), true, value}, now_.mono, effects_);
    owner_->on_value(hash(value), now_, effects_);
  }
  void pass(Duration time) {
    now_.mono += time;
    effects_.clear();
    owner_->on_time(now_, effects_);
    owner_->check_invariants();
  }

  template <class Kind>
  std::vector<std::pair<NodeId, Kind>> sent() const {
    std::vector<std::pair<NodeId, Kind>> found;
    for (const Effect& effect : effects_) {
      const auto* send = std::get_if<Send>(&effect);
      if (send != nullptr && std::holds_alternative<Kind>(send->message)) {
        found.emplace_back(send->to, std::get<Kind>(send->message));
      }
    }
    return found;
  }
  /// The one answer among the effects; nothing if there is none.
  std::optional<CacheAnswer> answer() const {
    const auto answers = sent<CacheAnswer>();
    EXPECT_LE(answers.size(), 1U);
    return answers.empty() ? std::nullopt : std::optional(answers[0].second);
  }
  static CacheStatus status(const std::optional<CacheAnswer>& answer) {
    EXPECT_TRUE(answer.has_value()) << "it waits";
    return answer ? answer->status : CacheStatus::kTimedOut;
  }
  /// The owner's own m-node of a key; asserted to be there.
  const MNode& mnode(const std::string& key, CacheId cache = kPlain) const {
    const MNodeEntry* entry = replica_.find(key_hash(key, cache));
    COPAL_ASSERT(entry != nullptr);
    return entry->mnode();
  }
  /// An m-node of another owner, with this value (none: a tombstone).
  MNode foreign(const std::string& key, std::uint64_t counter, const Blob& value = {},
                CacheId cache = kPlain) const {
    MNode mnode;
    mnode.key = key_hash(key, cache);
    mnode.cache = cache;
    mnode.version = {counter, 6, OwnerId(0, Slot{1}, 1)};
    mnode.modified = now_.mono;
    mnode.accessed = now_.mono;
    if (value.size_bytes() > 0) {
      set_value(mnode, name_value(value.bytes()));
    }
    return mnode;
  }

  CacheConfig plain_{.id = kPlain, .name = "plain"};
  CacheConfig safe_{.id = kSafe, .name = "safe", .consistency = Consistency::kReplicated};
  OwnerCacheConfig limits_;
  OwnerId me_{0, Slot{0}, 1};

  Now now_{TimePoint{100s}, {}};
  std::optional<CacheCatalog> catalog_;
  HybridClock clock_{now_, 0};
  Replica replica_;
  ReplicaStore store_{{}, replica_};
  ValueFetch fetch_{replica_, store_};
  ReplicationLog log_{{}, kStart, replica_};
  std::optional<OwnerCache> owner_;
  Duty duty_;
  Effects effects_;
  std::uint64_t sequence_ = 0;
};

}  // namespace copal

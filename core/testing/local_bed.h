#pragma once

#include <gtest/gtest.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/cache/local_cache.h"

namespace copal {

/// A server's side of the cache with its ties to a triad; the test speaks for the three members
/// (nodes 0 to 2). At first each group's primary acts under term 1, and all are heard.
class LocalBed : public ::testing::Test {
 protected:
  static constexpr CacheId kPlain{1};
  static constexpr CacheId kSafe{2};
  static constexpr Slot kNobody{kSlots};

  /// To be called after changes of the configuration below.
  void begin() {
    catalog_.emplace(std::vector{plain_, safe_});
    TriadLinkConfig link;
    link.members = {NodeId{0}, NodeId{1}, NodeId{2}};
    link_.emplace(link, now_);
    cache_.emplace(config_, *catalog_, *link_);
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      views_[i] = {1, Group{i}.order().slots()[0]};
    }
    hear_all();
  }

  // ---- what members say

  /// A heartbeat of a member, with what it knows of who acts.
  void hear(std::uint8_t slot) {
    effects_.clear();
    MemberHeartbeat heartbeat{.beat = {.incarnation = starts_[slot], .sequence = ++beats_[slot]},
                              .generation = 1,
                              .replicated_up_to = replicated_up_to_[slot],
                              .alone = alone_};
    for (const View& view : views_) {
      heartbeat.announcement.push_back({.view = view, .owner_acts = true, .ready = true});
    }
    cache_->on_link_news(link_->on_heartbeat(NodeId{slot}, heartbeat, now_), now_, effects_);
    end_step();
  }
  void hear_all() {
    for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
      if (!silent_.test(slot)) {
        hear(slot);
      }
    }
  }
  /// Another member acts for the key's group from now on, and the first of the heard ones says so.
  void take_over(const KeyHash& key, std::uint8_t slot) {
    View& view = views_[group_of(key).value];
    view = {view.term + 1, Slot{slot}};
    hear(slot);
  }
  /// Time passes, in which all but the silent ones are heard.
  void pass(Duration time) {
    for (; time > 500ms; time -= 500ms) {
      now_.mono += 500ms;
      hear_all();
    }
    now_.mono += time;
    hear_all();
    effects_.clear();
    cache_->on_time(now_, effects_);
    end_step();
  }
  void lose(std::uint8_t slot) {
    effects_.clear();
    cache_->on_link_news(link_->on_link_down(NodeId{slot}, now_.mono), now_, effects_);
    cache_->on_lost(NodeId{slot}, now_);
    end_step();
  }

  template <class Reply>
  void reply(const Reply& reply, std::uint8_t from) {
    effects_.clear();
    cache_->on_reply(NodeId{from}, reply, now_, effects_);
    end_step();
  }
  template <class Reply>
  void reply(const Reply& answer) {
    reply(answer, owner_);
  }

  // ---- what the application asks

  template <class Call>
  void call(const Call& call) {
    effects_.clear();
    cache_->on_call(call, now_, effects_);
    end_step();
  }
  CallId read(const std::string& key, bool wants_value = true, Duration timeout = 10s,
              CacheId cache = kPlain) {
    const CallId id{++calls_};
    call(ReadEntry{id, cache, key, wants_value, timeout});
    return id;
  }
  CallId change(const std::string& key, Change change, const Blob& value = {},
                Duration timeout = 10s, CacheId cache = kPlain) {
    const CallId id{++calls_};
    if (value.size_bytes() > 0) {
      change.value = name_value(value.bytes());
    }
    call(ChangeEntry{id, cache, key, change, change.value.is_inline ? Blob() : value, timeout});
    return id;
  }
  CallId put(const std::string& key, const Blob& value, Duration timeout = 10s) {
    return change(key, {}, value, timeout);
  }

  void end_step() {
    cache_->end_step(effects_);
    cache_->check_invariants();
  }

  // ---- values

  static KeyHash key_hash(const std::string& key, CacheId cache = kPlain) {
    return hash_key(cache.value,
                    std::span(reinterpret_cast<const std::uint8_t*>(key.data()), key.size()));
  }
  /// A key whose primary is this member; the cache of the tests is kPlain.
  static std::string key_at(std::uint8_t slot, int number = 0) {
    for (int i = 0;; ++i) {
      std::string key = "key " + std::to_string(i);
      if (owner_order(key_hash(key)).slots()[0].value == slot && number-- == 0) {
        return key;
      }
    }
  }
  static Blob bytes(std::uint8_t number, std::size_t size_bytes = 100) {
    return Blob(std::vector<std::uint8_t>(size_bytes, number));
  }
  MNode mnode_of(const std::string& key, std::uint64_t counter, const Blob& value = {}) const {
    MNode mnode;
    mnode.key = key_hash(key);
    mnode.cache = kPlain;
    mnode.version = {counter, 1, OwnerId(0, Slot{0}, 1)};
    mnode.modified = now_.mono;
    mnode.accessed = now_.mono;
    if (value.size_bytes() > 0) {
      set_value(mnode, name_value(value.bytes()));
    }
    return mnode;
  }
  /// The owner's answer to a question of this number, with an entry of this counter and value.
  CacheAnswer entry_answer(std::uint64_t sequence, const std::string& key, std::uint64_t counter,
                           const Blob& value) const {
    return {.sequence = sequence,
            .attempt = 1,
            .view = views_[group_of(key_hash(key)).value],
            .incarnation = starts_[0],
            .entry = aged(mnode_of(key, counter, value), now_.mono),
            .value = value};
  }
  /// The same of a change that is done, under a position.
  CacheAnswer done_answer(std::uint64_t sequence, const std::string& key, std::uint64_t counter,
                          const Blob& value, std::uint64_t position) const {
    CacheAnswer answer = entry_answer(sequence, key, counter, value);
    answer.value = Blob();
    answer.position = position;
    return answer;
  }

  // ---- what came of it

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
  template <class Kind>
  std::vector<Kind> told() const {
    std::vector<Kind> found;
    for (const Effect& effect : effects_) {
      if (const auto* kind = std::get_if<Kind>(&effect)) {
        found.push_back(*kind);
      }
    }
    return found;
  }
  /// The status of the one call that was answered; kTryAgain, which no call is told, if none was.
  CacheStatus told_status() const {
    const auto answers = told<AnswerCall>();
    EXPECT_LE(answers.size(), 1U);
    return answers.empty() ? CacheStatus::kTryAgain : answers[0].status;
  }

  CacheConfig plain_{.id = kPlain, .name = "plain"};
  CacheConfig safe_{.id = kSafe, .name = "safe", .consistency = Consistency::kReplicated};
  LocalCacheConfig config_;

  Now now_{TimePoint{100s}, WallTime{1'000'000s}};
  std::optional<CacheCatalog> catalog_;
  std::optional<TriadLink> link_;
  std::optional<LocalCache> cache_;
  std::array<View, kGroups> views_{};
  std::array<Incarnation, kSlots> starts_{Incarnation{1}, Incarnation{1}, Incarnation{1}};
  std::array<std::uint64_t, kSlots> beats_{};
  std::array<std::uint64_t, kSlots> replicated_up_to_{};
  SlotSet silent_;
  bool alone_ = false;
  std::uint8_t owner_ = 0;  // who replies unless a test says otherwise
  Effects effects_;
  std::uint64_t calls_ = 0;
};

}  // namespace copal

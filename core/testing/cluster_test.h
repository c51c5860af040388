#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/testing/fake_cluster.h"

namespace copal {

inline constexpr CacheId kPlain{1};
inline constexpr CacheId kSafe{2};
inline constexpr CacheId kStrictRead{3};
inline constexpr NodeId kOne{10};
inline constexpr NodeId kTwo{11};
inline constexpr NodeId kStranger{12};
inline constexpr NodeId kBalancer{20};

inline KeyHash key_hash_of(CacheId cache, const std::string& key) {
  return hash_key(cache.value,
                  std::span(reinterpret_cast<const std::uint8_t*>(key.data()), key.size()));
}

/// Three members, two servers, and caches with the paper's defaults unless a test says otherwise
/// before it begins.
class ClusterTest : public ::testing::Test {
 protected:
  /// Everything is configured, nothing started.
  void make() {
    cluster_ = std::make_unique<FakeCluster>(std::vector{plain_, safe_, strict_read_});
  }
  void begin() {
    if (cluster_ == nullptr) {
      make();
    }
    cluster_->start({kOne, kTwo});
    cluster_->forget_sent();
  }
  void begin_with_balancer() {
    make();
    cluster_->register_node(kBalancer, NodeRole::kBalancer);
    begin();
    cluster_->start_balancer(kBalancer);
    cluster_->run_for(1s);
  }
  FakeCluster& cluster() { return *cluster_; }

  CacheStatus put(NodeId server, const std::string& key, const Blob& value,
                  CacheId cache = kPlain) {
    return cluster().put(server, cache, key, value).status;
  }
  /// The bytes read, wherever they stood; nothing if there is no entry.
  std::optional<Blob> get(NodeId server, const std::string& key, CacheId cache = kPlain) {
    const AnswerCall answer = cluster().read(server, cache, key);
    if (!answer.entry) {
      return std::nullopt;
    }
    const ValueName name = value_name(*answer.entry);
    return name.is_inline ? Blob(inline_bytes(name)) : answer.value;
  }

  /// A member and a server on one side, all others on the other.
  void split_off(NodeId member, NodeId server) {
    for (const NodeId here : {member, server}) {
      for (const NodeId there : {NodeId{0}, NodeId{1}, NodeId{2}, kOne, kTwo}) {
        if (there != member && there != server) {
          cluster().part(here, there);
        }
      }
    }
  }
  /// From now on this member's changes reach no other one.
  void lose_copies_of(std::uint32_t slot) {
    cluster().loses = [slot](const FakeCluster::Sent& sent) {
      return sent.from == NodeId{slot} && std::holds_alternative<Replicate>(sent.message);
    };
  }
  /// How many of its writes a server keeps.
  std::size_t kept(NodeId server) { return cluster().server(server).cache()->kept().count(); }
  /// Runs until everything is served and all members hold the same.
  bool settles(Duration within = 30s) {
    return cluster().run_until([this] { return cluster().is_serving(); }, within) &&
           cluster().run_until([this] { return cluster().members_agree(); }, within);
  }
  /// How many members answer for a key.
  int acting(const std::string& key) {
    int count = 0;
    for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
      const bool acts = cluster().is_up(NodeId{slot}) && cluster().member(slot).is_running() &&
                        cluster().member(slot).ownership().acts(group_of(key_hash_of(kPlain, key)));
      count += acts ? 1 : 0;
    }
    return count;
  }
  /// What a member's list says of a server.
  ServerPhase listed(std::uint32_t slot, NodeId server) {
    for (const ListedServer& one : cluster().member(slot).presence().list()) {
      if (one.node == server) {
        return one.phase;
      }
    }
    return ServerPhase::kAbsent;
  }
  std::size_t on_disk(std::uint32_t slot, Family family) {
    return cluster().store(slot).count(family);
  }
  /// Damages the records of one family at a member.
  void damage(std::uint32_t slot, Family family) {
    for (const auto& [name, record] : cluster().store(slot).records()) {
      if (name.first == family) {
        cluster().store(slot).damaged.insert(name);
      }
    }
  }

  CacheConfig plain_{.id = kPlain, .name = "plain"};
  CacheConfig safe_{.id = kSafe, .name = "safe", .consistency = Consistency::kReplicated};
  CacheConfig strict_read_{.id = kStrictRead, .name = "strict read", .local_read_timeout = 0s};
  std::unique_ptr<FakeCluster> cluster_;
};

}  // namespace copal

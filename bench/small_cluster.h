#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/node/node.h"
#include "core/protocol/effect.h"
#include "core/protocol/input.h"

namespace copal::bench {

/// One to three triad members and one dynamic server in one process, for benchmarks of what they
/// cost one another: each message is handed over at once and in order, time passes only when it is
/// told to, and a disk takes everything and gives nothing back.
class SmallCluster {
 public:
  static constexpr NodeId member(std::size_t slot) {
    return NodeId{static_cast<std::uint32_t>(slot) + 1};
  }

  /// Everybody is up and every group has its acting owner.
  SmallCluster(std::size_t members, const std::vector<CacheConfig>& caches);

  /// Time passes, and everybody wakes when it wants to.
  void pass(Duration time);
  /// The server's application puts a value; time passes until that is answered.
  AnswerCall put(CacheId cache, std::string_view key, std::string_view value);
  const TriadServer& triad(std::size_t slot) { return *find(member(slot)).node->triad_server(); }

  /// Nothing goes to or from this node; its connections break.
  void cut(NodeId node);
  void heal(NodeId node);
  /// Steps of all nodes so far: each message is one, each wake-up, each completion.
  std::uint64_t steps() const { return steps_; }

 private:
  static constexpr NodeId kServer{10};
  struct Member {
    NodeId id;
    std::unique_ptr<Node> node;
    std::uint64_t newest_batch = 0;
    bool is_cut = false;
  };

  Member& find(NodeId node);
  bool triad_acts(std::size_t slot, Group group);
  /// All that follows from it at once follows.
  void input(NodeId node, const Input& input);
  void step(Member& member, const Input& input);
  void perform(Member& member, Effect& effect);
  void send(const Member& member, Send& send);
  void drain();

  std::vector<Member> members_;
  std::deque<std::pair<NodeId, Input>> inputs_;
  Now now_{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{24 * 365 * 50}}};
  Effects effects_;
  std::uint64_t steps_ = 0;
  std::uint64_t last_call_ = 0;
  std::optional<AnswerCall> answer_;
};

}  // namespace copal::bench

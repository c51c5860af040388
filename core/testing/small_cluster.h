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

namespace copal::testing {

/// One to three triad members and one dynamic server in one process, for tests and benchmarks of
/// what they cost one another: each message is handed over at once and in order, time passes only
/// when it is told to, and a disk takes everything and gives nothing back, or is full.
class SmallCluster {
 public:
  static constexpr NodeId kServer{10};
  static constexpr NodeId member(std::size_t slot) {
    return NodeId{static_cast<std::uint32_t>(slot) + 1};
  }

  struct Config {
    std::size_t members = 1;
    std::vector<CacheConfig> caches;
    TriadServerConfig triad;  // who is who is filled in
    LocalCacheConfig cache;
  };
  /// Everybody is up and every group has its acting owner.
  explicit SmallCluster(const Config& config);

  Now now() const { return now_; }
  /// Time passes, and everybody wakes when it wants to.
  void pass(Duration time);
  /// All that follows from it at once follows.
  void input(NodeId node, const Input& input);

  /// An operation of the server's application, with its answer, for which time passes if it must:
  /// at most as long as the operation may take.
  AnswerCall read(CacheId cache, std::string_view key);
  AnswerCall change(CacheId cache, std::string_view key, Change change, const Blob& value = {});
  AnswerCall put(CacheId cache, std::string_view key, std::string_view value);

  Node& node(NodeId node) { return *find(node).node; }
  const TriadServer& triad(std::size_t slot) { return *node(member(slot)).triad_server(); }
  const LocalCache& cache() { return *node(kServer).server()->cache(); }

  /// Nothing goes to or from this node; its connections break.
  void cut(NodeId node);
  void heal(NodeId node);
  /// Its disk has no room: what puts something is refused.
  void set_disk_full(NodeId node, bool full) { find(node).disk_full = full; }

  struct Sent {
    NodeId from;
    NodeId to;
    Message message;
  };
  /// What was sent since the last call, without heartbeats and lists of servers.
  std::vector<Sent> take_sent() { return std::exchange(sent_, {}); }
  /// Whether that is kept; it costs a copy of each message.
  void keep_sent(bool keep) { keep_sent_ = keep; }
  /// Steps of all nodes so far: each message is one, each wake-up, each completion.
  std::uint64_t steps() const { return steps_; }

 private:
  struct Member {
    NodeId id;
    std::unique_ptr<Node> node;
    std::uint64_t newest_batch = 0;
    bool disk_full = false;
    bool is_cut = false;
  };

  Member& find(NodeId node);
  bool triad_acts(std::size_t slot, Group group);
  void step(Member& member, const Input& input);
  void write(Member& member);
  void perform(Member& member, Effect& effect);
  void send(Member& member, Send& send);
  AnswerCall call(const Input& input, CallId id);
  void drain();

  std::shared_ptr<const CacheCatalog> catalog_;
  std::vector<Member> members_;
  std::deque<std::pair<NodeId, Input>> inputs_;
  Now now_{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{24 * 365 * 50}}};
  Effects effects_;
  std::vector<Sent> sent_;
  bool keep_sent_ = true;
  std::uint64_t steps_ = 0;
  std::uint64_t last_call_ = 0;
  std::optional<AnswerCall> answer_;
};

}  // namespace copal::testing

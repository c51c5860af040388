#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/mnode/version.h"
#include "core/protocol/effect.h"

namespace copal {

/// Which servers want the events of which caches, at a member. They say so in every heartbeat, so a
/// list is never older than a server's last one. What a server was not told, because it does not
/// take so much, is counted; the member's heartbeats say how often, and it looks again.
/// Invariant: 1. nobody is listed who listens to nothing.
class Listeners {
 public:
  /// A server's heartbeat came.
  void set(NodeId server, const std::vector<CacheId>& caches);
  /// The server is gone, or the connection to it.
  void forget(NodeId server) { caches_.erase(server); }
  /// Something sent to a server was refused: perhaps an event. Returns whether it must be told.
  bool on_refused(NodeId server);
  /// How often that was.
  std::uint64_t refused(NodeId server) const;

  /// An entry of a cache changed here: tells those who want to know.
  void tell(CacheId cache, EntryEventKind kind, std::string_view key_text, const Version& version,
            Effects& effects) const;

 private:
  std::map<NodeId, std::vector<CacheId>> caches_;
  std::map<NodeId, std::uint64_t> refused_;  // also of those who listen no more: it never goes back
};

}  // namespace copal

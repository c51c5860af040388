#pragma once

#include <map>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/mnode/version.h"
#include "core/protocol/effect.h"

namespace copal {

/// Which servers want the events of which caches, at a member. They say so in every heartbeat, so a
/// list is never older than a server's last one. Invariant: 1. nobody is listed who listens to
/// nothing.
class Listeners {
 public:
  /// A server's heartbeat came.
  void set(NodeId server, const std::vector<CacheId>& caches);
  /// The server is gone.
  void forget(NodeId server) { caches_.erase(server); }

  /// An entry of a cache changed here: tells those who want to know.
  void tell(CacheId cache, EntryEventKind kind, std::string_view key_text, const Version& version,
            Effects& effects) const;

 private:
  std::map<NodeId, std::vector<CacheId>> caches_;
};

}  // namespace copal

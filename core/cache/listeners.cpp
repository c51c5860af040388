#include "core/cache/listeners.h"

#include <algorithm>
#include <string>

#include "core/base/mutant.h"

namespace copal {

void Listeners::set(NodeId server, const std::vector<CacheId>& caches) {
  if (caches.empty()) {
    caches_.erase(server);
  } else {
    caches_[server] = caches;
  }
}

bool Listeners::on_refused(NodeId server) {
  if (!caches_.contains(server) || COPAL_MUTANT(kRefusedEventsUntold)) {
    return false;
  }
  ++refused_[server];
  return true;
}

std::uint64_t Listeners::refused(NodeId server) const {
  const auto at = refused_.find(server);
  return at == refused_.end() ? 0 : at->second;
}

void Listeners::tell(CacheId cache, EntryEventKind kind, std::string_view key_text,
                     const Version& version, Effects& effects) const {
  for (const auto& [server, caches] : caches_) {
    if (std::ranges::find(caches, cache) != caches.end()) {
      effects.push_back(Send{server, EntryEvent{cache, kind, std::string(key_text), version}});
    }
  }
}

}  // namespace copal

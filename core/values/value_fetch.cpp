#include "core/values/value_fetch.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/mutant.h"

namespace copal {

void ValueFetch::want(const ValueHash& hash, NodeId hint, TimePoint now, Effects& effects) {
  if (replica_.values().find(hash) != nullptr || COPAL_MUTANT(kBytesNotFetched)) {
    return;
  }
  const auto at = fetches_.find(hash);
  if (at != fetches_.end()) {
    if (hint != kNoNode && at->second.hint == kNoNode) {  // somebody knows better now
      at->second.hint = hint;
      at->second.asked_count = 0;
      ask(hash, at->second, now, effects);
    }
    return;
  }
  if (fetches_.size() >= kFetchesMax) {
    return;
  }
  ask(hash, fetches_[hash] = Fetch{.hint = hint}, now, effects);
}

/// Whom to ask, in this order.
std::vector<NodeId> ValueFetch::candidates(const ValueHash& hash, const Fetch& fetch) const {
  std::vector<NodeId> nodes;
  if (fetch.hint != kNoNode) {
    nodes.push_back(fetch.hint);
  }
  for (const Slot slot : owner_order(hash).slots()) {
    const NodeId member = members_[slot.value];
    if (member != kNoNode && member != fetch.hint) {
      nodes.push_back(member);
    }
  }
  nodes.insert(nodes.end(), servers_.begin(), servers_.end());
  return nodes;
}

void ValueFetch::ask(const ValueHash& hash, Fetch& fetch, TimePoint now, Effects& effects) {
  fetch.asked = now;
  next_deadline_ = std::min(next_deadline_, now + kAskAgain);
  if (replica_.values().is_only_on_disk(hash)) {
    store_.read_value(hash, effects);
    return;
  }
  const std::vector<NodeId> nodes = candidates(hash, fetch);
  if (!nodes.empty()) {
    const NodeId node = nodes[fetch.asked_count++ % nodes.size()];
    fetch.lack_it.erase(node);  // it may have them by now
    effects.push_back(Send{node, FetchValue{hash}});
  }
}

bool ValueFetch::on_fetched(NodeId from, const FetchedValue& fetched, TimePoint now,
                            Effects& effects) {
  const auto at = fetches_.find(fetched.hash);
  if (at == fetches_.end()) {
    return false;
  }
  if (replica_.values().has(fetched.hash) || !replica_.values().is_wanted(fetched.hash)) {
    fetches_.erase(at);
    start_background(now, effects);
    return false;
  }
  Fetch& fetch = at->second;
  if (fetch.hint == from) {
    fetch.hint = kNoNode;
  }
  const std::vector<NodeId> nodes = candidates(fetched.hash, fetch);
  if (std::ranges::find(nodes, from) != nodes.end()) {
    fetch.lack_it.insert(from);
  }
  // The next one, but each once before all rest a while.
  if (fetch.asked_count < nodes.size()) {
    ask(fetched.hash, fetch, now, effects);
  }
  return fetch.lack_it.size() >= nodes.size() &&
         std::ranges::all_of(nodes, [&fetch](NodeId node) { return fetch.lack_it.contains(node); });
}

void ValueFetch::on_read(const StoreNews::Value& read, TimePoint now, Effects& effects) {
  answer_askers(read.hash, effects);
  const auto at = fetches_.find(read.hash);
  if (at == fetches_.end()) {
    return;
  }
  if (read.found || !replica_.values().is_wanted(read.hash)) {
    fetches_.erase(at);
  } else {
    ask(read.hash, at->second, now, effects);
  }
}

void ValueFetch::on_fetch(NodeId from, const FetchValue& fetch, Effects& effects) {
  if (const Blob* bytes = replica_.values().find(fetch.hash)) {
    effects.push_back(Send{from, FetchedValue{fetch.hash, true, *bytes}});
    return;
  }
  if (!replica_.values().is_only_on_disk(fetch.hash)) {
    effects.push_back(Send{from, FetchedValue{fetch.hash, false, {}}});
    return;
  }
  if (askers_.size() >= kAskersMax) {
    return;  // it has them: who asks tries again
  }
  std::vector<NodeId>& askers = askers_[fetch.hash];
  if (std::ranges::find(askers, from) == askers.end()) {
    askers.push_back(from);
  }
  store_.read_value(fetch.hash, effects);
}

void ValueFetch::answer_askers(const ValueHash& hash, Effects& effects) {
  const auto at = askers_.find(hash);
  if (at == askers_.end()) {
    return;
  }
  const Blob* bytes = replica_.values().find(hash);
  for (const NodeId asker : at->second) {
    effects.push_back(
        Send{asker, FetchedValue{hash, bytes != nullptr, bytes == nullptr ? Blob() : *bytes}});
  }
  askers_.erase(at);
}

/// Called in every step while bytes are missing: so it looks at each fetch only when one is due.
std::vector<ValueHash> ValueFetch::on_time(TimePoint now, Effects& effects) {
  std::vector<ValueHash> unwanted;
  if (now >= next_deadline_) {
    next_deadline_ = kNever;
    // What nobody has makes room for others, and comes round again.
    const bool is_full = fetches_.size() >= kBackgroundMax;
    std::erase_if(fetches_, [&](const auto& one) {
      const auto& [hash, fetch] = one;
      if (!replica_.values().is_wanted(hash)) {
        unwanted.push_back(hash);
        return true;
      }
      const bool was_asked_of_all =
          fetch.asked_count > 0 && fetch.asked_count >= candidates(hash, fetch).size();
      return (is_full && was_asked_of_all && now - fetch.asked >= kAskAgain) ||
             replica_.values().find(hash) != nullptr;
    });
    for (auto& [hash, fetch] : fetches_) {
      if (now - fetch.asked >= kAskAgain) {
        ask(hash, fetch, now, effects);
      }
      next_deadline_ = std::min(next_deadline_, fetch.asked + kAskAgain);
    }
    for (const auto& [hash, askers] : askers_) {
      store_.read_value(hash, effects);  // does nothing while it is being read
    }
  }
  start_background(now, effects);
  return unwanted;
}

void ValueFetch::start_background(TimePoint now, Effects& effects) {
  const ValueStore& values = replica_.values();
  if (values.missing_count() == 0 || fetches_.size() >= kBackgroundMax) {
    return;
  }
  // From where it was left, and around; one more, for that may be under way still.
  constexpr std::size_t kCount = kBackgroundMax + 1;
  std::vector<ValueHash> missing = values.missing_from(background_from_, kCount);
  const std::vector<ValueHash> first = values.missing_from({}, kCount - missing.size());
  missing.insert(missing.end(), first.begin(), first.end());
  for (std::size_t i = 0; i < missing.size() && fetches_.size() < kBackgroundMax; ++i) {
    background_from_ = missing[i];
    if (!fetches_.contains(missing[i])) {
      want(missing[i], kNoNode, now, effects);
    }
  }
}

}  // namespace copal

#include "core/ownership/compare_answer.h"

#include <algorithm>

#include "core/base/mutant.h"
#include "core/protocol/codec.h"

namespace copal {

namespace {

constexpr std::size_t kKeyVersionSizeBytes = 48;

/// The differing leaves' entries from a leaf on, as many as fit.
void list_entries(const HashTree* tree, const Replica& replica, const CompareSums& asked,
                  CompareDiffer& answer) {
  std::size_t size_bytes = 0;
  const auto entries =
      tree == nullptr ? std::vector<const MNodeEntry*>{} : tree->entries(asked.bucket);
  for (std::size_t i = 0; i < entries.size();) {
    // A leaf is listed whole or not at all: the asker must know what is not in it.
    const std::size_t leaf = HashTree::leaf_of(entries[i]->mnode().key);
    std::size_t end = i;
    while (end < entries.size() && HashTree::leaf_of(entries[end]->mnode().key) == leaf) {
      ++end;
    }
    if (leaf >= asked.first_leaf && answer.differ.test(leaf)) {
      size_bytes += (end - i) * kKeyVersionSizeBytes;
      if (size_bytes > kListSizeMaxBytes && !answer.entries.empty()) {
        answer.next_leaf = static_cast<std::uint16_t>(leaf);
        return;
      }
      for (; i < end; ++i) {
        const MNode& mnode = entries[i]->mnode();
        if (!replica.is_cleared(asked.at.group, mnode)) {
          answer.entries.push_back({mnode.key, mnode.version});
        }
      }
    }
    i = end;
  }
}

}  // namespace

std::vector<CacheSum> cache_sums(const Replica& replica, Group group) {
  std::vector<CacheSum> sums;
  for (const CacheId cache : replica.table(group).caches()) {
    sums.push_back({cache, replica.table(group).tree(cache)->sum(), replica.cleared(group, cache)});
  }
  for (const Replica::Cleared& cleared : replica.cleared(group)) {
    if (replica.table(group).tree(cleared.cache) == nullptr) {
      sums.push_back({cleared.cache, 0, cleared.version});
    }
  }
  return sums;
}

void heed_cleared(Replica& replica, HybridClock& clock, Group group,
                  const std::vector<CacheSum>& caches, TimePoint now) {
  for (const CacheSum& of : caches) {
    if (of.cleared != kNoVersion && !COPAL_MUTANT(kHiddenClearNotCompared) &&
        replica.clear(group, of.cache, of.cleared)) {
      clock.observe(of.cleared.counter, now);
    }
  }
}

void CompareAnswer::on_open(NodeId from, const CompareOpen& open, bool ready, Now now,
                            Effects& effects) {
  const bool known = std::ranges::any_of(open_, [&](const Open& one) {
    return one.peer == from && one.comparison == open.at.comparison;
  });
  if (!known) {
    open_.push_back({from, open.at.comparison, now.mono});
    if (open_.size() > kOpenMax) {
      open_.pop_front();
    }
  }
  clock_.observe(open.clock, now.mono);
  clock_.observe(open.horizon.counter, now.mono);
  heed_cleared(replica_, clock_, open.at.group, open.caches, now.mono);
  effects.push_back(
      Send{from, CompareOpened{open.at, clock_.reading(now.mono), replica_.horizon(open.at.group),
                               ready, cache_sums(replica_, open.at.group)}});
}

void CompareAnswer::on_sums(NodeId from, const CompareSums& asked, Effects& effects) {
  if (asked.sums.size() != HashTree::kFanout) {
    return;
  }
  CompareDiffer answer{.at = asked.at};
  const HashTree* tree = replica_.table(asked.at.group).tree(asked.cache);
  HashTree::Sums mine{};
  if (tree != nullptr) {
    mine = asked.of_leaves ? tree->leaves(asked.bucket) : tree->buckets();
  }
  for (std::size_t i = 0; i < HashTree::kFanout; ++i) {
    answer.differ.set(i, mine[i] != asked.sums[i]);
  }
  if (asked.of_leaves) {
    list_entries(tree, replica_, asked, answer);
  }
  effects.push_back(Send{from, std::move(answer)});
}

void CompareAnswer::on_exchange(NodeId from, const CompareExchange& exchange, Now now,
                                Effects& effects) {
  for (const EntryCopy& copy : exchange.give) {
    if (group_of(copy.entry.mnode.key) == exchange.at.group) {
      clock_.observe(copy.entry.mnode.version.counter, now.mono);
      replica_.install(dated(copy.entry, now.mono), copy.key_text);
    }
  }
  for (const KeyVersion& removed : exchange.drop) {
    const MNodeEntry* entry = replica_.find(removed.key);
    if (entry != nullptr && entry->mnode().version == removed.version) {
      set_aside_.drop(*entry, now, effects);
    }
  }
  CompareExchanged answer{.at = exchange.at};
  std::size_t size_bytes = 0;
  for (const KeyHash& key : exchange.take) {
    if (const MNodeEntry* entry = replica_.find(key)) {
      size_bytes += kEntryCopySizeBytes + entry->key_text().size();
      if (size_bytes > kListSizeMaxBytes) {
        break;
      }
      answer.taken.push_back({aged(entry->mnode(), now.mono), std::string(entry->key_text())});
    }
    ++answer.looked_up;
  }
  effects.push_back(Send{from, std::move(answer)});
}

std::optional<Compared> CompareAnswer::on_close(NodeId from, const CompareClose& close, Now now,
                                                Effects& effects) {
  const auto at = std::ranges::find_if(open_, [&](const Open& one) {
    return one.peer == from && one.comparison == close.at.comparison;
  });
  CompareClosed answer{.at = close.at};
  std::optional<Compared> compared;
  if (at != open_.end()) {
    answer.known = true;
    compared = Compared{close.at.group, close.ready, close.agreed, at->began};
    clock_.observe(close.horizon.counter, now.mono);
    if (!COPAL_MUTANT(kHorizonNotTakenOver)) {
      replica_.raise_horizon(close.at.group, close.horizon);
    }
  }
  answer.horizon = replica_.horizon(close.at.group);
  effects.push_back(Send{from, answer});
  return compared;
}

void CompareAnswer::forget(NodeId peer) {
  std::erase_if(open_, [peer](const Open& one) { return one.peer == peer; });
}

}  // namespace copal

#include "core/ownership/compare_answer.h"

#include <algorithm>

#include "core/base/mutant.h"
#include "core/protocol/codec.h"

namespace copal {

namespace {

constexpr std::size_t kKeyUseSizeBytes = 40;
constexpr std::size_t kCacheSumSizeBytes = 33;
static_assert(kCachesMax * kCacheSumSizeBytes <= kListSizeMaxBytes);
constexpr std::size_t kUsesMax = kListSizeMaxBytes / kKeyUseSizeBytes;
// Entries to look at for one message: a step of well under a millisecond.
constexpr std::size_t kLookedAtMax = 4096;

/// The differing leaves' entries from a leaf and key on, as many as fit.
void list_entries(const HashTree* tree, const Replica& replica, const CompareSums& asked,
                  CompareDiffer& answer) {
  constexpr std::size_t kMost = kListSizeMaxBytes / KeyVersion::kSizeBytes;
  const auto entries =
      tree == nullptr ? std::vector<const MNodeEntry*>{} : tree->entries(asked.bucket);
  for (std::size_t i = 0; i < entries.size();) {
    const std::size_t leaf = HashTree::leaf_of(entries[i]->mnode().key);
    std::size_t end = i;
    while (end < entries.size() && HashTree::leaf_of(entries[end]->mnode().key) == leaf) {
      ++end;
    }
    // A leaf is listed whole where that is possible: the asker must know what is not in it. Whoever
    // chooses keys can choose more for one leaf than a frame takes.
    const bool is_asked = leaf >= asked.first_leaf && answer.differ.test(leaf);
    if (is_asked && !answer.entries.empty() && answer.entries.size() + (end - i) > kMost) {
      answer.next_leaf = static_cast<std::uint16_t>(leaf);
      return;
    }
    for (; is_asked && i < end; ++i) {
      const MNode& mnode = entries[i]->mnode();
      if (!HashTree::precedes(asked.after, mnode.key) ||
          replica.is_cleared(asked.at.group, mnode)) {
        continue;
      }
      answer.entries.push_back({mnode.key, mnode.version});
      if (answer.entries.size() == kMost && i + 1 < end) {
        answer.next_leaf = static_cast<std::uint16_t>(leaf);
        answer.next_after = mnode.key;
        return;
      }
    }
    i = end;
  }
}

}  // namespace

std::vector<CacheSum> cache_sums(const Replica& replica, Group group) {
  std::vector<CacheSum> sums;
  for (const CacheId cache : replica.table(group).caches()) {
    const HashTree& tree = *replica.table(group).tree(cache);
    sums.push_back({cache, tree.sum(), replica.cleared(group, cache), tree.idle_count() > 0});
  }
  for (const Replica::Cleared& cleared : replica.cleared(group)) {
    if (replica.table(group).tree(cleared.cache) == nullptr) {
      sums.push_back({cleared.cache, 0, cleared.version, false});
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

KeyHash list_uses(const Replica& replica, Group group, CacheId cache, Duration within,
                  const KeyHash& after, const KeyHash& last, TimePoint now,
                  std::vector<KeyUse>& uses) {
  uses.clear();
  const HashTree* tree = replica.table(group).tree(cache);
  if (tree == nullptr || tree->idle_count() == 0) {
    return last;
  }
  const auto is_before = [](const KeyUse& one, const KeyUse& other) {
    return HashTree::precedes(one.key, other.key);
  };
  std::size_t looked_at = 0;
  const std::size_t last_bucket = HashTree::bucket_of(last);
  for (std::size_t bucket = HashTree::bucket_of(after); bucket <= last_bucket; ++bucket) {
    const std::size_t listed = uses.size();
    for (const MNodeEntry* entry = tree->first(bucket); entry != nullptr;
         entry = HashTree::next(*entry)) {
      ++looked_at;
      const MNode& mnode = entry->mnode();
      if (mnode.idle_timeout_ms > 0 && HashTree::precedes(after, mnode.key) &&
          !HashTree::precedes(last, mnode.key) && age(mnode.accessed, now) <= within &&
          !mnode.is_expired(now)) {
        uses.push_back({mnode.key, age(mnode.accessed, now)});
      }
    }
    // Whoever chooses keys can choose many for one bucket: only those that go are sorted.
    const auto begin = uses.begin() + static_cast<std::ptrdiff_t>(listed);
    if (uses.size() > kUsesMax) {
      const auto end = uses.begin() + kUsesMax;
      std::nth_element(begin, end, uses.end(), is_before);
      uses.erase(end, uses.end());
      std::sort(begin, uses.end(), is_before);
      return uses.back().key;
    }
    std::sort(begin, uses.end(), is_before);
    if (looked_at >= kLookedAtMax && bucket < last_bucket) {
      return HashTree::last_key(bucket);
    }
  }
  return last;
}

TimePoint heed_uses(Replica& replica, Group group, const std::vector<KeyUse>& uses, TimePoint now) {
  TimePoint oldest = kNever;
  for (const KeyUse& use : uses) {
    const TimePoint used = ago(use.age, now);
    if (group_of(use.key) == group && !COPAL_MUTANT(kUsesNotCompared) &&
        replica.merge_use(use.key, used)) {
      oldest = std::min(oldest, used);
    }
  }
  return oldest;
}

void CompareAnswer::on_open(NodeId from, const CompareOpen& open, bool ready, Duration uses_within,
                            Now now, Effects& effects) {
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
                               ready, uses_within, cache_sums(replica_, open.at.group)}});
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
  if (Open* open = find(from, exchange.at.comparison)) {
    open->removed.insert(open->removed.end(), exchange.drop.begin(), exchange.drop.end());
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

TimePoint CompareAnswer::on_uses(NodeId from, const CompareUses& uses, Now now, Effects& effects) {
  if (!HashTree::precedes(uses.after, uses.last)) {
    return kNever;
  }
  CompareUsed answer{.at = uses.at};
  answer.last = list_uses(replica_, uses.at.group, uses.cache, uses.within, uses.after, uses.last,
                          now.mono, answer.uses);
  effects.push_back(Send{from, std::move(answer)});
  return heed_uses(replica_, uses.at.group, uses.uses, now.mono);
}

CompareAnswer::Open* CompareAnswer::find(NodeId peer, std::uint64_t comparison) {
  const auto at = std::ranges::find_if(
      open_, [&](const Open& one) { return one.peer == peer && one.comparison == comparison; });
  return at == open_.end() ? nullptr : &*at;
}

std::optional<Compared> CompareAnswer::on_close(NodeId from, const CompareClose& close, Now now,
                                                Effects& effects) {
  CompareClosed answer{.at = close.at};
  std::optional<Compared> compared;
  if (Open* open = find(from, close.at.comparison)) {
    answer.known = true;
    compared = Compared{close.at.group, close.ready, close.agreed, open->began};
    clock_.observe(close.horizon.counter, now.mono);
    if (!COPAL_MUTANT(kHorizonNotTakenOver)) {
      replica_.raise_horizon(close.at.group, close.horizon);
    }
    set_aside_.drop(open->removed, now, effects);
    open->removed.clear();
  }
  answer.horizon = replica_.horizon(close.at.group);
  effects.push_back(Send{from, answer});
  return compared;
}

void CompareAnswer::forget(NodeId peer) {
  std::erase_if(open_, [peer](const Open& one) { return one.peer == peer; });
}

}  // namespace copal

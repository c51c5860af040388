#include "core/ownership/catch_up.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/assert.h"
#include "core/base/mutant.h"
#include "core/protocol/codec.h"

namespace copal {

namespace {
constexpr std::size_t kKeySizeBytes = 32;

/// What is said again after a while: ages in it have grown.
void grow_older(Message& question, Duration by) {
  if (auto* uses = std::get_if<CompareUses>(&question)) {
    for (KeyUse& use : uses->uses) {
      use.age += by;
    }
  } else if (auto* exchange = std::get_if<CompareExchange>(&question)) {
    for (EntryCopy& copy : exchange->give) {
      copy.entry.modified_age += by;
      copy.entry.accessed_age += by;
    }
  }
}
}  // namespace

// ---- questions

CatchUp::Comparison* CatchUp::find(const CompareStep& at) {
  const auto found = std::ranges::find_if(comparisons_, [&at](const Comparison& comparison) {
    return comparison.id == at.comparison && comparison.step == at.step &&
           comparison.group == at.group;
  });
  return found == comparisons_.end() ? nullptr : &*found;
}

CompareStep CatchUp::next_step(Comparison& comparison) {
  return {comparison.group, comparison.id, ++comparison.step};
}

void CatchUp::ask(Comparison& comparison, Message question, Now now, Effects& effects) {
  comparison.question = std::move(question);
  comparison.first_asked = now.mono;
  comparison.asked = now.mono;
  effects.push_back(Send{members_[comparison.peer.value], comparison.question});
}

void CatchUp::want(std::span<const Wanted> wanted, Now now, Effects& effects) {
  for (const Wanted& one : wanted) {
    const bool under_way = std::ranges::any_of(comparisons_, [&one](const Comparison& other) {
      return other.group == one.group && other.peer == one.peer;
    });
    if (!under_way && comparisons_.size() < config_.comparisons_max) {
      begin(one, now, effects);
    }
  }
}

void CatchUp::begin(const Wanted& wanted, Now now, Effects& effects) {
  ++counts_.begun;
  Comparison& comparison = comparisons_.emplace_back(Comparison{.group = wanted.group,
                                                                .peer = wanted.peer,
                                                                .id = next_id_++,
                                                                .was_ready = wanted.ready,
                                                                .began = now.mono,
                                                                .uses_within = wanted.uses_within});
  ask(comparison,
      CompareOpen{next_step(comparison), incarnation_, clock_.reading(now.mono),
                  replica_.horizon(wanted.group), wanted.uses_within,
                  cache_sums(replica_, wanted.group)},
      now, effects);
}

void CatchUp::forget(Slot peer) {
  counts_.given_up += std::erase_if(
      comparisons_, [peer](const Comparison& comparison) { return comparison.peer == peer; });
}

void CatchUp::on_time(Now now, Effects& effects) {
  counts_.given_up += std::erase_if(comparisons_, [&](const Comparison& comparison) {
    return now.mono - comparison.first_asked >= config_.give_up;
  });
  for (Comparison& comparison : comparisons_) {
    if (now.mono - comparison.asked >= config_.ask_again) {
      grow_older(comparison.question, now.mono - comparison.asked);
      comparison.asked = now.mono;
      effects.push_back(Send{members_[comparison.peer.value], comparison.question});
    }
  }
}

TimePoint CatchUp::next_deadline() const {
  TimePoint next = kNever;
  for (const Comparison& comparison : comparisons_) {
    next = std::min(
        {next, comparison.asked + config_.ask_again, comparison.first_asked + config_.give_up});
  }
  return next;
}

// ---- answers

void CatchUp::on_opened(const CompareOpened& opened, Now now, Effects& effects) {
  Comparison* comparison = find(opened.at);
  if (comparison == nullptr || !std::holds_alternative<CompareOpen>(comparison->question)) {
    return;
  }
  clock_.observe(opened.clock, now.mono);
  clock_.observe(opened.horizon.counter, now.mono);
  heed_cleared(replica_, clock_, comparison->group, opened.caches, now.mono);
  comparison->agreed = opened.clock;
  comparison->peer_horizon = opened.horizon;
  comparison->peer_was_ready = opened.ready;
  comparison->uses_within =
      std::min(std::max(comparison->uses_within, opened.uses_within), kAgeMax);
  struct Both {
    std::uint64_t difference = 0;  // mine minus the peer's
    bool idles = false;
  };
  std::map<CacheId, Both> caches;
  for (const CacheSum& mine : cache_sums(replica_, comparison->group)) {
    caches[mine.cache].difference += mine.sum;
    caches[mine.cache].idles |= mine.idles;
  }
  for (const CacheSum& theirs : opened.caches) {
    caches[theirs.cache].difference -= theirs.sum;
    caches[theirs.cache].idles |= theirs.idles;
  }
  for (const auto& [cache, of] : caches) {
    if (of.difference != 0) {
      comparison->caches.push_back(cache);
    }
    if (of.idles) {
      comparison->use_caches.push_back(cache);
    }
  }
  std::ranges::reverse(comparison->caches);
  std::ranges::reverse(comparison->use_caches);
  go_on(*comparison, now, effects);
}

/// Asks what comes next when nothing is left of the bucket.
void CatchUp::go_on(Comparison& comparison, Now now, Effects& effects) {
  if (comparison.next_leaf < HashTree::kFanout) {
    ask_for_leaves(comparison, now, effects);
    return;
  }
  for (std::size_t bucket = 0; bucket < HashTree::kFanout; ++bucket) {
    if (comparison.buckets.test(bucket)) {
      comparison.buckets.reset(bucket);
      comparison.bucket = bucket;
      comparison.next_leaf = 0;
      comparison.next_after = {};
      ask_for_leaves(comparison, now, effects);
      return;
    }
  }
  if (std::holds_alternative<CompareSums>(comparison.question) ||
      std::holds_alternative<CompareExchange>(comparison.question)) {
    comparison.caches.pop_back();  // the cache that was compared
  }
  if (comparison.caches.empty()) {
    exchange_uses(comparison, now, effects);
    return;
  }
  const HashTree* tree = replica_.table(comparison.group).tree(comparison.caches.back());
  CompareSums question{.at = next_step(comparison), .cache = comparison.caches.back()};
  question.sums.resize(HashTree::kFanout);
  if (tree != nullptr) {
    std::ranges::copy(tree->buckets(), question.sums.begin());
  }
  ask(comparison, std::move(question), now, effects);
}

void CatchUp::ask_for_leaves(Comparison& comparison, Now now, Effects& effects) {
  const HashTree* tree = replica_.table(comparison.group).tree(comparison.caches.back());
  CompareSums question{.at = next_step(comparison),
                       .cache = comparison.caches.back(),
                       .of_leaves = true,
                       .bucket = static_cast<std::uint8_t>(comparison.bucket),
                       .first_leaf = static_cast<std::uint8_t>(comparison.next_leaf),
                       .after = comparison.next_after};
  question.sums.resize(HashTree::kFanout);
  if (tree != nullptr) {
    std::ranges::copy(tree->leaves(comparison.bucket), question.sums.begin());
  }
  ask(comparison, std::move(question), now, effects);
}

void CatchUp::on_differ(const CompareDiffer& differ, Now now, Effects& effects) {
  Comparison* comparison = find(differ.at);
  const auto* question =
      comparison == nullptr ? nullptr : std::get_if<CompareSums>(&comparison->question);
  if (question == nullptr) {
    return;
  }
  if (!question->of_leaves) {
    comparison->buckets = differ.differ;
    if (COPAL_MUTANT_SOMETIMES(kBucketSkipped, 3)) {
      comparison->buckets.reset();
    }
    if (comparison->buckets.none()) {
      comparison->next_leaf = HashTree::kFanout;
    }
    go_on(*comparison, now, effects);
    return;
  }
  const bool goes_on = differ.next_leaf > question->first_leaf ||
                       (differ.next_leaf == question->first_leaf &&
                        HashTree::precedes(question->after, differ.next_after));
  if (!goes_on) {
    return;  // no answer that a member gives: it would never end
  }
  comparison->next_leaf = std::min<std::size_t>(differ.next_leaf, HashTree::kFanout);
  comparison->next_after = differ.next_after;
  decide(*comparison, differ, *question);
  exchange(*comparison, now, effects);
}

// ---- what becomes of each entry (R4.3)

void CatchUp::decide(Comparison& comparison, const CompareDiffer& differ,
                     const CompareSums& question) {
  std::map<KeyHash, Version> theirs;
  for (const KeyVersion& entry : differ.entries) {
    theirs[entry.key] = entry.version;
  }
  const HashTree* tree = replica_.table(comparison.group).tree(comparison.caches.back());
  const auto entries =
      tree == nullptr ? std::vector<const MNodeEntry*>{} : tree->entries(comparison.bucket);
  for (const MNodeEntry* mine : entries) {
    const MNode& mnode = mine->mnode();
    const std::size_t leaf = HashTree::leaf_of(mnode.key);
    const bool is_listed =
        leaf >= question.first_leaf && HashTree::precedes(question.after, mnode.key) &&
        (leaf < comparison.next_leaf ||
         (leaf == comparison.next_leaf && !HashTree::precedes(comparison.next_after, mnode.key)));
    if (!is_listed || !differ.differ.test(leaf) || replica_.is_cleared(comparison.group, mnode)) {
      continue;
    }
    const auto at = theirs.find(mnode.key);
    if (at == theirs.end()) {
      decide_mine(comparison, *mine);
      continue;
    }
    if (mnode.version > at->second) {
      comparison.give.push_back(mnode.key);
    } else if (mnode.version < at->second) {
      comparison.take.push_back(mnode.key);
    }
    theirs.erase(at);
  }
  for (const auto& [key, version] : theirs) {
    decide_theirs(comparison, {key, version});
  }
}

/// An entry that the peer lacks: removed there if it is below its horizon, else unknown there.
void CatchUp::decide_mine(Comparison& comparison, const MNodeEntry& mine) {
  if (mine.mnode().version < comparison.peer_horizon && !COPAL_MUTANT(kDeletedIsCopied)) {
    ++counts_.dropped;
    comparison.removed.push_back({mine.mnode().key, mine.mnode().version});
  } else {
    comparison.give.push_back(mine.mnode().key);
  }
}

void CatchUp::decide_theirs(Comparison& comparison, const KeyVersion& theirs) {
  if (theirs.version < replica_.horizon(comparison.group) && !COPAL_MUTANT(kDeletedIsCopied)) {
    ++counts_.dropped;
    comparison.drop.push_back(theirs);
  } else {
    comparison.take.push_back(theirs.key);
  }
}

void CatchUp::exchange(Comparison& comparison, Now now, Effects& effects) {
  if (comparison.take.empty() && comparison.give.empty() && comparison.drop.empty()) {
    go_on(comparison, now, effects);
    return;
  }
  CompareExchange question{.at = next_step(comparison)};
  std::size_t size_bytes = 0;
  while (!comparison.give.empty() && size_bytes < kListSizeMaxBytes / 2) {
    if (const MNodeEntry* entry = replica_.find(comparison.give.front())) {
      question.give.push_back({aged(entry->mnode(), now.mono), std::string(entry->key_text())});
      size_bytes += kEntryCopySizeBytes + entry->key_text().size();
      ++counts_.given;
    }
    comparison.give.pop_front();
  }
  while (!comparison.drop.empty() && size_bytes < kListSizeMaxBytes / 2) {
    question.drop.push_back(comparison.drop.front());
    comparison.drop.pop_front();
    size_bytes += KeyVersion::kSizeBytes;
  }
  for (const KeyHash& key : comparison.take) {
    if (size_bytes >= kListSizeMaxBytes / 2 || question.take.size() >= 256) {
      break;
    }
    question.take.push_back(key);
    size_bytes += kKeySizeBytes;
  }
  comparison.taking = question.take.size();
  ask(comparison, std::move(question), now, effects);
}

void CatchUp::on_exchanged(const CompareExchanged& exchanged, Now now, Effects& effects) {
  Comparison* comparison = find(exchanged.at);
  if (comparison == nullptr || !std::holds_alternative<CompareExchange>(comparison->question)) {
    return;
  }
  if (exchanged.looked_up == 0 && comparison->taking > 0) {
    return;  // no answer that a member gives: it would never end
  }
  for (const EntryCopy& copy : exchanged.taken) {
    if (group_of(copy.entry.mnode.key) == comparison->group &&
        !COPAL_MUTANT(kStoppedOwnerKeepsChanges)) {
      ++counts_.taken;
      clock_.observe(copy.entry.mnode.version.counter, now.mono);
      replica_.install(dated(copy.entry, now.mono), copy.key_text);
    }
  }
  const std::size_t looked_up = std::min<std::size_t>(exchanged.looked_up, comparison->taking);
  comparison->take.erase(comparison->take.begin(),
                         comparison->take.begin() + static_cast<std::ptrdiff_t>(looked_up));
  exchange(*comparison, now, effects);
}

/// Asks for the uses that come next; after the last ones, for the end.
void CatchUp::exchange_uses(Comparison& comparison, Now now, Effects& effects) {
  if (comparison.use_caches.empty()) {
    ask(comparison,
        CompareClose{next_step(comparison), comparison.agreed,
                     std::max(replica_.horizon(comparison.group), comparison.peer_horizon),
                     comparison.was_ready},
        now, effects);
    return;
  }
  // What was within when it began is older by now, older still when the answer is made, and by
  // clocks that may run apart by a hundredth.
  const Duration within = comparison.uses_within + comparison.uses_within / 50 +
                          (now.mono - comparison.began) + config_.give_up;
  CompareUses question{.at = next_step(comparison),
                       .cache = comparison.use_caches.back(),
                       .after = comparison.uses_after,
                       .within = within};
  question.last = list_uses(replica_, comparison.group, question.cache, within, question.after,
                            HashTree::last_key(), now.mono, question.uses);
  ask(comparison, std::move(question), now, effects);
}

TimePoint CatchUp::on_used(const CompareUsed& used, Now now, Effects& effects) {
  Comparison* comparison = find(used.at);
  const auto* question =
      comparison == nullptr ? nullptr : std::get_if<CompareUses>(&comparison->question);
  if (question == nullptr || !HashTree::precedes(question->after, used.last) ||
      HashTree::precedes(question->last, used.last)) {
    return kNever;  // no answer that a member gives: it would never end, or leave some out
  }
  const TimePoint oldest = heed_uses(replica_, comparison->group, used.uses, now.mono);
  comparison->uses_after = used.last;
  if (!HashTree::precedes(used.last, HashTree::last_key())) {
    comparison->use_caches.pop_back();
    comparison->uses_after = {};
  }
  exchange_uses(*comparison, now, effects);
  return oldest;
}

std::optional<CatchUp::Done> CatchUp::on_closed(const CompareClosed& closed, Now now,
                                                Effects& effects) {
  Comparison* comparison = find(closed.at);
  if (comparison == nullptr || !std::holds_alternative<CompareClose>(comparison->question)) {
    return std::nullopt;
  }
  std::optional<Done> done;
  if (closed.known) {
    ++counts_.done;
    clock_.observe(closed.horizon.counter, now.mono);
    if (!COPAL_MUTANT(kHorizonNotTakenOver)) {
      replica_.raise_horizon(comparison->group, std::max(comparison->peer_horizon, closed.horizon));
    }
    set_aside_.drop(comparison->removed, now, effects);
    done = Done{comparison->peer, Compared{comparison->group, comparison->peer_was_ready,
                                           comparison->agreed, comparison->began}};
  } else {
    ++counts_.given_up;
  }
  comparisons_.erase(comparisons_.begin() + (comparison - comparisons_.data()));
  return done;
}

void CatchUp::check_invariants() const {
  COPAL_ASSERT(comparisons_.size() <= config_.comparisons_max);
  for (std::size_t i = 0; i < comparisons_.size(); ++i) {
    COPAL_ASSERT(comparisons_[i].step > 0);
    for (std::size_t k = 0; k < i; ++k) {
      COPAL_ASSERT(comparisons_[i].group != comparisons_[k].group ||
                   comparisons_[i].peer != comparisons_[k].peer);
    }
  }
}

}  // namespace copal

#include "core/cache/kept_writes.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

std::uint64_t KeptWrites::charge(const Kept& kept) {
  return sizeof(Kept) + kept.key_text.size() + kept.value.size_bytes();
}

std::size_t KeptWrites::count() const {
  std::size_t count = offers_.size();
  for (const auto& of_owner : kept_) {
    count += of_owner.size();
  }
  return count;
}

void KeptWrites::keep(const MNode& mnode, const std::string& key_text, const Blob& value,
                      Slot owner, Incarnation incarnation, std::uint64_t position, Now now,
                      Effects& effects) {
  Kept kept{.mnode = mnode, .key_text = key_text, .value = value};
  set_start(kept, owner, incarnation, position);
  if (COPAL_MUTANT(kWritesNotKept)) {
    return;
  }
  if (is_same_start(kept, owner) && position <= link_.replicated_up_to(owner)) {
    return;  // the answer was overtaken by the heartbeat that covers it
  }
  ++counts_.kept;
  size_bytes_ += charge(kept);
  if (is_in_charge(kept, owner, now.mono)) {
    insert(owner, std::move(kept));
  } else {
    begin_offer(std::move(kept), now, effects);
  }
  if (link_.is_alone(owner)) {
    give_up_oldest();
  }
}

/// Which start of its owner acknowledged it, under which position.
void KeptWrites::set_start(Kept& kept, Slot owner, Incarnation incarnation,
                           std::uint64_t position) const {
  kept.incarnation = incarnation;
  kept.position = position;
  kept.was_heard = link_.member_incarnation(owner) == incarnation;
}

bool KeptWrites::is_same_start(const Kept& kept, Slot owner) const {
  return kept.was_heard && link_.member_incarnation(owner) == kept.incarnation;
}

/// Whether the member that acknowledged it still acts for it, in the same start; of one that is not
/// heard yet, as far as one can tell.
bool KeptWrites::is_in_charge(const Kept& kept, Slot owner, TimePoint now) const {
  return link_.in_charge(group_of(kept.mnode.key), now) == owner &&
         (is_same_start(kept, owner) || link_.member_incarnation(owner) < kept.incarnation);
}

/// Answers may overtake each other by a retry; nearly always it is the last.
void KeptWrites::insert(Slot owner, Kept kept) {
  std::deque<Kept>& of_owner = kept_[owner.value];
  auto at = of_owner.end();
  while (at != of_owner.begin() && std::prev(at)->position > kept.position) {
    --at;
  }
  of_owner.insert(at, std::move(kept));
}

void KeptWrites::give_up_oldest() {
  for (std::deque<Kept>& of_owner : kept_) {
    while (size_bytes_ >= config_.kept_max_bytes && !of_owner.empty()) {
      size_bytes_ -= charge(of_owner.front());
      of_owner.pop_front();
      ++counts_.given_up;
    }
  }
}

void KeptWrites::on_heartbeat(Slot from) {
  std::deque<Kept>& of_owner = kept_[from.value];
  while (!of_owner.empty() && is_same_start(of_owner.front(), from) &&
         of_owner.front().position <= link_.replicated_up_to(from)) {
    size_bytes_ -= charge(of_owner.front());
    of_owner.pop_front();
  }
  if (link_.is_alone(from)) {
    give_up_oldest();
  }
}

// ---- offers

void KeptWrites::on_owners_changed(Now now, Effects& effects) {
  std::vector<Kept> homeless;
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    const Slot owner{static_cast<std::uint8_t>(slot)};
    std::erase_if(kept_[slot], [&](Kept& kept) {
      if (is_in_charge(kept, owner, now.mono)) {
        return false;
      }
      homeless.push_back(std::move(kept));
      return true;
    });
  }
  for (Kept& kept : homeless) {
    begin_offer(std::move(kept), now, effects);
  }
  for (auto& [sequence, offer] : offers_) {
    if (link_.ask(group_of(offer.kept.mnode.key), now.mono) != offer.asked) {
      send(sequence, offer, now, effects);
    }
  }
}

void KeptWrites::offer(const MNode& mnode, const std::string& key_text, const Blob& value, Now now,
                       Effects& effects) {
  const auto under_way = std::ranges::find_if(offers_, [&mnode](const auto& offer) {
    return offer.second.kept.mnode.key == mnode.key &&
           offer.second.kept.mnode.version == mnode.version;
  });
  if (under_way != offers_.end()) {
    TimePoint& accessed = under_way->second.kept.mnode.accessed;
    accessed = std::max(accessed, mnode.accessed);  // told when it is answered
  } else if (has_room()) {
    Kept kept{.mnode = mnode, .key_text = key_text, .value = value};
    size_bytes_ += charge(kept);
    begin_offer(std::move(kept), now, effects);
  }
}

void KeptWrites::begin_offer(Kept kept, Now now, Effects& effects) {
  if (COPAL_MUTANT(kKeptNotOffered)) {
    size_bytes_ -= charge(kept);
    return;
  }
  ++counts_.offered;
  // The owner that was told of later uses may be gone with them. Rule: R0.7.
  const NearCopy* copy = near_.peek(kept.mnode.key);
  if (copy != nullptr && kept.mnode.idle_timeout_ms > 0 && !copy->mnode.is_tombstone() &&
      copy->mnode.version == kept.mnode.version) {
    kept.mnode.accessed = std::max(kept.mnode.accessed, copy->checked);
  }
  const std::uint64_t sequence = next_sequence_++;
  Offer& offer = offers_[sequence] = Offer{.kept = std::move(kept), .asked = kNoNode};
  send(sequence, offer, now, effects);
}

void KeptWrites::send(std::uint64_t sequence, Offer& offer, Now now, Effects& effects) {
  const MNode& mnode = offer.kept.mnode;
  offer.asked = link_.ask(group_of(mnode.key), offer.avoid, now.mono);
  offer.avoid = Slot{kSlots};
  offer.told_use = mnode.accessed;
  ask_again(offer, now.mono + config_.attempt_timeout);
  if (offer.asked != kNoNode) {
    effects.push_back(Send{offer.asked, OfferEntry{.sequence = sequence,
                                                   .entry = aged(mnode, now.mono),
                                                   .key_text = offer.kept.key_text,
                                                   .value = offer.kept.value}});
  }
}

void KeptWrites::ask_again(Offer& offer, TimePoint at) {
  offer.again_at = at;
  next_deadline_ = std::min(next_deadline_, at);
}

bool KeptWrites::on_answer(const OfferAnswer& answer, Now now) {
  const auto at = offers_.find(answer.sequence);
  if (at == offers_.end()) {
    return false;
  }
  Offer& offer = at->second;
  link_.heed(group_of(offer.kept.mnode.key), answer.view);
  // Bytes that another server wrote may come from there.
  const bool lacked = answer.status == CacheStatus::kNeedValue && offer.lacked < kLackedMax;
  if (answer.status == CacheStatus::kTryAgain || lacked) {
    offer.lacked += lacked ? 1 : 0;
    ask_again(offer, now.mono + (lacked ? kBytesDelay : config_.retry_delay));
    return true;
  }
  if (answer.status != CacheStatus::kDone && answer.status != CacheStatus::kNotModified) {
    ++counts_.obsolete;
    size_bytes_ -= charge(offer.kept);
    offers_.erase(at);
    return true;
  }
  ++(answer.status == CacheStatus::kDone ? counts_.taken : counts_.obsolete);
  set_start(offer.kept, answer.view.slot, answer.incarnation, answer.position);
  if (offer.kept.mnode.idle_timeout_ms > 0 && offer.kept.mnode.accessed > offer.told_use) {
    ask_again(offer, now.mono);
    return true;
  }
  if (!is_in_charge(offer.kept, answer.view.slot,
                    now.mono)) {  // another one is to have it, or will say so
    ask_again(offer, now.mono + config_.retry_delay);
    return true;
  }
  insert(answer.view.slot, std::move(offer.kept));
  offers_.erase(at);
  on_heartbeat(answer.view.slot);
  return true;
}

void KeptWrites::on_fetch(NodeId from, const FetchValue& fetch, Effects& effects) const {
  const auto has_it = [&fetch](const Kept& kept) {
    return kept.mnode.has_stored_value() && kept.mnode.value_hash == fetch.hash &&
           !kept.value.empty();
  };
  const auto give = [&](const Kept& kept) {
    effects.push_back(Send{from, FetchedValue{fetch.hash, true, kept.value}});
  };
  for (const auto& [sequence, offer] : offers_) {
    if (has_it(offer.kept)) {
      return give(offer.kept);
    }
  }
  for (const std::deque<Kept>& of_owner : kept_) {
    const auto at = std::ranges::find_if(of_owner, has_it);
    if (at != of_owner.end()) {
      return give(*at);
    }
  }
  effects.push_back(Send{from, FetchedValue{fetch.hash, false, {}}});
}

void KeptWrites::on_lost(NodeId member, Now now) {
  for (auto& [sequence, offer] : offers_) {
    if (offer.asked == member) {
      offer.avoid = link_.slot_of(member).value_or(Slot{kSlots});
      ask_again(offer, now.mono + config_.retry_delay);
    }
  }
}

void KeptWrites::on_time(Now now, Effects& effects) {
  if (now.mono < next_deadline_) {
    return;
  }
  next_deadline_ = kNever;
  for (auto& [sequence, offer] : offers_) {
    if (now.mono >= offer.again_at) {
      send(sequence, offer, now, effects);
    }
    next_deadline_ = std::min(next_deadline_, offer.again_at);
  }
}

void KeptWrites::check_invariants() const {
  std::uint64_t size_bytes = 0;
  for (const auto& of_owner : kept_) {
    for (std::size_t i = 0; i < of_owner.size(); ++i) {
      size_bytes += charge(of_owner[i]);
      COPAL_ASSERT(i == 0 || of_owner[i].incarnation != of_owner[i - 1].incarnation ||
                   of_owner[i - 1].position <= of_owner[i].position);
    }
  }
  for (const auto& [sequence, offer] : offers_) {
    size_bytes += charge(offer.kept);
    COPAL_ASSERT(offer.again_at >= next_deadline_);
  }
  COPAL_ASSERT(size_bytes == size_bytes_);
}

}  // namespace copal

#include "sim/cache_judge.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal::sim {

using Kind = CacheOperation::Kind;

std::size_t CacheJudge::HashOfKey::operator()(const KeyHash& key) const {
  std::size_t hash = 0;
  std::memcpy(&hash, key.bytes.data(), sizeof hash);
  return hash;
}

std::uint32_t& CacheJudge::life_of(std::uint32_t server) {
  server_lives_.resize(std::max<std::size_t>(server_lives_.size(), server + 1));
  return server_lives_[server];
}

CacheJudge::Key& CacheJudge::key_of(const KeyHash& hash) {
  const auto [at, is_new] = index_.try_emplace(hash, static_cast<std::uint32_t>(keys_.size()));
  if (is_new) {
    keys_.push_back({.hash = hash});
  }
  return keys_[at->second];
}

/// The first version that is not below this one.
std::size_t CacheJudge::place_of(const Key& key, const Version& version) {
  const auto at = std::ranges::lower_bound(key.versions, version, {}, &Written::version);
  return static_cast<std::size_t>(at - key.versions.begin());
}

CacheJudge::Written& CacheJudge::version_of(Key& key, const Version& version, TimePoint now,
                                            bool& is_new) {
  const std::size_t place = place_of(key, version);
  is_new = place == key.versions.size() || key.versions[place].version != version;
  if (is_new) {
    key.versions.insert(key.versions.begin() + static_cast<std::ptrdiff_t>(place),
                        Written{.version = version, .created = now});
  }
  return key.versions[place];
}

// ---- what members hold

std::uint64_t CacheJudge::value_of(const MNode& mnode) {
  if (mnode.is_tombstone()) {
    return 0;
  }
  std::uint64_t value = 0;
  std::memcpy(&value, mnode.value_hash.bytes.data(), sizeof value);
  return mix64(value, mnode.value_size_bytes) | 1;
}

void CacheJudge::on_written(Slot member, const MNode& mnode, TimePoint now) {
  Key& key = key_of(mnode.key);
  const Version version = mnode.version;
  bool is_new = false;
  version_of(key, version, now, is_new).value = value_of(mnode);
  const Version before = key.held[member.value];
  key.held[member.value] = version;
  if (version.owner.slot() != member) {
    on_second(key, member, version, now);
  } else if (is_new) {
    on_created(key, member, before, version);
  }
}

/// An owner wrote a version while it held `before` of the key.
void CacheJudge::on_created(Key& key, Slot owner, const Version& before, const Version& version) {
  const std::size_t place = place_of(key, version);
  for (std::size_t i = place; i-- > 0 && key.versions[i].version > before;) {
    Written& passed = key.versions[i];
    if (passed.fate == Fate::kStands) {
      pass_over(key, passed, owner);
    }
  }
  if (place + 1 < key.versions.size()) {
    key.versions[place].fate = Fate::kOverwritten;  // as soon as both owners meet
  }
}

/// A member holds now what another one wrote, and so has what that had replaced.
void CacheJudge::on_second(Key& key, Slot member, const Version& version, TimePoint now) {
  for (std::size_t i = place_of(key, version) + 1; i-- > 0;) {
    Written& written = key.versions[i];
    if (written.second != kNever) {
      return;
    }
    if (written.version.owner.slot() != member && written.fate == Fate::kStands) {
      written.second = now;
    }
  }
}

void CacheJudge::pass_over(const Key& key, Written& written, Slot owner) const {
  SlotSet holders;
  for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
    holders[slot] = Slot{slot} != owner && key.held[slot] >= written.version;
  }
  const bool writer_lives =
      written.server != kNoServer && server_lives_[written.server] == written.server_life;
  written.fate = holders.any() || writer_lives ? Fate::kOverwritten : Fate::kLost;
  if ((holders & running_).none() && !writer_lives) {
    written.only_at = holders;
  }
}

void CacheJudge::on_dropped(Slot member, const KeyHash& hash) {
  key_of(hash).held[member.value] = kNoVersion;
}

void CacheJudge::on_loaded(Slot member, const Replica& replica, TimePoint now) {
  for (Key& key : keys_) {
    const MNodeEntry* entry = replica.find(key.hash);
    key.held[member.value] = entry == nullptr ? kNoVersion : entry->mnode().version;
    if (entry != nullptr) {
      bool is_new = false;
      version_of(key, entry->mnode().version, now, is_new).value = value_of(entry->mnode());
    }
  }
}

bool CacheJudge::all_alike(SlotSet members, TimePoint before) const {
  return std::ranges::all_of(keys_, [&](const Key& key) {
    Version top;
    Version bottom{~std::uint64_t{0}, ~std::uint32_t{0}, {}};
    for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
      if (members[slot]) {
        top = std::max(top, key.held[slot]);
        bottom = std::min(bottom, key.held[slot]);
      }
    }
    if (top == bottom) {
      return true;
    }
    if (bottom == kNoVersion && key.versions[place_of(key, top)].value == 0) {
      return true;  // a tombstone need not be kept by all
    }
    // What one of them has wanted long enough for all to have it.
    for (std::size_t i = place_of(key, top) + 1; i-- > 0 && key.versions[i].version > bottom;) {
      const Written& written = key.versions[i];
      if (written.created <= before && written.fate == Fate::kStands) {
        return false;
      }
    }
    return true;
  });
}

// ---- what applications saw

void CacheJudge::on_operation(const CacheOutcome& outcome) {
  const bool counts = outcome.asked >= measured_from_ && outcome.asked < measured_to_;
  const bool unknown = outcome.status == CacheStatus::kOutcomeUnknown;
  figures_.operations += counts ? 1 : 0;
  figures_.failed += counts && outcome.failed() ? 1 : 0;
  figures_.unknown += counts && unknown ? 1 : 0;
  if (outcome.failed()) {
    return;
  }
  if (counts) {
    const auto took = static_cast<std::uint64_t>((outcome.answered - outcome.asked).count());
    (outcome.kind == Kind::kRead ? figures_.read_ns : figures_.write_ns).add(took);
  }
  outcome.kind == Kind::kRead ? on_read(outcome, counts) : on_write(outcome, counts);
}

Version CacheJudge::newest_tombstone(const Key& key) {
  for (std::size_t i = key.versions.size(); i-- > 0;) {
    if (key.versions[i].value == 0) {
      return key.versions[i].version;
    }
  }
  return kNoVersion;
}

void CacheJudge::on_read(const CacheOutcome& outcome, bool counts) {
  if (!counts) {
    return;
  }
  const bool found = outcome.status == CacheStatus::kDone;
  ++figures_.reads;
  figures_.local += outcome.local ? 1 : 0;
  figures_.asked += outcome.local ? 0 : 1;
  figures_.asked_found += !outcome.local && found ? 1 : 0;
  Key& key = key_of(outcome.key);
  const CacheConfig& cache = caches_[outcome.cache.value - 1];
  const bool ends_by_itself =
      key.ends_by_itself || cache.evict || cache.expire_timeout > 0ns || cache.idle_timeout_ms > 0;
  const bool judged = found || !ends_by_itself;
  const Version version = found ? outcome.version : newest_tombstone(key);
  const auto newer =
      std::ranges::upper_bound(key.acknowledged, version, {}, &Acknowledged::version);
  if (judged && newer != key.acknowledged.end() && newer->at < outcome.asked) {
    stale_reads_.push_back(
        {static_cast<std::uint32_t>(&key - keys_.data()), version, outcome.asked});
  } else {
    figures_.staleness_ns.add(0);
  }
}

void CacheJudge::on_write(const CacheOutcome& outcome, bool counts) {
  if (outcome.version == kNoVersion) {
    return;  // a removal that found nothing
  }
  figures_.acknowledged += counts ? 1 : 0;
  figures_.single_copy += counts && outcome.status == CacheStatus::kSingleCopy ? 1 : 0;
  Key& key = key_of(outcome.key);
  key.ends_by_itself = key.ends_by_itself || outcome.expires;
  bool is_new = false;
  Written& written = version_of(key, outcome.version, outcome.asked, is_new);
  written.acknowledged = outcome.answered;
  written.server = outcome.server;
  written.server_life = life_of(outcome.server);
  written.counts = counts;
  if (key.acknowledged.empty() || key.acknowledged.back().version < outcome.version) {
    key.acknowledged.push_back({outcome.version, outcome.answered});
  }
}

// ---- at the end

Duration CacheJudge::staleness(const StaleRead& read) {
  const Key& key = keys_[read.key];
  const std::size_t place = place_of(key, read.version);
  const bool known = place < key.versions.size() && key.versions[place].version == read.version;
  const std::uint64_t value = known ? key.versions[place].value : 0;
  for (auto newer =
           std::ranges::upper_bound(key.acknowledged, read.version, {}, &Acknowledged::version);
       newer != key.acknowledged.end() && newer->at < read.asked; ++newer) {
    const Written& written = key.versions[place_of(key, newer->version)];
    if (written.fate != Fate::kLost && written.value != value) {
      return read.asked - newer->at;
    }
  }
  return 0ns;
}

const CacheFigures& CacheJudge::finish(SlotSet members, TimePoint now) {
  for (Key& key : keys_) {
    Version newest;
    for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
      newest = members[slot] ? std::max(newest, key.held[slot]) : newest;
    }
    newest = std::max(newest, newest_tombstone(key));
    for (Written& written : key.versions) {
      if (written.acknowledged == kNever) {
        continue;
      }
      if (written.fate == Fate::kStands && written.version > newest) {
        written.fate = Fate::kLost;
      }
      if (written.only_at.any() && (written.only_at & members).none()) {
        written.fate = Fate::kLost;
      }
      figures_.lost += written.fate == Fate::kLost ? 1 : 0;
      figures_.overwritten += written.fate == Fate::kOverwritten ? 1 : 0;
      if (written.counts && written.fate != Fate::kLost) {
        const Duration window =
            std::max<Duration>(std::min(written.second, now) - written.acknowledged, 0ns);
        figures_.loss_window_ns.add(static_cast<std::uint64_t>(window.count()));
      }
    }
  }
  for (const StaleRead& read : stale_reads_) {
    const Duration behind = staleness(read);
    figures_.stale += behind > 0ns ? 1 : 0;
    figures_.staleness_ns.add(static_cast<std::uint64_t>(behind.count()));
  }
  return figures_;
}

}  // namespace copal::sim

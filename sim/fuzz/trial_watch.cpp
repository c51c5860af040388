// Trial: what each node holds and does, as seen from outside.

#include <algorithm>
#include <utility>

#include "core/mnode/value_name.h"
#include "core/protocol/record.h"
#include "sim/fuzz/trial.h"

namespace copal::sim {

Version History::cleared(Group group, std::uint32_t cache) const {
  Version newest = kNoVersion;
  const auto found = clears.find({group.value, cache});
  for (std::uint32_t member = 0; found != clears.end() && member < kSlots; ++member) {
    for (const KnownClear& known : found->second[member]) {
      newest = std::max(newest, known.version);
    }
  }
  return newest;
}

TimePoint History::above(Group group, const Version& version) const {
  const std::vector<Rise>& rises = horizons[group.value];
  const auto rise = std::ranges::upper_bound(rises, version, {}, &Rise::horizon);
  return rise == rises.end() ? kNever : rise->at;
}

const HeldState* KeyHistory::at(std::uint32_t member, TimePoint time) const {
  const std::vector<HeldState>& all = held[member];
  const auto after = std::ranges::upper_bound(all, time, {}, &HeldState::since);
  return after == all.begin() ? nullptr : &*std::prev(after);
}

const HeldState* KeyHistory::before(std::uint32_t member, TimePoint time) const {
  return at(member, time - 1ns);
}

}  // namespace copal::sim

namespace copal::sim::fuzz {

void Trial::on_step(NodeId node, const Input& input, Now now, const Effects& effects) {
  if (engine_.event_count() >= kEventsMax) {
    engine_.stop();
  }
  if (trace_ != nullptr) {
    trace_->on_step(node, input, now, effects);
  }
  if (plan_.is_member(node.value)) {
    const TriadServer* member = triad_[node.value]->node();
    watch_store(node.value, input, effects);
    watch_answers(effects);
    note_acting(node.value, member != nullptr);
    const bool is_start = member != nullptr && !running_[node.value];
    running_[node.value] = member != nullptr;
    if (member != nullptr && (is_start || !effects.store().empty() || member->store().is_full())) {
      watch_member(node.value);
    }
    const auto* storage = std::get_if<StorageCompletion>(&input);
    if (storage != nullptr && std::holds_alternative<StoreOpened>(*storage) &&
        may_lose_records(node.value)) {
      known_orders_[node.value] = {};  // it knows what its disk gives back
    }
    if (member != nullptr && member->is_running()) {
      note_orders(node.value, *member);
      note_generations(node.value, *member);
    }
    if (member != nullptr) {
      ++steps_;
      if (steps_ % kInvariantsEach == 0) {
        member->check_invariants(now.mono);
      }
    }
    return;
  }
  if (plan_.is_server(node.value)) {
    const auto* read = std::get_if<ReadEntry>(&input);
    const auto* change = std::get_if<ChangeEntry>(&input);
    if (read != nullptr || change != nullptr) {
      const CallId call = read != nullptr ? read->call : change->call;
      history_.operations[call.value - 1].asked = engine_.now();
    }
    ++steps_;
    const DynamicServer* server = servers_[node.value - 3]->node();
    if (steps_ % kInvariantsEach == 0 && server != nullptr && server->cache() != nullptr) {
      server->cache()->check_invariants();
    }
    return;
  }
  for (const Effect& effect : effects) {
    const auto* send = std::get_if<Send>(&effect);
    const auto* request = send == nullptr ? nullptr : std::get_if<Request>(&send->message);
    if (request != nullptr) {
      routed_.push_back({engine_.now(), node.value, send->to, known_order(send->to),
                         requests_[request->tag - 1].stuck_to});
    }
  }
}

/// The hardest order for a server that any member that runs knows of.
RosterState Trial::known_order(NodeId server) const {
  RosterState known = RosterState::kEnabled;
  for (const auto& member : triad_) {
    const TriadServer* node = member->node();
    if (node != nullptr && node->is_running()) {
      known = std::max(known, node->roster().state(server));
    }
  }
  return known;
}

void Trial::note(std::uint32_t slot, KeyHistory& key, HeldState state) {
  std::vector<HeldState>& held = key.held[slot];
  const HeldState& last = held.back();
  if (last.running == state.running && last.version == state.version &&
      last.is_tombstone == state.is_tombstone && last.has_bytes == state.has_bytes) {
    return;
  }
  state.since = engine_.now();
  held.push_back(state);
}

/// Members' clocks count from other zeros: their times are the engine's here.
void Trial::note_times(std::uint32_t slot, KeyHistory& key, const MNode& mnode) {
  const TimePoint now = triad_[slot]->member().clock().now().mono;
  if (std::max(mnode.modified, mnode.accessed) > now) {
    history_.from_the_future.push_back(key.text + " at member " + std::to_string(slot));
  }
  auto& uses = key.uses[slot];
  const TimePoint used = engine_.now() - (now - mnode.accessed);
  if (mnode.idle_timeout_ms > 0 && !mnode.is_tombstone() &&
      (uses.empty() || uses.back().version != mnode.version ||
       std::chrono::abs(used - uses.back().used) > 1ms)) {
    uses.push_back({engine_.now(), mnode.version, used});
  }
}

/// A version is one state of the m-node, wherever it is; only times and leases may differ.
void Trial::note_state(KeyHistory& key, const MNode& mnode) {
  const auto [at, is_new] = key.states.try_emplace(mnode.version, mnode);
  const MNode& known = at->second;
  const bool same = value_name(known) == value_name(mnode) &&
                    known.user_flags == mnode.user_flags && known.change == mnode.change &&
                    known.expire_timeout == mnode.expire_timeout &&
                    known.idle_timeout_ms == mnode.idle_timeout_ms;
  if (!is_new && !same) {
    history_.conflicts.push_back(key.text + ": one version with another m-node");
  }
}

void Trial::note_orders(std::uint32_t slot, const TriadServer& member) {
  KnownOrders& known = known_orders_[slot];
  if (known.start != member.self().incarnation) {
    known = {.start = member.self().incarnation};
  }
  if (known.sum == member.roster().sum()) {
    return;
  }
  known.sum = member.roster().sum();
  for (const RosterOrder& order : member.roster().orders()) {
    if (order.version < known.versions[order.node]) {
      history_.orders_gone_back.push_back("of server " + std::to_string(order.node.value) +
                                          " at member " + std::to_string(slot));
    }
    known.versions[order.node] = order.version;
  }
}

/// What was agreed with a peer says nothing of what comes after it (R4.1).
void Trial::note_generations(std::uint32_t slot, const TriadServer& member) {
  for (std::uint32_t peer = 0; peer < kSlots; ++peer) {
    const std::uint32_t generation = member.self().peers[peer].generation;
    const std::uint32_t before = std::exchange(generations_[slot][peer], generation);
    if (before == 0 || before >= generation) {
      continue;
    }
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      if (member.horizon().agreed(Group{i}, Slot{static_cast<std::uint8_t>(peer)}) != 0) {
        history_.agreed_with_others.push_back("member " + std::to_string(slot) + " and member " +
                                              std::to_string(peer) + " in group " +
                                              std::to_string(i));
        break;
      }
    }
  }
}

/// Several changes of one key may happen in one step, when bytes come that they waited for; what
/// one overtook its answer may show as the entry before.
void Trial::watch_answers(const Effects& effects) {
  const auto watch = [this](const auto& shown) {
    if (!shown) {
      return;
    }
    const auto tracked = by_hash_.find(std::string(DiskImage::text(shown->mnode.key.bytes)));
    if (tracked != by_hash_.end()) {
      note_state(*tracked->second, shown->mnode);
    }
  };
  for (const Effect& effect : effects) {
    const auto* send = std::get_if<Send>(&effect);
    const auto* answer = send == nullptr ? nullptr : std::get_if<CacheAnswer>(&send->message);
    if (answer != nullptr) {
      watch(answer->previous);
      watch(answer->entry);
    }
  }
}

/// What a member hands to its store, and what it is told of it.
void Trial::watch_store(std::uint32_t slot, const Input& input, const Effects& effects) {
  MemberStore& store = stores_[slot];
  // What the store did not take at once comes with the next step's batch, under the same number.
  const std::uint64_t waited = triad_[slot]->member().driver_counts().store_waited;
  const bool waits = waited > store.waited;
  store.newest -= waits ? 1 : 0;
  if (const auto* completion = std::get_if<StorageCompletion>(&input)) {
    if (const auto* opened = std::get_if<StoreOpened>(completion)) {
      store = {.newest = opened->newest.value, .written = {}};
      for (KeyHistory* key : tracked_) {  // what an unsynced batch left is as good as synced now
        if (const auto found = on_disk(slot, *key)) {
          key->durable[slot].push_back({engine_.now(), found->version});
        }
      }
    } else if (const auto* failed = std::get_if<WriteFailed>(completion)) {
      store.newest = failed->first.value - 1;
      std::erase_if(store.written,
                    [&](const auto& one) { return one.batch >= failed->first.value; });
    } else if (const auto* synced = std::get_if<SyncEnded>(completion)) {
      std::erase_if(store.written, [&](const auto& one) {
        if (one.batch > synced->synced.value) {
          return false;
        }
        one.key->durable[slot].push_back({engine_.now(), one.version});
        return true;
      });
    }
  }
  store.waited = waited;
  if (effects.store().empty() && !waits) {
    return;
  }
  ++store.newest;
  for (StorageChanges changes(effects.store().bytes()); !changes.done();) {
    const StorageBatch::Change change = changes.next();
    const auto tracked = by_hash_.find(std::string(DiskImage::text(change.key)));
    if (change.family != Family::kMNodes || tracked == by_hash_.end()) {
      continue;
    }
    if (!change.is_put) {  // a tombstone past its time: its absence stands for all before it
      const auto& held = tracked->second->held[slot];
      const auto newest = std::ranges::max_element(held, {}, &HeldState::version);
      store.written.push_back({store.newest, tracked->second, newest->version});
    } else if (const auto record = decode_record<MNodeRecord>(change.value)) {
      store.written.push_back({store.newest, tracked->second, record->entry.mnode.version});
    }
  }
}

void Trial::watch_member(std::uint32_t slot) {
  const Replica& replica = triad_[slot]->node()->replica();
  summed_[slot].resize(tracked_.size());
  for (std::size_t i = 0; i < tracked_.size(); ++i) {
    KeyHistory* key = tracked_[i];
    const MNodeEntry* entry = replica.find(key->hash);
    HeldState state{.running = true};
    if (entry != nullptr) {
      const MNode& mnode = entry->mnode();
      state.version = mnode.version;
      state.is_tombstone = mnode.is_tombstone();
      state.has_bytes = !mnode.has_stored_value() || replica.values().has(mnode.value_hash);
      note_state(*key, mnode);
      note_times(slot, *key, mnode);
      const Blob* bytes =
          mnode.has_stored_value() ? replica.values().find(mnode.value_hash) : nullptr;
      Summed& last = summed_[slot][i];
      const bool is_known = bytes != nullptr && last.version == mnode.version &&
                            last.bytes.bytes().data() == bytes->bytes().data();
      if (!is_known && !mnode.is_tombstone() && (!mnode.has_stored_value() || bytes != nullptr)) {
        last = {mnode.version, bytes == nullptr ? Blob() : *bytes};
        const std::uint64_t sum = value_sum(mnode, last.bytes);
        if (key->value_sums.try_emplace(mnode.version, sum).first->second != sum) {
          history_.conflicts.push_back(key->text + ": one version with other bytes");
        }
      }
    }
    const HeldState& last = key->held[slot].back();
    if (last.running && last.version == kNoVersion && state.version != kNoVersion &&
        state.version < horizons_[slot][key->group.value]) {
      history_.below_horizons.push_back(key->text + " at member " + std::to_string(slot));
    }
    note(slot, *key, state);
  }
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    for (const Replica::Cleared& cleared : replica.cleared(Group{i})) {
      auto& known = history_.clears[{i, cleared.cache.value}][slot];
      // An older one, if its disk has lost the newer.
      if (known.empty() || known.back().version != cleared.version) {
        known.push_back({engine_.now(), cleared.version});
      }
    }
    std::vector<History::Rise>& rises = history_.horizons[i];
    const Version& horizon = horizons_[slot][i] = replica.horizon(Group{i});
    if (horizon > (rises.empty() ? kNoVersion : rises.back().horizon)) {
      rises.push_back({engine_.now(), horizon, slot});
    }
  }
}

std::optional<MNode> Trial::on_disk(std::uint32_t slot, const KeyHistory& key) const {
  const std::string_view name = DiskImage::text(key.hash.bytes);
  const std::string* record = triad_[slot]->disk().image().find(Family::kMNodes, name);
  const auto value =
      record == nullptr ? std::nullopt : DiskImage::value_in(Family::kMNodes, name, *record);
  const auto found = value ? decode_record<MNodeRecord>(DiskImage::bytes(*value)) : std::nullopt;
  return found ? std::optional(found->entry.mnode) : std::nullopt;
}

/// What a member's disk would give back now that its process is gone.
void Trial::watch_disk(std::uint32_t slot) {
  const DiskImage& image = triad_[slot]->disk().image();
  const bool lost = triad_[slot]->disk_is_lost() || gone_[slot];
  running_[slot] = false;
  note_acting(slot, false);
  for (KeyHistory* key : tracked_) {
    HeldState state{.running = false};
    if (const auto found = lost ? std::nullopt : on_disk(slot, *key)) {
      const MNode& mnode = *found;
      state.version = mnode.version;
      state.is_tombstone = mnode.is_tombstone();
      if (mnode.has_stored_value()) {
        const std::string_view hash = DiskImage::text(mnode.value_hash.bytes);
        const std::string* bytes = image.find(Family::kValues, hash);
        state.has_bytes =
            bytes != nullptr && DiskImage::value_in(Family::kValues, hash, *bytes).has_value();
      }
    }
    note(slot, *key, state);
  }
}

void Trial::note_acting(std::uint32_t slot, bool running) {
  const TriadServer* member = running ? triad_[slot]->node() : nullptr;
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    std::optional<std::uint32_t> term;
    if (member != nullptr && member->ownership().acts(Group{i})) {
      term = member->ownership().view(Group{i}).term;
    }
    // It may outbid another within one step, and act all the time.
    const std::optional<std::uint32_t> before = std::exchange(acting_term_[slot][i], term);
    if (term == before) {
      continue;
    }
    std::vector<ActingSpan>& spans = history_.acting[i];
    for (ActingSpan& span : spans) {
      if (span.member == slot && span.to == kNever) {
        span.to = engine_.now();
      }
    }
    if (term) {
      ++counts_.failovers;
      counts_.two_acted +=
          std::ranges::any_of(spans, [](const ActingSpan& span) { return span.to == kNever; }) ? 1
                                                                                               : 0;
      spans.push_back({slot, *term, engine_.now(), kNever});
    }
  }
}

void Trial::on_start(NodeId server) {
  history_.starts[server.value].push_back(engine_.now());
}

void Trial::on_told(NodeId server, const TellListener& news) {
  if (!news.event) {
    history_.events_lost[server.value].push_back(engine_.now());
    return;
  }
  const auto tracked = std::ranges::find(tracked_, news.event->key_text, &KeyHistory::text);
  if (tracked != tracked_.end() && news.event->kind != EntryEventKind::kCleared) {
    (*tracked)->events[server.value].push_back(news.event->version);
  }
}

// ---- at the end

/// Looks each second whether everything is alike.
void Trial::look() {
  if (converged_at_ == kNever && why_not_converged().empty()) {
    converged_at_ = engine_.now();
  }
  schedule(engine_.now() + 1s, Happening::kLook);
}

/// What a member had alone and lost with its disk, or by it, can't be had from anybody: whether it
/// may be lost is for the checker of durability.
bool Trial::somebody_has(const ValueHash& hash) const {
  return std::ranges::any_of(triad_, [&](const auto& member) {
    const TriadServer* node = member == nullptr ? nullptr : member->node();
    return node != nullptr && node->replica().values().has(hash);
  });
}

/// Whether a member's disk may have lost what it had synced.
bool Trial::may_lose_records(std::uint32_t slot) const {
  using FaultKind = PlannedFault::Kind;
  return std::ranges::any_of(plan_.faults, [&](const PlannedFault& fault) {
    const bool loses = fault.kind == FaultKind::kLoseDisk ||
                       (fault.kind >= FaultKind::kDiskFlips && fault.kind <= FaultKind::kDiskTears);
    return loses && fault.node == slot && TimePoint{fault.at} <= engine_.now();
  });
}

/// Whether a disk may lose what it was given, or give back something else.
bool Trial::may_lose_bytes() const {
  using FaultKind = PlannedFault::Kind;
  return std::ranges::any_of(plan_.faults, [](const PlannedFault& fault) {
    return fault.kind == FaultKind::kCrashForGood || fault.kind == FaultKind::kPowerOff ||
           fault.kind == FaultKind::kLoseDisk ||
           (fault.kind >= FaultKind::kDiskReadErrors && fault.kind <= FaultKind::kDiskTears);
  });
}

/// Whether a member has nothing of a key, or it is removed or past its time there: the owner's
/// removal of it may be on its way.
bool Trial::has_nothing(std::uint32_t slot, const MNodeEntry* entry) const {
  return entry == nullptr || entry->mnode().is_tombstone() ||
         entry->mnode().is_expired(triad_[slot]->member().clock().now().mono);
}

std::string Trial::why_not_converged() const {
  const bool bytes_may_be_lost = may_lose_bytes();
  const TriadServer* first = nullptr;
  std::uint32_t first_at = 0;
  std::uint32_t alive = plan_.slots;
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    alive &= gone_[slot] ? ~(1U << slot) : ~0U;
  }
  for (std::uint32_t slot = 0; slot < kSlots; ++slot) {
    if ((alive >> slot & 1U) == 0) {
      continue;
    }
    const TriadServer* node = triad_[slot]->node();
    if (node == nullptr) {
      return "member " + std::to_string(slot) + " does not run";
    }
    const ValueStore& values = node->replica().values();
    const std::size_t lacks = std::ranges::count_if(
        values.missing_from({}, values.missing_count()),
        [&](const ValueHash& hash) { return !bytes_may_be_lost || somebody_has(hash); });
    if (lacks > 0) {
      return "member " + std::to_string(slot) + " lacks bytes of " + std::to_string(lacks) +
             " values";
    }
    for (std::uint8_t i = 0; i < kGroups; ++i) {
      const Group group{i};
      const std::string where = "group " + std::to_string(i) + " at member " + std::to_string(slot);
      if (!node->ownership().is_ready(group)) {
        return where + " is not ready";
      }
      const auto first_slot = group.order().first_of(SlotSet(alive));
      if (node->ownership().acts(group) != (first_slot == Slot{static_cast<std::uint8_t>(slot)})) {
        return where + (node->ownership().acts(group) ? " acts out of order" : " does not act");
      }
      if (first != nullptr) {
        for (const KeyHistory* key : tracked_) {
          const MNodeEntry* mine = key->group == group ? node->replica().find(key->hash) : nullptr;
          const MNodeEntry* its = key->group == group ? first->replica().find(key->hash) : nullptr;
          const Version version = mine == nullptr ? kNoVersion : mine->mnode().version;
          const Version other = its == nullptr ? kNoVersion : its->mnode().version;
          if (version != other && !(has_nothing(slot, mine) && has_nothing(first_at, its))) {
            return key->text + " is another at member " + std::to_string(slot);
          }
        }
      }
    }
    if (first == nullptr) {
      first = node;
      first_at = slot;
    }
  }
  return {};
}

// ---- marks

void Trial::mark(const std::string& name, std::uint64_t count) {
  counts_.marks[name] += count;
}

void Trial::collect_marks(std::uint32_t node) {
  if (plan_.is_server(node)) {
    const DynamicServer* server = servers_[node - 3]->node();
    const LocalCache* cache = server == nullptr ? nullptr : server->cache();
    if (cache == nullptr) {
      return;
    }
    mark("read without a message", cache->reads().counts().local);
    mark("read joined a question under way", cache->reads().counts().joined);
    mark("copy confirmed as not modified", cache->reads().counts().not_modified);
    mark("owner behind what a server has read", cache->reads().counts().went_back);
    mark("change sent again",
         cache->changes().counts().attempts > cache->changes().counts().changes ? 1 : 0);
    mark("outcome unknown", cache->changes().counts().unknown);
    mark("write kept until replicated", cache->kept().counts().kept);
    mark("kept write offered", cache->kept().counts().offered);
    mark("offered write was new to the owner", cache->kept().counts().taken);
    mark("offered write was obsolete", cache->kept().counts().obsolete);
    mark("kept writes given up at the bound", cache->kept().counts().given_up);
    return;
  }
  const TriadServer* member = plan_.is_member(node) ? triad_[node]->process() : nullptr;
  if (member == nullptr) {
    return;
  }
  history_.overwritten_counted += member->replica().overwritten();
  mark("write overwritten after a split", member->replica().overwritten());
  const ReplicaStore::Counts& store = member->store().counts();
  mark("m-node loaded from the disk", store.loaded);
  mark("damaged record found", store.damaged);
  mark("value lost from the disk", store.lost_values);
  mark("disk full", store.full);
  mark("new generation after a loss", member->self().generation > 1 ? 1 : 0);
  mark("member behind", member->times_behind());
  const auto& alarms = triad_[node]->alarms();
  mark("alarm: serves alone", alarms[static_cast<std::size_t>(Alarm::kServesAlone)]);
  mark("alarm: store lost", alarms[static_cast<std::size_t>(Alarm::kStoreLost)]);
  if (!member->is_running()) {
    return;
  }
  const OwnerCache::Counts& owner = member->owner_cache().counts();
  mark("change answered from the window", owner.repeated);
  mark("acknowledged as a single copy", owner.single_copy);
  mark("entry expired", owner.expired);
  mark("entry evicted", owner.evicted);
  mark("offer taken", owner.offers_taken);
  const CatchUp::Counts& compared = member->catch_up().counts();
  counts_.catch_ups += compared.done;
  mark("comparison completed", compared.done);
  mark("comparison given up", compared.given_up);
  mark("m-node taken in a comparison", compared.taken);
  mark("m-node given in a comparison", compared.given);
  mark("m-node dropped in a comparison", compared.dropped);
  mark("entry set aside", member->set_aside_count());
  history_.set_aside += member->set_aside_count();
  mark("tombstone dropped", member->upkeep().tombstones_dropped);
  mark("cleared entry dropped", member->upkeep().cleared_dropped);
}

}  // namespace copal::sim::fuzz

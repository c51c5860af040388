#include "sim/cache_scene.h"

#include <cstring>
#include <limits>

#include "core/protocol/record.h"

namespace copal::sim {

namespace {

/// What is replicated takes about so long; younger differences are traffic, not a failure.
constexpr Duration kTraffic = 500ms;

std::vector<CacheId> caches_of(const std::vector<scenario::CacheUse>& uses,
                               const CacheCatalog& catalog) {
  std::vector<CacheId> ids;
  for (const scenario::CacheUse& use : uses) {
    ids.push_back(catalog.find(use.cache)->id);
  }
  return ids;
}

KeyHash key_hash_of(StorageBatch::Bytes bytes) {
  KeyHash hash;
  if (bytes.size() == hash.bytes.size()) {
    std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  }
  return hash;
}

Network::Count& operator+=(Network::Count& sum, const Network::Count& more) {
  sum.frames += more.frames;
  sum.frame_bytes += more.frame_bytes;
  sum.body_bytes += more.body_bytes;
  return sum;
}

Network::Count difference(const Network::Count& later, const Network::Count& earlier) {
  return {later.frames - earlier.frames, later.frame_bytes - earlier.frame_bytes,
          later.body_bytes - earlier.body_bytes};
}

/// Sums over the kinds of messages of a group.
template <template <class> class Belongs, std::size_t kKind = 0>
Network::Count sum_of(const Network::Counts& later, const Network::Counts& earlier) {
  Network::Count sum;
  if constexpr (kKind < std::variant_size_v<MessageKinds>) {
    sum = sum_of<Belongs, kKind + 1>(later, earlier);
    if constexpr (Belongs<std::variant_alternative_t<kKind, MessageKinds>>::value) {
      sum += difference(later[kKind], earlier[kKind]);
    }
  }
  return sum;
}
template <class Kind>
struct IsOfCache : std::bool_constant<CacheQuestion<Kind> || CacheReply<Kind>> {};
template <class Kind>
struct IsOfReplicas
    : std::bool_constant<TriadMessage<Kind> && !std::is_same_v<Kind, RosterUpdate>> {};

/// Not a number where there is nothing to divide by.
double ratio(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? std::numeric_limits<double>::quiet_NaN()
                    : static_cast<double>(part) / static_cast<double>(whole);
}

double quantile_ms(const Histogram& nanoseconds, double share) {
  return nanoseconds.count() == 0 ? std::numeric_limits<double>::quiet_NaN()
                                  : nanoseconds.quantile(share) * 1e-6;
}

double max_ms(const Histogram& nanoseconds) {
  return nanoseconds.count() == 0 ? std::numeric_limits<double>::quiet_NaN()
                                  : static_cast<double>(nanoseconds.max()) * 1e-6;
}

}  // namespace

CacheScene::CacheScene(const scenario::Scenario& scenario, Engine& engine, const Network& network,
                       std::uint64_t seed)
    : engine_(engine),
      network_(network),
      catalog_(std::make_shared<CacheCatalog>(scenario.app.caches)),
      law_(scenario.application.cache_use, seed),
      client_model_{.uses = scenario.application.cache_use,
                    .caches = caches_of(scenario.application.cache_use, *catalog_),
                    .cost = scenario.application.cache_cost,
                    .witness = this},
      judge_(scenario.app.caches) {}

void CacheScene::watch(SimTriad& member) {
  members_[member.slot().value] = &member;
  member.member().watch(this);
}

// ---- while it runs

void CacheScene::on_operation(const CacheOutcome& outcome) {
  judge_.on_operation(outcome);
  if (outcome.failed()) {
    recovery_.on_error(engine_.now());
  }
}

void CacheScene::on_step(NodeId node, const Input& input, Now, const Effects& effects) {
  for (SimTriad* member : members_) {
    if (member != nullptr && member->id() == node) {
      on_member_step(*member, effects);
      return;
    }
  }
  const auto* received = std::get_if<MessageReceived>(&input);
  const auto* answer = received == nullptr ? nullptr : std::get_if<CacheAnswer>(&received->message);
  if (answer != nullptr && measures_) {
    const bool not_modified = answer->status == CacheStatus::kNotModified;
    const bool is_whole =
        answer->status == CacheStatus::kDone || answer->status == CacheStatus::kAbsent;
    // What a change did has a position among the owner's changes.
    questions_answered_ += not_modified || (is_whole && answer->position == 0) ? 1 : 0;
    not_modified_ += not_modified ? 1 : 0;
  }
}

void CacheScene::on_member_step(SimTriad& member, const Effects& effects) {
  const TriadServer* node = member.node();
  const Slot slot = member.slot();
  if (node != nullptr && loaded_[slot.value] != member.starts()) {
    loaded_[slot.value] = member.starts();
    judge_.on_loaded(slot, node->replica(), engine_.now());
  }
  if (effects.store().empty()) {
    return;
  }
  judge_.set_running(running());
  for (StorageChanges changes(effects.store().bytes()); !changes.done();) {
    const StorageBatch::Change change = changes.next();
    if (change.family != Family::kMNodes) {
      continue;
    }
    if (!change.is_put) {
      judge_.on_dropped(slot, key_hash_of(change.key));
    } else if (const auto record = decode_record<MNodeRecord>(change.value)) {
      judge_.on_written(slot, record->entry.mnode, engine_.now());
    }
  }
}

SlotSet CacheScene::running() {
  SlotSet running;
  for (std::uint8_t slot = 0; slot < kSlots; ++slot) {
    running[slot] = members_[slot] != nullptr && members_[slot]->node() != nullptr;
  }
  return running;
}

void CacheScene::look() {
  if (recovery_.looks()) {
    recovery_.on_look(is_settled(), engine_.now());
  }
}

bool CacheScene::is_settled() {
  for (SimTriad* member : members_) {
    const bool runs = member != nullptr && member->member().node() != nullptr;
    if (runs &&
        (member->node() == nullptr || member->node()->replica().values().missing_count() > 0)) {
      return false;  // it loads, or bytes are still on their way
    }
  }
  return judge_.all_alike(running(), engine_.now() - kTraffic);
}

void CacheScene::on_warm() {
  measures_ = true;
  judge_.begin_measuring(engine_.now());
  counts_warm_ = network_.counts();
}

void CacheScene::on_end() {
  measures_ = false;
  judge_.end_measuring(engine_.now());
  counts_end_ = network_.counts();
}

// ---- at the end

std::vector<std::pair<std::string, double>> CacheScene::finish() {
  const CacheFigures& figures = judge_.finish(running(), engine_.now());
  const auto of_cache = sum_of<IsOfCache>(counts_end_, counts_warm_);
  const auto of_replicas = sum_of<IsOfReplicas>(counts_end_, counts_warm_);
  const std::uint64_t all = figures.operations;
  const auto count = [](std::uint64_t number) { return static_cast<double>(number); };
  return {{"cache_operations_count", count(all)},
          {"cache_failed_count", count(figures.failed)},
          {"cache_unknown_count", count(figures.unknown)},
          {"cache_near_hit_ratio", ratio(figures.local, figures.reads)},
          {"cache_owner_hit_ratio", ratio(figures.asked_found, figures.asked)},
          {"cache_not_modified_ratio", ratio(not_modified_, questions_answered_)},
          {"cache_read_ms_p50", quantile_ms(figures.read_ns, 0.50)},
          {"cache_read_ms_p99", quantile_ms(figures.read_ns, 0.99)},
          {"cache_write_ms_p50", quantile_ms(figures.write_ns, 0.50)},
          {"cache_write_ms_p99", quantile_ms(figures.write_ns, 0.99)},
          {"cache_messages_per_operation", ratio(of_cache.frames, all)},
          {"cache_metadata_bytes_per_operation", ratio(of_cache.frame_bytes, all)},
          {"cache_data_bytes_per_operation", ratio(of_cache.body_bytes, all)},
          {"replica_messages_per_operation", ratio(of_replicas.frames, all)},
          {"replica_metadata_bytes_per_operation", ratio(of_replicas.frame_bytes, all)},
          {"replica_data_bytes_per_operation", ratio(of_replicas.body_bytes, all)},
          {"stale_read_ratio", ratio(figures.stale, figures.reads)},
          {"staleness_ms_p50", quantile_ms(figures.staleness_ns, 0.50)},
          {"staleness_ms_p99", quantile_ms(figures.staleness_ns, 0.99)},
          {"staleness_ms_p99_9", quantile_ms(figures.staleness_ns, 0.999)},
          {"staleness_ms_max", max_ms(figures.staleness_ns)},
          {"acknowledged_writes_count", count(figures.acknowledged)},
          {"single_copy_count", count(figures.single_copy)},
          {"lost_writes_count", count(figures.lost)},
          {"overwritten_writes_count", count(figures.overwritten)},
          {"loss_window_ms_p50", quantile_ms(figures.loss_window_ns, 0.50)},
          {"loss_window_ms_p99", quantile_ms(figures.loss_window_ns, 0.99)},
          {"loss_window_ms_max", max_ms(figures.loss_window_ns)},
          {"recovery_s_max", recovery_.finish()}};
}

}  // namespace copal::sim

#pragma once

#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "core/base/time.h"
#include "core/cache/cache_config.h"
#include "core/mnode/owner_order.h"
#include "core/mnode/version.h"
#include "core/values/replica.h"
#include "sim/cache_client.h"
#include "sim/report/histogram.h"

namespace copal::sim {

/// What came of a run's operations. Operations that were asked for before measuring began count for
/// the fate of writes only.
struct CacheFigures {
  std::uint64_t operations = 0;
  std::uint64_t failed = 0;   // unknown outcomes among them
  std::uint64_t unknown = 0;  // of these: the outcome is
  std::uint64_t reads = 0;    // answered: found or absent
  std::uint64_t local = 0;    // of these: without a message
  std::uint64_t asked = 0;    // the others
  std::uint64_t asked_found = 0;
  std::uint64_t stale = 0;  // reads behind an acknowledged write
  std::uint64_t acknowledged = 0;
  std::uint64_t single_copy = 0;
  Histogram read_ns;
  Histogram write_ns;
  Histogram staleness_ns;    // of all reads that were answered; 0: not stale
  Histogram loss_window_ns;  // of acknowledged writes that were not lost
  // Over the whole run:
  std::uint64_t lost = 0;
  std::uint64_t overwritten = 0;
};

/// Judges what a cache does, from outside: by the operations that servers' applications saw, and by
/// what each member of the triad wrote down, when. Nothing in the core knows of it.
///
/// Staleness of a read: how long before it was asked a newer version with another value had first
/// been acknowledged to anybody; zero if none had. Versions that were lost do not count: they are
/// counted as lost.
/// Absent entries are judged only where none ends by itself.
///
/// A write was passed over if an owner wrote a newer version of the key without having this one, or
/// if it was older itself than one that another owner had already written. Passed over, or at the
/// end not found with any member that runs: lost, unless another member held it then (one that was
/// down counts if it runs at the end), or the server that wrote it lived and so could offer it:
/// then overwritten. Source: DESIGN section 5; R6.
///
/// Loss window: from a write's acknowledgement until a second member held it; zero if one did
/// before. As long as that, the loss of its owner and of the server that wrote it loses it.
class CacheJudge final : public CacheWitness {
 public:
  /// caches  by id - 1.
  explicit CacheJudge(std::vector<CacheConfig> caches) : caches_(std::move(caches)) {}

  /// Operations asked for from now on count.
  void begin_measuring(TimePoint now) { measured_from_ = now; }
  /// And from now on no more.
  void end_measuring(TimePoint now) { measured_to_ = now; }

  void on_operation(const CacheOutcome& outcome) override;
  void on_server_end(std::uint32_t server) override { ++life_of(server); }

  /// Which members run from now on; at first all do.
  void set_running(SlotSet members) { running_ = members; }
  /// A member wrote an m-node down, its own or another's.
  void on_written(Slot member, const MNode& mnode, TimePoint now);
  /// It forgot a key.
  void on_dropped(Slot member, const KeyHash& hash);
  /// A member has started and holds this.
  void on_loaded(Slot member, const Replica& replica, TimePoint now);

  /// Whether these members hold the same: each has of every key at least what was written anywhere
  /// before a time and is still there.
  bool all_alike(SlotSet members, TimePoint before) const;

  /// Adds up. members  those that run, at the end. Call it once.
  const CacheFigures& finish(SlotSet members, TimePoint now);

 private:
  static constexpr std::uint32_t kNoServer = ~std::uint32_t{0};
  enum class Fate : std::uint8_t { kStands, kOverwritten, kLost };

  /// One version of one key.
  struct Written {
    Version version;
    std::uint64_t value = 0;  // tells values apart; 0: none
    TimePoint created{};
    TimePoint acknowledged = kNever;
    TimePoint second = kNever;  // another member than its owner held it
    std::uint32_t server = kNoServer;
    std::uint32_t server_life = 0;
    bool counts = false;
    SlotSet only_at;  // overwritten, if one of these comes back; else lost
    Fate fate = Fate::kStands;
  };
  /// A version that was acknowledged when no newer one had been: both ascend in a list of them.
  struct Acknowledged {
    Version version;
    TimePoint at{};
  };
  struct Key {
    KeyHash hash;
    std::vector<Written> versions;  // ascending
    std::vector<Acknowledged> acknowledged;
    std::array<Version, kSlots> held{};
    bool ends_by_itself = false;
  };
  /// A read that was behind an acknowledged version, which may turn out to be lost.
  struct StaleRead {
    std::uint32_t key = 0;
    Version version;
    TimePoint asked{};
  };
  struct HashOfKey {
    std::size_t operator()(const KeyHash& key) const;
  };

  std::uint32_t& life_of(std::uint32_t server);
  Key& key_of(const KeyHash& hash);
  static std::size_t place_of(const Key& key, const Version& version);
  static Written& version_of(Key& key, const Version& version, TimePoint now, bool& is_new);
  static std::uint64_t value_of(const MNode& mnode);
  void on_created(Key& key, Slot owner, const Version& before, const Version& version);
  static void on_second(Key& key, Slot member, const Version& version, TimePoint now);
  void pass_over(const Key& key, Written& written, Slot owner) const;
  void on_read(const CacheOutcome& outcome, bool counts);
  void on_write(const CacheOutcome& outcome, bool counts);
  static Version newest_tombstone(const Key& key);
  Duration staleness(const StaleRead& read);

  std::vector<CacheConfig> caches_;
  std::vector<std::uint32_t> server_lives_;
  SlotSet running_{0b111};
  TimePoint measured_from_ = kNever;
  TimePoint measured_to_ = kNever;
  std::unordered_map<KeyHash, std::uint32_t, HashOfKey> index_;  // never walked
  std::vector<Key> keys_;
  std::vector<StaleRead> stale_reads_;
  CacheFigures figures_;
};

}  // namespace copal::sim

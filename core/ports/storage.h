#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/ports/storage_batch.h"

namespace copal {

/// The number of a batch in a store: 1, 2, 3 and so on, across restarts. 0: none yet.
using StoreSequence = detail::Id<struct StoreSequenceTag, std::uint64_t>;
/// A read or a scan under way; given by the node, unique in this start of it.
using ReadId = detail::Id<struct ReadIdTag, std::uint64_t>;

/// The store is open. The first completion of each start; nothing is asked before it.
/// newest  the last batch that is there. It and all before it are synced.
struct StoreOpened {
  StoreSequence newest;
};

/// All batches up to this one survive whatever happens to the machine, if the disk tells the truth.
struct SyncEnded {
  StoreSequence synced;
};

enum class WriteError : std::uint8_t {
  kFull,     // no room; everything else goes on, and what needs no more room may be written
  kIoError,  // the disk failed; the store writes nothing more until it is opened anew
};

/// The batches first to last, which is the newest one handed over, were not written.
struct WriteFailed {
  StoreSequence first;
  StoreSequence last;
  WriteError error = WriteError::kFull;
};

enum class ReadOutcome : std::uint8_t {
  kDone,     // the record is in `value`; of a scan, its page is whole but for the damage it names
  kAbsent,   // of a read: there is no such record
  kDamaged,  // of a read: there is one and its bytes are not what was written
  kIoError,  // the disk failed; may be tried again
};

struct ReadEnded {
  ReadId id;
  ReadOutcome outcome = ReadOutcome::kAbsent;
  Blob value;
};

struct StorageRecord {
  std::vector<std::uint8_t> key;
  Blob value;
};

/// A record that a scan found damaged.
struct StorageDamage {
  std::optional<std::vector<std::uint8_t>> key;  // nothing if the damage took it
};

/// One page of a family.
struct ScanEnded {
  ReadId id;
  ReadOutcome outcome = ReadOutcome::kDone;
  std::vector<StorageRecord> records;  // in the order of their keys
  std::vector<StorageDamage> damaged;  // between them, or before or behind
  bool more = false;
  std::vector<std::uint8_t> next;  // if more: from where the next scan goes on
};

/// Results of a store, each of them an input of the node.
using StorageCompletion = std::variant<StoreOpened, SyncEnded, WriteFailed, ReadEnded, ScanEnded>;

/// Batches that wait to be written, in number and in bytes; see contract 9.
inline constexpr std::size_t kStorageWritesMax = 1024;
inline constexpr std::size_t kStorageWritesMaxBytes = std::size_t{64} << 20U;
/// Reads and scans under way.
inline constexpr std::size_t kStorageReadsMax = 1024;

/// Where a triad member keeps its m-nodes and values. Source: paper, section III, "persistence".
/// Rule: R0.2, R0.6, R5.5.
///
/// Contract, held by storage_contract.h in both worlds:
/// 1. No call blocks, and no completion comes before the call has returned. Each accepted read and
///    scan has one completion, unless the process dies first. Writes have none of their own.
/// 2. A batch is there whole or not at all. A read or scan sees every batch handed over before it
///    that did not fail, and perhaps later ones; a page shows one state, two pages may show two. It
///    never shows an older record in place of a newer one.
/// 3. Batches take effect in the order in which they were handed over, and have consecutive
///    numbers. Completions of writing (SyncEnded, WriteFailed) come in the order of their batches;
///    reads and scans may overtake each other and all else.
/// 4. Each sync() is followed by a SyncEnded that names at least the newest batch handed over
///    before it that did not fail; one may answer several, and none names less than one before.
/// 5. Synced batches survive the end of the process and of the machine. Of the others a suffix may
///    be lost, never one from between: what is there after a start is all batches up to some
///    number, whole, and none beyond. (RocksDB with one log for all families, point-in-time
///    recovery and every batch in the log gives just this.) Numbers of lost batches are given
///    again. A disk that lies about syncing, or a log damaged in its synced part, shows as a start
///    with a lower number than was named before; peers remember it. Rule: R5.5.
/// 6. After kFull the store goes on: the next batch gets the number `first`. Batches handed over
///    before the node was told have failed with it, so that none follows a gap. Batches that only
///    erase may be refused too. After kIoError batches are dropped and syncs not answered: what of
///    the unsynced ones is there shows only at the next start, so there is nothing to do but start.
/// 7. A record carries a checksum over family, key and value. One that does not agree is damaged:
///    it is never given as data and never taken for absent; its key is named if that can be known.
///    A put or an erase of its key heals it. A batch that is only partly on the disk is found the
///    same way at the start and is lost by 5.
/// 8. A scan gives the records from a key on in the order of their bytes, each key that stays once
///    however many pages it takes.
/// 9. Queues are bounded. What does not fit is refused (kOverloaded) and leaves no trace; one batch
///    is always accepted by an empty queue, whatever its size.
/// 10. A store that cannot be opened is set aside by the world, which opens an empty one in its
///    place: StoreOpened says 0. Rule: R5.4.
class Storage {
 public:
  virtual ~Storage() = default;

  /// Hands over a batch, copied before the call returns.
  /// batch  not empty.
  /// Returns its number, or kOverloaded.
  virtual Result<StoreSequence> write(const StorageBatch& batch) = 0;

  /// Asks for everything handed over so far to be made durable. Never refused: while one sync is
  /// under way, all that are asked for become the next one.
  virtual void sync() = 0;

  /// Asks for one record: ReadEnded. Returns whether it was accepted; if not: kOverloaded.
  /// key  1 to kStorageKeyMaxBytes bytes; copied.
  [[nodiscard]] virtual bool read(ReadId id, Family family, StorageBatch::Bytes key) = 0;

  /// Asks for a page of records: ScanEnded. Returns whether it was accepted; if not: kOverloaded.
  /// from  the page starts with the first key that is not below; empty: from the start. Copied.
  /// size_max_bytes  >= 1. The page ends before keys and values would pass this; the first record
  ///   of a page is always in it, so that a scan comes to its end.
  [[nodiscard]] virtual bool scan(ReadId id, Family family, StorageBatch::Bytes from,
                                  std::size_t size_max_bytes) = 0;
};

}  // namespace copal

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/ports/random.h"
#include "core/ports/storage_batch.h"

namespace copal::sim {

/// A checksum that sees any change within eight aligned bytes for certain (each step is a bijection
/// of the state) and any other but for one in 2^64. Our own and not CRC32C: eight bytes a step
/// without a table, since every record is summed when it is written and when it is read.
std::uint64_t disk_checksum(StorageBatch::Bytes bytes, std::uint64_t seed);

/// What is on a disk: for each place, named by family and key, the bytes of a record as they were
/// written: checksum, key size, key, value. The file system that finds the places is not damaged;
/// the bytes may be. It knows no time and no process.
/// Invariant: 1. the sizes add up.
class DiskImage {
 public:
  using Table = std::map<std::string, std::string, std::less<>>;

  /// What a put or an erase replaced, to take it back.
  struct Before {
    bool was_there = false;
    std::string record;
  };

  /// Bytes as the keys and records here.
  static std::string_view text(StorageBatch::Bytes bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  static StorageBatch::Bytes bytes(std::string_view text) {
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
  }
  /// Size of a record on the disk.
  static std::size_t record_size_bytes(std::size_t key_size_bytes, std::size_t value_size_bytes) {
    return kHeadSizeBytes + key_size_bytes + value_size_bytes;
  }

  /// Carries out a change. Returns what was in its place.
  Before apply(const StorageBatch::Change& change);
  void take_back(const StorageBatch::Change& change, Before&& before);

  const Table& table(Family family) const { return tables_[static_cast<std::size_t>(family)]; }
  /// Returns the bytes in a place, or nothing.
  const std::string* find(Family family, std::string_view key) const;

  /// Returns the value of a record, if it is what was written to this place. Points into it.
  static std::optional<std::string_view> value_in(Family family, std::string_view key,
                                                  std::string_view record);
  /// Whether a record still says that it belongs to this key.
  static bool names(std::string_view record, std::string_view key);

  /// Turns one drawn bit of a record. Returns false if there is none.
  bool flip_bit(Family family, std::string_view key, Random& random);
  /// The record of a key went to the place of another one of its family, drawn; its own place was
  /// never written. Alone in its family it stays where it is: returns false.
  bool misdirect(Family family, std::string_view key, Random& random);

  /// Bytes of all records.
  std::uint64_t size_bytes() const { return size_bytes_; }
  std::uint64_t size_bytes(Family family) const {
    return family_sizes_bytes_[static_cast<std::size_t>(family)];
  }
  /// For tests. Asserts the invariant.
  void check_invariants() const;

 private:
  static constexpr std::size_t kChecksumSizeBytes = sizeof(std::uint64_t);
  static constexpr std::size_t kHeadSizeBytes = kChecksumSizeBytes + sizeof(std::uint16_t);

  static std::string encode(const StorageBatch::Change& change);
  static std::uint64_t checksum_of(Family family, std::string_view record);
  void count(Family family, std::size_t added_bytes, std::size_t removed_bytes);

  std::array<Table, kFamilyCount> tables_;
  std::array<std::uint64_t, kFamilyCount> family_sizes_bytes_{};
  std::uint64_t size_bytes_ = 0;
};

}  // namespace copal::sim

#include "sim/disk_image.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

#include "core/base/assert.h"
#include "core/base/hash.h"

namespace copal::sim {

namespace {

std::uint64_t add_word(std::uint64_t sum, StorageBatch::Bytes bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), std::min(sizeof word, bytes.size()));
  sum = (sum ^ word) * 0x9fb2'1c65'1e98'df25u;
  return sum ^ sum >> 32U;
}

}  // namespace

/// In four lanes, which a processor works on at the same time.
std::uint64_t disk_checksum(StorageBatch::Bytes bytes, std::uint64_t seed) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::uint64_t sum = mix64(seed, bytes.size());
  if (bytes.size() >= 4 * kWord) {
    std::array<std::uint64_t, 4> lanes{sum, sum + 1, sum + 2, sum + 3};
    for (; bytes.size() >= 4 * kWord; bytes = bytes.subspan(4 * kWord)) {
      for (std::size_t i = 0; i < lanes.size(); ++i) {
        lanes[i] = add_word(lanes[i], bytes.subspan(i * kWord, kWord));
      }
    }
    sum = mix64(mix64(lanes[0], lanes[1]), mix64(lanes[2], lanes[3]));
  }
  for (; !bytes.empty(); bytes = bytes.subspan(std::min(kWord, bytes.size()))) {
    sum = add_word(sum, bytes);
  }
  return mix64(sum);
}

std::uint64_t DiskImage::checksum_of(Family family, std::string_view record) {
  return disk_checksum(bytes(record.substr(kChecksumSizeBytes)),
                       static_cast<std::uint64_t>(family) + 1);
}

std::string DiskImage::encode(const StorageBatch::Change& change) {
  std::string record;
  record.reserve(record_size_bytes(change.key.size(), change.value.size()));
  record.resize(kHeadSizeBytes);
  const auto key_size_bytes = static_cast<std::uint16_t>(change.key.size());
  std::memcpy(record.data() + kChecksumSizeBytes, &key_size_bytes, sizeof key_size_bytes);
  record.append(text(change.key));
  record.append(text(change.value));
  const std::uint64_t checksum = checksum_of(change.family, record);
  std::memcpy(record.data(), &checksum, sizeof checksum);
  return record;
}

bool DiskImage::names(std::string_view record, std::string_view key) {
  if (record.size() < kHeadSizeBytes + key.size()) {
    return false;
  }
  std::uint16_t key_size_bytes = 0;
  std::memcpy(&key_size_bytes, record.data() + kChecksumSizeBytes, sizeof key_size_bytes);
  return key_size_bytes == key.size() && record.substr(kHeadSizeBytes, key.size()) == key;
}

std::optional<std::string_view> DiskImage::value_in(Family family, std::string_view key,
                                                    std::string_view record) {
  // The checksum covers the key that the record was written under; that this is the place's key is
  // what tells a misdirected record.
  if (!names(record, key)) {
    return std::nullopt;
  }
  std::uint64_t checksum = 0;
  std::memcpy(&checksum, record.data(), sizeof checksum);
  if (checksum != checksum_of(family, record)) {
    return std::nullopt;
  }
  return record.substr(kHeadSizeBytes + key.size());
}

void DiskImage::count(Family family, std::size_t added_bytes, std::size_t removed_bytes) {
  std::uint64_t& family_size_bytes = family_sizes_bytes_[static_cast<std::size_t>(family)];
  family_size_bytes += added_bytes;
  family_size_bytes -= removed_bytes;
  size_bytes_ += added_bytes;
  size_bytes_ -= removed_bytes;
}

DiskImage::Before DiskImage::apply(const StorageBatch::Change& change) {
  Table& records = tables_[static_cast<std::size_t>(change.family)];
  auto at = records.lower_bound(text(change.key));
  const bool was_there = at != records.end() && at->first == text(change.key);
  Before before;
  if (was_there) {
    before = {true, std::move(at->second)};
  }
  if (change.is_put) {
    if (!was_there) {
      at = records.emplace_hint(at, text(change.key), std::string{});
    }
    at->second = encode(change);
    count(change.family, at->second.size(), before.record.size());
  } else if (was_there) {
    records.erase(at);
    count(change.family, 0, before.record.size());
  }
  return before;
}

void DiskImage::take_back(const StorageBatch::Change& change, Before&& before) {
  Table& records = tables_[static_cast<std::size_t>(change.family)];
  const auto at = records.find(text(change.key));
  if (at != records.end()) {
    count(change.family, 0, at->second.size());
    records.erase(at);
  }
  if (before.was_there) {
    count(change.family, before.record.size(), 0);
    records.emplace(text(change.key), std::move(before.record));
  }
}

const std::string* DiskImage::find(Family family, std::string_view key) const {
  const Table& records = table(family);
  const auto at = records.find(key);
  return at == records.end() ? nullptr : &at->second;
}

bool DiskImage::flip_bit(Family family, std::string_view key, Random& random) {
  Table& records = tables_[static_cast<std::size_t>(family)];
  const auto at = records.find(key);
  if (at == records.end()) {
    return false;
  }
  std::string& record = at->second;
  const std::uint32_t bit = draw_below(random, static_cast<std::uint32_t>(record.size() * 8));
  record[bit / 8] = static_cast<char>(record[bit / 8] ^ (1 << (bit % 8)));
  return true;
}

bool DiskImage::misdirect(Family family, std::string_view key, Random& random) {
  Table& records = tables_[static_cast<std::size_t>(family)];
  const auto from = records.find(key);
  if (from == records.end() || records.size() < 2) {
    return false;
  }
  // A neighbour within a few places: walking to one drawn among all would cost more than the write.
  auto to = from;
  const std::size_t others = std::min<std::size_t>(records.size() - 1, 8);
  for (std::uint32_t i = draw_below(random, static_cast<std::uint32_t>(others)) + 1; i > 0; --i) {
    ++to;
    to = to == records.end() ? records.begin() : to;
  }
  count(family, from->second.size(), to->second.size());
  to->second = from->second;
  from->second.assign(from->second.size(), '\0');
  return true;
}

void DiskImage::check_invariants() const {
  std::uint64_t all_bytes = 0;
  for (std::size_t i = 0; i < kFamilyCount; ++i) {
    std::uint64_t family_bytes = 0;
    for (const auto& [key, record] : tables_[i]) {
      family_bytes += record.size();
    }
    COPAL_ASSERT(family_bytes == family_sizes_bytes_[i]);
    all_bytes += family_bytes;
  }
  COPAL_ASSERT(all_bytes == size_bytes_);
}

}  // namespace copal::sim

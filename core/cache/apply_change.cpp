#include "core/cache/apply_change.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <span>
#include <utility>

#include "core/base/hash.h"
#include "core/base/mutant.h"
#include "core/base/result.h"

namespace copal {

namespace {

/// A whole number as increments write it: decimal digits after an optional minus, no leading zero,
/// no plus, no space; "-0" is none. So a value that reads as a number is written back the same.
std::optional<std::int64_t> parse_number(std::span<const std::uint8_t> bytes) {
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  const char* end = begin + bytes.size();
  std::int64_t number = 0;
  const auto [rest, error] = std::from_chars(begin, end, number);
  const bool leading_zero = (bytes.size() > 1 && bytes[0] == '0') ||
                            (bytes.size() > 1 && bytes[0] == '-' && bytes[1] == '0');
  if (error != std::errc{} || rest != end || leading_zero) {
    return std::nullopt;
  }
  return number;
}

ValueName number_name(std::int64_t number) {
  std::array<char, 24> text{};
  const char* end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  return name_value({reinterpret_cast<const std::uint8_t*>(text.data()),
                     static_cast<std::size_t>(end - text.data())});
}

bool condition_holds(const Change& change, const MNode* present) {
  switch (change.condition) {
    case Condition::kNone:
      return true;
    case Condition::kAbsent:
      return present == nullptr;
    case Condition::kPresent:
      return present != nullptr;
    case Condition::kVersion:
      return present != nullptr && present->version == change.expected_version;
    case Condition::kValue:
      return present != nullptr && value_name(*present) == change.expected_value;
  }
  return false;
}

/// The cache's own timeout, less a part that differs from entry to entry and from change to change.
/// As good as random: the m-node's key is a hash.
Duration spread(const CacheConfig& cache, const KeyHash& key, TimePoint now) {
  if (cache.expire_spread_percent == 0) {
    return cache.expire_timeout;
  }
  std::uint64_t key_part = 0;
  std::memcpy(&key_part, key.bytes.data(), sizeof(key_part));
  constexpr std::uint64_t kParts = 1'000'000;
  const std::uint64_t part =
      mix64(key_part, static_cast<std::uint64_t>(now.time_since_epoch().count())) % (kParts + 1);
  const Duration most = cache.expire_timeout / 100 * cache.expire_spread_percent;
  return cache.expire_timeout - most / kParts * static_cast<std::int64_t>(part);
}

/// What the writer says itself is not spread: it asked for that time.
void set_timeouts(MNode& mnode, const Change& change, const CacheConfig& cache) {
  mnode.expire_timeout = change.expire_timeout > 0ns ? change.expire_timeout
                                                     : spread(cache, mnode.key, mnode.modified);
  mnode.idle_timeout_ms =
      change.idle_timeout_ms > 0 ? change.idle_timeout_ms : cache.idle_timeout_ms;
}

MNode fresh(const KeyHash& key, const CacheConfig& cache, TimePoint now) {
  MNode mnode;
  mnode.key = key;
  mnode.cache = cache.id;
  mnode.modified = now;
  mnode.accessed = now;
  return mnode;
}

ChangeOutcome put(const Change& change, MNode next, const CacheConfig& cache, const Blob& value) {
  set_value(next, change.value);
  next.user_flags = change.user_flags;
  set_timeouts(next, change, cache);
  return {CacheStatus::kDone, next, value};
}

/// The present entry with another value, which neither prolongs its life nor changes its flags.
MNode with_value_of(const MNode& present, const ValueName& name, TimePoint now) {
  MNode next = present;
  next.accessed = now;
  set_value(next, name);
  return next;
}

std::span<const std::uint8_t> bytes_of(const ValueName& name, const Blob& stored) {
  return name.is_inline ? inline_bytes(name) : stored.bytes();
}

/// What is appended to nothing is put.
ChangeOutcome append(const Change& change, const MNode* present, MNode next,
                     const CacheConfig& cache, const Blob& value, const Blob& current_value) {
  if (present == nullptr) {
    return put(change, next, cache, value);
  }
  const ValueName name = value_name(*present);
  std::span<const std::uint8_t> first = bytes_of(name, current_value);
  std::span<const std::uint8_t> second = bytes_of(change.value, value);
  if (change.action == Action::kPrepend) {
    std::swap(first, second);
  }
  const Blob whole = Blob::make(first.size() + second.size(), [&](std::span<std::uint8_t> bytes) {
    std::ranges::copy(first, bytes.begin());
    std::ranges::copy(second, bytes.begin() + static_cast<std::ptrdiff_t>(first.size()));
  });
  const ValueName whole_name = name_value(whole.bytes());
  return {CacheStatus::kDone, with_value_of(*present, whole_name, next.accessed),
          whole_name.is_inline ? Blob() : whole};
}

ChangeOutcome increment(const Change& change, const MNode* present, MNode next,
                        const CacheConfig& cache) {
  const auto delta = static_cast<std::int64_t>(change.delta);
  if (present == nullptr) {
    set_value(next, number_name(delta));
    next.user_flags = change.user_flags;
    set_timeouts(next, change, cache);
    return {CacheStatus::kDone, next, {}};
  }
  const ValueName name = value_name(*present);
  const auto number = name.is_inline ? parse_number(inline_bytes(name)) : std::nullopt;
  if (!number) {
    return {CacheStatus::kNotANumber, std::nullopt, {}};
  }
  std::int64_t sum = 0;
  if (__builtin_add_overflow(*number, delta, &sum)) {
    return {CacheStatus::kNumberTooLarge, std::nullopt, {}};
  }
  return {CacheStatus::kDone, with_value_of(*present, number_name(sum), next.accessed), {}};
}

}  // namespace

bool is_present(const MNode* mnode, TimePoint now) {
  return mnode != nullptr && !mnode->is_tombstone() &&
         (COPAL_MUTANT(kExpiredIsRead) || !mnode->is_expired(now));
}

ChangeOutcome apply_change(const Change& change, const KeyHash& key, const MNode* current,
                           const CacheConfig& cache, TimePoint now, const Blob& value,
                           const Blob& current_value) {
  const MNode* present = is_present(current, now) ? current : nullptr;
  if (!condition_holds(change, present)) {
    return {CacheStatus::kConditionFailed, std::nullopt, {}};
  }
  MNode next = fresh(key, cache, now);
  switch (change.action) {
    case Action::kPut:
      return put(change, next, cache, value);
    case Action::kRemove:
      if (present == nullptr) {
        return {CacheStatus::kAbsent, std::nullopt, {}};
      }
      return {CacheStatus::kDone, next, {}};
    case Action::kTouch:
      if (present == nullptr) {
        return {CacheStatus::kAbsent, std::nullopt, {}};
      }
      next = *present;
      next.modified = now;
      next.accessed = now;
      set_timeouts(next, change, cache);
      return {CacheStatus::kDone, next, {}};
    case Action::kIncrement:
      return increment(change, present, next, cache);
    case Action::kAppend:
    case Action::kPrepend:
      return append(change, present, next, cache, value, current_value);
  }
  return {CacheStatus::kConditionFailed, std::nullopt, {}};
}

}  // namespace copal

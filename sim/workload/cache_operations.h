#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/blob.h"
#include "core/base/time.h"
#include "scenarios/scenario.h"
#include "sim/workload/sampler.h"
#include "sim/workload/sessions.h"
#include "sim/workload/workload.h"

namespace copal::sim {

/// One operation of a request on a cache.
struct CacheOperation {
  enum class Kind : std::uint8_t { kRead, kPut, kRemove };
  std::uint32_t use = 0;  // which of the application's uses
  Kind kind = Kind::kRead;
  std::uint64_t key = 0;
  std::uint32_t value_size_bytes = 0;  // of the key's value, of a read too: it may be loaded
  std::uint64_t value = 0;             // equal numbers are equal bytes
  Duration expire_timeout{};           // 0: the cache's
};

/// What a scenario says about the operations of a request. What it draws depends on the seed and
/// the request's number alone, so that rival lines meet the very same operations.
class OperationLaw {
 public:
  /// uses  their laws' files can be read, asserted: see why_no_operations().
  OperationLaw(const std::vector<scenario::CacheUse>& uses, std::uint64_t seed);

  /// request  its number. arrival.cache_key is the key of uses that follow a recording.
  std::vector<CacheOperation> draw(const Arrival& arrival, std::uint64_t request) const;

 private:
  struct Use {
    const scenario::CacheUse* spec = nullptr;
    SessionLaw keys;
    Sampler value_size;
  };
  CacheOperation draw_one(const Use& use, const Arrival& arrival, Random& random) const;
  std::uint32_t size_of_value(const Use& use, std::uint64_t key) const;

  std::uint64_t seed_;
  std::vector<Use> uses_;
};

/// Returns why the laws of these uses can't be followed, for people; nothing if they can.
[[nodiscard]] std::optional<std::string> why_no_operations(
    const std::vector<scenario::CacheUse>& uses);

/// The text of a key by its number: so many bytes, or as many as the number needs.
std::string cache_key_text(std::uint64_t key, std::uint32_t size_bytes);

/// The number of the value that a key has in the database behind the cache.
std::uint64_t cache_value_of_key(std::uint64_t key);

/// The bytes of a value: equal for equal numbers and sizes, different for different numbers from
/// 8 bytes on.
Blob cache_value(std::uint64_t value, std::uint32_t size_bytes);

}  // namespace copal::sim

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "core/cache/eviction.h"

namespace copal {

/// The eviction policies there are; each says in its header what it computes.
enum class Eviction : std::uint8_t { kLru, kS3Fifo, kWTinyLfu };

/// Their names in configurations and tables, in the order of the enumerators.
std::span<const std::string_view> eviction_names();

/// Makes one of them, without items.
std::unique_ptr<EvictionPolicy> make_eviction_policy(Eviction eviction, std::uint64_t limit_bytes);

}  // namespace copal

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace copal::sim {

/// Longer recordings are refused: their keys would take more than 400 MB.
inline constexpr std::size_t kTraceKeysMax = 100'000'000;

/// Reads a recording of the keys that were asked of a cache, in order: nothing but big-endian
/// numbers of 32 bits, one a request, plain, gzip or xz. The format is that of cache2k's
/// benchmarks. keys  the numbers; empty after an error. Returns why the file can't be used, for
/// people ("path: …"): it can't be read or unpacked, is empty, too long, or ends within a key.
/// Nothing if all is well.
[[nodiscard]] std::optional<std::string> load_key_trace(const std::string& path,
                                                        std::vector<std::uint32_t>& keys);

}  // namespace copal::sim

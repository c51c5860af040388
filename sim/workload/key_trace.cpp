#include "sim/workload/key_trace.h"

#include <memory>

#include "sim/workload/line_reader.h"

namespace copal::sim {

namespace {

constexpr std::size_t kKeyBufferBytes = 64 * 1024;
constexpr std::size_t kKeyBytes = 4;

/// Returns what is wrong, without the path.
std::string read_keys(ByteSource& source, std::vector<std::uint32_t>& keys) {
  const auto buffer = std::make_unique<char[]>(kKeyBufferBytes);
  std::uint64_t size_bytes = 0;
  std::uint32_t key = 0;
  while (const std::size_t count = source.read(buffer.get(), kKeyBufferBytes)) {
    for (std::size_t i = 0; i < count; ++i) {
      key = key << 8U | static_cast<unsigned char>(buffer[i]);
      if (++size_bytes % kKeyBytes == 0) {
        keys.push_back(key);
      }
    }
    if (keys.size() > kTraceKeysMax) {
      return "more than " + std::to_string(kTraceKeysMax) + " keys";
    }
  }
  if (!source.failure().empty()) {
    return source.failure();
  }
  if (size_bytes == 0) {
    return "the file is empty: expected keys of 4 bytes";
  }
  if (size_bytes % kKeyBytes != 0) {
    return std::to_string(size_bytes) + " bytes: expected a multiple of 4, the bytes of a key";
  }
  return {};
}

}  // namespace

std::optional<std::string> load_key_trace(const std::string& path,
                                          std::vector<std::uint32_t>& keys) {
  keys.clear();
  const std::unique_ptr<ByteSource> source = open_bytes(path);
  const std::string failure =
      source->failure().empty() ? read_keys(*source, keys) : source->failure();
  if (failure.empty()) {
    return std::nullopt;
  }
  keys.clear();
  return path + ": " + failure;
}

}  // namespace copal::sim

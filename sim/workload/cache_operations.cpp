#include "sim/workload/cache_operations.h"

#include <algorithm>
#include <cstring>

#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/cache/cache_config.h"
#include "sim/workload/request_model.h"

namespace copal::sim {

namespace {

// Purposes of KeyedRandom; closed loops have 1 to 6.
constexpr std::uint64_t kOperations = 16;
constexpr std::uint64_t kValueSizes = 17;

}  // namespace

OperationLaw::OperationLaw(const std::vector<scenario::CacheUse>& uses, std::uint64_t seed)
    : seed_(seed) {
  for (const scenario::CacheUse& spec : uses) {
    Use& use = uses_.emplace_back();
    use.spec = &spec;
    use.keys = SessionLaw({.count = spec.key_count, .zipf_exponent = spec.zipf_exponent});
    const auto error = load_sampler(spec.value_size, use.value_size);
    COPAL_ASSERT(!error);
  }
}

std::vector<CacheOperation> OperationLaw::draw(const Arrival& arrival,
                                               std::uint64_t request) const {
  std::vector<CacheOperation> operations;
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    KeyedRandom random(seed_, kOperations, i, request);
    for (std::uint32_t k = 0; k < uses_[i].spec->operations; ++k) {
      operations.push_back(draw_one(uses_[i], arrival, random));
      operations.back().use = static_cast<std::uint32_t>(i);
    }
  }
  return operations;
}

CacheOperation OperationLaw::draw_one(const Use& use, const Arrival& arrival,
                                      Random& random) const {
  using Kind = CacheOperation::Kind;
  const scenario::CacheUse& spec = *use.spec;
  CacheOperation operation;
  switch (spec.keys) {
    case scenario::CacheUse::Keys::kDrawn:
      operation.key = use.keys.draw(random);
      break;
    case scenario::CacheUse::Keys::kSession:
      operation.key = arrival.session.value;
      break;
    case scenario::CacheUse::Keys::kTrace:
      operation.key = arrival.cache_key != 0 ? arrival.cache_key : use.keys.draw(random);
      break;
  }
  const double kind = draw_unit(random);
  operation.kind = kind < spec.read_share                       ? Kind::kRead
                   : kind < spec.read_share + spec.remove_share ? Kind::kRemove
                                                                : Kind::kPut;
  operation.value_size_bytes = size_of_value(use, operation.key);
  const bool same = draw_unit(random) < spec.same_value_share;
  operation.value = same ? cache_value_of_key(operation.key) : random.next();
  double share = spec.lifetimes.empty() ? 0 : draw_unit(random);
  for (const scenario::CacheUse::Lifetime& lifetime : spec.lifetimes) {
    if (share >= 0 && share < lifetime.share) {
      operation.expire_timeout = lifetime.expire_timeout;
    }
    share -= lifetime.share;
  }
  return operation;
}

std::uint32_t OperationLaw::size_of_value(const Use& use, std::uint64_t key) const {
  KeyedRandom random(seed_, kValueSizes, key, 0);
  return std::clamp(size_of(use.value_size.draw(random)), 1U, CacheConfig::kValueSizeMaxBytes);
}

std::optional<std::string> why_no_operations(const std::vector<scenario::CacheUse>& uses) {
  Sampler sampler;
  for (const scenario::CacheUse& use : uses) {
    if (auto error = load_sampler(use.value_size, sampler)) {
      return error;
    }
  }
  return std::nullopt;
}

std::string cache_key_text(std::uint64_t key, std::uint32_t size_bytes) {
  std::string digits = std::to_string(key);
  return digits.size() < size_bytes ? std::string(size_bytes - digits.size(), '0') + digits
                                    : digits;
}

std::uint64_t cache_value_of_key(std::uint64_t key) {
  return mix64(key);
}

Blob cache_value(std::uint64_t value, std::uint32_t size_bytes) {
  return Blob::make(size_bytes, [value](std::span<std::uint8_t> bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += sizeof value) {
      const std::uint64_t word = at == 0 ? value : mix64(value, at);
      std::memcpy(&bytes[at], &word, std::min(sizeof word, bytes.size() - at));
    }
  });
}

}  // namespace copal::sim

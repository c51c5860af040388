#include "core/values/value_store.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal {

const Blob* ValueStore::find(const ValueHash& hash) const {
  const Value* value = index_.find(hash.bytes);
  return value != nullptr && value->here ? &value->bytes : nullptr;
}

ValueStore::Value& ValueStore::wanted(const ValueHash& hash) {
  if (Value* value = index_.find(hash.bytes)) {
    return *value;
  }
  auto added = std::make_unique<Value>();
  added->hash = hash;
  added->place = values_.size();
  index_.insert(*added);
  return *values_.emplace_back(std::move(added));
}

ValueStore::Value& ValueStore::known(const ValueHash& hash) {
  Value* value = index_.find(hash.bytes);
  COPAL_ASSERT(value != nullptr);
  return *value;
}

void ValueStore::add_reference(const ValueHash& hash) {
  Value& value = wanted(hash);
  ++value.references;
  if (!value.here) {
    missing_.insert(hash);
  }
}

void ValueStore::remove_reference(const ValueHash& hash) {
  Value& value = known(hash);
  COPAL_ASSERT(value.references > 0);
  --value.references;
  if (value.references == 0 && !value.here) {
    missing_.erase(hash);
  }
  drop_if_unwanted(value);
}

void ValueStore::pin(const ValueHash& hash) {
  ++wanted(hash).pins;
}

void ValueStore::unpin(const ValueHash& hash) {
  Value& value = known(hash);
  COPAL_ASSERT(value.pins > 0);
  --value.pins;
  drop_if_unwanted(value);
}

void ValueStore::drop_if_unwanted(Value& value) {
  if (value.references > 0 || value.pins > 0) {
    return;
  }
  size_bytes_ -= value.bytes.size_bytes();
  index_.erase(value);
  const std::size_t place = value.place;
  std::swap(values_[place], values_.back());
  values_[place]->place = place;
  values_.pop_back();
}

bool ValueStore::provide(const ValueHash& hash, const Blob& bytes) {
  Value* value = index_.find(hash.bytes);
  if (value == nullptr || value->here) {
    return false;
  }
  value->bytes = bytes;
  value->here = true;
  missing_.erase(hash);
  size_bytes_ += bytes.size_bytes();
  return true;
}

std::uint32_t ValueStore::reference_count(const ValueHash& hash) const {
  const Value* value = index_.find(hash.bytes);
  return value == nullptr ? 0 : value->references;
}

std::size_t ValueStore::referred_count() const {
  return static_cast<std::size_t>(std::count_if(
      values_.begin(), values_.end(), [](const auto& value) { return value->references > 0; }));
}

std::vector<ValueHash> ValueStore::missing_from(const ValueHash& from,
                                                std::size_t count_max) const {
  std::vector<ValueHash> found;
  for (auto at = missing_.lower_bound(from); at != missing_.end() && found.size() < count_max;
       ++at) {
    found.push_back(*at);
  }
  return found;
}

void ValueStore::check_invariants() const {
  std::uint64_t size_bytes = 0;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Value& value = *values_[i];
    COPAL_ASSERT(value.place == i && index_.find(value.hash.bytes) == &value);
    COPAL_ASSERT(value.references > 0 || value.pins > 0);
    missing += value.references > 0 && !value.here ? 1 : 0;
    COPAL_ASSERT(missing_.contains(value.hash) == (value.references > 0 && !value.here));
    size_bytes += value.bytes.size_bytes();
  }
  COPAL_ASSERT(index_.size() == values_.size());
  COPAL_ASSERT(missing == missing_.size() && size_bytes == size_bytes_);
}

}  // namespace copal

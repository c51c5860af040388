#include "core/values/value_store.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal {

// ---- what is here

const Blob* ValueStore::find(const ValueHash& hash) const {
  const Value* value = index_.find(hash.bytes);
  if (value == nullptr || !value->in_memory) {
    return nullptr;
  }
  value->used = true;
  return &value->bytes;
}

bool ValueStore::has(const ValueHash& hash) const {
  const Value* value = index_.find(hash.bytes);
  return value != nullptr && value->is_here();
}

bool ValueStore::is_only_on_disk(const ValueHash& hash) const {
  const Value* value = index_.find(hash.bytes);
  return value != nullptr && !value->in_memory && value->on_disk != OnDisk::kNo;
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

// ---- who wants it

void ValueStore::add_reference(Value& value) {
  ++value.references;
  if (value.is_missing()) {
    missing_.insert(value.hash);
  } else if (value.references == 1 && value.in_memory) {
    to_write_.push_back(value.hash);  // pinned until now
  }
}

void ValueStore::add_reference(const ValueHash& hash) {
  add_reference(wanted(hash));
}

void ValueStore::add_stored_reference(const ValueHash& hash, std::uint32_t size_bytes) {
  Value& value = wanted(hash);
  if (!value.is_here()) {
    missing_.erase(hash);
    set_here(value, size_bytes);
    value.on_disk = OnDisk::kSynced;
  }
  add_reference(value);
}

void ValueStore::remove_reference(const ValueHash& hash) {
  Value& value = known(hash);
  COPAL_ASSERT(value.references > 0);
  --value.references;
  if (value.references == 0) {
    missing_.erase(hash);
    if (value.on_disk != OnDisk::kNo) {
      to_erase_.push_back(hash);
      value.on_disk = OnDisk::kNo;
      if (!value.in_memory) {
        forget_bytes(value);
      }
    }
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
  if (value.in_memory) {
    value.in_memory = false;
    memory_bytes_ -= value.bytes.size_bytes();
    forget_bytes(value);
  }
  index_.erase(value);
  const std::size_t place = value.place;
  std::swap(values_[place], values_.back());
  values_[place]->place = place;
  values_.pop_back();
}

void ValueStore::set_here(Value& value, std::uint64_t size_bytes) {
  value.size_bytes = size_bytes;
  size_bytes_ += size_bytes;
}

/// It is nowhere here from now on.
void ValueStore::forget_bytes(Value& value) {
  size_bytes_ -= value.size_bytes;
  value.size_bytes = 0;
}

// ---- bytes come and go

bool ValueStore::provide(const ValueHash& hash, const Blob& bytes) {
  Value* value = index_.find(hash.bytes);
  if (value == nullptr || value->in_memory) {
    return false;
  }
  if (value->on_disk == OnDisk::kNo) {
    missing_.erase(hash);
    set_here(*value, bytes.size_bytes());
    if (value->references > 0) {
      to_write_.push_back(hash);
    }
  }
  value->bytes = bytes;
  value->in_memory = true;
  value->used = true;
  memory_bytes_ += bytes.size_bytes();
  return true;
}

void ValueStore::on_lost(const ValueHash& hash) {
  Value* value = index_.find(hash.bytes);
  if (value == nullptr || value->on_disk == OnDisk::kNo) {
    return;
  }
  value->on_disk = OnDisk::kNo;
  if (value->in_memory) {
    to_write_.push_back(hash);
  } else {
    forget_bytes(*value);
    if (value->references > 0) {
      missing_.insert(hash);
    }
  }
}

ValueStore::Changes ValueStore::take_changes() {
  Changes changes;
  for (const ValueHash& hash : std::exchange(to_write_, {})) {
    Value* value = index_.find(hash.bytes);
    if (value != nullptr && value->references > 0 && value->in_memory &&
        value->on_disk == OnDisk::kNo) {
      value->on_disk = OnDisk::kWritten;
      changes.written.push_back({hash, value->bytes});
    }
  }
  for (const ValueHash& hash : std::exchange(to_erase_, {})) {
    if (reference_count(hash) == 0) {  // else it is wanted again, and was put
      changes.erased.push_back(hash);
    }
  }
  return changes;
}

void ValueStore::on_synced(const ValueHash& hash) {
  Value* value = index_.find(hash.bytes);
  if (value != nullptr && value->on_disk == OnDisk::kWritten) {
    value->on_disk = OnDisk::kSynced;
  }
}

void ValueStore::on_not_written(const ValueHash& hash) {
  Value* value = index_.find(hash.bytes);
  if (value == nullptr || value->references == 0) {
    to_erase_.push_back(hash);
  } else if (value->on_disk == OnDisk::kWritten) {
    value->on_disk = OnDisk::kNo;
    to_write_.push_back(hash);
  }
}

void ValueStore::shed(std::uint64_t limit_bytes, std::size_t step_max) {
  for (std::size_t i = 0; i < step_max && memory_bytes_ > limit_bytes; ++i) {
    hand_ = hand_ < values_.size() ? hand_ : 0;
    if (values_.empty()) {
      return;
    }
    Value& value = *values_[hand_++];
    if (std::exchange(value.used, false) || !value.in_memory || value.pins > 0 ||
        value.on_disk != OnDisk::kSynced) {
      continue;
    }
    memory_bytes_ -= value.bytes.size_bytes();
    value.bytes = Blob();
    value.in_memory = false;
  }
}

// ---- figures

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
  std::uint64_t memory_bytes = 0;
  std::size_t missing = 0;
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Value& value = *values_[i];
    COPAL_ASSERT(value.place == i && index_.find(value.hash.bytes) == &value);
    COPAL_ASSERT(value.references > 0 || value.pins > 0);
    COPAL_ASSERT(value.references > 0 || value.on_disk == OnDisk::kNo);
    COPAL_ASSERT(missing_.contains(value.hash) == value.is_missing());
    COPAL_ASSERT(value.is_here() || value.size_bytes == 0);
    COPAL_ASSERT(!value.in_memory || value.bytes.size_bytes() == value.size_bytes);
    missing += value.is_missing() ? 1 : 0;
    size_bytes += value.size_bytes;
    memory_bytes += value.in_memory ? value.size_bytes : 0;
  }
  COPAL_ASSERT(index_.size() == values_.size() && missing == missing_.size());
  COPAL_ASSERT(size_bytes == size_bytes_ && memory_bytes == memory_bytes_);
}

}  // namespace copal

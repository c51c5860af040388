#include "core/values/value_store.h"

#include <algorithm>
#include <utility>

#include "core/base/assert.h"

namespace copal {

ValueStore::~ValueStore() {
  look_at_all([](const Value& value) { delete &value; });
}

/// In an order that depends on hashes and on what happened, never on addresses. look() may delete.
template <class Look>
void ValueStore::look_at_all(Look&& look) const {
  for (const HashIndex<Value>& part : parts_) {
    for (std::size_t place = 0; place < part.places(); ++place) {
      if (const Value* value = part.at(place)) {
        look(*value);
      }
    }
  }
}

// ---- what is here

const Blob* ValueStore::find(const ValueHash& hash) const {
  const Value* value = find_value(hash);
  if (value == nullptr || !value->in_memory) {
    return nullptr;
  }
  value->used = true;
  return &value->bytes;
}

bool ValueStore::has(const ValueHash& hash) const {
  const Value* value = find_value(hash);
  return value != nullptr && value->is_here();
}

bool ValueStore::is_only_on_disk(const ValueHash& hash) const {
  const Value* value = find_value(hash);
  return value != nullptr && !value->in_memory && value->on_disk != OnDisk::kNo;
}

ValueStore::Value& ValueStore::wanted(const ValueHash& hash) {
  if (Value* value = find_value(hash)) {
    return *value;
  }
  auto* added = new Value{.hash = hash};
  part_of(hash).insert(*added);
  ++count_;
  return *added;
}

ValueStore::Value& ValueStore::known(const ValueHash& hash) {
  Value* value = find_value(hash);
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
  part_of(value.hash).erase(value);
  --count_;
  delete &value;
}

void ValueStore::set_here(Value& value, std::size_t size_bytes) {
  value.size_bytes = static_cast<std::uint32_t>(size_bytes);
  size_bytes_ += size_bytes;
}

/// It is nowhere here from now on.
void ValueStore::forget_bytes(Value& value) {
  size_bytes_ -= value.size_bytes;
  value.size_bytes = 0;
}

// ---- bytes come and go

bool ValueStore::provide(const ValueHash& hash, const Blob& bytes) {
  Value* value = find_value(hash);
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
  Value* value = find_value(hash);
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

void ValueStore::take_changes(Changes& changes) {
  changes.written.clear();
  changes.erased.clear();
  for (const ValueHash& hash : to_write_) {
    Value* value = find_value(hash);
    if (value != nullptr && value->references > 0 && value->in_memory &&
        value->on_disk == OnDisk::kNo) {
      value->on_disk = OnDisk::kWritten;
      changes.written.push_back({hash, value->bytes});
    }
  }
  for (const ValueHash& hash : to_erase_) {
    if (reference_count(hash) == 0) {  // else it is wanted again, and was put
      changes.erased.push_back(hash);
    }
  }
  to_write_.clear();
  to_erase_.clear();
}

void ValueStore::on_synced(const ValueHash& hash) {
  Value* value = find_value(hash);
  if (value != nullptr && value->on_disk == OnDisk::kWritten) {
    value->on_disk = OnDisk::kSynced;
  }
}

void ValueStore::on_not_written(const ValueHash& hash) {
  Value* value = find_value(hash);
  if (value == nullptr || value->references == 0) {
    to_erase_.push_back(hash);
  } else if (value->on_disk == OnDisk::kWritten) {
    value->on_disk = OnDisk::kNo;
    to_write_.push_back(hash);
  }
}

void ValueStore::shed(std::uint64_t limit_bytes, std::size_t step_max) {
  // Free places cost next to nothing, but after much was let go there may be many.
  const std::size_t places_max = 4'096 + 8 * step_max;
  std::size_t values = 0;
  std::size_t parts = 0;  // two rounds: what was used goes in the second; more find nothing new
  for (std::size_t i = 0;
       i < places_max && values < step_max && parts <= 2 * kParts && memory_bytes_ > limit_bytes;
       ++i) {
    if (hand_place_ >= parts_[hand_part_].places()) {
      hand_part_ = (hand_part_ + 1) % kParts;
      hand_place_ = 0;
      ++parts;
      continue;
    }
    Value* value = parts_[hand_part_].at(hand_place_++);
    if (value == nullptr) {
      continue;
    }
    ++values;
    if (std::exchange(value->used, false) || !value->in_memory || value->pins > 0 ||
        value->on_disk != OnDisk::kSynced) {
      continue;
    }
    memory_bytes_ -= value->bytes.size_bytes();
    value->bytes = Blob();
    value->in_memory = false;
  }
}

// ---- figures

std::uint32_t ValueStore::reference_count(const ValueHash& hash) const {
  const Value* value = find_value(hash);
  return value == nullptr ? 0 : value->references;
}

std::size_t ValueStore::referred_count() const {
  std::size_t count = 0;
  look_at_all([&count](const Value& value) { count += value.references > 0 ? 1 : 0; });
  return count;
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
  std::size_t count = 0;
  look_at_all([&](const Value& value) {
    COPAL_ASSERT(find_value(value.hash) == &value);
    COPAL_ASSERT(value.references > 0 || value.pins > 0);
    COPAL_ASSERT(value.references > 0 || value.on_disk == OnDisk::kNo);
    COPAL_ASSERT(missing_.contains(value.hash) == value.is_missing());
    COPAL_ASSERT(value.is_here() || value.size_bytes == 0);
    COPAL_ASSERT(!value.in_memory || value.bytes.size_bytes() == value.size_bytes);
    missing += value.is_missing() ? 1 : 0;
    size_bytes += value.size_bytes;
    memory_bytes += value.in_memory ? value.size_bytes : 0;
    ++count;
  });
  COPAL_ASSERT(count == count_ && missing == missing_.size());
  COPAL_ASSERT(size_bytes == size_bytes_ && memory_bytes == memory_bytes_);
}

}  // namespace copal

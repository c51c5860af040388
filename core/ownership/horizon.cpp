#include "core/ownership/horizon.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

Horizon::Horizon(Duration tombstone_lifetime, Slot self, SlotSet filled, TimePoint)
    : tombstone_lifetime_(tombstone_lifetime), self_(self), filled_(filled) {
  COPAL_ASSERT(tombstone_lifetime > 0ns);
}

void Horizon::on_filled(SlotSet filled) {
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (!filled.test(slot)) {
      on_replaced(Slot{static_cast<std::uint8_t>(slot)});
    }
  }
  filled_ = filled;
}

void Horizon::on_agreed(Group group, Slot peer, std::uint64_t reading) {
  std::uint64_t& agreed = agreed_[group.value][peer.value];
  agreed = std::max(agreed, reading);
}

void Horizon::on_replaced(Slot peer) {
  if (COPAL_MUTANT(kAgreedAfterDeath)) {
    return;
  }
  for (auto& group : agreed_) {
    group[peer.value] = 0;
  }
}

void Horizon::on_time(TimePoint now, std::uint64_t reading) {
  if (samples_.empty() || now - samples_.back().at >= tombstone_lifetime_ / kSamples) {
    samples_.push_back({now, reading});
  }
  while (!samples_.empty() && now - samples_.front().at >= tombstone_lifetime_) {
    lifetime_ago_ = samples_.front().reading;
    samples_.pop_front();
  }
}

std::uint64_t Horizon::droppable_below(Group group, std::uint64_t reading) const {
  std::uint64_t agreed_by_all = reading;  // if there is none
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (filled_.test(slot) && slot != self_.value) {
      agreed_by_all = std::min(agreed_by_all, agreed_[group.value][slot]);
    }
  }
  if (COPAL_MUTANT(kHiddenAgreedWithOne)) {
    agreed_by_all = std::max(agreed_by_all, *std::ranges::max_element(agreed_[group.value]));
  }
  return std::max(agreed_by_all, lifetime_ago_);
}

}  // namespace copal

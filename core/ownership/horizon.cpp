#include "core/ownership/horizon.h"

#include <algorithm>
#include <limits>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

void ReadingAgo::on_time(TimePoint now, std::uint64_t reading) {
  if (samples_.empty() || now - samples_.back().at >= span_ / kSamples) {
    samples_.push_back({now, reading});
  }
  while (!samples_.empty() && now - samples_.front().at >= span_) {
    value_ = samples_.front().reading;
    samples_.pop_front();
  }
}

Horizon::Horizon(const HorizonConfig& config, Slot self, SlotSet filled)
    : self_(self),
      filled_(filled),
      tombstone_lifetime_ago_(config.tombstone_lifetime),
      kept_write_lifetime_ago_(config.kept_write_lifetime) {
  COPAL_ASSERT(config.tombstone_lifetime > 0ns && config.kept_write_lifetime >= 0ns &&
               config.kept_write_lifetime <= config.tombstone_lifetime);
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
  tombstone_lifetime_ago_.on_time(now, reading);
  kept_write_lifetime_ago_.on_time(now, reading);
}

std::uint64_t Horizon::droppable_below(Group group) const {
  std::uint64_t agreed_by_all = std::numeric_limits<std::uint64_t>::max();  // if there is none
  for (std::size_t slot = 0; slot < kSlots; ++slot) {
    if (filled_.test(slot) && slot != self_.value) {
      agreed_by_all = std::min(agreed_by_all, agreed_[group.value][slot]);
    }
  }
  if (COPAL_MUTANT(kHiddenAgreedWithOne)) {
    agreed_by_all = std::max(agreed_by_all, *std::ranges::max_element(agreed_[group.value]));
  }
  return std::max(std::min(agreed_by_all, kept_write_lifetime_ago_.value()),
                  tombstone_lifetime_ago_.value());
}

}  // namespace copal

#include "core/elastic/wake_on_load.h"

namespace copal::elastic {

std::optional<std::size_t> server_to_wake(std::span<const balance::ServerView> servers,
                                          std::span<const balance::Health> healths,
                                          std::span<const ServerPhase> listed, double fill_max) {
  double active = 0;
  double places = 0;
  std::optional<std::size_t> sleeping;
  for (std::size_t i = 0; i < servers.size(); ++i) {
    active += servers[i].active;
    switch (healths[i].state()) {
      case balance::HealthState::kStopped:
        if (!sleeping && listed[i] == ServerPhase::kSleeping) {
          sleeping = i;
        }
        break;
      case balance::HealthState::kStarting:
      case balance::HealthState::kWarming:
      case balance::HealthState::kActive:
      case balance::HealthState::kBusy:
        places += fill_max * servers[i].weight;
        break;
      case balance::HealthState::kFailed:
      case balance::HealthState::kDraining:
        break;
    }
  }
  return active >= kWakeRatio * places ? sleeping : std::nullopt;
}

}  // namespace copal::elastic

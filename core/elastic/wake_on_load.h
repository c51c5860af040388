#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "core/balance/health.h"
#include "core/balance/policy.h"

namespace copal::elastic {

/// Says which sleeping server to wake, in the order of the list, when the awake ones are nearly
/// full: a server takes its boot time to come, so it has to be called before the last place is
/// gone. Source: the paper, green load balancing (unneeded servers in low power mode); the other
/// half, going to sleep after an idle time, is the server's own (node/dynamic_server.h), as
/// AutoScale has it (Gandhi et al., TOCS 2012: pack, and let each server switch itself off after
/// t_wait). listed  what the triad says of each: only one that sleeps is woken. fill_max  requests
/// that fill a server of weight 1, as in PolicyConfig. Returns nothing while the awake ones, those
/// on their way included, have room.
std::optional<std::size_t> server_to_wake(std::span<const balance::ServerView> servers,
                                          std::span<const balance::Health> healths,
                                          std::span<const ServerPhase> listed, double fill_max);

/// Share of the awake servers' places at which the next one is called.
inline constexpr double kWakeRatio = 0.75;

}  // namespace copal::elastic

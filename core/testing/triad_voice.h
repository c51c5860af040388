#pragma once

#include <utility>
#include <vector>

#include "core/base/ids.h"
#include "core/protocol/input.h"
#include "core/protocol/message.h"

namespace copal {

/// The triad member of tests that need no more of a triad than its list of servers.
inline constexpr NodeId kVoice{1000};

/// What it says so that a node knows these servers. number  higher than the last time.
inline std::vector<Input> say_list(std::uint64_t number, std::vector<ListedServer> servers) {
  return {MessageReceived{
              kVoice, MemberHeartbeat{.beat = {.incarnation = Incarnation{1}, .sequence = number},
                                      .generation = 1}},
          MessageReceived{kVoice, ServerList{.number = number, .servers = std::move(servers)}}};
}

}  // namespace copal

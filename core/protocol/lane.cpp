#include "core/protocol/lane.h"

#include <array>
#include <variant>

namespace copal {

namespace {

template <class Kind>
concept Control = OneOf<Kind, LoadReport, Probe, ProbeAnswer, MemberHeartbeat, ServerHeartbeat,
                        ServerList, RosterUpdate, AskHandOver, HandOver>;
template <class Kind>
concept Stream = OneOf<Kind, Replicate, ReplicateAck, ReplicateClear>;

enum class Rule : std::uint8_t { kControl, kInOrder, kBySize };

template <class Kind>
constexpr Rule rule_of() {
  if constexpr (Control<Kind>) {
    return Rule::kControl;
  } else if constexpr (Stream<Kind>) {
    return Rule::kInOrder;
  } else {
    return Rule::kBySize;
  }
}

template <class... Kinds>
constexpr auto rules_of(const std::variant<Kinds...>*) {
  return std::array{rule_of<Kinds>()...};
}

}  // namespace

Lane lane_of(const Message& message, std::uint64_t value_size_bytes) {
  // A table rather than a visit: this is on the path of every message.
  static constexpr auto kRules = rules_of(static_cast<const MessageKinds*>(nullptr));
  switch (kRules[message.index()]) {
    case Rule::kControl:
      return Lane::kControl;
    case Rule::kInOrder:
      return Lane::kData;
    case Rule::kBySize:
      return value_size_bytes >= kBulkFromBytes ? Lane::kBulk : Lane::kData;
  }
  return Lane::kData;
}

}  // namespace copal

#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

// Numbers that name things. Each is a type of its own, so that none is passed for another.

namespace copal {

namespace detail {
template <class Tag, class Number>
struct Id {
  Number value{};
  constexpr auto operator<=>(const Id&) const = default;
};
}  // namespace detail

/// One node of an installation: a balancer or a server. Given by the configuration; dense and
/// small.
using NodeId = detail::Id<struct NodeIdTag, std::uint32_t>;
/// One start of a node's process. A higher one is a later start of the same node. A server without
/// a disk takes its wall clock, in nanoseconds, and goes above what the triad knows of it (R0.3).
using Incarnation = detail::Id<struct IncarnationTag, std::uint64_t>;
/// A request between a balancer and a server; unique at the balancer that made it.
using RequestId = detail::Id<struct RequestIdTag, std::uint64_t>;
/// A user's session at the application; 0 says that the request has none.
using SessionId = detail::Id<struct SessionIdTag, std::uint64_t>;
/// A probe of a server's load; unique at the balancer that made it.
using ProbeId = detail::Id<struct ProbeIdTag, std::uint64_t>;

/// No node, where one may be missing.
inline constexpr NodeId kNoNode{0xffff'ffff};
inline constexpr SessionId kNoSession{0};

}  // namespace copal

template <class Tag, class Number>
struct std::hash<copal::detail::Id<Tag, Number>> {
  std::size_t operator()(copal::detail::Id<Tag, Number> id) const noexcept {
    return static_cast<std::size_t>(id.value);
  }
};

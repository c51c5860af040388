#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "core/base/blob.h"
#include "core/base/ids.h"

namespace copal {

/// What travels along with a frame.
struct Body {
  Blob value;                           // bytes that the frame's message names by their hash
  std::uint64_t opaque_size_bytes = 0;  // bytes that the core never sees (an HTTP body)
};

/// Frames of one lane from one node to another keep their order; those of different lanes don't
/// wait for each other, and may overtake. Source: resin-facts T14.
enum class Lane : std::uint8_t {
  kControl,  // who is there and who acts: small, and of no use when they are late
  kData,
  kBulk,  // large values: nothing else waits until they are through
};

/// What carries frames between nodes.
///
/// Contract, held by transport_contract.h in both worlds:
/// 1. send() never blocks and never calls back into the driver before it has returned.
/// 2. A frame arrives with its body, whole or not at all, never torn. It may be lost, late, or
/// delivered after its
///    sender died. Frames of one lane from one node to another arrive in the order in which they
///    were sent, and no lane waits for another.
/// 3. What is lost because a connection broke (all its lanes with it) is reported as
/// link_down(peer) at the driver, once a
///    break; nothing is reported while a link is silently frozen.
/// 4. After link_down(peer) frames sent later may still arrive: the next send connects anew, and
///    link_down comes again if that fails.
/// 5. The queue to a slow peer is bounded; a frame that does not fit is refused.
class Transport {
 public:
  enum class Sent { kQueued, kOverloaded };

  virtual ~Transport() = default;

  /// Hands over one frame.
  /// peer   any node but the sender itself.
  /// lane   which frames it keeps its order with.
  /// frame  1 to kFrameSizeMaxBytes bytes; copied before the call returns.
  virtual Sent send(NodeId peer, Lane lane, std::span<const std::byte> frame, const Body& body) = 0;
};

/// Larger frames are refused by both sides: no message of the core comes near.
inline constexpr std::size_t kFrameSizeMaxBytes = 64 * 1024;

}  // namespace copal

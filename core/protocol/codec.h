#pragma once

#include <cstddef>
#include <span>

#include "core/base/result.h"
#include "core/protocol/message.h"

// Messages as bytes: protocol version (1 byte), kind (1 byte), then the message's fields in the
// order of its fields(), as wire.h says. Nothing may follow, so each message has exactly one
// encoding and a decoder has nothing to guess.

namespace copal {

inline constexpr std::uint8_t kProtocolVersion = 1;

/// No encoded message is longer: lists are cut before by who makes them.
inline constexpr std::size_t kMessageSizeMaxBytes = 60 * 1024;
/// What lists in one message may add up to, so that the rest of it fits as well.
inline constexpr std::size_t kListSizeMaxBytes = kMessageSizeMaxBytes - 4096;

/// A cluster has at most so many caches: what a group says of each of them fits into one message,
/// and into one record, with room for hundreds that are no more and whose clears are remembered.
inline constexpr std::size_t kCachesMax = 1024;

/// An EntryCopy takes at most so many bytes, beside its key's text.
inline constexpr std::size_t kEntryCopySizeBytes = 256;

/// Writes the message to the front of out. Returns the bytes written.
/// out  at least kMessageSizeMaxBytes long, asserted.   message  values in their ranges, asserted.
std::size_t encode(const Message& message, std::span<std::byte> out);

/// Reads one message that fills the frame. Returns kMalformed for anything that encode() can't have
/// written: unknown version or kind, too few or too many bytes, an enumerator that does not exist,
/// a negative duration, a ratio outside 0 to 1, a key that is too long, a slot or flag that does
/// not exist, a value's name that no value has.
Result<Message> decode(std::span<const std::byte> frame);

}  // namespace copal

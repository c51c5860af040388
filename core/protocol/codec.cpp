#include "core/protocol/codec.h"

#include <type_traits>
#include <utility>

#include "core/protocol/wire.h"

namespace copal {

namespace {

/// A message that may bring a value.
template <class Kind>
concept BringsValue = requires(const Kind& kind) {
  kind.value_hash();
};

template <class Kind>
Result<Message> decode_fields(std::span<const std::byte> fields) {
  Kind message;
  WireReader reader(fields);
  Kind::fields(message, reader);
  if (!reader.complete()) {
    return Error::kMalformed;
  }
  return Message{message};
}

template <std::size_t... kIndex>
Result<Message> decode_kind(std::size_t kind, std::span<const std::byte> fields,
                            std::index_sequence<kIndex...>) {
  using Decode = Result<Message> (*)(std::span<const std::byte>);
  static constexpr Decode kDecoders[] = {
      &decode_fields<std::variant_alternative_t<kIndex, MessageKinds>>...};
  if (kind >= sizeof...(kIndex)) {
    return Error::kMalformed;
  }
  return kDecoders[kind](fields);
}

}  // namespace

std::uint64_t body_size_bytes(const Message& message) {
  if (const auto* request = std::get_if<Request>(&message)) {
    return request->body_size_bytes;
  }
  if (const auto* answer = std::get_if<Answer>(&message)) {
    return answer->body_size_bytes;
  }
  return 0;
}

Blob value_of(const Message& message) {
  return std::visit(
      [](const auto& kind) {
        if constexpr (BringsValue<std::remove_cvref_t<decltype(kind)>>) {
          return kind.value;
        } else {
          return Blob();
        }
      },
      message);
}

Result<Message> with_value(Message message, const Blob& value) {
  const bool fits = std::visit(
      [&value](auto& kind) {
        if constexpr (BringsValue<std::remove_cvref_t<decltype(kind)>>) {
          kind.value = value;
          return hash_value(value.bytes()) == kind.value_hash();
        } else {
          return false;
        }
      },
      message);
  if (!fits) {
    return Error::kMalformed;
  }
  return message;
}

std::size_t encode(const Message& message, std::span<std::byte> out) {
  COPAL_ASSERT(out.size() >= kMessageSizeMaxBytes);
  WireWriter writer(out);
  writer(kProtocolVersion);
  writer(static_cast<std::uint8_t>(message.index()));
  std::visit([&writer](const auto& kind) { kind.fields(kind, writer); }, message);
  return out.size() - writer.rest_size_bytes();
}

Result<Message> decode(std::span<const std::byte> frame) {
  if (frame.size() < 2 || static_cast<std::uint8_t>(frame[0]) != kProtocolVersion) {
    return Error::kMalformed;
  }
  return decode_kind(static_cast<std::size_t>(frame[1]), frame.subspan(2),
                     std::make_index_sequence<std::variant_size_v<MessageKinds>>{});
}

}  // namespace copal

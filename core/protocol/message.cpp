#include "core/protocol/message.h"

#include <type_traits>

namespace copal {

static_assert(std::is_nothrow_move_constructible_v<MessageKinds> &&
              std::is_nothrow_move_assignable_v<MessageKinds>);

Message::Message() = default;
Message::Message(const Message& other) = default;
Message::Message(Message&& other) noexcept = default;
Message& Message::operator=(const Message& other) = default;
Message& Message::operator=(Message&& other) noexcept = default;
Message::~Message() = default;

}  // namespace copal

#pragma once

#include <functional>
#include <string>

#include "core/base/sha256.h"
#include "core/protocol/input.h"
#include "core/protocol/message.h"

namespace copal::sim::fuzz {

/// A name for a key's hash, or an empty text for the first bytes of it.
using KeyNames = std::function<std::string(const KeyHash&)>;

std::string kind_name(const Message& message);
/// Kind and fields in their order, "CacheGet(7, 3, …)": for people who have the header open.
std::string text_of(const Message& message, const KeyNames& keys);
/// What a node is told, in a few words.
std::string text_of(const Input& input, const KeyNames& keys);

}  // namespace copal::sim::fuzz

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace copal::scenario {

/// The candidate that was probably meant: the fewest letters changed, left out, added or swapped
/// with their neighbour, at most a third of the longer word (at least 1); the first of equals.
/// Empty if none is near. Upper and lower case, - and _ do not count.
std::string nearest_name(std::string_view written, std::span<const std::string> candidates);

/// "a, b, c", at most 20 of them.
std::string listed(std::span<const std::string> names);

/// Whether this very name is among them.
bool contains(std::span<const std::string> names, std::string_view name);

}  // namespace copal::scenario

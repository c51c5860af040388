#include "core/protocol/input.h"

#include <type_traits>

namespace copal {

static_assert(std::is_nothrow_move_constructible_v<InputKinds> &&
              std::is_nothrow_move_assignable_v<InputKinds>);

Input::Input(const Input& other) = default;
Input::Input(Input&& other) noexcept = default;
Input& Input::operator=(const Input& other) = default;
Input& Input::operator=(Input&& other) noexcept = default;
Input::~Input() = default;

}  // namespace copal

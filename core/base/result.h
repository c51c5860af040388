#pragma once

#include <utility>
#include <variant>

#include "core/base/assert.h"

namespace copal {

/// All that can go wrong inside the core, as a closed list: a switch over it has no default, so a
/// new kind does not compile until every place handles it.
enum class Error {
  kMalformed,   // bytes from a peer do not decode; the peer's fault, counted and dropped
  kOverloaded,  // a bounded queue or table is full; nobody's fault, try later or elsewhere
};

/// Either a value or an error. The names are those of std::expected, so that it can replace this.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT: implicit
  Result(Error error) : state_(std::in_place_index<1>, error) {}         // NOLINT: implicit

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  const T& value() const {
    COPAL_ASSERT(has_value());
    return std::get<0>(state_);
  }
  T& value() {
    COPAL_ASSERT(has_value());
    return std::get<0>(state_);
  }
  Error error() const {
    COPAL_ASSERT(!has_value());
    return std::get<1>(state_);
  }
  const T& operator*() const { return value(); }
  T& operator*() { return value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

 private:
  std::variant<T, Error> state_;
};

}  // namespace copal

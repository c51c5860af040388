#pragma once

// An assertion that is on in every build. It guards what cannot happen; what can happen is a value
// (result.h). Nothing that a peer, a user or a file says is ever asserted on.

namespace copal {

/// Prints the broken condition with its place to standard error and aborts the process.
[[noreturn]] void assertion_failed(const char* condition, const char* file, int line);

}  // namespace copal

#define COPAL_ASSERT(condition)                        \
  (static_cast<bool>(condition) ? static_cast<void>(0) \
                                : ::copal::assertion_failed(#condition, __FILE__, __LINE__))

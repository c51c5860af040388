#pragma once

#include <functional>

namespace copal::sim {

/// Runs a test's body in a process of its own and adds its failures to this one's. For everything
/// that uses SimGrid, whose engine there can be only one of in a process.
void in_child(const std::function<void()>& body);

/// Runs the body in a process of its own, quietly. Returns whether it ended by itself, without a
/// failed check, an abort or a signal: for showing what SimGrid does when it is misused.
bool survives_in_child(const std::function<void()>& body);

}  // namespace copal::sim

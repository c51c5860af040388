#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/base/ids.h"
#include "core/protocol/effect.h"

namespace copal {

/// Operations of an application that are several in one call (getAll, putAll, removeAll): each is
/// done as one by itself, under a number of the core's own, and their answers become one.
/// Source: paper, section III, after JCache (Map and Cache operations).
/// Invariants: 1. every call is answered once, when the last of its parts is; 2. no part is told to
/// the application.
class LocalBulk {
 public:
  /// Returns the call of its first part; the others follow. Nothing is answered to the application
  /// for these. count  at least 1.
  CallId begin(CallId call, std::size_t count);
  /// Takes the parts' answers out of a step's effects, and answers the calls that are complete.
  void gather(Effects& effects);

  /// A part's call, that follows this one of the same call.
  static CallId next(CallId part) { return CallId{part.value + 1}; }
  std::size_t under_way() const { return calls_.size(); }

 private:
  struct Bulk {
    CallId call;
    std::size_t left = 0;
    std::vector<AnswerCall> entries;
  };

  void take(const AnswerCall& answer);

  std::map<std::uint64_t, Bulk> calls_;  // by their first part
  std::uint64_t next_part_ = kCallsBelow;
};

}  // namespace copal

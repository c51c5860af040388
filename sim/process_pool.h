#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace copal::sim {

/// What became of one piece of work.
struct PoolOutcome {
  std::uint64_t item = 0;
  bool died = false;  // its process ended without an answer
  std::string answer;
  std::string end;         // of one that died: how, such as "died of signal 6"
  std::string last_words;  // and the end of its standard error
};

struct PoolOptions {
  unsigned processes = 1;            // at the same time, >= 1
  std::size_t items_a_process = 32;  // a process does so many, then another one begins afresh
};

/// What is to be done, and who hears of it. `work` runs in the child, all others in this process.
struct PoolWork {
  /// The next item, or nothing if there is no more for now.
  std::function<std::optional<std::uint64_t>()> next;
  /// Returns the answer; may send notes before.
  std::function<std::string(std::uint64_t item,
                            const std::function<void(const std::string&)>& note)>
      work;
  /// A note came; may be nothing.
  std::function<void(std::uint64_t item, const std::string& note)> noted;
  /// In the order in which answers come. Returns whether to go on: after a false no new item
  /// begins.
  std::function<bool(const PoolOutcome&)> done;
};

/// Does pieces of work in forked processes, so that nothing of one can leak into another's process
/// and one that dies is known by its item. Several may follow each other in one process: forking
/// costs more than a short run. A child leaves without destructors.
void run_in_processes(const PoolOptions& options, const PoolWork& work);

}  // namespace copal::sim

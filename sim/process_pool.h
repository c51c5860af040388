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
  std::string last_words;  // of one that died: the end of its standard error, and how it ended
};

struct PoolOptions {
  unsigned processes = 1;            // at the same time, >= 1
  std::size_t items_a_process = 32;  // a process does so many, then another one begins afresh
};

/// Does pieces of work in forked processes, so that nothing of one can leak into another's process
/// and one that dies is known by its item. Several follow each other in one process: forking costs
/// more than a short run.
/// next  the next item, or nothing if there is no more for now. Called in this process.
/// work  in the child: returns the answer.
/// done  in this process, in the order in which answers come. Returns whether to go on: after a
///       false no new item begins.
void run_in_processes(const PoolOptions& options,
                      const std::function<std::optional<std::uint64_t>()>& next,
                      const std::function<std::string(std::uint64_t)>& work,
                      const std::function<bool(const PoolOutcome&)>& done);

}  // namespace copal::sim

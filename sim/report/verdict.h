#pragma once

#include <span>
#include <string>
#include <vector>

#include "sim/report/result.h"
#include "sim/report/summary.h"

// What a comparison says, in sentences, and no more than it can say: lines that chance may have put
// in their order are named as tied.

namespace copal::sim {

/// Which line is best in one respect.
struct Finding {
  std::string question;           // "Lowest p99"
  std::string line;               // label; empty if no line qualifies
  double value = 0;               // its mean, in the metric's unit
  std::string metric;             // latency_ms_p99, energy_joules
  std::vector<std::string> tied;  // labels that cannot be told from it
  bool all_tied = false;          // no line stands out; `line` is but the first of equals
  std::string text;               // the finding as a sentence
};

struct Verdict {
  Finding latency;
  Finding energy;
  std::vector<std::string> excluded;  // labels left out: too many requests were not answered
  std::string caveat;                 // what limits the verdict; may be empty

  /// All of it in one paragraph.
  std::string text() const;
};

/// A line may win only if its share of requests that failed or stayed unfinished is at most this
/// much above the smallest share of all lines: fast answers to few are no merit.
inline constexpr double kErrorRatioMargin = 0.001;

/// With one seed, two values this close (relative) count as tied: the histogram knows no better.
inline constexpr double kSingleSeedMargin = 0.01;

/// With several seeds, a difference this small (relative) counts as a tie however certain it is:
/// nobody would choose by it.
inline constexpr double kNegligibleMargin = 0.001;

/// runs and their summary; both non-empty (asserted).
Verdict find_verdict(std::span<const RunResult> runs, std::span<const LineSummary> lines);

}  // namespace copal::sim

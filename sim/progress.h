#pragma once

#include <chrono>
#include <cstdio>
#include <string>

#include "sim/campaign.h"

namespace copal::sim {

/// Shows how far a campaign is, on standard error: a bar that stays on its line on a terminal, a
/// plain line every ten seconds elsewhere. Debian has no C++ library for this.
class ProgressBar {
 public:
  /// on_terminal  whether the stream is one.
  ProgressBar(std::FILE* stream, bool on_terminal);
  /// Takes the bar away.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const CampaignProgress& progress);

 private:
  using WallClock = std::chrono::steady_clock;

  std::FILE* stream_;
  bool on_terminal_;
  WallClock::time_point started_;
  WallClock::time_point shown_;
  bool drawn_ = false;
};

/// The text of the bar: part done, runs done, requests a second, time left. elapsed_s > 0.
std::string progress_text(const CampaignProgress& progress, double elapsed_s, bool with_bar);

}  // namespace copal::sim

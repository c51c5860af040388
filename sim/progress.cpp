#include "sim/progress.h"

#include <algorithm>
#include <cmath>

namespace copal::sim {

namespace {

std::string time_text(double seconds) {
  const auto whole = static_cast<long>(std::ceil(seconds));
  if (whole < 60) {
    return std::to_string(whole) + " s";
  }
  return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s";
}

std::string rate_text(double per_s) {
  char text[32];
  if (per_s >= 1e6) {
    std::snprintf(text, sizeof text, "%.1f M", per_s / 1e6);
  } else if (per_s >= 1e4) {
    std::snprintf(text, sizeof text, "%.0f k", per_s / 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.0f ", per_s);
  }
  return text;
}

}  // namespace

std::string progress_text(const CampaignProgress& progress, double elapsed_s, bool with_bar) {
  const double ratio = std::clamp(progress.done_ratio, 0.0, 1.0);
  std::string text;
  if (with_bar) {
    constexpr int kWidth = 30;
    const int filled = static_cast<int>(ratio * kWidth);
    for (int i = 0; i < kWidth; ++i) {
      text += i < filled ? "█" : "░";
    }
    text += ' ';
  }
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "%3d %%  %zu of %zu runs  %srequests/s",
                static_cast<int>(ratio * 100), progress.jobs_done, progress.job_count,
                rate_text(static_cast<double>(progress.requests) / elapsed_s).c_str());
  text += numbers;
  if (ratio > 0.01 && ratio < 1) {
    text += "  " + time_text(elapsed_s * (1 - ratio) / ratio) + " left";
  }
  return text;
}

ProgressBar::ProgressBar(std::FILE* stream, bool on_terminal)
    : stream_(stream),
      on_terminal_(on_terminal),
      started_(WallClock::now()),
      shown_(WallClock::now()) {}

ProgressBar::~ProgressBar() {
  if (drawn_ && on_terminal_) {
    std::fputs("\r\033[K", stream_);
    std::fflush(stream_);
  }
}

void ProgressBar::show(const CampaignProgress& progress) {
  const auto now = WallClock::now();
  const auto step = on_terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (now - shown_ < step) {
    return;
  }
  shown_ = now;
  drawn_ = true;
  const double elapsed_s = std::chrono::duration<double>(now - started_).count();
  const std::string text = progress_text(progress, elapsed_s, on_terminal_);
  std::fprintf(stream_, on_terminal_ ? "\r%s\033[K" : "%s\n", text.c_str());
  std::fflush(stream_);
}

}  // namespace copal::sim

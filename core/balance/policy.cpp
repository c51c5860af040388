#include "core/balance/policy.h"

namespace copal::balance {

bool Policy::keeps(std::size_t, std::span<const ServerView>) const {
  return true;
}

void Policy::on_start(std::size_t, std::span<const ServerView>, Now) {}

void Policy::on_end(std::size_t, const Outcome&, std::span<const ServerView>, Now) {}

void Policy::on_report(std::size_t, ReportKind, std::span<const ServerView>, Now) {}

void Policy::probe_targets(std::span<const ServerView>, Now, Random&, std::vector<std::size_t>&) {}

}  // namespace copal::balance

#include "core/balance/power_of_choices.h"

#include "core/balance/weight.h"
#include "core/base/assert.h"

namespace copal::balance {

PowerOfChoices::PowerOfChoices(std::uint32_t choices, bool with_replacement)
    : choices_(choices), with_replacement_(with_replacement) {
  COPAL_ASSERT(choices >= 2 && choices <= 16);
}

void PowerOfChoices::on_servers(std::span<const ServerView> servers, Now) {
  draw_.rebuild(servers);
}

std::optional<std::size_t> PowerOfChoices::choose(const Choice& choice,
                                                  std::span<const ServerView> servers, Now,
                                                  Random& random) {
  WeightedDraw::Taken taken = draw_.without(choice);
  std::optional<std::size_t> best;
  double best_load = 0;
  for (std::uint32_t i = 0; i < choices_; ++i) {
    const auto drawn = draw_.draw(random, taken);
    if (!drawn) {
      break;  // fewer than d servers are left
    }
    const double load = servers[*drawn].active / effective_weight(servers[*drawn]);
    if (!best || load < best_load) {
      best = drawn;
      best_load = load;
    }
    if (!with_replacement_) {
      draw_.take(taken, *drawn);
    }
  }
  return best;
}

}  // namespace copal::balance

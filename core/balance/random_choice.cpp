#include "core/balance/random_choice.h"

namespace copal::balance {

void RandomChoice::on_servers(std::span<const ServerView> servers, Now) {
  draw_.rebuild(servers);
}

std::optional<std::size_t> RandomChoice::choose(const Choice& choice, std::span<const ServerView>,
                                                Now, Random& random) {
  return draw_.draw(random, draw_.without(choice));
}

}  // namespace copal::balance

#include "core/balance/least_connections.h"

namespace copal::balance {

void LeastConnections::on_servers(std::span<const ServerView> servers, Now) {
  tree_.reset(servers.size());
  for (std::size_t i = 0; i < servers.size(); ++i) {
    tree_.set_cost(i, cost_by_active(servers[i]));
  }
  tree_.rebuild();
}

std::optional<std::size_t> LeastConnections::choose(const Choice& choice,
                                                    std::span<const ServerView>, Now, Random&) {
  return tree_.lowest(choice.excluded);
}

void LeastConnections::on_start(std::size_t index, std::span<const ServerView> servers, Now) {
  tree_.update_picked(index, cost_by_active(servers[index]));
}

void LeastConnections::on_end(std::size_t index, const Outcome&,
                              std::span<const ServerView> servers, Now) {
  tree_.update(index, cost_by_active(servers[index]));
}

}  // namespace copal::balance

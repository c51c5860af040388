#include "sim/theory/join_idle_queue.h"

namespace copal::sim::theory {

using balance::ServerView;

void JoinIdleQueue::on_servers(std::span<const ServerView> servers, Now) {
  draw_.rebuild(servers);
  in_idle_.resize(servers.size(), false);
  for (std::size_t i = 0; i < servers.size(); ++i) {
    note_idle(i, servers);
  }
}

std::optional<std::size_t> JoinIdleQueue::choose(const balance::Choice& choice,
                                                 std::span<const ServerView> servers, Now,
                                                 Random& random) {
  while (!idle_.empty()) {
    const std::size_t index = idle_.front();
    if (!servers[index].eligible || servers[index].active > 0) {
      idle_.pop_front();
      in_idle_[index] = false;
      continue;
    }
    if (!balance::may_choose(choice, servers, index)) {
      break;  // excluded for this request only
    }
    idle_.pop_front();
    in_idle_[index] = false;
    return index;
  }
  return draw_.draw(random, draw_.without(choice));
}

void JoinIdleQueue::on_end(std::size_t index, const balance::Outcome&,
                           std::span<const ServerView> servers, Now) {
  note_idle(index, servers);
}

void JoinIdleQueue::note_idle(std::size_t index, std::span<const ServerView> servers) {
  if (servers[index].active == 0 && servers[index].eligible && !in_idle_[index]) {
    in_idle_[index] = true;
    idle_.push_back(index);
  }
}

}  // namespace copal::sim::theory

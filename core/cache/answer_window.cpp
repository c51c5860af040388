#include "core/cache/answer_window.h"

#include <algorithm>

#include "core/base/assert.h"

namespace copal {

AnswerWindow::Seen AnswerWindow::look_up(NodeId server, const CacheChange& change) {
  Server& known = servers_[server];
  if (change.incarnation < known.incarnation) {
    return Seen::kObsolete;
  }
  if (change.incarnation > known.incarnation) {
    known = Server{.incarnation = change.incarnation};
  }
  known.answered_below = std::max(known.answered_below, change.answered_below);
  known.done.erase(known.done.begin(), known.done.lower_bound(known.answered_below));
  if (change.sequence < known.answered_below) {
    return Seen::kObsolete;
  }
  const auto at = known.done.find(change.sequence);
  if (at != known.done.end()) {
    return at->second.answered ? Seen::kAnswered : Seen::kPending;
  }
  return known.done.size() < kAnswersMax ? Seen::kNew : Seen::kTooMany;
}

void AnswerWindow::begin(NodeId server, std::uint64_t sequence) {
  COPAL_ASSERT(servers_[server].done.try_emplace(sequence).second);
}

void AnswerWindow::finish(NodeId server, Incarnation incarnation, const CacheAnswer& answer) {
  const auto of = servers_.find(server);
  if (of == servers_.end() || of->second.incarnation != incarnation) {
    return;
  }
  const auto at = of->second.done.find(answer.sequence);
  if (at != of->second.done.end()) {
    at->second = {true, answer};
  }
}

const CacheAnswer& AnswerWindow::answer(NodeId server, std::uint64_t sequence) const {
  const auto of = servers_.find(server);
  COPAL_ASSERT(of != servers_.end());
  const auto at = of->second.done.find(sequence);
  COPAL_ASSERT(at != of->second.done.end() && at->second.answered);
  return at->second.answer;
}

std::size_t AnswerWindow::count(NodeId server) const {
  const auto of = servers_.find(server);
  return of == servers_.end() ? 0 : of->second.done.size();
}

}  // namespace copal

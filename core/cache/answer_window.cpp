#include "core/cache/answer_window.h"

#include <algorithm>

#include "core/base/assert.h"
#include "core/base/mutant.h"

namespace copal {

AnswerWindow::Seen AnswerWindow::look_up(NodeId server, const CacheChange& change) {
  Server& of = servers_[server];
  if (change.incarnation < of.incarnation) {
    return Seen::kObsolete;
  }
  if (change.incarnation > of.incarnation) {
    of = Server{.incarnation = change.incarnation};
  }
  of.answered_below = std::max(of.answered_below, change.answered_below);
  of.known.erase(of.known.begin(), of.known.lower_bound(of.answered_below));
  if (change.sequence < of.answered_below) {
    return Seen::kObsolete;
  }
  if (COPAL_MUTANT(kWindowForgotten)) {
    of.known.erase(change.sequence);
  }
  const auto at = of.known.find(change.sequence);
  if (at == of.known.end()) {
    return of.known.size() < kAnswersMax ? Seen::kNew : Seen::kTooMany;
  }
  switch (at->second.state) {
    case State::kPassedOn:
      return Seen::kNew;
    case State::kDone:
      return Seen::kPending;
    case State::kAnswered:
      return Seen::kAnswered;
  }
  COPAL_ASSERT(false);  // a number that is no State
  return Seen::kObsolete;
}

void AnswerWindow::pass_on(NodeId server, std::uint64_t sequence, Slot to, Incarnation start) {
  Known& known = servers_[server].known[sequence];
  COPAL_ASSERT(known.state == State::kPassedOn);
  known.passed_on.add(to, start);
}

TriedMembers AnswerWindow::passed_on(NodeId server, std::uint64_t sequence) const {
  const Known* known = find(server, sequence);
  return known == nullptr ? TriedMembers{} : known->passed_on;
}

void AnswerWindow::begin(NodeId server, std::uint64_t sequence) {
  Known& known = servers_[server].known[sequence];
  COPAL_ASSERT(known.state == State::kPassedOn);
  known.state = State::kDone;
}

void AnswerWindow::finish(NodeId server, Incarnation incarnation, const CacheAnswer& answer) {
  const auto of = servers_.find(server);
  if (of == servers_.end() || of->second.incarnation != incarnation) {
    return;
  }
  const auto at = of->second.known.find(answer.sequence);
  if (at != of->second.known.end()) {
    at->second.state = State::kAnswered;
    at->second.answer = answer;
  }
}

const CacheAnswer& AnswerWindow::answer(NodeId server, std::uint64_t sequence) const {
  const Known* known = find(server, sequence);
  COPAL_ASSERT(known != nullptr && known->state == State::kAnswered);
  return known->answer;
}

std::size_t AnswerWindow::count(NodeId server) const {
  const auto of = servers_.find(server);
  return of == servers_.end() ? 0 : of->second.known.size();
}

const AnswerWindow::Known* AnswerWindow::find(NodeId server, std::uint64_t sequence) const {
  const auto of = servers_.find(server);
  if (of == servers_.end()) {
    return nullptr;
  }
  const auto at = of->second.known.find(sequence);
  return at == of->second.known.end() ? nullptr : &at->second;
}

}  // namespace copal

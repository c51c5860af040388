#include "core/cache/answer_window.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr NodeId kServer{7};
using Seen = AnswerWindow::Seen;

CacheChange numbered(std::uint64_t sequence, std::uint64_t answered_below = 0,
                     std::uint32_t incarnation = 1) {
  CacheChange change;
  change.sequence = sequence;
  change.answered_below = answered_below;
  change.incarnation = Incarnation{incarnation};
  return change;
}

CacheAnswer answer_to(std::uint64_t sequence) {
  CacheAnswer answer;
  answer.sequence = sequence;
  answer.position = sequence * 10;
  return answer;
}

TEST(AnswerWindow, AChangeThatComesAgainIsAnsweredAgain) {
  AnswerWindow window;
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kNew);
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kNew);
  window.begin(kServer, 5);
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kPending);
  window.finish(kServer, Incarnation{1}, answer_to(5));
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kAnswered);
  EXPECT_EQ(window.answer(kServer, 5).position, 50U);
  EXPECT_EQ(window.look_up(NodeId{8}, numbered(5)), Seen::kNew);
}

TEST(AnswerWindow, WhatTheServerHasIsForgottenAndItsLateCopiesIgnored) {
  AnswerWindow window;
  for (std::uint64_t i = 1; i <= 3; ++i) {
    window.look_up(kServer, numbered(i));
    window.begin(kServer, i);
    window.finish(kServer, Incarnation{1}, answer_to(i));
  }
  EXPECT_EQ(window.look_up(kServer, numbered(9, 3)), Seen::kNew);
  EXPECT_EQ(window.count(kServer), 1U);
  EXPECT_EQ(window.look_up(kServer, numbered(2)), Seen::kObsolete);
  EXPECT_EQ(window.look_up(kServer, numbered(3)), Seen::kAnswered);
}

TEST(AnswerWindow, ALaterStartOfAServerBeginsAnewAndAnEarlierOneIsIgnored) {
  AnswerWindow window;
  window.look_up(kServer, numbered(5, 4));
  window.begin(kServer, 5);
  EXPECT_EQ(window.look_up(kServer, numbered(1, 0, 2)), Seen::kNew);
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kObsolete);
  window.begin(kServer, 1);
  window.finish(kServer, Incarnation{1}, answer_to(1));  // of the earlier start
  EXPECT_EQ(window.look_up(kServer, numbered(1, 0, 2)), Seen::kPending);
}

TEST(AnswerWindow, AServerWithTooManyUnderWayIsRefused) {
  AnswerWindow window;
  for (std::uint64_t i = 0; i < AnswerWindow::kAnswersMax; ++i) {
    EXPECT_EQ(window.look_up(kServer, numbered(i)), Seen::kNew);
    window.begin(kServer, i);
  }
  EXPECT_EQ(window.look_up(kServer, numbered(AnswerWindow::kAnswersMax)), Seen::kTooMany);
  EXPECT_EQ(window.look_up(kServer, numbered(7)), Seen::kPending);
  EXPECT_EQ(window.look_up(kServer, numbered(AnswerWindow::kAnswersMax, 1)), Seen::kNew);
}

TEST(AnswerWindow, WhomAChangeWasPassedOnToIsKnownUntilItsServerHasTheAnswer) {
  AnswerWindow window;
  ASSERT_EQ(window.look_up(kServer, numbered(5)), Seen::kNew);
  EXPECT_EQ(window.passed_on(kServer, 5), TriedMembers{});
  window.pass_on(kServer, 5, Slot{1}, Incarnation{9});
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kNew);
  EXPECT_TRUE(window.passed_on(kServer, 5).elsewhere_than(Slot{2}, Incarnation{9}));
  EXPECT_FALSE(window.passed_on(kServer, 5).elsewhere_than(Slot{1}, Incarnation{9}));
  window.pass_on(kServer, 5, Slot{1}, Incarnation{10});
  EXPECT_TRUE(window.passed_on(kServer, 5).elsewhere_than(Slot{1}, Incarnation{10}));
  window.begin(kServer, 5);
  EXPECT_EQ(window.look_up(kServer, numbered(5)), Seen::kPending);
  window.look_up(kServer, numbered(6, 6));
  EXPECT_EQ(window.count(kServer), 0U);
}

TEST(AnswerWindow, WrongUseStopsTheProgram) {
  AnswerWindow window;
  EXPECT_DEATH(window.answer(kServer, 1), "nullptr");
  window.look_up(kServer, numbered(1));
  window.begin(kServer, 1);
  EXPECT_DEATH(window.begin(kServer, 1), "kPassedOn");
  EXPECT_DEATH(window.answer(kServer, 1), "kAnswered");
  EXPECT_DEATH(window.pass_on(kServer, 1, Slot{1}, Incarnation{1}), "kPassedOn");
}

}  // namespace
}  // namespace copal

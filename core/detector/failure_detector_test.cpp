#include "core/detector/failure_detector.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr NodeId kPeer{7};
constexpr Duration kBeat{250'000'000};

/// A detector with one peer, and that peer's side of the heartbeats.
class FailureDetectorTest : public ::testing::Test {
 protected:
  FailureDetectorTest() : detector_(FailureDetectorConfig{}, Now{now_, {}}) {
    detector_.add(kPeer, now_);
  }

  /// Heartbeats both ways at the usual interval.
  void talk(Duration time) {
    for (const TimePoint end = now_ + time; now_ < end;) {
      pass(kBeat);
      received_ = detector_.next_heartbeat(kPeer, now_).sequence;
      hear();
    }
  }

  FailureDetector::Heard hear() {
    return detector_.on_heartbeat(kPeer, incarnation_, {++sent_, received_, began_}, now_);
  }

  /// Time with steps of this node, in which nobody is heard.
  void pass(Duration time) {
    for (; time > 0ns; time -= kBeat) {
      now_ += std::min(time, kBeat);
      EXPECT_FALSE(detector_.on_step(now_));
      detector_.check_invariants(now_);
    }
  }

  PeerState state() const { return detector_.state(kPeer, now_); }

  TimePoint now_{100s};
  FailureDetector detector_;
  Incarnation incarnation_{1};
  std::uint64_t began_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t received_ = 0;
};

TEST_F(FailureDetectorTest, ANewPeerIsUnknownUntilItIsHeardOrGivenUp) {
  EXPECT_EQ(state(), PeerState::kUnknown);
  pass(2750ms);
  EXPECT_EQ(state(), PeerState::kUnknown);
  pass(250ms);
  EXPECT_EQ(state(), PeerState::kDead);
  EXPECT_EQ(hear(), FailureDetector::Heard::kReturned);
  EXPECT_TRUE(is_alive(state()));
}

TEST_F(FailureDetectorTest, OfARememberedPeerOnlyThatStartAndLaterOnesAreHeard) {  // R5.5
  FailureDetector again(FailureDetectorConfig{}, Now{now_, {}});
  again.add(kPeer, now_);
  again.remember(kPeer, Incarnation{5}, 70);
  EXPECT_EQ(again.incarnation(kPeer), Incarnation{5});
  EXPECT_EQ(again.began(kPeer), 70U);
  EXPECT_EQ(again.state(kPeer, now_), PeerState::kUnknown) << "remembered is not heard";
  const auto hear_again = [&](std::uint64_t incarnation, std::uint64_t began) {
    return again.on_heartbeat(kPeer, Incarnation{incarnation}, {1, 0, began}, now_);
  };
  EXPECT_EQ(hear_again(4, 80), FailureDetector::Heard::kStale);
  EXPECT_EQ(hear_again(5, 80), FailureDetector::Heard::kStale) << "its record was lost";
  EXPECT_EQ(again.state(kPeer, now_), PeerState::kUnknown);
  EXPECT_EQ(hear_again(5, 70), FailureDetector::Heard::kFirst);
  EXPECT_EQ(hear_again(6, 80), FailureDetector::Heard::kRestarted);
}

TEST_F(FailureDetectorTest, HeartbeatsKeepAPeerAlive) {
  EXPECT_EQ(hear(), FailureDetector::Heard::kFirst);
  talk(60s);
  EXPECT_EQ(state(), PeerState::kAlive);
  EXPECT_EQ(hear(), FailureDetector::Heard::kAgain);
}

TEST_F(FailureDetectorTest, SilenceMakesSuspectThenFrozen) {  // T11: its sockets are open
  talk(2s);
  pass(750ms);
  EXPECT_EQ(state(), PeerState::kAlive);
  pass(250ms);
  EXPECT_EQ(state(), PeerState::kSuspect);
  pass(1750ms);
  EXPECT_EQ(state(), PeerState::kSuspect);
  pass(250ms);
  EXPECT_EQ(state(), PeerState::kFrozen);
  EXPECT_TRUE(is_dead(state()));
  EXPECT_EQ(hear(), FailureDetector::Heard::kReturned);
}

TEST_F(FailureDetectorTest, ABrokenConnectionAloneKillsNobody) {
  talk(2s);
  detector_.on_link_down(kPeer);
  EXPECT_EQ(state(), PeerState::kSuspect);
  pass(2750ms);
  EXPECT_EQ(state(), PeerState::kSuspect);
  pass(250ms);
  EXPECT_EQ(state(), PeerState::kDead);
}

TEST_F(FailureDetectorTest, AHeartbeatMendsABrokenConnection) {
  talk(2s);
  detector_.on_link_down(kPeer);
  talk(250ms);
  EXPECT_EQ(state(), PeerState::kAlive);
}

TEST_F(FailureDetectorTest, APeerThatDoesNotHearUsIsSlowNotDead) {
  talk(2s);
  for (int i = 0; i < 40; ++i) {
    pass(kBeat);
    detector_.next_heartbeat(kPeer, now_);
    hear();  // with the echo of before
  }
  EXPECT_EQ(state(), PeerState::kSlow);
  EXPECT_EQ(detector_.contact_age(kPeer, now_), 10s);
}

TEST_F(FailureDetectorTest, ContactIsAsOldAsTheHeartbeatThatWasEchoed) {
  EXPECT_GE(detector_.contact_age(kPeer, now_), 24 * 60min);
  received_ = detector_.next_heartbeat(kPeer, now_).sequence;
  pass(500ms);
  detector_.next_heartbeat(kPeer, now_);
  hear();
  EXPECT_EQ(detector_.contact_age(kPeer, now_), 500ms);
}

TEST_F(FailureDetectorTest, AnEchoOfWhatWasNeverSentIsNoContact) {
  detector_.next_heartbeat(kPeer, now_);
  detector_.on_heartbeat(kPeer, incarnation_, {1, 2, 0}, now_);
  EXPECT_GE(detector_.contact_age(kPeer, now_), 24 * 60min);
}

TEST_F(FailureDetectorTest, ALaterStartIsNoticedAndAnEarlierOneIgnored) {
  talk(2s);
  incarnation_ = Incarnation{2};
  sent_ = 0;
  received_ = 0;
  EXPECT_EQ(hear(), FailureDetector::Heard::kRestarted);
  EXPECT_EQ(detector_.incarnation(kPeer), Incarnation{2});
  EXPECT_GE(detector_.contact_age(kPeer, now_), 24 * 60min);
  incarnation_ = Incarnation{1};
  sent_ = 100;
  EXPECT_EQ(hear(), FailureDetector::Heard::kStale);
  EXPECT_EQ(detector_.incarnation(kPeer), Incarnation{2});
}

TEST_F(FailureDetectorTest, OfTwoStartsOfOneNumberTheFirstThatWasHeardCounts) {
  began_ = 11;
  talk(2s);
  EXPECT_EQ(detector_.began(kPeer), 11U);
  began_ = 12;
  EXPECT_EQ(hear(), FailureDetector::Heard::kStale);
  EXPECT_EQ(detector_.began(kPeer), 11U);
  incarnation_ = Incarnation{2};
  EXPECT_EQ(hear(), FailureDetector::Heard::kRestarted);
  EXPECT_EQ(detector_.began(kPeer), 12U);
}

TEST_F(FailureDetectorTest, AHeartbeatThatCameBeforeProvesNothing) {
  talk(2s);
  pass(2s);
  EXPECT_EQ(detector_.on_heartbeat(kPeer, incarnation_, {sent_, received_, 0}, now_),
            FailureDetector::Heard::kStale);
  EXPECT_EQ(state(), PeerState::kSuspect);
}

TEST_F(FailureDetectorTest, AFrozenNodeBlamesNobody) {
  talk(2s);
  now_ += 3001ms;
  EXPECT_TRUE(detector_.on_step(now_));
  EXPECT_EQ(state(), PeerState::kUnknown);
  EXPECT_EQ(detector_.silence(now_), 0s);
  EXPECT_GE(detector_.contact_age(kPeer, now_), 24 * 60min);
  pass(250ms);
  EXPECT_EQ(hear(), FailureDetector::Heard::kFirst);
}

TEST_F(FailureDetectorTest, NextChangeIsWhenAStateChanges) {
  talk(2s);
  for (int i = 0; i < 3; ++i) {
    const TimePoint next = detector_.next_change(now_);
    if (next == kNever) {
      EXPECT_EQ(state(), PeerState::kFrozen);
      return;
    }
    const PeerState before = state();
    EXPECT_EQ(detector_.state(kPeer, next - 1ns), before);
    EXPECT_NE(detector_.state(kPeer, next), before);
    now_ = next;
  }
  ADD_FAILURE() << "two changes were expected";
}

TEST_F(FailureDetectorTest, WhoLeavesIsDeadAtOnceAndItsLaterStartIsKnownAsSuch) {
  incarnation_ = Incarnation{5};
  talk(20s);
  const std::uint64_t last = received_;
  detector_.on_leave(kPeer);
  EXPECT_EQ(state(), PeerState::kDead);
  EXPECT_EQ(detector_.next_change(now_), kNever);
  incarnation_ = Incarnation{4};  // its clock went back
  sent_ = 0;
  EXPECT_EQ(hear(), FailureDetector::Heard::kStale);
  EXPECT_EQ(state(), PeerState::kDead);
  EXPECT_EQ(detector_.incarnation(kPeer), Incarnation{5}) << "so it can be told to go above";
  incarnation_ = Incarnation{6};
  EXPECT_EQ(hear(), FailureDetector::Heard::kRestarted);
  EXPECT_EQ(detector_.next_heartbeat(kPeer, now_).sequence, last + 1)
      << "it may have received what went to the start before it";
  talk(1s);
  EXPECT_EQ(state(), PeerState::kAlive);
}

TEST_F(FailureDetectorTest, WhoIsNotWatchedIsDeadAndItsHeartbeatsAreStale) {
  constexpr NodeId kOther{8};
  EXPECT_EQ(detector_.state(kOther, now_), PeerState::kDead);
  EXPECT_EQ(detector_.on_heartbeat(kOther, Incarnation{1}, {1, 0, 0}, now_),
            FailureDetector::Heard::kStale);
}

}  // namespace
}  // namespace copal

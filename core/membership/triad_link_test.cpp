#include "core/membership/triad_link.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr Group kABC{0};  // order 0: members 0, 1, 2
constexpr Slot kNobody{kSlots};

class TriadLinkTest : public ::testing::Test {
 protected:
  void SetUp() override { begin(); }
  void begin() {
    TriadLinkConfig config;
    config.members = {NodeId{0}, NodeId{1}, NodeId{2}};
    link_.emplace(config, now_);
  }
  /// A heartbeat that says the same of all groups.
  TriadLink::News hear(std::uint8_t slot, View view, bool owner_acts,
                       Incarnation known = Incarnation{0}, std::uint64_t echo = 0) {
    MemberHeartbeat heartbeat{.beat = {.incarnation = starts_[slot],
                                       .known = known,
                                       .sequence = ++beats_[slot],
                                       .echo = echo},
                              .generation = 1};
    heartbeat.announcement.assign(kGroups, {.view = view, .owner_acts = owner_acts});
    return link_->on_heartbeat(NodeId{slot}, heartbeat, now_);
  }
  TriadLink::News time(Duration passed, std::vector<ServerHeartbeat>* sent = nullptr) {
    now_.mono += passed;
    Effects effects;
    const auto news = link_->on_time(ServerPhase::kReady, {CacheId{4}}, now_, effects);
    for (const Effect& effect : effects) {
      if (sent != nullptr) {
        sent->push_back(std::get<ServerHeartbeat>(std::get<Send>(effect).message));
      }
    }
    return news;
  }
  std::uint32_t asked(Slot avoid = kNobody) { return link_->ask(kABC, avoid, now_.mono).value; }
  TriadLink::News list(std::uint8_t slot, std::uint64_t number, std::vector<ListedServer> servers,
                       std::uint16_t part = 0, std::uint16_t parts = 1) {
    return link_->on_list(NodeId{slot}, {number, part, parts, std::move(servers)}, now_);
  }
  static ListedServer ready(std::uint32_t node) { return {.node = NodeId{node}}; }
  static ListedServer absent(std::uint32_t node) {
    return {.node = NodeId{node}, .phase = ServerPhase::kAbsent};
  }

  Now now_{TimePoint{100s}, WallTime{1'700'000'000s}};
  std::optional<TriadLink> link_;
  std::array<Incarnation, kSlots> starts_{Incarnation{1}, Incarnation{1}, Incarnation{1}};
  std::array<std::uint64_t, kSlots> beats_{};
};

// ---- incarnation (R0.3)

TEST_F(TriadLinkTest, BeginsAsTheWallClockSaysAndGoesAboveWhatIsKnown) {
  EXPECT_EQ(link_->incarnation(), Incarnation{1'700'000'000'000'000'000});
  EXPECT_FALSE(hear(0, {}, false, Incarnation{1'700'000'000'000'000'000}).restarted)
      << "this very start";
  const auto news = hear(1, {}, false, Incarnation{1'800'000'000'000'000'000});
  EXPECT_TRUE(news.restarted);
  EXPECT_EQ(link_->incarnation(), Incarnation{1'800'000'000'000'000'001});
  EXPECT_TRUE(link_->is_due(now_.mono)) << "it says so at once";
}

TEST_F(TriadLinkTest, AWallClockOutOfAllRangesGivesAnIncarnationAllTheSame) {
  for (const WallTime wall : {WallTime{-5s}, WallTime{}, WallTime{std::chrono::hours{2'000'000}}}) {
    now_.wall = wall;
    begin();
    EXPECT_GE(link_->incarnation(), Incarnation{1});
    EXPECT_LE(link_->incarnation(), Incarnation{~std::uint64_t{0} / 2});
  }
}

// ---- heartbeats

TEST_F(TriadLinkTest, SaysToEachMemberWhatItIsAndWhatItHeard) {
  hear(1, {}, false);
  list(1, 77, {ready(10)});
  std::vector<ServerHeartbeat> sent;
  time(0s, &sent);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[1].beat.echo, 1U);
  EXPECT_EQ(sent[1].beat.known, Incarnation{1});
  EXPECT_EQ(sent[1].list_held, 77U);
  EXPECT_EQ(sent[1].listens, std::vector{CacheId{4}});
  EXPECT_EQ(sent[0].beat.echo, 0U);
  EXPECT_EQ(sent[0].list_held, 0U);
  sent.clear();
  time(249ms, &sent);
  EXPECT_TRUE(sent.empty());
  time(1ms, &sent);
  ASSERT_EQ(sent.size(), 3U);
  EXPECT_EQ(sent[0].beat.sequence, 2U);
  EXPECT_EQ(link_->next_deadline(), now_.mono + 250ms);
}

TEST_F(TriadLinkTest, ASilentMemberIsNewsOnce) {
  time(0s);
  hear(0, {1, Slot{0}}, true);
  for (int i = 0; i < 11; ++i) {
    EXPECT_FALSE(time(250ms).owners_changed) << i;
  }
  const auto news = time(250ms);
  EXPECT_TRUE(news.owners_changed);
  EXPECT_TRUE(news.events_lost);
  EXPECT_FALSE(time(250ms).owners_changed);
}

TEST_F(TriadLinkTest, AStrangersWordsCountForNothing) {
  MemberHeartbeat heartbeat{.beat = {.incarnation = Incarnation{9}, .sequence = 1}};
  heartbeat.announcement.assign(kGroups, {.view = {99, Slot{2}}, .owner_acts = true});
  EXPECT_FALSE(link_->on_heartbeat(NodeId{50}, heartbeat, now_).owners_changed);
  EXPECT_EQ(link_->view(kABC), View{});
  EXPECT_FALSE(link_->on_list(NodeId{50}, {1, 0, 1, {ready(10)}}, now_).list_changed);
}

TEST_F(TriadLinkTest, EventsMayBeLostUntilAMemberHasHeardOfThisNodeAnew) {
  EXPECT_FALSE(hear(0, {1, Slot{0}}, true).events_lost) << "it has heard nothing yet";
  time(0s);
  EXPECT_FALSE(hear(0, {1, Slot{0}}, true, {}, 1).events_lost) << "perhaps from before";
  time(250ms);
  EXPECT_TRUE(hear(0, {1, Slot{0}}, true, {}, 2).events_lost) << "from now on it tells";
  EXPECT_FALSE(hear(0, {1, Slot{0}}, true, {}, 2).events_lost) << "told once";
  EXPECT_TRUE(link_->on_link_down(NodeId{0}, now_.mono).events_lost);
  EXPECT_FALSE(hear(0, {1, Slot{0}}, true, {}, 2).events_lost) << "an echo from before";
  time(250ms);
  EXPECT_TRUE(hear(0, {1, Slot{0}}, true, {}, 3).events_lost);
  link_->listens_anew(now_.mono);
  EXPECT_TRUE(link_->is_due(now_.mono)) << "it says so at once";
  EXPECT_FALSE(hear(0, {1, Slot{0}}, true, {}, 3).events_lost);
  time(1ms);
  EXPECT_TRUE(hear(0, {1, Slot{0}}, true, {}, 4).events_lost);
}

TEST_F(TriadLinkTest, WhatAFullQueueRefusedIsToldWhenItsMemberSaysSo) {
  const auto refused = [&](std::uint64_t count) {
    return link_
        ->on_heartbeat(NodeId{0},
                       {.beat = {.incarnation = starts_[0], .sequence = ++beats_[0]},
                        .generation = 1,
                        .events_refused = count},
                       now_)
        .events_lost;
  };
  EXPECT_FALSE(refused(0));
  EXPECT_TRUE(refused(3));
  EXPECT_FALSE(refused(3)) << "told once";
  EXPECT_TRUE(refused(4));
}

TEST_F(TriadLinkTest, AMembersLaterStartIsNewsAndForgetsWhatTheOldOneSaid) {
  hear(0, {1, Slot{0}}, true);
  EXPECT_FALSE(hear(0, {1, Slot{0}}, true).owners_changed);
  starts_[0] = Incarnation{2};
  const auto news = hear(0, {1, Slot{0}}, false);
  EXPECT_TRUE(news.owners_changed);
  EXPECT_TRUE(news.events_lost);
  EXPECT_EQ(link_->member_incarnation(Slot{0}), Incarnation{2});
  starts_[0] = Incarnation{1};
  EXPECT_FALSE(hear(0, {5, Slot{0}}, true).heartbeat_from.has_value()) << "of the earlier start";
}

// ---- whom to ask (R1.4)

TEST_F(TriadLinkTest, BeforeAnythingIsHeardTheFirstInOrderIsAsked) {
  EXPECT_EQ(asked(), 0U);
  EXPECT_EQ(asked(Slot{0}), 1U);
  hear(2, {}, false);
  EXPECT_EQ(asked(), 2U) << "rather one that is heard";
}

TEST_F(TriadLinkTest, WhoActsUnderTheHighestViewIsAsked) {
  hear(0, {4, Slot{0}}, true);
  hear(1, {5, Slot{1}}, true);
  hear(2, {5, Slot{1}}, true);
  EXPECT_EQ(asked(), 1U);
  EXPECT_EQ(link_->view(kABC), (View{5, Slot{1}}));
  EXPECT_NE(asked(Slot{1}), 1U);
}

TEST_F(TriadLinkTest, WhoHearsTheOwnerRelaysWhenItIsNotHeardHere) {
  hear(2, {5, Slot{1}}, true);
  EXPECT_EQ(asked(), 2U);
  hear(0, {5, Slot{1}}, false);
  EXPECT_EQ(asked(), 2U) << "member 0 is first in order and does not hear it";
}

TEST_F(TriadLinkTest, AnAnswersViewCountsUntilItsMemberSaysOtherwise) {
  hear(0, {4, Slot{0}}, true);
  hear(1, {4, Slot{0}}, true);
  link_->heed(kABC, {6, Slot{1}});
  EXPECT_EQ(asked(), 1U);
  hear(1, {6, Slot{1}}, false);
  EXPECT_NE(asked(), 1U) << "it has stopped";
  link_->heed(kABC, {2, Slot{2}});
  EXPECT_EQ(link_->view(kABC), (View{6, Slot{1}})) << "never back";
}

/// Found by the fuzzer (seed 1796124934978): a member that had acted before came to a higher view,
/// which an answer was the first to show; its heartbeats then said nothing new, and what a server
/// kept of its last owner's writes was not offered to it.
TEST_F(TriadLinkTest, AViewThatAnAnswerShowsIsNewsOfTheNextHeartbeat) {
  hear(0, {5, Slot{0}}, true);
  hear(1, {6, Slot{1}}, true);
  EXPECT_FALSE(hear(0, {5, Slot{0}}, true).owners_changed);
  link_->heed(kABC, {7, Slot{0}});
  EXPECT_TRUE(hear(1, {6, Slot{1}}, true).owners_changed);
  link_->heed(kABC, {6, Slot{1}});
  EXPECT_FALSE(hear(1, {6, Slot{1}}, true).owners_changed) << "an older one, and told already";
}

TEST_F(TriadLinkTest, TheOnlyOneThereIsAskedThoughItShouldBeAvoided) {
  TriadLinkConfig config;
  config.members = {NodeId{7}, kNoNode, kNoNode};
  link_.emplace(config, now_);
  EXPECT_EQ(asked(Slot{0}), 7U);
}

TEST_F(TriadLinkTest, WhoShouldBeAvoidedIsAskedBeforeThoseThatAreNotHeard) {
  EXPECT_EQ(asked(Slot{0}), 1U) << "none is";
  hear(0, {7, Slot{1}}, false);
  EXPECT_EQ(asked(Slot{0}), 0U);
  hear(2, {7, Slot{1}}, false);
  EXPECT_EQ(asked(Slot{0}), 2U);
}

// ---- the list (R9)

TEST_F(TriadLinkTest, TheListIsTheUnionOfWhatTheHeardOnesSay) {
  hear(0, {}, false);
  hear(1, {}, false);
  EXPECT_TRUE(list(0, 1, {ready(10), absent(11)}).list_changed);
  EXPECT_TRUE(list(1, 1, {absent(10), ready(11)}).list_changed);
  EXPECT_EQ(link_->list(), (std::vector{ready(10), ready(11)}));
  EXPECT_FALSE(list(1, 2, {absent(10), ready(11)}).list_changed) << "nothing else in it";
  EXPECT_TRUE(list(0, 2, {absent(10), absent(11)}).list_changed);
  EXPECT_EQ(link_->list(), (std::vector{absent(10), ready(11)}));
}

TEST_F(TriadLinkTest, WhatOnlyOneMemberNamesStandsInItsPlace) {
  hear(0, {}, false);
  hear(1, {}, false);
  list(0, 1, {ready(30), ready(10)});
  list(1, 1, {ready(30), ready(20), ready(10), ready(40)});
  EXPECT_EQ(link_->list(), (std::vector{ready(30), ready(20), ready(10), ready(40)}));
}

TEST_F(TriadLinkTest, AnOlderListIsNotTaken) {
  hear(0, {}, false);
  list(0, 5, {ready(10)});
  EXPECT_FALSE(list(0, 4, {ready(11)}).list_changed);
  EXPECT_FALSE(list(0, 5, {ready(11)}).list_changed);
  EXPECT_EQ(link_->list(), std::vector{ready(10)});
}

TEST_F(TriadLinkTest, PartsCountWhenAllOfOneNumberHaveComeInOrder) {
  hear(0, {}, false);
  EXPECT_FALSE(list(0, 5, {ready(10)}, 0, 3).list_changed);
  EXPECT_FALSE(list(0, 5, {ready(12)}, 2, 3).list_changed) << "one was lost";
  EXPECT_FALSE(list(0, 6, {ready(10)}, 0, 2).list_changed) << "the next one, from its start";
  EXPECT_FALSE(list(0, 5, {ready(11)}, 1, 3).list_changed);
  EXPECT_TRUE(list(0, 6, {ready(11)}, 1, 2).list_changed);
  EXPECT_FALSE(list(0, 7, {ready(10)}, 0, 2).list_changed);
  EXPECT_FALSE(list(0, 8, {ready(12)}, 1, 2).list_changed) << "the end of another one";
  EXPECT_EQ(link_->list(), (std::vector{ready(10), ready(11)}));
}

TEST_F(TriadLinkTest, WithNobodyHeardTheLastListStays) {
  time(0s);
  hear(0, {}, false);
  list(0, 1, {ready(10)});
  for (int i = 0; i < 40; ++i) {
    time(250ms);
  }
  EXPECT_FALSE(link_->hears_any(now_.mono));
  EXPECT_EQ(link_->list(), std::vector{ready(10)});
}

TEST_F(TriadLinkTest, AMemberThatIsHeardAnewHasSaidNothingYet) {
  time(0s);
  hear(0, {}, false);
  list(0, 7, {ready(10)});
  for (int i = 0; i < 13; ++i) {
    hear(1, {}, false);
    time(250ms);
  }
  list(1, 1, {ready(11)});
  std::vector<ServerHeartbeat> sent;
  for (int i = 0; i < 13; ++i) {
    time(250ms, &sent);
  }
  EXPECT_FALSE(link_->hears_any(now_.mono));
  EXPECT_EQ(sent.at(sent.size() - 3).list_held, 0U) << "so that it comes again, though it is known";

  EXPECT_FALSE(hear(0, {}, false).list_changed) << "what it said is old";
  EXPECT_EQ(link_->list(), std::vector{ready(11)});
  starts_[0] = Incarnation{2};
  EXPECT_FALSE(hear(0, {}, false).list_changed);
  EXPECT_EQ(link_->list(), std::vector{ready(11)}) << "the last one, of a member that is gone";
  EXPECT_TRUE(list(0, 9, {ready(12)}).list_changed);
  EXPECT_EQ(link_->list(), std::vector{ready(12)});
}

TEST_F(TriadLinkTest, AListMayOvertakeTheFirstHeartbeat) {
  EXPECT_FALSE(list(0, 1, {ready(10)}).list_changed) << "it is not heard";
  EXPECT_TRUE(hear(0, {}, false).list_changed);
  EXPECT_EQ(link_->list(), std::vector{ready(10)});
}

TEST_F(TriadLinkTest, AListThatEndsASilenceNobodyHasNoticedYetCountsToo) {
  hear(0, {1, Slot{0}}, true);
  list(0, 5, {ready(10)});
  ASSERT_EQ(link_->list(), std::vector{ready(10)});
  time(0s);
  now_.mono += 3100ms;  // it is given up, and no heartbeat has been due since
  list(0, 6, {absent(10)});
  hear(0, {1, Slot{0}}, true);
  EXPECT_EQ(link_->list(), std::vector{absent(10)});
}

TEST_F(TriadLinkTest, AMemberThatBeginsAnewWithoutASilenceIsBelievedUntilItSaysOtherwise) {
  hear(0, {}, false);
  list(0, 7, {ready(10)});
  starts_[0] = Incarnation{2};
  hear(0, {}, false);
  hear(1, {}, false);
  list(1, 1, {ready(11)});
  EXPECT_EQ(link_->list(), (std::vector{ready(11), ready(10)}));
  EXPECT_TRUE(list(0, 3, {ready(12)}).list_changed) << "its numbers may begin anew as well";
  EXPECT_EQ(link_->list(), (std::vector{ready(11), ready(12)}));
}

TEST_F(TriadLinkTest, WhatASilentMemberSaidIsForgottenWhileAnotherIsHeard) {
  time(0s);
  hear(0, {}, false);
  list(0, 1, {ready(10)});
  hear(1, {}, false);
  list(1, 1, {absent(10)});
  EXPECT_EQ(link_->list(), std::vector{ready(10)});
  bool changed = false;
  for (int i = 0; i < 13; ++i) {
    hear(1, {}, false);
    changed = time(250ms).list_changed || changed;
  }
  EXPECT_TRUE(changed);
  EXPECT_EQ(link_->list(), std::vector{absent(10)});
}

TEST_F(TriadLinkTest, TheLastHeartbeatSaysGoodbye) {
  Effects effects;
  link_->leave(now_, effects);
  ASSERT_EQ(effects.size(), 3U);
  EXPECT_TRUE(std::get<ServerHeartbeat>(std::get<Send>(effects[0]).message).leaving);
}

}  // namespace
}  // namespace copal

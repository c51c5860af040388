// Each checker, on a history that is good, and on the same with one thing made bad.

#include "sim/checkers/checkers.h"

#include <functional>
#include <utility>

#include "sim/testing/checkers_bed.h"

namespace copal::sim {
namespace {

using Kind = fuzz::PlannedOp::Kind;
using fuzz::Tampering;

TEST_F(CheckersTest, AGoodHistoryIsGoodAndWasLookedAt) {
  const Findings findings = check_run(*trial_);
  for (const Violation& violation : findings.violations()) {
    ADD_FAILURE() << violation.checker << ": " << violation.message;
  }
  for (const Checker& checker : all_checkers()) {
    const auto count = findings.judged_counts().find(std::string(checker.name));
    if (checker.name != "overwritten") {  // nothing was
      EXPECT_TRUE(count != findings.judged_counts().end() && count->second > 0) << checker.name;
    }
  }
}

TEST_F(CheckersTest, AReadOlderThanWhatTheOwnerHad) {
  operation(Kind::kGet, kAvailable).version = operation(Kind::kPut, kAvailable).version;
  expect_found("staleness", "which the acting owner had");
  expect_found("monotonic", "is older than");
}

/// A member begins to act, changes the key and answers, all in one instant: the read may be from
/// before the change. (A slow node does what waited in one instant.)
TEST_F(CheckersTest, AReadInTheInstantInWhichItsOwnerBegan) {
  Operation& read = operation(Kind::kGet, kAvailable, 1);
  KeyHistory& key = this->key(kAvailable, read.planned.key);
  const auto now = std::ranges::find(key.held[0], read.version, &HeldState::version);
  ASSERT_NE(now, key.held[0].end());
  HeldState then = *now;
  then.since = read.asked;
  now->since = read.asked - 1ns;
  ++then.version.counter;
  const std::size_t place = static_cast<std::size_t>(now - key.held[0].begin()) + 1;
  key.held[0].insert(key.held[0].begin() + static_cast<std::ptrdiff_t>(place), then);
  std::vector<ActingSpan>& spans = history().acting[key.group.value];
  spans = {{0, 2'000, read.asked, kNever}};
  EXPECT_EQ(found_by("staleness"), std::vector<std::string>());
  key.held[0][place].since = read.asked - 1ns;
  expect_found("staleness", "which the acting owner had");
}

TEST_F(CheckersTest, AReadThatFindsNothingWhereThereIsSomething) {
  operation(Kind::kGet, kAvailable).status = CacheStatus::kAbsent;
  expect_found("staleness", "found nothing");
}

TEST_F(CheckersTest, AReadOfWhatWasCleared) {
  Operation& read = operation(Kind::kGet, kCleared);
  ASSERT_EQ(operation(Kind::kClear, kCleared).status, CacheStatus::kDone);
  ASSERT_EQ(read.status, CacheStatus::kAbsent);
  read.status = CacheStatus::kDone;
  read.version = operation(Kind::kPut, kCleared).version;
  expect_found("staleness", "was cleared as");
  // Who cleared it had ended before the others could have it from there.
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    history().ends[member].push_back(TimePoint{4s});
  }
  expect_not_found("staleness", "was cleared as");
}

TEST_F(CheckersTest, AReadOfWhatWasClearedByOneThatHasToldTheOthers) {
  Operation& read = operation(Kind::kGet, kCleared);
  read.status = CacheStatus::kDone;
  read.version = operation(Kind::kPut, kCleared).version;
  const std::uint32_t by = acts(kCleared, 0).member;
  history().ends[by] = {TimePoint{6s}};
  expect_found("staleness", "was cleared as");
  history().ends[by] = {TimePoint{4s}};  // too soon to have told
  expect_not_found("staleness", "was cleared as");
}

TEST_F(CheckersTest, AClearThatAMemberIsNotTold) {
  const Operation& clear = operation(Kind::kClear, kClearedLate);
  ASSERT_EQ(clear.status, CacheStatus::kDone);
  const std::uint32_t other = (acts(kClearedLate, 0).member + 1) % 3;
  auto& known = history().clears.at({key(kClearedLate, 0).group.value, kClearedLate})[other];
  ASSERT_EQ(known.size(), 1U);
  known[0].since = clear.answered + 1s;
  expect_not_found("copies", "was not known to all members");
  known[0].since = clear.answered + 3s;
  expect_found("copies", "was not known to all members");
  history().ends[1] = {clear.asked - 5s};
  expect_not_found("copies", "was not known to all members");
}

TEST_F(CheckersTest, AClearWithTooFewCopies) {
  for (const Consistency consistency : {Consistency::kAvailable, Consistency::kReplicated}) {
    plan_.caches[kClearedLate - 1].consistency = consistency;
    run();
    const Operation& clear = operation(Kind::kClear, kClearedLate);
    const std::uint32_t owner = acts(kClearedLate, 0).member;
    auto& known = history().clears.at({key(kClearedLate, 0).group.value, kClearedLate});
    ASSERT_LE(known[(owner + 1) % 3].front().since, clear.answered);
    known[(owner + 1) % 3].front().since = clear.answered + 1ns;
    known[(owner + 2) % 3].front().since = clear.answered + 1ns;
    consistency == Consistency::kReplicated ? expect_found("copies", "at 1 members")
                                            : expect_not_found("copies", "was acknowledged with");
    known[owner].front().since = clear.answered + 1ns;
    expect_found("copies", "at 0 members");
  }
}

TEST_F(CheckersTest, AUseThatAMemberIsNotTold) {
  auto& known = key(kLongIdle, 0).uses[2];
  ASSERT_EQ(known.size(), 2U);  // the put and the get
  known.pop_back();
  expect_found("copies", "a member that was well thought");
  // Nobody is well for long.
  history().ends[0] = {TimePoint{8s}, TimePoint{15s}, TimePoint{22s}, TimePoint{29s}};
  expect_not_found("copies", "a member that was well thought");
}

TEST_F(CheckersTest, AReadThatGoesBackWithATakeover) {
  const Operation& write = operation(Kind::kPut, kReplicated, 1);
  Operation& read = operation(Kind::kGet, kReplicated);
  read.version = operation(Kind::kPut, kReplicated).version;
  expect_not_found("staleness", "went back behind");  // nobody took over
  const TimePoint at = write.answered + 500ms;
  take_over(kReplicated, 0, at);
  expect_found("staleness", "went back behind");
  auto& spans = history().acting[key(kReplicated, 0).group.value];
  std::ranges::find(spans, at - 1ns, &ActingSpan::to)->to = kNever;
  expect_not_found("staleness", "went back behind");  // in a split it may
}

TEST_F(CheckersTest, AnIdleEntryThatItsOwnerEndsBeforeItsTime) {
  Operation& use = operation(Kind::kGet, kIdle);
  ASSERT_EQ(use.status, CacheStatus::kDone);
  ASSERT_TRUE(key(kIdle, 0).states.rbegin()->second.is_tombstone());
  EXPECT_TRUE(found_by("expiry").empty());
  const TimePoint end = key(kIdle, 0).held[0].back().since;
  use.asked = end - 3s;
  use.answered = use.asked + 1ms;
  expect_found("expiry", "had used it within its time");
  history().ends[0] = {end - 500ms};
  expect_found("expiry", "had used it within its time");
  history().ends[1] = {end - 400ms};  // two of three: nobody who knew may be left
  expect_not_found("expiry", "had used it within its time");
}

TEST_F(CheckersTest, AnEntryThatItsOwnerRemovesUnasked) {
  auto& states = key(kReplicated, 0).states;
  MNode removed;
  removed.key = states.rbegin()->second.key;
  removed.cache = states.rbegin()->second.cache;
  removed.version = states.rbegin()->first;
  removed.version.counter += 1;
  ASSERT_TRUE(removed.is_tombstone());
  states.emplace(removed.version, removed);
  expect_found("expiry", "which nobody had asked to");
}

TEST_F(CheckersTest, AWriteThatIsNowhere) {
  operation(Kind::kPut, kReplicated, 1).version.counter += 1'000'000'000'000;
  expect_found("copies", "copies at 0 members");
  expect_found("synced", "synced on 0 disks");
}

TEST_F(CheckersTest, AWriteThatEveryMemberDropsWhileItRuns) {
  for (auto& held : key(kReplicated, 0).held) {
    held.push_back({.since = TimePoint{20s}, .running = true});
  }
  key(kReplicated, 0).states.erase(std::prev(key(kReplicated, 0).states.end()));
  expect_found("durability", "is lost");
}

TEST_F(CheckersTest, AWriteThatIsTooYoungToBeRefusedToItsServer) {
  plan_.kept_write_lifetime = 5s;
  run();
  const Operation& write = operation(Kind::kPut, kAvailable, 1);
  KeyHistory& of = key(kAvailable, 0);
  bool is_first = true;
  for (auto& held : of.held) {
    if (!std::exchange(is_first, false)) {
      std::erase_if(held, [&](const HeldState& state) { return state.version == write.version; });
    }
    held.push_back({.since = TimePoint{20s}, .running = false});  // its disk is lost
    held.push_back({.since = TimePoint{21s}, .running = true});
  }
  expect_found("durability", "is lost");
  Version above = write.version;
  above.counter += 1;
  auto& rises = history().horizons[of.group.value];
  rises = {{write.asked + 4s, above}};
  expect_found("durability", "is lost");
  rises = {{write.asked + 6s, above}};
  EXPECT_TRUE(found_by("durability").empty()) << "its server's offer came too late";
}

TEST_F(CheckersTest, AWriteThatIsNotOfferedToWhoTakesOver) {
  const Operation& write = operation(Kind::kPut, kAvailable, 1);
  KeyHistory& of = key(kAvailable, 0);
  const std::uint32_t owner = acts(kAvailable, 0).member;
  for (std::uint32_t member = 0; member < kSlots; ++member) {
    if (member != owner) {
      std::erase_if(of.held[member],
                    [&](const HeldState& state) { return state.version == write.version; });
    }
  }
  of.held[owner].push_back({.since = TimePoint{16s}, .running = false});
  take_over(kAvailable, 0, TimePoint{17s});
  expect_found("durability", "had begun to act");
  of.held[(owner + 1) % kSlots].push_back(
      {.since = TimePoint{19s}, .running = true, .version = write.version});
  expect_not_found("durability", "had begun to act");
}

TEST_F(CheckersTest, AWriteAtOneMemberOnly) {
  Operation& write = operation(Kind::kPut, kReplicated, 1);
  int kept = 0;
  for (auto& held : key(kReplicated, 0).held) {
    std::erase_if(
        held, [&](const HeldState& state) { return kept > 0 && state.version == write.version; });
    ++kept;
  }
  expect_found("copies", "copies at 1 members");
}

TEST_F(CheckersTest, AWriteOnNoDisk) {
  for (auto& durable : key(kReplicated, 0).durable) {
    durable.clear();
  }
  expect_found("synced", "is synced on 0 disks");
  EXPECT_TRUE(found_by("copies").empty());
}

TEST_F(CheckersTest, AMemberThatGoesBack) {
  auto& held = key(kReplicated, 0).held[1];
  HeldState back = held.back();
  back.version = operation(Kind::kPut, kReplicated).version;
  back.since = TimePoint{15s};
  held.push_back(back);
  expect_found("versions", "went back");
}

TEST_F(CheckersTest, AMemberThatForgets) {
  KeyHistory& of = key(kReplicated, 0);
  of.held[1].push_back({.since = TimePoint{15s}, .running = true});
  expect_found("versions", "was forgotten as");
  Version above = of.states.rbegin()->first;
  above.counter += 1;
  history().horizons[of.group.value] = {{TimePoint{16s}, above}};
  expect_found("versions", "was forgotten as");  // not yet
  history().horizons[of.group.value] = {{TimePoint{15s}, above}};
  expect_not_found("versions", "was forgotten as");
}

TEST_F(CheckersTest, AHorizonThatRisesAboveWhatItsMemberDoesNotKnow) {
  history().agreed_with_others.emplace_back("member 1 and member 2");
  expect_found("versions", "one is another now");
  history().below_horizons.emplace_back("key 1/0");
  expect_found("versions", "below the horizon");
  KeyHistory& of = key(kReplicated, 0);
  const Version newest = of.states.rbegin()->first;
  std::erase_if(of.held[0], [&](const HeldState& state) { return state.version == newest; });
  const Version above{newest.counter + 1, newest.epoch, newest.owner};
  history().horizons[of.group.value] = {{TimePoint{15s}, above, 0}};
  expect_found("versions", "the horizon of member 0 rose");
  history().horizons[of.group.value] = {{TimePoint{15s}, above, 1}};
  expect_not_found("versions", "the horizon of member");
}

TEST_F(CheckersTest, OneVersionWithTwoStates) {
  history().conflicts.emplace_back("key 1/0: one version with other bytes");
  expect_found("versions", "other bytes");
}

TEST_F(CheckersTest, OtherBytesThanWereWritten) {
  operation(Kind::kGet, kReplicated).value_sum += 1;
  expect_found("values", "other bytes");
}

TEST_F(CheckersTest, AVersionThatNobodyEverHad) {
  operation(Kind::kGet, kReplicated).version.counter += 1;
  expect_found("values", "no member ever had");
}

TEST_F(CheckersTest, AnIncrementOfSomethingElse) {
  MNode& after = key(kReplicated, 1).states.rbegin()->second;
  set_value(after, name_value(std::array<std::uint8_t, 1>{'7'}));
  expect_found("atomicity", "can't follow");
}

TEST_F(CheckersTest, AConditionThatDidNotFail) {
  operation(Kind::kPutIfAbsent, kAvailable).status = CacheStatus::kConditionFailed;
  expect_found("atomicity", "condition failed; it did not");
  expect_found("outcomes", "was told as not done");
}

TEST_F(CheckersTest, AChangeThatWasDoneTwice) {
  auto& states = key(kAvailable, 2).states;
  const auto [version, mnode] = *states.begin();
  Version again = version;
  again.counter += 5;
  states[again] = mnode;
  expect_found("outcomes", "done twice in one term");
  expect_found("outcomes", "was done 2 times");
}

TEST_F(CheckersTest, AnEntryThatEndsBeforeItsTimeOrLongAfterIt) {
  history().from_the_future.emplace_back("key 1/0");
  expect_found("expiry", "later than now");
  const Version version = operation(Kind::kPut, kExpiring).version;
  Operation& early = operation(Kind::kGet, kExpiring);
  Operation& late = operation(Kind::kGet, kExpiring, 1);
  ASSERT_EQ(early.status, CacheStatus::kDone);
  ASSERT_EQ(late.status, CacheStatus::kAbsent);
  early.status = CacheStatus::kAbsent;
  expect_found("expiry", "was not past its time");
  late.status = CacheStatus::kDone;
  late.version = version;
  late.asked = TimePoint{60s};
  late.answered = TimePoint{60s};
  expect_found("expiry", "returned an entry of");
}

TEST_F(CheckersTest, AnEntryThatIsDeletedWithoutATrace) {
  key(kReplicated, 0).held[1].push_back({.since = TimePoint{15s}, .running = true});
  expect_found("durability", "nothing was set aside");
  history().set_aside = 1;
  expect_not_found("durability", "nothing was set aside");
}

TEST_F(CheckersTest, AMemberThatWritesBelowWhatItWroteBefore) {
  const Operation& first = operation(Kind::kPut, kReplicated, 0);
  KeyHistory& of = key(kReplicated, 2);
  Version below = first.version;
  below.counter -= 1;
  of.held[below.owner.slot().value].push_back(
      {.since = TimePoint{15s}, .running = true, .version = below});
  of.states[below] = of.states.rbegin()->second;
  expect_found("versions", " wrote ");
}

TEST_F(CheckersTest, AWriteWhoseBaseIsNotWhatWasThere) {
  KeyHistory& of = key(kReplicated, 0);
  of.states.at(operation(Kind::kPut, kReplicated, 1).version).base = {1, 1, {}};
  expect_found("overwritten", "its base is");
}

TEST_F(CheckersTest, ARequestThatIsRejectedThoughAServerIsKnown) {
  auto& requests = Tampering(*trial_).requests();
  requests[0].status = ClientStatus::kRejected;
  expect_found("liveness", "which must know server");
  for (std::uint32_t server = 3; server < 3 + trial_->plan().servers; ++server) {
    history().ends[server].push_back(requests[0].asked);
  }
  expect_not_found("liveness", "which must know server");
}

TEST_F(CheckersTest, CountedAsOverwrittenWhereNothingWas) {
  history().overwritten_counted = 3;
  expect_found("overwritten", "3 overwritten writes were counted");
}

TEST_F(CheckersTest, AMemberThatActsTwiceInATerm) {
  auto& spans = history().acting[5];
  ASSERT_FALSE(spans.empty());
  ActingSpan again = spans.back();
  again.from = TimePoint{15s};
  spans.back().to = TimePoint{14s};
  spans.push_back(again);
  expect_found("ownership", "acted twice");
}

TEST_F(CheckersTest, TwoThatActAtTheSameTime) {
  auto& spans = history().acting[5];
  ASSERT_FALSE(spans.empty());
  ActingSpan other = spans.back();
  other.member = (other.member + 1) % 3;
  other.term += 1;
  other.from = TimePoint{5s};
  other.to = TimePoint{9s};
  spans.push_back(other);
  EXPECT_FALSE(found_by("ownership").empty());
}

TEST_F(CheckersTest, AMemberThatBeginsToActWithLessThanOthersHave) {
  take_over(kReplicated, 0, TimePoint{20s});
  EXPECT_EQ(found_by("ownership"), std::vector<std::string>());
  const std::uint32_t member = acts(kReplicated, 0).member;
  auto& held = key(kReplicated, 0).held[member];
  held.push_back({.since = TimePoint{18s}, .running = true});
  held.back().version = operation(Kind::kPut, kReplicated).version;
  expect_found("ownership", "began to act");
  for (std::uint32_t other = 0; other < kSlots; ++other) {
    history().ends[other] = {TimePoint{11s}};  // it need not have heard them
  }
  expect_not_found("ownership", "began to act");
}

TEST_F(CheckersTest, MembersThatNeverBecomeTheSame) {
  Tampering(*trial_).converged_at() = kNever;
  expect_found("convergence", "not yet the same");
}

TEST_F(CheckersTest, AnOperationThatNeverEnds) {
  operation(Kind::kGet, kReplicated).answered = kNever;
  expect_found("liveness", "never ended");
}

TEST_F(CheckersTest, AnOperationThatEndsLongAfterItsDeadline) {
  Operation& read = operation(Kind::kGet, kReplicated);
  read.answered = read.asked + 20s;
  expect_found("liveness", "long after its deadline");
}

TEST_F(CheckersTest, AnOperationThatFailsInAHealedCore) {
  plan_.start_alone_timeout = 1s;
  plan_.core_for = 40s;
  plan(30s, Kind::kGet, kReplicated, 0);
  run();
  EXPECT_TRUE(check_run(*trial_).violations().empty());
  operation(Kind::kGet, kReplicated, 2).status = CacheStatus::kTimedOut;
  expect_found("liveness", "though a core was healed");
}

TEST_F(CheckersTest, ARequestThatGoesToNoServer) {
  Tampering(*trial_).routed().push_back({TimePoint{8s}, 5, NodeId{0}});
  expect_found("routing", "which is no server");
}

TEST_F(CheckersTest, ARequestThatGoesToADisabledServer) {
  Tampering(*trial_).ordered().push_back({TimePoint{2s}, 3, RosterState::kDisabled});
  for (const RosterState known : {RosterState::kDisabled, RosterState::kEnabled}) {
    // No disk has failed: forgotten is no excuse. Nor is a session.
    Tampering(*trial_).routed() = {{TimePoint{8s}, 5, NodeId{3}, known, NodeId{3}}};
    expect_found("routing", "disabled since");
  }
  Tampering(*trial_).ordered().push_back({TimePoint{5s}, 3, RosterState::kEnabled});
  EXPECT_TRUE(found_by("routing").empty());
}

TEST_F(CheckersTest, ADisabledServerThatAMemberWhoseDiskFailsGoesOnListing) {
  using FaultKind = fuzz::PlannedFault::Kind;
  for (const FaultKind kind :
       {FaultKind::kDiskWriteErrors, FaultKind::kDiskFull, FaultKind::kDiskReadErrors}) {
    plan_.faults = {{.kind = kind, .at = 3s, .lasting = 4s, .node = 1}};
    run();
    Tampering(*trial_).ordered() = {{TimePoint{2s}, 3, RosterState::kDisabled}};
    Tampering(*trial_).routed() = {{TimePoint{8s}, 5, NodeId{3}, RosterState::kDisabled}};
    kind == FaultKind::kDiskWriteErrors ? expect_not_found("routing", "disabled since")
                                        : expect_found("routing", "disabled since");
  }
}

TEST_F(CheckersTest, ANewSessionThatGoesToADrainingServer) {
  Tampering(*trial_).ordered().push_back({TimePoint{2s}, 3, RosterState::kDraining});
  auto& routed = Tampering(*trial_).routed();
  routed = {{TimePoint{8s}, 5, NodeId{3}, RosterState::kDraining, NodeId{3}}};
  EXPECT_EQ(found_by("routing"), std::vector<std::string>()) << "its session is there";
  routed[0].stuck_to = NodeId{4};
  expect_found("routing", "draining since");
  routed[0].stuck_to = kNoNode;
  expect_found("routing", "draining since");
  routed[0].at = TimePoint{3s};
  EXPECT_EQ(found_by("routing"), std::vector<std::string>()) << "it need not have heard yet";
}

TEST_F(CheckersTest, ARequestThatNeverEnds) {
  auto& requests = Tampering(*trial_).requests();
  requests[0].answered = kNever;
  expect_found("liveness", "was never answered by balancer");
  history().ends[requests[0].balancer].push_back(requests[0].asked + 1s);
  expect_not_found("liveness", "was never answered by balancer");
}

TEST_F(CheckersTest, AChangeThatAListenerIsNotTold) {
  const Operation& write = operation(Kind::kPut, kReplicated, 1);
  auto& told = key(kReplicated, 0).events[4];
  ASSERT_EQ(std::erase(told, write.version), 1);
  history().events_lost.clear();
  expect_found("events", "was never told to server 4");
  history().events_lost[4] = {write.answered};
  expect_not_found("events", "was never told to server 4");
  for (auto& held : key(kReplicated, 0).held) {  // overwritten within a step, nobody saw it
    std::erase_if(held, [&](const HeldState& state) { return state.version == write.version; });
  }
  expect_not_found("events", "was never told to server 4");
  history().events_lost[4] = {write.asked};
  expect_found("events", "was never told to server 4");
  history().events_lost.clear();
  history().ends[4] = {TimePoint{20s}};
  expect_not_found("events", "was never told to server 4");
}

TEST_F(CheckersTest, AListThatIsNotTrue) {
  history().orders_gone_back.emplace_back("of server 4 at member 2");
  expect_found("server_list", "followed by an older one");
  auto& samples = Tampering(*trial_).list_samples();
  samples.push_back({TimePoint{20s}, 5, 3, ServerPhase::kAbsent, true});
  expect_found("server_list", "it is there");
  samples.back() = {TimePoint{20s}, 5, 3, ServerPhase::kReady, false};
  expect_found("server_list", "it is not there");
}

}  // namespace
}  // namespace copal::sim

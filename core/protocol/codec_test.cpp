#include "core/protocol/codec.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <vector>

#include "core/base/prng.h"
#include "core/testing/some_mnode.h"

namespace copal {
namespace {

const LoadSample kLoad{7, 0.25, 3ms};

Change some_change() {
  return {.condition = Condition::kValue,
          .action = Action::kTouch,
          .wants_previous = true,
          .expected_version = {1, 2, OwnerId(3, Slot{1}, 4)},
          .expected_value = name_value(std::vector<std::uint8_t>{1, 2, 3}),
          .value = value_name(some_mnode()),
          .delta = ~0ull,
          .user_flags = 5,
          .expire_timeout = 6s,
          .idle_timeout_ms = 7};
}

CacheGet some_get(const MNode& mnode) {
  return {1,
          NodeId{9},
          {2, Slot{1}},
          3s,
          CacheId{4},
          mnode.key,
          mnode.version,
          true,
          hash_value(std::array<std::uint8_t, 1>{8})};
}
CacheChange some_cache_change(const MNode& mnode) {
  CacheChange change{1,          NodeId{9}, 2,     Incarnation{3}, {},        6, {4, Slot{2}}, 5s,
                     CacheId{6}, mnode.key, "key", some_change(),  NodeId{7}, {}};
  change.tried.add(Slot{1}, Incarnation{7});
  return change;
}
CacheAnswer some_answer(const MNode& mnode, const AgedMNode& entry) {
  return {1,
          NodeId{9},
          5,
          CacheStatus::kNeedValue,
          {2, Slot{1}},
          Incarnation{6},
          3,
          entry,
          std::nullopt,
          mnode.version,
          {}};
}

std::vector<Message> one_of_each_kind() {
  const MNode mnode = some_mnode();
  const AgedMNode entry = aged(mnode, TimePoint{300s});
  const Beat beat{Incarnation{1}, 6, Incarnation{2}, 7, 3, 4, 5};
  const CompareStep step{Group{1}, 2, 3};
  const CacheSum sum{CacheId{1}, 2, mnode.base, true};
  return {
      Request{RequestId{1}, SessionId{2}, 3, 4s, 5, 6},
      Answer{RequestId{~0ull}, AnswerStatus::kBusy, kLoad, 9},
      Cancel{RequestId{11}},
      LoadReport{Incarnation{3}, ServerPhase::kSleeping, kLoad},
      Probe{ProbeId{12}},
      ProbeAnswer{ProbeId{13}, kLoad},
      some_get(mnode),
      some_cache_change(mnode),
      some_answer(mnode, entry),
      Replicate{Incarnation{4}, 1, 2, entry, "key", {}},
      ReplicateAck{Incarnation{1}, 2},
      FetchValue{mnode.value_hash},
      FetchedValue{mnode.value_hash, true, {}},
      ReplicateClear{Incarnation{1}, 2, 3, Group{95}, CacheId{4}, mnode.version},
      LeaveValue{1, mnode.value_hash, {}},
      ValueLeft{1, mnode.value_hash, true},
      OfferEntry{1, NodeId{2}, entry, "key", {}},
      OfferAnswer{1, NodeId{2}, CacheStatus::kDone, {2, Slot{1}}, Incarnation{3}, 4},
      ClearCache{1, CacheId{2}, GroupSet(5)},
      CacheCleared{1, CacheStatus::kDone, GroupSet(9)},
      ListKeys{1, CacheId{2}, Group{3}, mnode.key},
      KeyPage{1, CacheStatus::kDone, {"one", "", "three"}, true, mnode.key},
      EntryEvent{CacheId{1}, EntryEventKind::kExpired, "key", mnode.version},
      MemberHeartbeat{
          beat, 5, 6, 7, 8, 9, true, 10, 11, {{{2, Slot{1}}, true, false, true}, {{3, Slot{2}}}}},
      ServerHeartbeat{
          beat, 5, NodeRole::kBalancer, ServerPhase::kReady, true, 6, {CacheId{1}, CacheId{2}}},
      ServerList{1, 2, 3, {{NodeId{1}, 2, NodeRole::kDynamic, ServerPhase::kReady, {1.5}}}},
      RosterUpdate{{{NodeId{1}, RosterState::kDisabled, mnode.version}}},
      AskHandOver{Group{3}, {4, Slot{2}}},
      HandOver{Group{3}, {4, Slot{2}}, true, SlotSet(0b010)},
      CompareOpen{step, Incarnation{1}, 2, mnode.version, 3s, {sum}},
      CompareOpened{step, 2, mnode.version, true, 3s, {sum}},
      CompareSums{step, CacheId{1}, true, 2, 3, mnode.key, {4, 5, 6}},
      CompareDiffer{step, std::bitset<256>(77), {{mnode.key, mnode.version}}, 6, mnode.key},
      CompareExchange{step, {mnode.key}, {{entry, "key"}}, {{mnode.key, mnode.version}}},
      CompareExchanged{step, {{entry, "key"}}, 2},
      CompareClose{step, 1, mnode.version, true},
      CompareClosed{step, true, mnode.version},
      CompareUses{step, CacheId{1}, mnode.key, mnode.key, 4s, {{mnode.key, 5s}}},
      CompareUsed{step, mnode.key, {{mnode.key, 3s}}}};
}

std::vector<std::byte> encoded(const Message& message) {
  std::array<std::byte, kMessageSizeMaxBytes> buffer;
  const std::size_t size = encode(message, buffer);
  return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(Codec, EveryKindSurvivesTheWire) {
  const std::vector<Message> messages = one_of_each_kind();
  ASSERT_EQ(messages.size(), std::variant_size_v<MessageKinds>);
  for (const Message& message : messages) {
    const auto bytes = encoded(message);
    const Result<Message> back = decode(bytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->index(), message.index());
    EXPECT_EQ(encoded(*back), bytes);  // all fields: a field lost would be zero the second time
  }
}

TEST(Codec, TheLongestListsFitIntoAFrame) {
  const Version version{~std::uint64_t{0}, ~0U, OwnerId(0, Slot{2}, 3)};
  CompareOpen open;
  open.caches.assign(kCachesMax, {CacheId{~0U}, 1, version, true});
  EXPECT_TRUE(decode(encoded(open)).has_value());
  RosterUpdate update;
  update.orders.assign(RosterUpdate::kOrdersMax, {NodeId{1}, RosterState::kDisabled, version});
  EXPECT_TRUE(decode(encoded(update)).has_value());
  ServerList list;
  list.servers.assign(ServerList::kServersMax,
                      {NodeId{1}, 2, NodeRole::kDynamic, ServerPhase::kReady, {1.5}});
  EXPECT_TRUE(decode(encoded(list)).has_value());
}

TEST(Codec, FieldsComeBackWithTheirValues) {
  const Result<Message> back = decode(encoded(one_of_each_kind()[0]));
  const auto& request = std::get<Request>(*back);
  EXPECT_EQ(request.id, RequestId{1});
  EXPECT_EQ(request.session, SessionId{2});
  EXPECT_EQ(request.tag, 3u);
  EXPECT_EQ(request.time_left, 4s);
  EXPECT_EQ(request.body_size_bytes, 5u);
  EXPECT_EQ(request.answer_size_bytes, 6u);
  const Result<Message> answer = decode(encoded(one_of_each_kind()[1]));
  EXPECT_EQ(std::get<Answer>(*answer).load.active, 7u);
  EXPECT_EQ(std::get<Answer>(*answer).load.cpu_ratio, 0.25);
  EXPECT_EQ(std::get<Answer>(*answer).load.latency, 3ms);
}

TEST(Codec, BytesOnTheWireAreThese) {
  // The format is what other versions speak: a change here is a change of kProtocolVersion.
  const auto bytes = encoded(Message{Probe{ProbeId{0x0102'0304'0506'0708}}});
  const std::vector<int> expected = {1, 4, 8, 7, 6, 5, 4, 3, 2, 1};
  ASSERT_EQ(bytes.size(), expected.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_EQ(static_cast<int>(bytes[i]), expected[i]) << i;
  }
}

TEST(Codec, TooFewOrTooManyBytesAreMalformed) {
  for (const Message& message : one_of_each_kind()) {
    auto bytes = encoded(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_FALSE(decode(std::span(bytes).first(size)).has_value()) << message.index() << size;
    }
    bytes.push_back(std::byte{0});
    EXPECT_EQ(decode(bytes).error(), Error::kMalformed);
  }
}

TEST(Codec, UnknownVersionAndKindAreMalformed) {
  auto bytes = encoded(Message{Cancel{}});
  bytes[0] = std::byte{kProtocolVersion + 1};
  EXPECT_FALSE(decode(bytes).has_value());
  bytes[0] = std::byte{kProtocolVersion};
  bytes[1] = std::byte{std::variant_size_v<MessageKinds>};
  EXPECT_FALSE(decode(bytes).has_value());
}

TEST(Codec, ValuesOutOfRangeAreMalformed) {
  const auto with = [](std::size_t at, std::uint64_t value, std::size_t width) {
    auto bytes = encoded(Message{LoadReport{Incarnation{1}, ServerPhase::kReady, kLoad}});
    for (std::size_t i = 0; i < width; ++i) {
      bytes[at + i] = static_cast<std::byte>(value >> (8 * i));
    }
    return decode(bytes).has_value();
  };
  EXPECT_TRUE(with(10, 0, 1));
  EXPECT_FALSE(with(10, static_cast<int>(wire_last(ServerPhase{})) + 1, 1));
  const std::size_t ratio = 2 + 8 + 1 + 4;
  EXPECT_TRUE(with(ratio, std::bit_cast<std::uint64_t>(1.0), 8));
  EXPECT_FALSE(with(ratio, std::bit_cast<std::uint64_t>(1.0000001), 8));
  EXPECT_FALSE(with(ratio, std::bit_cast<std::uint64_t>(-0.1), 8));
  EXPECT_FALSE(
      with(ratio, std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN()), 8));
  EXPECT_FALSE(with(ratio + 8, std::uint64_t{1} << 63U, 8));  // a negative duration
}

TEST(Codec, AnMNodeComesBackWithItsAges) {
  const Result<Message> back = decode(encoded(Replicate{Incarnation{4},
                                                        1,
                                                        0,
                                                        aged(some_mnode(), TimePoint{300s}),
                                                        std::string(kKeySizeMaxBytes, 'k'),
                                                        {}}));
  const auto& replicate = std::get<Replicate>(*back);
  EXPECT_EQ(replicate.key_text, std::string(kKeySizeMaxBytes, 'k'));
  EXPECT_EQ(replicate.entry.modified_age, 200s);
  const MNode mnode = dated(replicate.entry, TimePoint{1000s});
  EXPECT_EQ(mnode.modified, TimePoint{800s});
  EXPECT_EQ(mnode.accessed, TimePoint{900s});
  EXPECT_EQ(mnode.change.sequence, 15U);
  EXPECT_EQ(mnode.base.owner.slot(), Slot{2});
  EXPECT_EQ(value_name(mnode), value_name(some_mnode()));
}

TEST(Codec, AnAgeBeyondAllTimeIsCutAndNotOverflown) {
  AgedMNode entry = aged(some_mnode(), TimePoint{300s});
  entry.modified_age = Duration::max();
  const MNode mnode = dated(entry, TimePoint{1s});
  EXPECT_GT(kNever - mnode.modified, 0s);
}

TEST(Codec, AnAgeIsNeverNegative) {
  EXPECT_EQ(aged(some_mnode(), TimePoint{150s}).accessed_age, 0s);
}

TEST(Codec, CacheMessagesOutOfRangeAreMalformed) {
  const auto malformed = [](const Message& message, std::size_t at, std::uint8_t value) {
    auto bytes = encoded(message);
    EXPECT_TRUE(decode(bytes).has_value());
    bytes.at(at) = static_cast<std::byte>(value);
    return !decode(bytes).has_value();
  };
  const std::vector<Message> kinds = one_of_each_kind();
  const Message& get = kinds[6];
  EXPECT_TRUE(malformed(get, 2 + 8 + 4 + 4, 3));             // a slot
  EXPECT_TRUE(malformed(get, encoded(get).size() - 34, 2));  // a flag
  EXPECT_TRUE(malformed(get, encoded(get).size() - 33, 2));  // whether there is a hash
  const Message& answer = kinds[8];
  EXPECT_TRUE(malformed(answer, 2 + 8 + 4 + 4, static_cast<int>(wire_last(CacheStatus{})) + 1));
  // A part that is not there: `previous`, in front of a version.
  EXPECT_TRUE(malformed(answer, encoded(answer).size() - 16 - 1, 1));
  Message longer =
      Replicate{Incarnation{4}, 1, 2, aged(some_mnode(), TimePoint{}), std::string(1023, 'k'), {}};
  const std::size_t length_at = encoded(longer).size() - 1023 - 2;
  EXPECT_TRUE(malformed(longer, length_at, 0xfe));
  EXPECT_TRUE(malformed(longer, length_at + 1, 0xff));
  // The flags of an m-node: inline, with 100 bytes; then one that does not exist.
  const std::size_t flags_at = 2 + 8 + 8 + 8 + 32 + 32 + 16 + 16 + 4 + 4;
  EXPECT_TRUE(malformed(kinds[9], flags_at, MNode::kInline));
  EXPECT_TRUE(malformed(kinds[9], flags_at, 128));
}

TEST(Codec, AValueIsTakenOnlyIfItsHashIsTheOneNamed) {
  const Blob value(std::vector<std::uint8_t>(100, 1));
  const Blob other(std::vector<std::uint8_t>(100, 2));
  for (const Message& message : one_of_each_kind()) {
    EXPECT_EQ(value_of(message), Blob());
    const auto with = with_value(message, value);
    EXPECT_EQ(with_value(message, other).has_value(), false);
    constexpr std::array<std::size_t, 6> kBringing = {7, 8, 9, 12, 14, 16};
    const bool brings = std::ranges::count(kBringing, message.index()) > 0;
    ASSERT_EQ(with.has_value(), brings) << message.index();
    if (with) {
      EXPECT_EQ(value_of(*with), value);
      EXPECT_EQ(encoded(*with), encoded(message));  // it is no part of the frame
    }
  }
}

TEST(Codec, WhateverDecodesEncodesToTheSameBytes) {
  Prng random(20261123, "codec");
  std::size_t decoded = 0;
  const std::vector<Message> kinds = one_of_each_kind();
  for (int i = 0; i < 200'000; ++i) {
    auto bytes = encoded(kinds[draw_below(random, static_cast<std::uint32_t>(kinds.size()))]);
    for (std::uint32_t flips = 1 + draw_below(random, 3); flips > 0; --flips) {
      bytes[draw_below(random, static_cast<std::uint32_t>(bytes.size()))] ^=
          static_cast<std::byte>(1U << draw_below(random, 8));
    }
    const Result<Message> message = decode(bytes);
    if (message) {
      ++decoded;
      EXPECT_EQ(encoded(*message), bytes);
    }
  }
  EXPECT_GT(decoded, 1000u);
}

}  // namespace
}  // namespace copal

#include "core/protocol/record.h"

#include <gtest/gtest.h>

#include "core/protocol/codec.h"
#include "core/testing/some_mnode.h"

namespace copal {
namespace {

using Bytes = std::vector<std::uint8_t>;

template <class Record>
Bytes encoded(const Record& record) {
  Bytes out(4'096);
  const auto written = encode_record(record, out);
  return {written.begin(), written.end()};
}

MNodeRecord some_record() {
  return {WallTime{1'700'000'000s}, aged(some_mnode(), TimePoint{300s}), "key"};
}

/// What is written is read back the same, and nothing else is: no shorter one, no longer one, none
/// of another version.
template <class Record>
void expect_round_trip(const Record& record) {
  const Bytes bytes = encoded(record);
  const std::optional<Record> read = decode_record<Record>(bytes);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encoded(*read), bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_record<Record>(std::span(bytes).first(size)).has_value()) << size;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(decode_record<Record>(longer).has_value());
  Bytes of_tomorrow = bytes;
  of_tomorrow[0] = kRecordVersion + 1;
  EXPECT_FALSE(decode_record<Record>(of_tomorrow).has_value());
}

TEST(Record, AnMNodeComesBackWithItsAgesAndItsKeysText) {
  expect_round_trip(some_record());
  const auto read = decode_record<MNodeRecord>(encoded(some_record()));
  EXPECT_EQ(read->written, WallTime{1'700'000'000s});
  EXPECT_EQ(read->key_text, "key");
  EXPECT_EQ(read->entry.modified_age, 200s);
  EXPECT_EQ(read->entry.accessed_age, 100s);
  EXPECT_EQ(read->entry.mnode.version, some_record().entry.mnode.version);
  EXPECT_EQ(read->entry.mnode.base, some_record().entry.mnode.base);
  EXPECT_EQ(read->entry.mnode.change, some_record().entry.mnode.change);
  EXPECT_EQ(read->entry.mnode.expire_timeout, 10s);
  EXPECT_EQ(read->entry.mnode.idle_timeout_ms, 11U);
}

TEST(Record, TheLongestKeyFits) {
  MNodeRecord record = some_record();
  record.key_text.assign(kKeySizeMaxBytes, 'k');
  expect_round_trip(record);
  EXPECT_LE(encoded(record).size(), kKeySizeMaxBytes + 512);
}

TEST(Record, AGroupComesBackWithItsHorizonAndClears) {
  GroupRecord record{.horizon = {7, 8, OwnerId(0, Slot{2}, 1)}, .cleared = {}};
  expect_round_trip(record);
  record.cleared = {{CacheId{1}, {5, 1, {}}}, {CacheId{9}, {6, 2, {}}}};
  expect_round_trip(record);
  const auto read = decode_record<GroupRecord>(encoded(record));
  EXPECT_EQ(read->horizon, record.horizon);
  ASSERT_EQ(read->cleared.size(), 2U);
  EXPECT_EQ(read->cleared[1].cache, CacheId{9});
  EXPECT_EQ(read->cleared[1].version.counter, 6U);
}

TEST(Record, WhatAGroupSaysOfAsManyCachesAsMayBeFits) {
  GroupRecord record;
  record.cleared.assign(kCachesMax, {CacheId{~0U}, {5, 1, {}}});
  std::vector<std::uint8_t> room(kListSizeMaxBytes);
  const auto written = encode_record(record, room);
  const auto read = decode_record<GroupRecord>(written);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->cleared.size(), kCachesMax);
}

TEST(Record, AMemberComesBackWithWhatItKnewOfItsPeersAndIn128Bytes) {
  SelfRecord record{3, Incarnation{4}, 5'000, 6'000'000'000, {}};
  record.peers[0] = {NodeId{5}, Incarnation{7}, 8'000'000'000, 2, 9};
  record.peers[2] = {NodeId{6}, Incarnation{~std::uint64_t{0}}, ~std::uint64_t{0}, 1, 10};
  expect_round_trip(record);
  EXPECT_EQ(decode_record<SelfRecord>(encoded(record)), record);
  EXPECT_LE(encoded(record).size(), 128U);
}

TEST(Record, OrdersComeBackInTheirOrder) {
  const RosterRecord record{{{NodeId{10}, RosterState::kDisabled, {5, 0, OwnerId(0, Slot{1}, 1)}},
                             {NodeId{11}, RosterState::kDraining, {6, 0, {}}}}};
  expect_round_trip(record);
  EXPECT_EQ(decode_record<RosterRecord>(encoded(record))->orders, record.orders);
}

TEST(Record, WhatNoMemberWritesIsNotRead) {
  Bytes bytes = encoded(RosterRecord{{{NodeId{10}, RosterState::kDisabled, {}}}, {}});
  bytes[1 + 2 + 4] = 3;  // behind the version, the list's length and the node: no such state
  EXPECT_FALSE(decode_record<RosterRecord>(bytes).has_value());
  EXPECT_FALSE(decode_record<SelfRecord>(Bytes{}).has_value());
}

}  // namespace
}  // namespace copal

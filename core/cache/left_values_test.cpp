#include "core/cache/left_values.h"

#include <gtest/gtest.h>

namespace copal {
namespace {

constexpr NodeId kHolder{10};

Blob bytes(std::uint8_t number, std::size_t size_bytes) {
  return Blob(std::vector<std::uint8_t>(size_bytes, number));
}

class LeftValuesTest : public ::testing::Test {
 protected:
  bool leave(const Blob& value) {
    Effects effects;
    left_.on_leave(kHolder, {7, hash_value(value.bytes()), value}, now_, effects);
    replica_.check_invariants();
    EXPECT_EQ(effects.size(), 1U);
    const auto& send = std::get<Send>(effects[0]);
    EXPECT_EQ(send.to, kHolder);
    const auto& answer = std::get<ValueLeft>(send.message);
    EXPECT_EQ(answer.sequence, 7U);
    EXPECT_EQ(answer.hash, hash_value(value.bytes()));
    return answer.kept;
  }
  bool has(const Blob& value) const {
    return replica_.values().find(hash_value(value.bytes())) != nullptr;
  }

  TimePoint now_{100s};
  Replica replica_;
  LeftValues left_{1'000, replica_};
};

TEST_F(LeftValuesTest, BytesStayForTheirTimeThoughNoMNodeNamesThem) {
  EXPECT_TRUE(leave(bytes(1, 600)));
  EXPECT_EQ(left_.next_deadline(), now_ + kLeftValueTime);
  now_ += kLeftValueTime - 1ns;
  left_.on_time(now_);
  EXPECT_TRUE(has(bytes(1, 600)));
  now_ += 1ns;
  left_.on_time(now_);
  EXPECT_FALSE(has(bytes(1, 600)));
  EXPECT_EQ(left_.size_bytes(), 0U);
  EXPECT_EQ(left_.next_deadline(), kNever);
}

TEST_F(LeftValuesTest, NamedByAnMNodeMeanwhileTheyStayForGood) {
  leave(bytes(1, 600));
  MNode mnode;
  mnode.key = hash_key(1, std::array<std::uint8_t, 1>{1});
  mnode.version = {5, 1, OwnerId(0, Slot{0}, 1)};
  set_value(mnode, name_value(bytes(1, 600).bytes()));
  replica_.install(mnode, "k");
  now_ += kLeftValueTime;
  left_.on_time(now_);
  EXPECT_TRUE(has(bytes(1, 600)));
}

TEST_F(LeftValuesTest, BeyondItsLimitItRefusesAndSaysSo) {
  EXPECT_TRUE(leave(bytes(1, 600)));
  EXPECT_FALSE(leave(bytes(2, 401)));
  EXPECT_FALSE(has(bytes(2, 401)));
  EXPECT_TRUE(leave(bytes(3, 400)));
  now_ += kLeftValueTime;
  left_.on_time(now_);
  EXPECT_TRUE(leave(bytes(2, 401)));
}

TEST_F(LeftValuesTest, OneThatIsAloneIsTakenWhateverItsSize) {
  EXPECT_TRUE(leave(bytes(1, 5'000))) << "else it could be left nowhere";
  EXPECT_FALSE(leave(bytes(2, 1)));
}

TEST_F(LeftValuesTest, LeftTwiceItStaysForTheLongerTime) {
  leave(bytes(1, 100));
  now_ += 20s;
  leave(bytes(1, 100));
  now_ += 10s;
  left_.on_time(now_);
  EXPECT_TRUE(has(bytes(1, 100)));
  now_ += 20s;
  left_.on_time(now_);
  EXPECT_FALSE(has(bytes(1, 100)));
}

TEST_F(LeftValuesTest, NothingIsNotKept) {
  EXPECT_FALSE(leave(Blob()));
}

}  // namespace
}  // namespace copal

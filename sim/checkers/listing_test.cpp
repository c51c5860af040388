#include "sim/testing/checkers_bed.h"

namespace copal::sim {
namespace {

class ListingTest : public CheckersTest {
 protected:
  Operation& list() { return operation(Kind::kList, kAvailable); }
};

TEST_F(ListingTest, EachKeyThatIsThereIsNamedOnce) {
  ASSERT_EQ(list().keys.size(), 3U);
  EXPECT_TRUE(found_by("listing").empty());
  list().keys.push_back(list().keys.front());
  expect_found("listing", " 2 times");
  list().keys.resize(2);
  expect_found("listing", "which was there");
  key(kAvailable, 0)
      .held[1]
      .push_back(
          {.since = list().asked, .running = true, .version = {1, 1, {}}, .is_tombstone = true});
  list().keys = {key(kAvailable, 1).text, key(kAvailable, 2).text};
  EXPECT_TRUE(found_by("listing").empty()) << "one member had it no more";
}

TEST_F(ListingTest, AKeyThatNeverWasThereIsNotNamed) {
  list().keys.push_back("stranger");
  expect_found("listing", "names 1 keys that nobody wrote");
  list().keys.pop_back();
  for (auto& held : key(kAvailable, 2).held) {
    held.clear();
  }
  expect_found("listing", "which never was there");
}

TEST_F(ListingTest, AListThatFailedSaysNothing) {
  list().keys.clear();
  list().status = CacheStatus::kTimedOut;
  EXPECT_TRUE(found_by("listing").empty());
}

}  // namespace
}  // namespace copal::sim

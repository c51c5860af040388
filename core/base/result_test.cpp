#include "core/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace copal {
namespace {

Result<std::string> greet(bool well) {
  if (!well) {
    return Error::kMalformed;
  }
  return std::string("hello");
}

TEST(Result, HoldsAValue) {
  const Result<std::string> result = greet(true);
  ASSERT_TRUE(result.has_value());
  EXPECT_TRUE(static_cast<bool>(result));
  EXPECT_EQ(result.value(), "hello");
  EXPECT_EQ(*result, "hello");
  EXPECT_EQ(result->size(), 5u);
}

TEST(Result, HoldsAnError) {
  const Result<std::string> result = greet(false);
  ASSERT_FALSE(result.has_value());
  EXPECT_FALSE(static_cast<bool>(result));
  EXPECT_EQ(result.error(), Error::kMalformed);
}

TEST(Result, ValueCanBeChangedAndMovedOut) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(7));
  *result.value() = 8;
  **result += 1;
  const std::unique_ptr<int> taken = std::move(result.value());
  EXPECT_EQ(*taken, 9);
}

TEST(Result, BoolIsNeverTakenForAnError) {
  const Result<bool> no(false);
  ASSERT_TRUE(no.has_value());
  EXPECT_FALSE(*no);
  static_assert(!std::is_convertible_v<Result<bool>, bool>);
}

TEST(ResultDeathTest, AskingForWhatIsNotThereIsAsserted) {
  EXPECT_DEATH((void)greet(false).value(), "has_value\\(\\)");
  EXPECT_DEATH((void)*greet(false), "has_value\\(\\)");
  EXPECT_DEATH((void)greet(false)->size(), "has_value\\(\\)");
  EXPECT_DEATH((void)greet(true).error(), "!has_value\\(\\)");
}

TEST(AssertDeathTest, SaysConditionFileAndLine) {
  EXPECT_DEATH(COPAL_ASSERT(1 + 1 == 3), "assertion failed: 1 \\+ 1 == 3 at .*result_test.cpp:");
}

TEST(Assert, EvaluatesItsConditionOnce) {
  int count = 0;
  COPAL_ASSERT(++count == 1);  // NOLINT(bugprone-assert-side-effect): that is the point
  EXPECT_EQ(count, 1);
}

}  // namespace
}  // namespace copal

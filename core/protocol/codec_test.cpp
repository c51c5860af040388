#include "core/protocol/codec.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <limits>
#include <vector>

#include "core/base/prng.h"

namespace copal {
namespace {

const LoadSample kLoad{7, 0.25, 3ms};

std::vector<Message> one_of_each_kind() {
  return {Request{RequestId{1}, SessionId{2}, 3, 4s, 5, 6},
          Answer{RequestId{~0ull}, AnswerStatus::kBusy, kLoad, 9},
          Cancel{RequestId{11}},
          LoadReport{Incarnation{3}, ServerPhase::kSleeping, kLoad},
          Probe{ProbeId{12}},
          ProbeAnswer{ProbeId{13}, kLoad}};
}

std::vector<std::byte> encoded(const Message& message) {
  std::array<std::byte, kMessageSizeMaxBytes> buffer;
  const std::size_t size = encode(message, buffer);
  return {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)};
}

TEST(Codec, EveryKindSurvivesTheWire) {
  const std::vector<Message> messages = one_of_each_kind();
  ASSERT_EQ(messages.size(), std::variant_size_v<Message>);
  for (const Message& message : messages) {
    const auto bytes = encoded(message);
    const Result<Message> back = decode(bytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(back->index(), message.index());
    EXPECT_EQ(encoded(*back), bytes);  // all fields: a field lost would be zero the second time
  }
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
  bytes[1] = std::byte{std::variant_size_v<Message>};
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
  EXPECT_TRUE(with(6, 0, 1));
  EXPECT_FALSE(with(6, static_cast<int>(kServerPhaseLast) + 1, 1));
  const std::size_t ratio = 2 + 4 + 1 + 4;
  EXPECT_TRUE(with(ratio, std::bit_cast<std::uint64_t>(1.0), 8));
  EXPECT_FALSE(with(ratio, std::bit_cast<std::uint64_t>(1.0000001), 8));
  EXPECT_FALSE(with(ratio, std::bit_cast<std::uint64_t>(-0.1), 8));
  EXPECT_FALSE(
      with(ratio, std::bit_cast<std::uint64_t>(std::numeric_limits<double>::quiet_NaN()), 8));
  EXPECT_FALSE(with(ratio + 8, std::uint64_t{1} << 63U, 8));  // a negative duration
}

TEST(Codec, WhateverDecodesEncodesToTheSameBytes) {
  Prng random(20261123, "codec");
  std::size_t decoded = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto bytes = encoded(one_of_each_kind()[draw_below(random, 6)]);
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

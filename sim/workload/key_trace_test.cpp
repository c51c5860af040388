#include "sim/workload/key_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/base/prng.h"
#include "sim/testing/data_folder.h"
#include "sim/testing/trace_maker.h"

namespace copal::sim {
namespace {

using Keys = std::vector<std::uint32_t>;

/// Returns the failure, without the path; what was read stands in keys.
std::string load(std::string_view bytes, Keys& keys) {
  const TemporaryFile file("keys", bytes);
  keys = {1, 2, 3};
  std::string failure = load_key_trace(file.path(), keys).value_or("");
  if (failure.empty()) {
    return failure;
  }
  EXPECT_TRUE(failure.starts_with(file.path() + ": ")) << failure;
  EXPECT_TRUE(keys.empty());
  return failure.substr(file.path().size() + 2);
}

TEST(KeyTrace, KeysAreBigEndianNumbers) {
  Keys keys;
  EXPECT_EQ(load(std::string_view("\0\0\0\1\1\2\3\4\377\376\375\374", 12), keys), "");
  EXPECT_EQ(keys, (Keys{1, 0x0102'0304, 0xfffe'fdfc}));
}

TEST(KeyTrace, PackedFilesReadAsPlainOnes) {
  const std::string bytes = make_key_trace(100'000);  // several buffers
  Keys plain;
  EXPECT_EQ(load(bytes, plain), "");
  EXPECT_EQ(plain.size(), 100'000u);
  for (const std::string& packed : {gzip_of(bytes), xz_of(bytes)}) {
    Keys keys;
    EXPECT_EQ(load(packed, keys), "");
    EXPECT_EQ(keys, plain);
  }
}

TEST(KeyTrace, AFileThatEndsWithinAKeyIsRefused) {
  Keys keys;
  const std::string bytes = make_key_trace(100);
  for (std::size_t cut = 1; cut <= 3; ++cut) {
    const std::string cut_off = bytes.substr(0, bytes.size() - cut);
    const std::string expected =
        std::to_string(400 - cut) + " bytes: expected a multiple of 4, the bytes of a key";
    EXPECT_EQ(load(cut_off, keys), expected);
    EXPECT_EQ(load(xz_of(cut_off), keys), expected);
  }
}

TEST(KeyTrace, AnEmptyFileIsRefused) {
  Keys keys;
  EXPECT_EQ(load("", keys), "the file is empty: expected keys of 4 bytes");
  EXPECT_EQ(load(xz_of(""), keys), "the file is empty: expected keys of 4 bytes");
  EXPECT_EQ(load(gzip_of(""), keys), "the file is empty: expected keys of 4 bytes");
}

TEST(KeyTrace, BrokenXzIsRefused) {
  Keys keys;
  const std::string packed = xz_of(make_key_trace(10'000));
  for (std::size_t size = 6; size < packed.size(); size += 97) {
    ASSERT_EQ(load(packed.substr(0, size), keys), "the xz stream is cut off") << size;
  }
  Prng random(1, "damage");
  for (int i = 0; i < 100; ++i) {
    std::string damaged = packed;
    const std::size_t at = 6 + draw_below(random, static_cast<std::uint32_t>(packed.size() - 6));
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << draw_below(random, 8)));
    ASSERT_NE(load(damaged, keys), "") << "byte " << at;
  }
}

TEST(KeyTrace, WhatCanNotBeOpenedSaysWhy) {
  Keys keys;
  EXPECT_EQ(load_key_trace("no/such/file", keys), "no/such/file: No such file or directory");
}

TEST(KeyTrace, ReadsTheRecordingOfAWebSite) {
  const TestData data = key_trace_data();
  Keys keys;
  ASSERT_EQ(load_key_trace(data.path, keys), std::nullopt);
  EXPECT_EQ(keys.size(), 76'118u);
  // Keys are numbered in the order in which they first appear.
  std::uint32_t known = 0;
  for (const std::uint32_t key : keys) {
    ASSERT_LE(key, known);
    known += key == known ? 1 : 0;
  }
  if (data.real) {
    EXPECT_EQ(known, 20'484u);
  }
}

}  // namespace
}  // namespace copal::sim

#include "sim/workload/line_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/base/prng.h"
#include "sim/testing/trace_maker.h"

namespace copal::sim {
namespace {

struct Read {
  std::vector<std::string> lines;
  std::vector<bool> too_long;
  std::string failure;
};

Read read_path(const std::string& path) {
  LineReader reader(path);
  Read read;
  while (reader.next()) {
    read.lines.emplace_back(reader.line());
    read.too_long.push_back(reader.too_long());
    EXPECT_EQ(reader.line_number(), read.lines.size());
  }
  read.failure = reader.failure().value_or("");
  EXPECT_FALSE(reader.next());
  return read;
}

Read read_bytes(std::string_view bytes) {
  return read_path(TemporaryFile("lines", bytes).path());
}

using Lines = std::vector<std::string>;

TEST(LineReader, EndsOfLinesAreLeftOut) {
  EXPECT_EQ(read_bytes("one\ntwo\r\n\n\r\nfour").lines, (Lines{"one", "two", "", "", "four"}));
  EXPECT_EQ(read_bytes("one\n").lines, (Lines{"one"}));
  EXPECT_EQ(read_bytes("").lines, (Lines{}));
  EXPECT_EQ(read_bytes("\n").lines, (Lines{""}));
  EXPECT_EQ(read_bytes("a\rb\n").lines, (Lines{"a\rb"}));
}

TEST(LineReader, ByteOrderMarkIsLeftOutOnceAndZeroBytesStay) {
  EXPECT_EQ(read_bytes("\xEF\xBB\xBF"
                       "a\n\xEF\xBB\xBF"
                       "b")
                .lines,
            (Lines{"a",
                   "\xEF\xBB\xBF"
                   "b"}));
  const std::string zero("a\0b\n", 4);
  EXPECT_EQ(read_bytes(zero).lines, (Lines{std::string("a\0b", 3)}));
}

TEST(LineReader, PackedFilesReadAsPlainOnes) {
  const std::string text = make_access_log({.lines = 3'000});  // well over one buffer
  const Lines plain = read_bytes(text).lines;
  ASSERT_EQ(plain.size(), 3'000u);
  for (const std::string& packed : {gzip_of(text), xz_of(text)}) {
    ASSERT_LT(packed.size(), text.size());
    const Read read = read_bytes(packed);
    EXPECT_EQ(read.failure, "");
    EXPECT_EQ(read.lines, plain);
  }
}

TEST(LineReader, MembersInARowAreOneFile) {
  for (const auto pack : {gzip_of, xz_of}) {
    const Read read = read_bytes(pack("one\ntw") + pack("o\n") + pack("") + pack("three\n"));
    EXPECT_EQ(read.failure, "");
    EXPECT_EQ(read.lines, (Lines{"one", "two", "three"}));
  }
}

TEST(LineReader, FileCutOffAnywhereIsAFailure) {
  const std::string text = make_access_log({.lines = 40});
  const std::size_t magic_sizes[] = {2, 6};  // with fewer bytes nobody can tell that it is packed
  const std::string packed[] = {gzip_of(text), xz_of(text)};
  const char* reasons[] = {"gzip stream is cut off", "xz stream is cut off"};
  for (std::size_t kind = 0; kind < 2; ++kind) {
    for (std::size_t size = magic_sizes[kind]; size < packed[kind].size(); ++size) {
      const Read read = read_bytes(std::string_view(packed[kind]).substr(0, size));
      ASSERT_NE(read.failure.find(reasons[kind]), std::string::npos)
          << size << " bytes: '" << read.failure << "'";
    }
    // The second member may be cut off too.
    const Read read = read_bytes(packed[kind] + packed[kind].substr(0, packed[kind].size() - 5));
    EXPECT_NE(read.failure.find(reasons[kind]), std::string::npos) << read.failure;
  }
}

TEST(LineReader, DamagedBytesAreAFailureOrChangeNothing) {
  const std::string text = make_access_log({.lines = 200});
  const Lines plain = read_bytes(text).lines;
  Prng random(3, "damage");
  for (const std::string& packed : {gzip_of(text), xz_of(text)}) {
    for (int i = 0; i < 200; ++i) {
      std::string damaged = packed;
      const std::size_t at = 6 + draw_below(random, static_cast<std::uint32_t>(packed.size() - 6));
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << draw_below(random, 8)));
      const Read read = read_bytes(damaged);
      // A few bits of gzip's header (its time, the system) mean nothing to a reader.
      EXPECT_TRUE(!read.failure.empty() || read.lines == plain) << "byte " << at;
    }
  }
}

TEST(LineReader, LinesOfTheMostAllowedAreReadAndLongerOnesAreMarked) {
  const std::string most(LineReader::kLineBytesMax, 'x');
  const std::string text =
      most + "\n" + most + "\r\n" + most + "y\nshort\n" + std::string(3'000'000, 'z') + "\nlast\n";
  for (const std::string& bytes : {text, gzip_of(text)}) {
    const Read read = read_bytes(bytes);
    EXPECT_EQ(read.too_long, (std::vector<bool>{false, false, true, false, true, false}));
    EXPECT_EQ(read.lines[0], most);
    EXPECT_EQ(read.lines[1], most);
    EXPECT_EQ(read.lines[2], most);
    EXPECT_EQ(read.lines[3], "short");
    EXPECT_EQ(read.lines[4], std::string(LineReader::kLineBytesMax, 'z'));
    EXPECT_EQ(read.lines[5], "last");
  }
}

TEST(LineReader, LinesAcrossBuffersAreWhole) {
  // Lengths that put the ends of lines everywhere around the ends of buffers.
  std::string text;
  Lines lines;
  for (std::size_t i = 0; text.size() < 3'000'000; ++i) {
    lines.push_back(std::string(1 + i * 7 % 997, static_cast<char>('a' + i % 26)));
    text += lines.back() + "\r\n";
  }
  EXPECT_EQ(read_bytes(text).lines, lines);
}

TEST(LineReader, WhatCanNotBeOpenedSaysWhy) {
  EXPECT_EQ(read_path("no/such/file").failure, "no/such/file: No such file or directory");
  EXPECT_EQ(read_path(testing::TempDir()).failure, testing::TempDir() + ": Is a directory");
}

}  // namespace
}  // namespace copal::sim

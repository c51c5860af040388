#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/base/prng.h"
#include "scenarios/loader.h"

// Shipped files, damaged at random by seed: the loader must end, with scenarios or with problems,
// and never with both or with nothing. The fuzz target fuzz_loader.cpp goes further.

namespace copal::scenario {
namespace {

std::string contents(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::size_t draw(Prng& prng, std::size_t count) {
  return static_cast<std::size_t>(prng.next() % count);
}

/// One change: a piece left out, doubled, moved, or a sign put in.
void mutate(std::string& text, Prng& prng) {
  constexpr std::string_view kSigns[] = {
      "{",     "}",    "[",  "]",   ":",     ": ",   "- ",   "\n",
      "\t",    "&a ",  "*a", "!t ", "#",     "\"",   "'",    "|",
      ">",     "%",    "0",  "-1",  "1e999", "null", "~",    "? ",
      "---\n", "\xff", "é",  "all", "@",     "`",    "<<: ", "99999999999999999999"};
  const std::size_t at = draw(prng, text.size());
  const std::size_t size = 1 + draw(prng, std::min<std::size_t>(40, text.size() - at));
  const std::string piece = text.substr(at, size);
  switch (draw(prng, 5)) {
    case 0:
      text.erase(at, size);
      break;
    case 1:
      text.insert(at, piece);
      break;
    case 2:
      text.insert(draw(prng, text.size()), piece);
      break;
    case 3:
      text[at] = static_cast<char>(draw(prng, 256));
      break;
    default:
      text.insert(at, kSigns[draw(prng, std::size(kSigns))]);
      break;
  }
}

TEST(Mutations, NothingBreaksTheLoader) {
  constexpr std::uint64_t kSeeds = 300;
  int loaded = 0;
  int refused = 0;
  for (const ListedScenario& file : list_scenarios(COPAL_SOURCE_DIR "/scenarios")) {
    const std::string original = contents(file.path);
    for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Prng prng(seed, "scenario mutations");
      std::string text = original;
      for (std::size_t changes = 1 + draw(prng, 4); changes > 0 && !text.empty(); --changes) {
        mutate(text, prng);
      }
      const LoadResult result = load_text(text, "x.yaml", "", {.check_files = false});
      ASSERT_NE(result.scenarios.empty(), result.problems.empty())
          << file.path << " with seed " << seed;
      for (const Problem& problem : result.problems) {
        ASSERT_FALSE(problem.message().empty());
      }
      ++(result.problems.empty() ? loaded : refused);
    }
  }
  // Both ways are met often; else the mutations would be too weak or too strong.
  EXPECT_GT(loaded, 100);
  EXPECT_GT(refused, 1000);
}

}  // namespace
}  // namespace copal::scenario

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "sim/testing/storage_bed.h"

// Random operations, crashes and faults against a model that says what may be lost and what must
// be there. A failure names its seed.

namespace copal::sim {
namespace {

using State = std::map<std::string, std::string>;  // family and key -> value

DiskFaults drawn_faults(Random& random) {
  const auto half = [&](double ratio) { return draw_below(random, 2) == 0 ? 0.0 : ratio; };
  return {.slow_ratio = half(0.1),
          .stall_ratio = half(0.01),
          .stall_time_max = 50ms,
          .full_ratio = half(0.03),
          .write_error_ratio = half(0.005),
          .read_error_ratio = half(0.05),
          .flipped_ratio = half(0.02),
          .misdirected_ratio = half(0.02),
          .lying_ratio = half(0.3),
          .unsynced_lost_ratio = draw_below(random, 4) == 0 ? 0.0 : 1.0,
          .torn_ratio = half(0.7)};
}

/// One seed's run.
class StorageModel {
 public:
  explicit StorageModel(std::uint64_t seed)
      : random_(seed, "storage model"),
        faults_(drawn_faults(random_)),
        bed_({}, seed, {.write_time = 200us, .sync_time = 2ms, .bandwidth_bytes_per_s = 1e7}) {
    bed_.disk.set_faults(faults_);
  }

  void step() {
    switch (draw_below(random_, 12)) {
      case 0:
        start_again();
        break;
      case 1:
        bed_.storage().sync();
        break;
      case 2:
        ask_scan();
        break;
      case 3:
      case 4:
        ask_read();
        break;
      case 5:
        bed_.run_for(Duration{draw_below(random_, 100'000'000)});
        break;
      default:
        write();
    }
    bed_.run_for(Duration{draw_below(random_, 2'000'000)});
    take_completions();
    bed_.disk.image().check_invariants();
    if (io_error_) {
      start_again();
    }
  }
  /// Everything that is under way ends, and all that was answered is judged.
  void quiesce() {
    bed_.run_for(20s);
    take_completions();
    if (!io_error_) {
      judge_answers(batches_.size());
      EXPECT_EQ(answers_.size(), asked_.size()) << "every question is answered";
    }
    start_again();
  }
  const SimStorage::Counts& counts() const { return bed_.disk.counts(); }
  /// Of all events and completions.
  std::uint64_t hash() const { return bed_.engine.hash(); }

 private:
  struct Batch {
    std::uint64_t number = 0;
    bool failed = false;
    std::vector<std::pair<std::string, std::optional<std::string>>> changes;
  };
  struct Question {
    std::size_t batches_before = 0;
    std::string place;
    bool is_scan = false;
  };
  struct Answer {
    Question question;
    std::size_t batches_after = 0;
    std::variant<ReadEnded, ScanEnded> ended;
  };

  static std::string place_of(Family family, const std::string& key) {
    return std::to_string(static_cast<int>(family)) + key;
  }
  std::string draw_key() { return "key" + std::to_string(draw_below(random_, 30)); }
  Family draw_family() { return static_cast<Family>(draw_below(random_, kFamilyCount)); }

  void write() {
    StorageBatch batch;
    Batch model;
    for (std::uint32_t i = 1 + draw_below(random_, 4); i > 0; --i) {
      const Family family = draw_family();
      const std::string key = draw_key();
      if (draw_below(random_, 4) == 0) {
        batch.erase(family, StorageBed::bytes(key));
        model.changes.emplace_back(place_of(family, key), std::nullopt);
      } else {
        const std::string value = "value " + std::to_string(++values_);
        batch.put(family, StorageBed::bytes(key), StorageBed::bytes(value));
        model.changes.emplace_back(place_of(family, key), value);
      }
    }
    const Result<StoreSequence> sequence = bed_.storage().write(batch);
    ASSERT_TRUE(sequence.has_value());
    model.number = sequence->value;
    batches_.push_back(model);
  }

  void ask_read() {
    const Family family = draw_family();
    const std::string key = draw_key();
    const ReadId id{++last_id_};
    ASSERT_TRUE(bed_.storage().read(id, family, StorageBed::bytes(key)));
    asked_[id.value] = {batches_.size(), place_of(family, key), false};
  }
  void ask_scan() {
    const Family family = draw_family();
    const ReadId id{++last_id_};
    const std::string from = draw_key();
    ASSERT_TRUE(bed_.storage().scan(id, family, StorageBed::bytes(from), 1'000'000));
    asked_[id.value] = {batches_.size(), place_of(family, from), true};
  }

  void take_completions() {
    for (; taken_ < bed_.completions.size(); ++taken_) {
      const StorageCompletion& completion = bed_.completions[taken_];
      if (const auto* sync = std::get_if<SyncEnded>(&completion)) {
        EXPECT_GE(sync->synced.value, named_);
        named_ = sync->synced.value;
      } else if (const auto* failed = std::get_if<WriteFailed>(&completion)) {
        on_failed(*failed);
      } else if (const auto* read = std::get_if<ReadEnded>(&completion)) {
        answers_.push_back({asked_.at(read->id.value), batches_.size(), *read});
      } else if (const auto* scan = std::get_if<ScanEnded>(&completion)) {
        answers_.push_back({asked_.at(scan->id.value), batches_.size(), *scan});
      }
    }
  }
  void on_failed(const WriteFailed& failed) {
    EXPECT_GT(failed.first.value, named_) << "what was named as synced does not fail";
    if (failed.error == WriteError::kIoError) {
      io_error_ = true;
      return;
    }
    // Up to a full disk's report each answer can be judged: its own batches are known by now.
    for (Batch& batch : batches_) {
      if (!batch.failed && batch.number >= failed.first.value) {
        EXPECT_LE(batch.number, failed.last.value);
        batch.failed = true;
      }
    }
  }

  State state_after(std::size_t count) const {
    State state = base_;
    for (std::size_t i = 0; i < count; ++i) {
      for (const auto& [place, value] : batches_[i].changes) {
        if (batches_[i].failed) {
          continue;
        }
        if (value) {
          state[place] = *value;
        } else {
          state.erase(place);
        }
      }
    }
    return state;
  }

  bool may_be_damaged() const { return faults_.flipped_ratio > 0 || faults_.misdirected_ratio > 0; }

  bool agrees(const ReadEnded& read, const std::string& place, const State& state) const {
    const auto expected = state.find(place);
    switch (read.outcome) {
      case ReadOutcome::kDone:
        return expected != state.end() && StorageBed::text(read.value.bytes()) == expected->second;
      case ReadOutcome::kAbsent:
        return expected == state.end();
      case ReadOutcome::kDamaged:
        return may_be_damaged() && expected != state.end();
      case ReadOutcome::kIoError:
        return faults_.read_error_ratio > 0;
    }
    return false;
  }
  /// A page of all from a place on. Names that the damage took stand for any of those missing.
  bool agrees(const ScanEnded& scan, const std::string& from, const State& state) const {
    if (scan.outcome == ReadOutcome::kIoError) {
      return faults_.read_error_ratio > 0 && scan.records.empty();
    }
    State expected;
    for (auto at = state.lower_bound(from); at != state.end() && at->first[0] == from[0]; ++at) {
      expected.insert(*at);
    }
    std::size_t unnamed = 0;
    for (const StorageRecord& record : scan.records) {
      const auto at = expected.find(from[0] + StorageBed::text(record.key));
      if (at == expected.end() || at->second != StorageBed::text(record.value.bytes())) {
        return false;
      }
      expected.erase(at);
    }
    for (const StorageDamage& damage : scan.damaged) {
      if (!damage.key) {
        ++unnamed;
      } else if (expected.erase(from[0] + StorageBed::text(*damage.key)) != 1) {
        return false;
      }
    }
    return expected.size() == unnamed && !scan.more && (may_be_damaged() || scan.damaged.empty());
  }

  /// An answer shows the batches before its question, and perhaps some of those before it came.
  /// known  of so many batches it is known whether they failed.
  void judge_answers(std::size_t known) {
    for (const Answer& answer : answers_) {
      bool found = answer.batches_after > known;
      for (std::size_t i = answer.question.batches_before; i <= answer.batches_after && !found;
           ++i) {
        const State state = state_after(i);
        found = std::visit(
            [&](const auto& ended) { return agrees(ended, answer.question.place, state); },
            answer.ended);
      }
      EXPECT_TRUE(found) << answer.question.place << (answer.question.is_scan ? " (scan)" : "");
    }
  }

  void start_again() {
    // Of the batches after the last one named, a failure may not have been told yet.
    std::size_t known = 0;
    while (known < batches_.size() &&
           (batches_[known].failed || batches_[known].number <= named_)) {
      ++known;
    }
    judge_answers(known);
    bed_.crash(draw_below(random_, 2) == 0);
    if (draw_below(random_, 4) == 0) {
      bed_.run_for(1ms);
      bed_.crash(true);
    }
    bed_.open();
    const std::uint64_t newest = bed_.wait_for_next<StoreOpened>().newest.value;
    taken_ = bed_.completions.size();
    if (faults_.lying_ratio == 0) {
      EXPECT_GE(newest, named_);
    }
    EXPECT_LE(newest, batches_.empty() ? base_number_ : batches_.back().number);
    rewind_to(newest);
    named_ = newest;
    io_error_ = false;
    answers_.clear();
    asked_.clear();
    expect_all_is_there();
  }
  void rewind_to(std::uint64_t newest) {
    // A liar may take back batches of earlier starts too.
    if (newest < base_number_) {
      EXPECT_GT(faults_.lying_ratio, 0);
      batches_.clear();
      while (history_.back().first > newest) {
        history_.pop_back();
      }
      ASSERT_EQ(history_.back().first, newest);
      base_ = history_.back().second;
      base_number_ = newest;
      return;
    }
    for (std::size_t i = 0; i < batches_.size(); ++i) {
      Batch& batch = batches_[i];
      batch.failed = batch.failed || batch.number > newest;
      if (!batch.failed) {
        EXPECT_EQ(batch.number, ++base_number_);
        history_.emplace_back(base_number_, state_after(i + 1));
      }
    }
    EXPECT_EQ(base_number_, newest);
    base_ = history_.back().second;
    batches_.clear();
  }
  void expect_all_is_there() {
    const double read_error_ratio = std::exchange(faults_.read_error_ratio, 0);
    bed_.disk.set_faults(faults_);
    for (std::size_t i = 0; i < kFamilyCount; ++i) {
      const auto family = static_cast<Family>(i);
      EXPECT_TRUE(agrees(bed_.scan("", 1'000'000, family), place_of(family, ""), base_));
    }
    faults_.read_error_ratio = read_error_ratio;
    bed_.disk.set_faults(faults_);
    taken_ = bed_.completions.size();
  }

  Prng random_;
  DiskFaults faults_;
  StorageBed bed_;
  State base_;  // after batch base_number_, which is the last of the starts before
  std::uint64_t base_number_ = 0;
  std::vector<std::pair<std::uint64_t, State>> history_{{0, {}}};
  std::vector<Batch> batches_;  // handed over since the start
  std::uint64_t named_ = 0;     // synced
  bool io_error_ = false;
  std::uint64_t last_id_ = 1'000'000;
  std::uint64_t values_ = 0;
  std::map<std::uint64_t, Question> asked_;
  std::vector<Answer> answers_;
  std::size_t taken_ = 0;
};

TEST(SimStorageModel, KeepsWhatItMustAndShowsNothingElseOverRandomRuns) {
  SimStorage::Counts all;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    StorageModel model(seed);
    for (int i = 0; i < 150 && !testing::Test::HasFailure(); ++i) {
      model.step();
    }
    model.quiesce();
    if (testing::Test::HasFailure()) {
      return;
    }
    all.full += model.counts().full;
    all.stalls += model.counts().stalls;
    all.write_errors += model.counts().write_errors;
    all.read_errors += model.counts().read_errors;
    all.flipped += model.counts().flipped;
    all.misdirected += model.counts().misdirected;
    all.lies += model.counts().lies;
    all.lost_batches += model.counts().lost_batches;
    all.torn_found += model.counts().torn_found;
  }
  // The runs have been where they were meant to go.
  for (const std::uint64_t count :
       {all.full, all.stalls, all.write_errors, all.read_errors, all.flipped, all.misdirected,
        all.lies, all.lost_batches, all.torn_found}) {
    EXPECT_GT(count, 10U);
  }
}

TEST(SimStorageModel, ASeedTakesTheSameWayEachTime) {
  const auto run = [](std::uint64_t seed) {
    StorageModel model(seed);
    for (int i = 0; i < 100; ++i) {
      model.step();
    }
    return model.hash();
  };
  for (std::uint64_t seed = 100; seed < 110; ++seed) {
    EXPECT_EQ(run(seed), run(seed));
    EXPECT_NE(run(seed), run(seed + 1));
  }
}

TEST(SimStorageModel, TheHashTellsCompletionsApart) {
  // The same events at the same times: only the bytes that were read differ.
  const auto run = [](std::string_view value, bool scan) {
    StorageBed bed;
    bed.put("key", value);
    if (scan) {
      bed.scan("");
    } else {
      bed.read("key");
    }
    return bed.engine.hash();
  };
  EXPECT_EQ(run("1", false), run("1", false));
  EXPECT_NE(run("1", false), run("2", false));
  EXPECT_NE(run("1", true), run("2", true));
}

TEST(SimStorageModel, AFamilyOfFaultsShiftsNoDrawOfAnother) {
  const auto damaged = [](const DiskFaults& faults) {
    StorageBed bed(faults);
    for (int i = 0; i < 100; ++i) {
      bed.put("key" + std::to_string(1000 + i), "value");
      bed.run_for(1s);
    }
    bed.disk.set_faults({});
    std::vector<std::string> keys;
    for (const StorageRecord& record : bed.scan("").records) {
      keys.push_back(StorageBed::text(record.key));
    }
    return keys;
  };
  const DiskFaults flips{.flipped_ratio = 0.3};
  DiskFaults more = flips;
  more.slow_ratio = 0.5;
  more.stall_ratio = 0.2;
  more.stall_time_max = 10ms;
  more.torn_ratio = 1;
  EXPECT_EQ(damaged(flips), damaged(more));
  EXPECT_LT(damaged(flips).size(), 100U);
}

}  // namespace
}  // namespace copal::sim

#include "sim/campaign.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"
#include "sim/process_pool.h"
#include "sim/run_wire.h"
#include "sim/workload/cache_operations.h"
#include "sim/workload/cluster_stats.h"
#include "sim/workload/make_workload.h"
#include "sim/world.h"

namespace copal::sim {

namespace {

struct ProgressNote {
  double ratio = 0;
  std::uint64_t requests = 0;
};

std::string input_to_bytes(const ReportContext::Input& input) {
  std::string bytes;
  const auto put = [&bytes](const std::string& text) {
    bytes += std::to_string(text.size()) + ":" + text;
  };
  put(input.file);
  put(std::to_string(input.lines_read));
  put(std::to_string(input.lines_broken));
  for (const auto& broken : input.first_broken) {
    put(std::to_string(broken.line));
    put(broken.text);
    put(broken.reason);
  }
  return bytes;
}

ReportContext::Input input_from_bytes(const std::string& bytes) {
  std::vector<std::string> texts;
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t colon = bytes.find(':', at);
    const std::size_t size = std::stoull(bytes.substr(at, colon - at));
    texts.push_back(bytes.substr(colon + 1, size));
    at = colon + 1 + size;
  }
  ReportContext::Input input{texts[0], std::stoull(texts[1]), std::stoull(texts[2]), {}};
  for (std::size_t i = 3; i + 2 < texts.size(); i += 3) {
    input.first_broken.push_back({std::stoull(texts[i]), texts[i + 1], texts[i + 2]});
  }
  return input;
}

/// The parts of an outcome in the pipe: a kind, a length, and so many bytes.
enum class Part : char { kResult = 'r', kError = 'e', kInput = 'i' };

std::string outcome_to_bytes(const JobOutcome& outcome) {
  std::string bytes;
  const auto put = [&bytes](Part part, const std::string& text) {
    const std::uint64_t size = text.size();
    bytes += static_cast<char>(part);
    bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
    bytes += text;
  };
  if (outcome.input) {
    put(Part::kInput, input_to_bytes(*outcome.input));
  }
  if (outcome.result) {
    put(Part::kResult, run_to_bytes(*outcome.result));
  } else {
    put(Part::kError, outcome.error);
  }
  return bytes;
}

JobOutcome outcome_from_bytes(const std::string& bytes) {
  JobOutcome outcome;
  for (std::size_t at = 0; at < bytes.size();) {
    const Part part = static_cast<Part>(bytes[at]);
    std::uint64_t size = 0;
    std::memcpy(&size, bytes.data() + at + 1, sizeof size);
    at += 1 + sizeof size;
    const std::string text = bytes.substr(at, size);
    at += size;
    switch (part) {
      case Part::kInput:
        outcome.input = input_from_bytes(text);
        break;
      case Part::kResult:
        outcome.result = run_from_bytes(text);
        break;
      case Part::kError:
        outcome.error = text;
        outcome.bad_input = true;
        break;
    }
  }
  return outcome;
}

/// What is said of a run whose process died.
std::string death_of(const Job& job, const PoolOutcome& outcome) {
  const std::string seed = std::to_string(job.seed);
  return "the run of line '" + job.scenario->contenders[job.contender].label + "' with seed " +
         seed + " " + outcome.end + "; repeat it with: copal-sim run " + job.scenario->file +
         " --first-seed " + seed + " --seeds 1 --jobs 1" +
         (outcome.last_words.empty() ? "" : "\n" + outcome.last_words);
}

class Campaign {
 public:
  Campaign(std::span<const Job> jobs, const std::function<void(const CampaignProgress&)>& progress)
      : jobs_(jobs), progress_(progress), outcomes_(jobs.size()), notes_(jobs.size()) {}

  std::vector<JobOutcome> run(unsigned process_count) {
    const PoolWork work{
        .next = [this]() -> std::optional<std::uint64_t> {
          return next_ < jobs_.size() ? std::optional<std::uint64_t>(next_++) : std::nullopt;
        },
        .work =
            [this](std::uint64_t job, const std::function<void(const std::string&)>& note) {
              return outcome_to_bytes(
                  run_job(jobs_[job], [&note](double ratio, std::uint64_t requests) {
                    const ProgressNote made{ratio, requests};
                    note(std::string(reinterpret_cast<const char*>(&made), sizeof made));
                  }));
            },
        .noted =
            [this](std::uint64_t job, const std::string& note) {
              std::memcpy(&notes_[job], note.data(), sizeof(ProgressNote));
              report();
            },
        .done =
            [this](const PoolOutcome& outcome) {
              finish(outcome);
              return true;
            }};
    // One run a process: SimGrid's engine is a singleton.
    run_in_processes({.processes = process_count, .items_a_process = 1}, work);
    return std::move(outcomes_);
  }

 private:
  void finish(const PoolOutcome& outcome) {
    JobOutcome& of = outcomes_[outcome.item];
    if (outcome.died) {
      of.error = death_of(jobs_[outcome.item], outcome);
    } else {
      of = outcome_from_bytes(outcome.answer);
    }
    notes_[outcome.item].ratio = 1;
    ++done_;
    report();
  }

  void report() {
    if (!progress_) {
      return;
    }
    CampaignProgress progress{done_, jobs_.size(), 0, 0};
    for (const ProgressNote& note : notes_) {
      progress.done_ratio += note.ratio;
      progress.requests += note.requests;
    }
    progress.done_ratio /= static_cast<double>(jobs_.size());
    progress_(progress);
  }

  std::span<const Job> jobs_;
  const std::function<void(const CampaignProgress&)>& progress_;
  std::vector<JobOutcome> outcomes_;  // by job
  std::vector<ProgressNote> notes_;   // by job: the last one that came
  std::size_t next_ = 0;
  std::size_t done_ = 0;
};

}  // namespace

JobOutcome run_job(const Job& job, const std::function<void(double, std::uint64_t)>& progress) {
  JobOutcome outcome;
  scenario::Scenario scenario = *job.scenario;
  std::optional<std::string> error;
  if (scenario.workload.kind == scenario::WorkloadSpec::Kind::kClusterStats) {
    error = follow_cluster(scenario);
  }
  if (!error) {
    error = why_no_operations(scenario.application.cache_use);
  }
  if (error) {
    outcome.error = *error;
    outcome.bad_input = true;
    return outcome;
  }
  MadeWorkload made = make_workload(scenario, job.seed);
  if (!made.input.file.empty()) {
    outcome.input = made.input;
  }
  if (made.workload == nullptr) {
    outcome.error = made.error;
    outcome.bad_input = true;
    return outcome;
  }
  World world(scenario, scenario.contenders[job.contender], job.seed, *made.workload);
  const double duration_s = to_seconds(scenario.duration);
  // Told a few hundred times a run; a trace that sets its own duration says only how many requests.
  const std::uint64_t event_step = 200'000;
  std::uint64_t told_at = 0;
  outcome.result = world.run([&](TimePoint now) {
    if (progress && world.engine().event_count() >= told_at + event_step) {
      told_at = world.engine().event_count();
      progress(duration_s > 0 ? std::min(1.0, to_seconds(now) / duration_s) : 0,
               world.requests_arrived());
    }
  });
  if (progress) {
    progress(1, world.requests_arrived());
  }
  return outcome;
}

std::vector<JobOutcome> run_jobs(std::span<const Job> jobs, unsigned process_count,
                                 const std::function<void(const CampaignProgress&)>& progress) {
  COPAL_ASSERT(process_count >= 1);
  return Campaign(jobs, progress).run(process_count);
}

}  // namespace copal::sim

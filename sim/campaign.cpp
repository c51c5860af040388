#include "sim/campaign.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

#include "core/base/assert.h"
#include "sim/run_wire.h"
#include "sim/workload/cache_operations.h"
#include "sim/workload/cluster_stats.h"
#include "sim/workload/make_workload.h"
#include "sim/world.h"

namespace copal::sim {

namespace {

/// What a run's process says: a kind, a length, and so many bytes.
enum class Says : char { kProgress = 'p', kResult = 'r', kError = 'e', kInput = 'i' };

struct ProgressNote {
  double ratio = 0;
  std::uint64_t requests = 0;
};

void write_all(int fd, const void* data, std::size_t size) {
  const char* at = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = write(fd, at, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      _exit(3);  // the campaign is gone: so is the reason for this run
    }
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

void say(int fd, Says kind, const std::string& bytes) {
  const auto size = static_cast<std::uint64_t>(bytes.size());
  std::string header(1, static_cast<char>(kind));
  header.append(reinterpret_cast<const char*>(&size), sizeof size);
  write_all(fd, header.data(), header.size());
  write_all(fd, bytes.data(), bytes.size());
}

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

/// The run's own process: speaks through the pipe, then leaves without destructors, for SimGrid has
/// an opinion on the order of its own.
[[noreturn]] void run_in_child(const Job& job, int fd) {
  const JobOutcome outcome = run_job(job, [fd](double ratio, std::uint64_t requests) {
    const ProgressNote note{ratio, requests};
    say(fd, Says::kProgress, std::string(reinterpret_cast<const char*>(&note), sizeof note));
  });
  if (outcome.input) {
    say(fd, Says::kInput, input_to_bytes(*outcome.input));
  }
  if (outcome.result) {
    say(fd, Says::kResult, run_to_bytes(*outcome.result));
  } else {
    say(fd, Says::kError, outcome.error);
  }
  std::fflush(nullptr);
  _exit(0);
}

/// A run under way in a process of its own.
struct Child {
  pid_t pid = -1;
  int fd = -1;
  std::size_t job = 0;
  std::string received;
  ProgressNote progress;
};

class Campaign {
 public:
  Campaign(std::span<const Job> jobs, unsigned process_count,
           const std::function<void(const CampaignProgress&)>& progress)
      : jobs_(jobs), process_count_(process_count), progress_(progress), outcomes_(jobs.size()) {}

  std::vector<JobOutcome> run() {
    while (next_ < jobs_.size() || !children_.empty()) {
      while (next_ < jobs_.size() && children_.size() < process_count_) {
        start(next_++);
      }
      listen();
      report();
    }
    return std::move(outcomes_);
  }

 private:
  void start(std::size_t job) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      outcomes_[job].error = std::string("no pipe for a run: ") + std::strerror(errno);
      ++done_;
      return;
    }
    std::fflush(nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
      close(ends[0]);
      run_in_child(jobs_[job], ends[1]);
    }
    close(ends[1]);
    if (pid < 0) {
      close(ends[0]);
      outcomes_[job].error = std::string("no process for a run: ") + std::strerror(errno);
      ++done_;
      return;
    }
    children_.push_back({pid, ends[0], job, {}, {}});
  }

  void listen() {
    std::vector<pollfd> polls;
    for (const Child& child : children_) {
      polls.push_back({child.fd, POLLIN, 0});
    }
    if (polls.empty() || poll(polls.data(), polls.size(), 1000) <= 0) {
      return;
    }
    for (std::size_t i = polls.size(); i-- > 0;) {
      if ((polls[i].revents & (POLLIN | POLLHUP)) != 0 && !receive(children_[i])) {
        finish(children_[i]);
        children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
      }
    }
  }

  /// Returns false at the end of what the process says.
  bool receive(Child& child) {
    char buffer[65536];
    const ssize_t size = read(child.fd, buffer, sizeof buffer);
    if (size < 0) {
      return errno == EINTR;
    }
    if (size == 0) {
      return false;
    }
    child.received.append(buffer, static_cast<std::size_t>(size));
    constexpr std::size_t kHeader = 1 + sizeof(std::uint64_t);
    while (child.received.size() >= kHeader) {
      std::uint64_t length = 0;
      std::memcpy(&length, child.received.data() + 1, sizeof length);
      if (child.received.size() < kHeader + length) {
        break;
      }
      on_said(child, static_cast<Says>(child.received[0]), child.received.substr(kHeader, length));
      child.received.erase(0, kHeader + length);
    }
    return true;
  }

  void on_said(Child& child, Says kind, const std::string& bytes) {
    JobOutcome& outcome = outcomes_[child.job];
    switch (kind) {
      case Says::kProgress:
        std::memcpy(&child.progress, bytes.data(), sizeof child.progress);
        break;
      case Says::kResult:
        outcome.result = run_from_bytes(bytes);
        break;
      case Says::kError:
        outcome.error = bytes;
        outcome.bad_input = true;
        break;
      case Says::kInput:
        outcome.input = input_from_bytes(bytes);
        break;
    }
  }

  void finish(const Child& child) {
    close(child.fd);
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    JobOutcome& outcome = outcomes_[child.job];
    const Job& job = jobs_[child.job];
    if (!outcome.result && outcome.error.empty()) {
      outcome.error =
          "the run of line '" + job.scenario->contenders[job.contender].label + "' with seed " +
          std::to_string(job.seed) + " died" +
          (WIFSIGNALED(status) ? " of signal " + std::to_string(WTERMSIG(status))
                               : " with status " + std::to_string(WEXITSTATUS(status))) +
          "; repeat it with: copal-sim run " + job.scenario->file + " --first-seed " +
          std::to_string(job.seed) + " --seeds 1 --jobs 1";
    }
    ++done_;
    requests_done_ += child.progress.requests;
  }

  void report() {
    if (!progress_) {
      return;
    }
    CampaignProgress progress{done_, jobs_.size(), static_cast<double>(done_), requests_done_};
    for (const Child& child : children_) {
      progress.done_ratio += child.progress.ratio;
      progress.requests += child.progress.requests;
    }
    progress.done_ratio /= static_cast<double>(jobs_.size());
    progress_(progress);
  }

  std::span<const Job> jobs_;
  unsigned process_count_;
  const std::function<void(const CampaignProgress&)>& progress_;
  std::vector<JobOutcome> outcomes_;
  std::vector<Child> children_;
  std::size_t next_ = 0;
  std::size_t done_ = 0;
  std::uint64_t requests_done_ = 0;
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
  return Campaign(jobs, process_count, progress).run();
}

}  // namespace copal::sim

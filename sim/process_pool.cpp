#include "sim/process_pool.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <vector>

namespace copal::sim {

namespace {

constexpr std::size_t kLastWordsMax = 2'000;

void write_all(int fd, const char* at, std::size_t size) {
  while (size > 0) {
    const ssize_t written = write(fd, at, size);
    if (written < 0 && errno == EINTR) {
      continue;
    }
    if (written <= 0) {
      _exit(3);  // whoever wanted to know is gone
    }
    at += written;
    size -= static_cast<std::size_t>(written);
  }
}

/// What a child says: a kind, a length, and so many bytes.
enum class Says : char { kNote = 'n', kAnswer = 'a' };
constexpr std::size_t kHeaderBytes = 1 + sizeof(std::uint64_t);

void say(int fd, Says kind, const std::string& bytes) {
  const std::uint64_t size = bytes.size();
  std::string header(1, static_cast<char>(kind));
  header.append(reinterpret_cast<const char*>(&size), sizeof size);
  write_all(fd, header.data(), header.size());
  write_all(fd, bytes.data(), bytes.size());
}

class Pool {
 public:
  Pool(const PoolOptions& options, const PoolWork& work) : options_(options), work_(work) {}

  void run() {
    for (;;) {
      while (children_.size() < options_.processes && start()) {
      }
      if (children_.empty()) {
        return;
      }
      listen();
    }
  }

 private:
  struct Child {
    pid_t pid = -1;
    int answers = -1;
    int words = -1;
    std::deque<std::uint64_t> items;  // not answered yet
    std::string received;
    std::string last_words;
  };

  /// Returns false if there is nothing to begin with.
  bool start() {
    Child child;
    while (going_on_ && child.items.size() < options_.items_a_process) {
      if (!left_over_.empty()) {
        child.items.push_back(left_over_.front());
        left_over_.pop_front();
      } else if (const auto item = work_.next()) {
        child.items.push_back(*item);
      } else {
        break;
      }
    }
    if (child.items.empty()) {
      return false;
    }
    int answers[2];
    int words[2];
    if (pipe2(answers, O_CLOEXEC) != 0 || pipe2(words, O_CLOEXEC) != 0) {
      fail(child, std::string("no pipe: ") + std::strerror(errno));
      return true;
    }
    std::fflush(nullptr);
    child.pid = fork();
    if (child.pid == 0) {
      close(answers[0]);
      close(words[0]);
      dup2(words[1], STDERR_FILENO);
      serve(child, answers[1]);
    }
    close(answers[1]);
    close(words[1]);
    child.answers = answers[0];
    child.words = words[0];
    if (child.pid < 0) {
      close(child.answers);
      close(child.words);
      fail(child, std::string("no process: ") + std::strerror(errno));
      return true;
    }
    children_.push_back(std::move(child));
    return true;
  }

  [[noreturn]] void serve(const Child& child, int fd) {
    for (const std::uint64_t item : child.items) {
      say(fd, Says::kAnswer,
          work_.work(item, [fd](const std::string& note) { say(fd, Says::kNote, note); }));
    }
    std::fflush(nullptr);
    _exit(0);
  }

  void listen() {
    std::vector<pollfd> polls;
    for (const Child& child : children_) {
      polls.push_back({child.answers, POLLIN, 0});
      polls.push_back({child.words, POLLIN, 0});
    }
    if (poll(polls.data(), polls.size(), 1000) <= 0) {
      return;
    }
    for (std::size_t i = children_.size(); i-- > 0;) {
      Child& child = children_[i];
      if ((polls[2 * i + 1].revents & (POLLIN | POLLHUP)) != 0) {
        take_words(child);
      }
      if ((polls[2 * i].revents & (POLLIN | POLLHUP)) != 0 && !take_answers(child)) {
        Child ended = std::move(child);
        children_.erase(children_.begin() + static_cast<std::ptrdiff_t>(i));
        finish(ended);
      }
    }
  }

  static void take_words(Child& child) {
    char buffer[4096];
    const ssize_t size = read(child.words, buffer, sizeof buffer);
    if (size > 0) {
      child.last_words.append(buffer, static_cast<std::size_t>(size));
      if (child.last_words.size() > kLastWordsMax) {
        child.last_words.erase(0, child.last_words.size() - kLastWordsMax);
      }
    }
  }

  /// Returns false at the end of what the process says.
  bool take_answers(Child& child) {
    char buffer[65536];
    const ssize_t size = read(child.answers, buffer, sizeof buffer);
    if (size <= 0) {
      return size < 0 && errno == EINTR;
    }
    child.received.append(buffer, static_cast<std::size_t>(size));
    while (child.received.size() >= kHeaderBytes && !child.items.empty()) {
      std::uint64_t length = 0;
      std::memcpy(&length, child.received.data() + 1, sizeof length);
      if (child.received.size() < kHeaderBytes + length) {
        break;
      }
      hear(child, static_cast<Says>(child.received[0]),
           child.received.substr(kHeaderBytes, length));
      child.received.erase(0, kHeaderBytes + length);
    }
    return true;
  }

  void hear(Child& child, Says kind, std::string bytes) {
    if (kind == Says::kAnswer) {
      tell({.item = child.items.front(), .answer = std::move(bytes)});
      child.items.pop_front();
    } else if (work_.noted) {
      work_.noted(child.items.front(), bytes);
    }
  }

  void finish(Child& child) {
    int status = 0;
    while (waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
    }
    take_words(child);
    close(child.answers);
    close(child.words);
    if (!child.items.empty()) {
      fail(child, WIFSIGNALED(status) ? "died of signal " + std::to_string(WTERMSIG(status))
                                      : "died with status " + std::to_string(WEXITSTATUS(status)));
    }
  }

  /// The first unanswered item is the one that it died of; the others are for another process.
  void fail(Child& child, const std::string& end) {
    tell({.item = child.items.front(), .died = true, .end = end, .last_words = child.last_words});
    child.items.pop_front();
    left_over_.insert(left_over_.end(), child.items.begin(), child.items.end());
  }

  void tell(const PoolOutcome& outcome) { going_on_ = work_.done(outcome) && going_on_; }

  PoolOptions options_;
  const PoolWork& work_;
  std::vector<Child> children_;
  std::deque<std::uint64_t> left_over_;
  bool going_on_ = true;
};

}  // namespace

void run_in_processes(const PoolOptions& options, const PoolWork& work) {
  Pool(options, work).run();
}

}  // namespace copal::sim

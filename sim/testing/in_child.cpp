#include "sim/testing/in_child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>

namespace copal::sim {

namespace {

int status_of_child(const std::function<void()>& body, bool quiet) {
  std::fflush(nullptr);
  const pid_t pid = fork();
  if (pid == 0) {
    if (quiet) {
      const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(nowhere, STDOUT_FILENO);
      dup2(nowhere, STDERR_FILENO);
    }
    body();
    std::fflush(nullptr);
    // Without destructors: SimGrid takes itself down at exit and has an opinion on the order.
    _exit(testing::Test::HasFailure() ? 1 : 0);
  }
  int status = -1;
  waitpid(pid, &status, 0);
  return status;
}

}  // namespace

void in_child(const std::function<void()>& body) {
  const int status = status_of_child(body, false);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    ADD_FAILURE() << "the child's checks failed, or it died: wait status " << status;
  }
}

bool survives_in_child(const std::function<void()>& body) {
  const int status = status_of_child(body, true);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace copal::sim

#include "core/base/assert.h"

#include <cstdio>
#include <cstdlib>

namespace copal {

void assertion_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "copal: assertion failed: %s at %s:%d\n", condition, file, line);
  std::abort();
}

}  // namespace copal

#include "core/testing/allocation_count.h"

#include <cstdlib>
#include <new>

namespace {

// Of the thread, so that a test program's other threads cannot disturb a count.
thread_local std::uint64_t allocations = 0;

}  // namespace

// These replace the whole program's. The array forms too: a sanitizer's own would not call these.
void* operator new(std::size_t size_bytes) {
  ++allocations;
  void* const memory = std::malloc(size_bytes == 0 ? 1 : size_bytes);
  if (memory == nullptr) {
    std::abort();
  }
  return memory;
}

void* operator new[](std::size_t size_bytes) {
  return operator new(size_bytes);
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory) noexcept {
  std::free(memory);
}

void operator delete[](void* memory, std::size_t) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace copal::testing {

std::uint64_t allocation_count() {
  return allocations;
}

}  // namespace copal::testing

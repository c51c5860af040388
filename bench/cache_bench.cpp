// What the cache costs in the core, without a network: time, allocations and memory, by the number
// of keys.
//
//   cache_bench [--benchmark_filter=…] [--benchmark_format=csv] …
//
// local_get   a server's read that its near cache answers: from the application's call to its
//             answer, a whole step of the node.
// owner_get   a triad member's answer to a server that holds no copy; a whole step of the member.
// owner_put   a change of an entry that is there: version, hash tree, value store, log, the record
//             for the store, answer. Values of 10 bytes stand in the m-node, those of 100 do not.
// key_hash, value_hash   what Copal calls, OpenSSL's low-level functions on the same bytes, and the
//             one-shot call of its interface EVP, all in turns.
// memory      of a member that holds so many entries, by the allocator's own count.
// catch_up    a member that was away and returns: all messages of the comparison and the values, at
//             both members, in the processor's time.
//
// Noise only ever adds, and it adds to neighbours alike: so each time is the least of many short
// stretches, and those that are subtracted or divided are measured in turns. Keys have 16 bytes and
// are drawn evenly unless zipf is 1. Columns carry their unit; per_hash is the time in hashes of a
// key of 16 bytes; load_ns is one load from memory of the same size in an order that no cache
// knows.

#include <benchmark/benchmark.h>
#include <malloc.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "bench/small_cluster.h"
#include "core/base/assert.h"
#include "core/base/hash.h"
#include "core/node/dynamic_server.h"
#include "core/node/triad_server.h"
#include "core/testing/allocation_count.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace {

using namespace copal;  // NOLINT(google-build-using-namespace): a program of its own
using copal::bench::SmallCluster;
using copal::testing::allocation_count;

constexpr CacheId kCache{1};
constexpr NodeId kMember{1};
constexpr NodeId kServer{10};
constexpr std::size_t kKeySizeBytes = 16;
constexpr std::int64_t kStretch = 1'000;  // operations
constexpr std::int64_t kStretches = 2'000;

/// The least time of an operation.
class Least {
 public:
  template <class Run>
  void time(Run&& run) {
    const auto start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < kStretch; ++i) {
      run();
    }
    const std::chrono::duration<double, std::nano> passed =
        std::chrono::steady_clock::now() - start;
    ns_ = std::min(ns_, passed.count() / static_cast<double>(kStretch));
  }
  double ns() const { return ns_; }

 private:
  double ns_ = 1e18;
};

/// Draws from 0 to count - 1, the same each time: evenly, or as Zipf's law has it (exponent 1: the
/// logarithm of the rank is even), with the ranks spread over the numbers.
class Draw {
 public:
  explicit Draw(std::int64_t count, bool zipf = false)
      : count_(static_cast<std::uint64_t>(count)),
        log_count_(zipf ? std::log(static_cast<double>(count)) : 0) {}
  std::uint64_t next() {
    state_ = mix64(state_ + 1);
    if (log_count_ == 0) {
      return state_ % count_;
    }
    const double even = static_cast<double>(state_ >> 11U) * 0x1p-53;
    const auto rank = static_cast<std::uint64_t>(std::exp(even * log_count_));
    return rank * 7'919 % count_;
  }

 private:
  std::uint64_t count_;
  double log_count_;
  std::uint64_t state_ = 1;
};

/// One load from memory that no cache holds, of as many bytes as the entries take (1 GB at most):
/// what no code can do without for a key that was not used lately.
class Loads {
 public:
  explicit Loads(std::uint64_t size_bytes)
      : lines_(std::min<std::uint64_t>(size_bytes, std::uint64_t{1} << 30U) / sizeof(Line)) {
    // Sattolo's algorithm: one cycle through all of them.
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      lines_[i].next = i;
    }
    for (std::size_t i = lines_.size() - 1; i > 0; --i) {
      std::swap(lines_[i].next, lines_[mix64(i) % i].next);
    }
  }
  void next() { benchmark::DoNotOptimize(at_ = lines_[at_].next); }

 private:
  struct alignas(64) Line {
    std::size_t next = 0;
  };
  std::vector<Line> lines_;
  std::size_t at_ = 0;
};

/// Sixteen hexadecimal digits.
void write_key(std::uint64_t number, std::string& key) {
  static constexpr char kDigits[] = "0123456789abcdef";
  key.resize(kKeySizeBytes);
  for (std::size_t i = kKeySizeBytes; i-- > 0; number >>= 4U) {
    key[i] = kDigits[number & 15U];
  }
}

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

KeyHash hash_of(const std::string& key) {
  return hash_key(kCache.value, bytes_of(key));
}

CacheConfig cache_config(Duration local_read_timeout) {
  CacheConfig cache;
  cache.id = kCache;
  cache.name = "bench";
  cache.local_read_timeout = local_read_timeout;
  return cache;
}

std::shared_ptr<const CacheCatalog> catalog(Duration local_read_timeout) {
  return std::make_shared<const CacheCatalog>(std::vector{cache_config(local_read_timeout)});
}

/// A value's name as if its bytes had been hashed: the core takes it as it comes.
ValueName numbered_value(std::uint64_t number, std::uint32_t size_bytes) {
  ValueName name;
  name.size_bytes = size_bytes;
  name.is_inline = size_bytes <= MNode::kInlineMaxBytes;
  const std::size_t filled = name.is_inline ? size_bytes : name.hash.bytes.size();
  for (std::size_t i = 0; i < filled; ++i) {
    name.hash.bytes[i] = static_cast<std::uint8_t>(mix64(number + 1, i / 8) >> (i % 8 * 8));
  }
  return name;
}

void set(benchmark::State& state, const char* column, double value) {
  state.counters[column] = benchmark::Counter(value);
}

std::uint64_t allocated_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

// ---- a server's own copies

/// A server that has read so many keys once.
class Reader {
 public:
  Reader(std::int64_t keys, bool zipf) : draw_(keys, zipf) {
    DynamicServerConfig config;
    config.triad.members[0] = kMember;
    config.caches = catalog(std::chrono::hours{1});
    config.cache.near.limit_bytes = std::uint64_t{1} << 40U;
    server_ = std::make_unique<DynamicServer>(config);
    for (std::int64_t i = 0; i < keys; ++i) {
      learn(static_cast<std::uint64_t>(i));
    }
  }

  /// What comes before the step in each measurement: the key, and its hash.
  void hash_next() {
    write_key(draw_.next(), key_);
    benchmark::DoNotOptimize(hash_of(key_));
  }
  void read_next() {
    write_key(draw_.next(), std::get<ReadEntry>(read_).key);
    step(read_);
    COPAL_ASSERT(std::get<AnswerCall>(effects_.back()).status == CacheStatus::kDone);
  }

 private:
  void step(const Input& input) {
    effects_.clear();
    server_->step(input, {TimePoint{1s}, {}}, effects_);
  }
  void learn(std::uint64_t number) {
    ReadEntry& read = std::get<ReadEntry>(read_);
    write_key(number, read.key);
    step(read_);
    const auto& get = std::get<CacheGet>(std::get<Send>(effects_[0]).message);
    AgedMNode entry;
    entry.mnode.key = get.key;
    entry.mnode.cache = kCache;
    entry.mnode.version = {1, 1, OwnerId(0, Slot{0}, 1)};
    set_value(entry.mnode, numbered_value(number, 100));
    step(MessageReceived{kMember, CacheAnswer{.sequence = get.sequence,
                                              .entry = entry,
                                              .value = Blob(std::vector<std::uint8_t>(
                                                  100, static_cast<std::uint8_t>(1)))}});
  }

  Draw draw_;
  std::unique_ptr<DynamicServer> server_;
  Input read_ = ReadEntry{.cache = kCache};
  std::string key_;
  Effects effects_;
};

void local_get(benchmark::State& state) {
  const std::int64_t keys = state.range(0);
  const std::uint64_t before_bytes = allocated_bytes();
  Reader reader(keys, state.range(1) == 1);
  Loads loads(allocated_bytes() - before_bytes);
  Least load;
  Least hash;
  Least whole;
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    hash.time([&] { reader.hash_next(); });
    load.time([&] { loads.next(); });
    const std::uint64_t before = allocation_count();
    whole.time([&] { reader.read_next(); });
    allocations += allocation_count() - before;
  }
  set(state, "get_ns", whole.ns());
  set(state, "key_and_hash_ns", hash.ns());
  set(state, "load_ns", load.ns());
  set(state, "besides_hash_ns", whole.ns() - hash.ns());
  set(state, "per_hash", (whole.ns() - hash.ns()) / hash.ns());
  set(state, "allocations_per_get",
      static_cast<double>(allocations) / static_cast<double>(state.iterations() * kStretch));
}

// ---- a triad of one

/// A member that acts for everything and holds so many entries.
class Owner {
 public:
  Owner(std::int64_t keys, std::uint32_t value_size_bytes)
      : draw_(keys), value_size_bytes_(value_size_bytes) {
    TriadServerConfig config;
    config.self = kMember;
    config.members[0] = kMember;
    config.registered = {{.node = kServer}};
    config.caches = catalog(10ms);
    server_ = std::make_unique<TriadServer>(config);
    step(StorageCompletion(StoreOpened{}));
    for (int i = 0; i < 100'000; ++i) {  // 100 ms: the start is over
      step(Wake{});
    }
    hashes_.reserve(static_cast<std::size_t>(keys));
  }
  void fill() {
    const std::uint64_t keys = hashes_.capacity();
    for (std::uint64_t i = 0; i < keys; ++i) {
      std::string key;
      write_key(i, key);
      hashes_.push_back(hash_of(key));
      next_put(i);
      step(put_);
      COPAL_ASSERT(answer().status == CacheStatus::kDone);
    }
    for (int i = 0; i < 300'000; ++i) {  // 300 ms: all is synced
      step(Wake{});
    }
  }

  /// What comes before the step in each measurement.
  void prepare_get() {
    CacheGet& get = std::get<CacheGet>(std::get<MessageReceived>(get_).message);
    ++get.sequence;
    get.key = hashes_[draw_.next()];
  }
  void get() {
    prepare_get();
    step(get_);
    COPAL_ASSERT(answer().status == CacheStatus::kDone);
  }
  void prepare_put() { next_put(draw_.next()); }
  void put() {
    prepare_put();
    step(put_);
    COPAL_ASSERT(answer().status == CacheStatus::kDone);
  }

 private:
  void next_put(std::uint64_t number) {
    CacheChange& put = std::get<CacheChange>(std::get<MessageReceived>(put_).message);
    ++put.sequence;
    put.answered_below = put.sequence;
    put.key = hashes_[number];
    write_key(number, put.key_text);
    put.change.value = numbered_value(put.sequence, value_size_bytes_);
    if (!put.change.value.is_inline) {
      put.value = Blob::make(value_size_bytes_, [](std::span<std::uint8_t> bytes) {
        std::ranges::fill(bytes, static_cast<std::uint8_t>(1));
      });
    }
  }
  const CacheAnswer& answer() const {
    return std::get<CacheAnswer>(std::get<Send>(effects_[0]).message);
  }

  /// A microsecond after the last one, so that all that is done in the background is done as well.
  void step(const Input& input) {
    now_.mono += 1us;
    effects_.clear();
    server_->step(input, now_, effects_);
    batches_ += effects_.store().empty() ? 0 : 1;
    for (std::size_t i = 0; i < effects_.size(); ++i) {
      const Effect& effect = effects_[i];
      if (std::holds_alternative<SyncStore>(effect)) {
        complete(SyncEnded{{batches_}});
      } else if (const auto* scan = std::get_if<ScanStore>(&effect)) {
        complete(ScanEnded{.id = scan->id});
      }
    }
  }
  void complete(const StorageCompletion& completion) {
    Effects more;
    server_->step(completion, now_, more);
    batches_ += more.store().empty() ? 0 : 1;
    for (const Effect& effect : more) {
      if (std::holds_alternative<SyncStore>(effect)) {
        complete(SyncEnded{{batches_}});
      } else if (const auto* scan = std::get_if<ScanStore>(&effect)) {
        complete(ScanEnded{.id = scan->id});
      }
    }
  }

  Draw draw_;
  std::uint32_t value_size_bytes_;
  std::unique_ptr<TriadServer> server_;
  std::vector<KeyHash> hashes_;
  Now now_{TimePoint{std::chrono::hours{1}}, {}};
  Effects effects_;
  std::uint64_t batches_ = 0;
  Input get_ = MessageReceived{kServer, CacheGet{.time_left = 1s, .cache = kCache}};
  Input put_ = MessageReceived{
      kServer, CacheChange{.incarnation = Incarnation{1}, .time_left = 1s, .cache = kCache}};
};

void set_step(benchmark::State& state, const Least& whole, const Least& prepared, const Least& hash,
              std::uint64_t allocations) {
  const double ns = whole.ns() - prepared.ns();
  set(state, "step_ns", ns);
  set(state, "prepare_ns", prepared.ns());
  set(state, "per_hash", ns / hash.ns());
  set(state, "allocations",
      static_cast<double>(allocations) / static_cast<double>(state.iterations() * kStretch));
}

void hash_key_once(std::string& key, std::uint64_t& number) {
  write_key(++number, key);
  benchmark::DoNotOptimize(hash_of(key));
}

/// Times one of the owner's steps beside what prepares its input, and the hash of its key.
void owner_step(benchmark::State& state, void (Owner::*prepare)(), void (Owner::*step)()) {
  Owner owner(state.range(0), static_cast<std::uint32_t>(state.range(1)));
  owner.fill();
  Least whole;
  Least prepared;
  Least hash;
  std::string key;
  std::uint64_t number = 0;
  std::uint64_t allocations = 0;
  for (auto _ : state) {
    hash.time([&] { hash_key_once(key, number); });
    prepared.time([&] { (owner.*prepare)(); });
    const std::uint64_t before = allocation_count();
    whole.time([&] { (owner.*step)(); });
    allocations += allocation_count() - before;
  }
  set_step(state, whole, prepared, hash, allocations);
}

void owner_get(benchmark::State& state) {
  owner_step(state, &Owner::prepare_get, &Owner::get);
}

void owner_put(benchmark::State& state) {
  owner_step(state, &Owner::prepare_put, &Owner::put);
}

void memory(benchmark::State& state) {
  const std::int64_t keys = state.range(0);
  const auto value_size_bytes = static_cast<std::uint32_t>(state.range(1));
  for (auto _ : state) {
    Owner owner(keys, value_size_bytes);
    const std::uint64_t before = allocated_bytes();  // with the hashes' memory
    owner.fill();
    const double entry_bytes =
        static_cast<double>(allocated_bytes() - before) / static_cast<double>(keys);
    set(state, "entry_bytes", entry_bytes);
    set(state, "overhead_bytes", entry_bytes - kKeySizeBytes - value_size_bytes);
  }
}

// ---- hashing

void compare_hashes(benchmark::State& state, std::size_t size_bytes, bool of_key) {
  const std::vector<std::uint8_t> bytes(size_bytes, 7);
  std::vector<std::uint8_t> with_id(4 + size_bytes, 7);
  with_id[0] = 1;
  with_id[1] = with_id[2] = with_id[3] = 0;
  const std::vector<std::uint8_t>& whole = of_key ? with_id : bytes;
  Least mine;
  Least low_level;
  Least one_shot;
  Sha256Digest digest;
  for (auto _ : state) {
    mine.time([&] {
      if (of_key) {
        benchmark::DoNotOptimize(hash_key(1, bytes));
      } else {
        benchmark::DoNotOptimize(hash_value(bytes));
      }
    });
    low_level.time([&] {
      SHA256_CTX context;
      SHA256_Init(&context);
      SHA256_Update(&context, whole.data(), whole.size());
      SHA256_Final(digest.data(), &context);
      benchmark::DoNotOptimize(digest);
    });
    one_shot.time([&] {
      unsigned int written = 0;
      EVP_Digest(whole.data(), whole.size(), digest.data(), &written, EVP_sha256(), nullptr);
      benchmark::DoNotOptimize(digest);
    });
  }
  set(state, "copal_ns", mine.ns());
  set(state, "low_level_ns", low_level.ns());
  set(state, "one_shot_ns", one_shot.ns());
  set(state, "per_low_level", mine.ns() / low_level.ns());
  set(state, "per_one_shot", mine.ns() / one_shot.ns());
}
void key_hash(benchmark::State& state) {
  compare_hashes(state, static_cast<std::size_t>(state.range(0)), true);
}
void value_hash(benchmark::State& state) {
  compare_hashes(state, static_cast<std::size_t>(state.range(0)), false);
}

// ---- catching up

/// Two members; one is cut off while the other takes all entries, and returns.
void catch_up(benchmark::State& state) {
  const std::int64_t missed = state.range(0);
  const std::int64_t held = state.range(1);
  const std::int64_t value_size_bytes = state.range(2);
  double seconds = 1e18;
  double messages = 0;
  for (auto _ : state) {
    SmallCluster cluster(2, {cache_config(10ms)});
    std::uint64_t number = 0;
    const auto write = [&](std::int64_t count) {
      for (std::int64_t i = 0; i < count; ++i) {
        std::string key;
        write_key(++number, key);
        std::string value = key;  // each another one
        value.resize(static_cast<std::size_t>(value_size_bytes), 'v');
        const AnswerCall answer = cluster.put(kCache, key, value);
        COPAL_ASSERT(answer.status == CacheStatus::kDone);
      }
    };
    write(held);
    cluster.pass(1s);
    cluster.cut(SmallCluster::member(1));
    cluster.pass(5s);
    write(missed);
    cluster.heal(SmallCluster::member(1));
    const std::uint64_t before = cluster.steps();
    const std::clock_t start = std::clock();
    while (cluster.triad(1).replica().live_count() < number ||
           cluster.triad(1).replica().values().missing_count() > 0) {
      cluster.pass(50ms);
    }
    const auto passed = static_cast<double>(std::clock() - start);
    seconds = std::min(seconds, passed / CLOCKS_PER_SEC);
    messages = static_cast<double>(cluster.steps() - before);
  }
  set(state, "entries_per_s", static_cast<double>(missed) / seconds);
  set(state, "us_per_entry", seconds * 1e6 / static_cast<double>(missed));
  set(state, "steps_per_entry", messages / static_cast<double>(missed));
}

void by_keys_and_law(benchmark::internal::Benchmark* of) {
  of->ArgNames({"keys", "zipf"})->Iterations(kStretches)->Unit(benchmark::kMicrosecond);
  for (const std::int64_t zipf : {0, 1}) {
    for (const std::int64_t keys : {10'000, 100'000, 1'000'000, 10'000'000}) {
      of->Args({keys, zipf});
    }
  }
}
void by_keys_and_value(benchmark::internal::Benchmark* of) {
  of->ArgNames({"keys", "value_bytes"});
  for (const std::int64_t value_size_bytes : {10, 100}) {
    for (const std::int64_t keys : {10'000, 100'000, 1'000'000, 10'000'000}) {
      of->Args({keys, value_size_bytes});
    }
  }
}
void steps(benchmark::internal::Benchmark* of) {
  by_keys_and_value(of);
  of->Iterations(kStretches)->Unit(benchmark::kMicrosecond);
}

BENCHMARK(local_get)->Apply(by_keys_and_law);
BENCHMARK(owner_get)->Apply(steps);
BENCHMARK(owner_put)->Apply(steps);
BENCHMARK(memory)->Apply(by_keys_and_value)->Iterations(1)->Unit(benchmark::kSecond);
BENCHMARK(key_hash)->ArgName("key_bytes")->Arg(16)->Arg(40)->Arg(100)->Iterations(500);
BENCHMARK(value_hash)->ArgName("value_bytes")->Arg(100)->Arg(1'000)->Arg(10'000)->Iterations(100);
BENCHMARK(catch_up)
    ->ArgNames({"missed", "held", "value_bytes"})
    ->Args({10'000, 0, 10})
    ->Args({100'000, 0, 10})
    ->Args({1'000'000, 0, 10})
    ->Args({10'000'000, 0, 10})
    ->Args({10'000, 0, 100})
    ->Args({100'000, 0, 100})
    ->Args({1'000'000, 0, 100})
    ->Args({10'000, 1'000'000, 10})
    ->Iterations(1)
    ->Unit(benchmark::kSecond);

}  // namespace

BENCHMARK_MAIN();

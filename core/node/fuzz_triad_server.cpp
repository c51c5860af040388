#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/assert.h"
#include "core/node/triad_server.h"
#include "core/protocol/codec.h"

// A triad member hears whatever its peers, its servers and strangers may send, in any order and at
// any time: nothing of it is ever asserted on, and its invariants hold after every step.

namespace {

using namespace copal;  // NOLINT(google-build-using-namespace): a program of its own

constexpr NodeId kSelf{1};
constexpr NodeId kServer{10};
constexpr std::array kSenders = {NodeId{2}, NodeId{3}, kServer, NodeId{11}, NodeId{99}};
constexpr std::array<Duration, 4> kWaits = {0ns, 1ms, 100ms, 700ms};
constexpr std::size_t kStepsMax = 64;

class Member {
 public:
  Member() {
    TriadServerConfig config;
    config.self = kSelf;
    config.members = {kSelf, NodeId{2}, NodeId{3}};
    config.registered = {{.node = kServer}, {.node = NodeId{11}, .role = NodeRole::kBalancer}};
    config.values_size_max_bytes = 10'000;
    config.entries_max = 20;
    config.detector = {.suspect_after = 200ms, .dead_after = 500ms};  // so that runs are short
    config.ownership.start_alone_timeout = 500ms;
    std::vector<CacheConfig> caches(3);
    for (std::uint32_t i = 0; i < caches.size(); ++i) {
      caches[i].id = CacheId{i + 1};
      caches[i].name = std::string(1, static_cast<char>('a' + i));
    }
    caches[1].consistency = Consistency::kReplicated;
    caches[1].sync = Sync::kAlways;
    caches[2].evict = true;
    config.caches = std::make_shared<const CacheCatalog>(std::move(caches));
    server_ = std::make_unique<TriadServer>(config);
    step(StoreOpened{});
    pass(600ms);
  }

  void step(const Input& input) {
    Effects effects;
    server_->step(input, now_, effects);
    server_->check_invariants(now_.mono);
    batches_ += effects.store().empty() ? 0 : 1;
    std::array<std::byte, kMessageSizeMaxBytes> frame;
    for (const Effect& effect : effects) {
      if (const auto* send = std::get_if<Send>(&effect)) {
        encode(send->message, frame);  // whatever it says can be said
      } else if (std::holds_alternative<SyncStore>(effect)) {
        step(SyncEnded{{batches_}});
      } else if (const auto* scan = std::get_if<ScanStore>(&effect)) {
        step(ScanEnded{.id = scan->id});
      } else if (const auto* read = std::get_if<ReadStore>(&effect)) {
        step(ReadEnded{.id = read->id});
      }
    }
  }
  void pass(Duration time) {
    const TimePoint end = now_.mono + time;
    while (server_->next_deadline() <= end) {
      now_.mono = std::max(now_.mono, server_->next_deadline());
      step(Wake{});
    }
    now_.mono = end;
  }

 private:
  std::unique_ptr<TriadServer> server_;
  Now now_{TimePoint{std::chrono::hours{1}}, WallTime{std::chrono::hours{24 * 365 * 50}}};
  std::uint64_t batches_ = 0;
};

template <std::size_t... kIndex>
Message empty_message(std::size_t kind, std::index_sequence<kIndex...>) {
  static const std::array<Message, sizeof...(kIndex)> kEmpty = {
      Message{std::in_place_index<kIndex>}...};
  return kEmpty[kind % sizeof...(kIndex)];
}

KeyHash numbered_key(std::uint8_t number) {
  return hash_key(1 + number % 3, std::array{static_cast<std::uint8_t>(number % 8)});
}

/// So that messages speak of the same few keys and values: what random bytes never do. The bytes of
/// a value have the hash that the message names; the driver has seen to that.
struct Meet {
  std::uint8_t choice;

  Blob value() const { return Blob(std::vector<std::uint8_t>(40 + choice % 4, choice % 4)); }
  void operator()(AgedMNode& entry) const {
    entry.mnode.cache = CacheId{1U + choice % 3};
    entry.mnode.key = numbered_key(choice);
    if ((choice & 16U) != 0) {
      set_value(entry.mnode, name_value(value().bytes()));
    }
  }
  void operator()(auto& message) const {
    if constexpr (requires {
                    message.key;
                    message.cache;
                  }) {
      message.cache = CacheId{1U + choice % 3};
      message.key = numbered_key(choice);
    }
    if constexpr (requires { message.entry.mnode; }) {
      (*this)(message.entry);
    }
    if constexpr (requires { message.change.value; }) {
      message.change.value = name_value(value().bytes());
    }
    if constexpr (requires { message.value; }) {
      const bool fits = message.value_hash() == name_value(value().bytes()).hash;
      message.value = fits && (choice & 32U) != 0 ? value() : Blob();
    }
  }
};

/// A message of the kind that the first byte says, its fields changed by those that follow.
std::optional<Message> next_message(std::span<const std::uint8_t>& rest) {
  const std::uint8_t kind = rest[0];
  const std::uint8_t choice = rest[1];
  rest = rest.subspan(2);
  std::array<std::byte, kMessageSizeMaxBytes> frame;
  const std::size_t frame_size_bytes = encode(
      empty_message(kind, std::make_index_sequence<std::variant_size_v<MessageKinds>>{}), frame);
  std::size_t size_bytes = std::min<std::size_t>(rest.empty() ? 0 : rest[0], rest.size());
  // As long as the empty one, or longer by as much as there is for its lists and texts.
  size_bytes = std::max(size_bytes, std::min(frame_size_bytes - 2, rest.size()));
  for (std::size_t i = 0; i < size_bytes; ++i) {
    std::byte& at = frame[2 + i];
    at = (i < frame_size_bytes - 2 ? at : std::byte{0}) ^ static_cast<std::byte>(rest[i]);
  }
  rest = rest.subspan(size_bytes);
  auto message = decode(std::span(frame).first(std::max(frame_size_bytes, 2 + size_bytes)));
  if (!message) {
    return std::nullopt;
  }
  if ((choice & 128U) == 0) {
    std::visit(Meet{choice}, *message);
  }
  return std::move(*message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size_bytes) {
  std::span<const std::uint8_t> rest(data, size_bytes);
  Member member;
  for (std::size_t i = 0; i < kStepsMax && rest.size() >= 3; ++i) {
    const std::uint8_t head = rest[0];
    rest = rest.subspan(1);
    const NodeId from = kSenders[head % kSenders.size()];
    member.pass(kWaits[(head >> 4U) % kWaits.size()]);
    if (const auto message = next_message(rest)) {
      member.step(MessageReceived{from, *message});
    }
    if ((head & 128U) != 0) {
      member.step(LinkDown{from});
    }
  }
  member.pass(100ms);
  return 0;
}

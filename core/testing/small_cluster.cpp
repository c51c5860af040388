#include "core/testing/small_cluster.h"

#include <algorithm>
#include <span>

#include "core/base/assert.h"
#include "core/base/overloaded.h"

namespace copal::testing {

namespace {

DynamicServerConfig server_config(const SmallCluster::Config& config,
                                  const std::array<NodeId, kSlots>& members,
                                  const std::shared_ptr<const CacheCatalog>& catalog) {
  DynamicServerConfig server;
  server.triad.members = members;
  server.caches = catalog;
  server.cache = config.cache;
  server.ready_at_start = true;
  return server;
}

}  // namespace

SmallCluster::SmallCluster(const Config& config)
    : catalog_(std::make_shared<const CacheCatalog>(config.caches)) {
  TriadServerConfig triad = config.triad;
  triad.caches = catalog_;
  triad.registered = {{.node = kServer}};
  for (std::size_t slot = 0; slot < config.members; ++slot) {
    triad.members[slot] = member(slot);
  }
  for (std::size_t slot = 0; slot < config.members; ++slot) {
    triad.self = member(slot);
    triad.slot = Slot{static_cast<std::uint8_t>(slot)};
    members_.push_back({.id = member(slot), .node = std::make_unique<Node>(triad)});
  }
  members_.push_back(
      {.id = kServer,
       .node = std::make_unique<Node>(server_config(config, triad.members, catalog_))});
  for (std::size_t slot = 0; slot < config.members; ++slot) {
    input(member(slot), StoreOpened{});
  }
  input(kServer, Wake{});
  pass(5s);
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    std::size_t acting = 0;
    for (std::size_t slot = 0; slot < config.members; ++slot) {
      acting += triad_acts(slot, Group{i}) ? 1 : 0;
    }
    COPAL_ASSERT(acting == 1);
  }
  sent_.clear();
}

bool SmallCluster::triad_acts(std::size_t slot, Group group) {
  return triad(slot).is_running() && triad(slot).ownership().acts(group);
}

SmallCluster::Member& SmallCluster::find(NodeId node) {
  const auto at = std::ranges::find(members_, node, &Member::id);
  COPAL_ASSERT(at != members_.end());
  return *at;
}

void SmallCluster::pass(Duration time) {
  const TimePoint end = now_.mono + time;
  drain();
  for (;;) {
    const auto next = std::ranges::min_element(
        members_, {}, [](const Member& member) { return member.node->next_deadline(); });
    const TimePoint at = next->node->next_deadline();
    if (at > end) {
      break;
    }
    if (at > now_.mono) {
      now_.wall += at - now_.mono;
      now_.mono = at;
    }
    input(next->id, Wake{});
  }
  now_.wall += end - now_.mono;
  now_.mono = end;
}

void SmallCluster::input(NodeId node, const Input& input) {
  inputs_.emplace_back(node, input);
  drain();
}

void SmallCluster::drain() {
  while (!inputs_.empty()) {
    const auto [node, next] = std::move(inputs_.front());
    inputs_.pop_front();
    step(find(node), next);
  }
}

void SmallCluster::step(Member& member, const Input& input) {
  ++steps_;
  effects_.clear();
  member.node->step(input, now_, effects_);
  write(member);
  for (Effect& effect : effects_) {
    perform(member, effect);
  }
}

void SmallCluster::write(Member& member) {
  if (effects_.store().empty()) {
    return;
  }
  StorageChanges changes(effects_.store().bytes());
  bool puts = false;
  while (!changes.done()) {
    puts = changes.next().is_put || puts;
  }
  if (puts && member.disk_full) {
    const StoreSequence refused{member.newest_batch + 1};
    inputs_.emplace_back(member.id, WriteFailed{refused, refused, WriteError::kFull});
  } else {
    ++member.newest_batch;
  }
}

/// A sync is over at once, so what waits for it need not wait.
void SmallCluster::perform(Member& member, Effect& effect) {
  const auto complete = [&](StorageCompletion completion) {
    inputs_.emplace_back(member.id, std::move(completion));
  };
  std::visit(Overloaded{[&](Send& to_send) { send(member, to_send); },
                        [&](AnswerCall& answer) { answer_ = std::move(answer); },
                        [&](const ScanStore& scan) { complete(ScanEnded{.id = scan.id}); },
                        [&](const ReadStore& read) { complete(ReadEnded{.id = read.id}); },
                        [&](const SyncStore&) { complete(SyncEnded{{member.newest_batch}}); },
                        [](const auto&) {}},
             effect);
}

void SmallCluster::send(Member& member, Send& send) {
  const bool heartbeat = std::visit(
      [](const auto& kind) { return HeartbeatMessage<std::remove_cvref_t<decltype(kind)>>; },
      send.message);
  if (keep_sent_ && !heartbeat) {
    sent_.push_back({member.id, send.to, send.message});
  }
  if (!member.is_cut && !find(send.to).is_cut) {
    inputs_.emplace_back(send.to, MessageReceived{member.id, std::move(send.message)});
  }
}

void SmallCluster::cut(NodeId node) {
  find(node).is_cut = true;
  for (const Member& other : members_) {
    if (other.id != node) {
      input(other.id, LinkDown{node});
      input(node, LinkDown{other.id});
    }
  }
}

void SmallCluster::heal(NodeId node) {
  find(node).is_cut = false;
}

// ---- the application's calls

AnswerCall SmallCluster::call(const Input& input, CallId id) {
  answer_.reset();
  SmallCluster::input(kServer, input);
  constexpr int kStepsMax = 12'000;  // 12 s
  for (int i = 0; i < kStepsMax && (!answer_ || answer_->call != id); ++i) {
    pass(1ms);
  }
  COPAL_ASSERT(answer_ && answer_->call == id);
  return *answer_;
}

AnswerCall SmallCluster::read(CacheId cache, std::string_view key) {
  const CallId id{++last_call_};
  return call(ReadEntry{.call = id, .cache = cache, .key = std::string(key)}, id);
}

AnswerCall SmallCluster::change(CacheId cache, std::string_view key, Change change,
                                const Blob& value) {
  const CallId id{++last_call_};
  return call(ChangeEntry{.call = id,
                          .cache = cache,
                          .key = std::string(key),
                          .change = std::move(change),
                          .value = value},
              id);
}

AnswerCall SmallCluster::put(CacheId cache, std::string_view key, std::string_view value) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
  Change put{.value = name_value(bytes)};
  return change(cache, key, put, put.value.is_inline ? Blob() : Blob(bytes));
}

}  // namespace copal::testing

#include "bench/small_cluster.h"

#include <algorithm>
#include <span>

#include "core/base/assert.h"
#include "core/base/overloaded.h"

namespace copal::bench {

SmallCluster::SmallCluster(std::size_t members, const std::vector<CacheConfig>& caches) {
  const auto catalog = std::make_shared<const CacheCatalog>(caches);
  TriadServerConfig triad;
  triad.caches = catalog;
  triad.registered = {{.node = kServer}};
  for (std::size_t slot = 0; slot < members; ++slot) {
    triad.members[slot] = member(slot);
  }
  for (std::size_t slot = 0; slot < members; ++slot) {
    triad.self = member(slot);
    triad.slot = Slot{static_cast<std::uint8_t>(slot)};
    members_.push_back({.id = member(slot), .node = std::make_unique<Node>(triad)});
  }
  DynamicServerConfig server;
  server.triad.members = triad.members;
  server.caches = catalog;
  server.ready_at_start = true;
  members_.push_back({.id = kServer, .node = std::make_unique<Node>(server)});
  for (std::size_t slot = 0; slot < members; ++slot) {
    input(member(slot), StorageCompletion(StoreOpened{}));
  }
  input(kServer, Wake{});
  pass(5s);
  for (std::uint8_t i = 0; i < kGroups; ++i) {
    std::size_t acting = 0;
    for (std::size_t slot = 0; slot < members; ++slot) {
      acting += triad_acts(slot, Group{i}) ? 1 : 0;
    }
    COPAL_ASSERT(acting == 1);
  }
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
  member.newest_batch += effects_.store().empty() ? 0 : 1;
  for (Effect& effect : effects_) {
    perform(member, effect);
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

void SmallCluster::send(const Member& member, Send& send) {
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

AnswerCall SmallCluster::put(CacheId cache, std::string_view key, std::string_view value) {
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(value.data()), value.size());
  const CallId id{++last_call_};
  const Change change{.value = name_value(bytes)};
  answer_.reset();
  input(kServer, ChangeEntry{.call = id,
                             .cache = cache,
                             .key = std::string(key),
                             .change = change,
                             .value = change.value.is_inline ? Blob() : Blob(bytes)});
  constexpr int kWaitsMax = 12'000;  // 12 s
  for (int i = 0; i < kWaitsMax && !answer_; ++i) {
    pass(1ms);
  }
  COPAL_ASSERT(answer_ && answer_->call == id);
  return *answer_;
}

}  // namespace copal::bench

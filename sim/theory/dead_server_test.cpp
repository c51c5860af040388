#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "core/balance/policy_config.h"
#include "core/base/hash.h"
#include "core/base/prng.h"
#include "core/node/balancer.h"
#include "core/testing/triad_voice.h"

// One of eight equal servers dies and leaves 70,000 sessions, whose cookies still name it, to the
// other seven. Every request comes to a real balancer; the servers are stand-ins that answer after
// a while and say how loaded they are.

namespace copal {
namespace {

using balance::Algorithm;

constexpr std::uint32_t kServers = 8;
constexpr std::uint32_t kDead = 3;
constexpr std::uint32_t kSessions = 70'000;

/// Seven servers that live, the balancer in front of them, and what is on its way between them.
class Aftermath {
 public:
  explicit Aftermath(Algorithm algorithm)
      : random_(1, "balancer"), latency_(1, "latency"), balancer_(config(algorithm), random_) {
    std::vector<ListedServer> list;
    for (std::uint32_t i = 0; i < kServers; ++i) {
      list.push_back({.node = NodeId{i}, .phase = ServerPhase::kReady});
    }
    deliver(Wake{});
    for (const Input& input : say_list(1, list)) {
      deliver(input);
    }
    deliver(LinkDown{NodeId{kDead}});
  }

  /// One request of each session, `gap` apart, each the first since the server died.
  /// placed  called after each with the server it went to.
  template <class Function>
  void run(Duration gap, Function placed) {
    for (std::uint32_t session = 1; session <= kSessions; ++session) {
      pass(gap);
      deliver(ClientRequest{.client = ClientId{session},
                            .session = SessionId{session},
                            .routing_key = mix64(session),
                            .stuck_to = NodeId{kDead},
                            .tag = session,
                            .repeatable = true});
      ASSERT_LT(placed_at_, kServers) << "session " << session << " was sent nowhere";
      ++taken_[placed_at_];
      placed(placed_at_);
      placed_at_ = kServers;
    }
  }

  const std::array<std::uint32_t, kServers>& taken() const { return taken_; }
  const Balancer& balancer() const { return balancer_; }

 private:
  static BalancerConfig config(Algorithm algorithm) {
    BalancerConfig config;
    config.triad.members[0] = kVoice;
    config.policy.algorithm = algorithm;
    return config;
  }

  void pass(Duration gap) {
    const TimePoint until = now_.mono + gap;
    while (!coming_.empty() && coming_.begin()->first <= until) {
      now_.mono = coming_.begin()->first;
      const MessageReceived next = coming_.begin()->second;
      coming_.erase(coming_.begin());
      if (const Answer* answer = std::get_if<Answer>(&next.message)) {
        --active_[next.from.value];
        Answer with_load = *answer;
        with_load.load = load(next.from.value);
        deliver(MessageReceived{next.from, with_load});
      } else {
        deliver(next);
      }
    }
    now_.mono = until;
    if (until >= report_at_) {
      report_at_ = until + 250ms;
      for (std::uint32_t i = 0; i < kServers; ++i) {
        if (i != kDead) {
          deliver(
              MessageReceived{NodeId{i}, LoadReport{Incarnation{1}, ServerPhase::kReady, load(i)}});
        }
      }
    }
    deliver(Wake{});
  }

  LoadSample load(std::uint32_t server) const {
    return {active_[server], std::min(1.0, active_[server] / 32.0), 10ms};
  }

  void deliver(const Input& input) {
    Effects effects;
    balancer_.step(input, now_, effects);
    for (const Effect& effect : effects) {
      if (const Send* send = std::get_if<Send>(&effect)) {
        on_send(*send);
      } else if (const AnswerClient* answer = std::get_if<AnswerClient>(&effect)) {
        EXPECT_EQ(answer->status, ClientStatus::kDone);
      }
    }
  }

  void on_send(const Send& send) {
    EXPECT_NE(send.to.value, kDead);
    if (const Request* request = std::get_if<Request>(&send.message)) {
      placed_at_ = send.to.value;
      ++active_[placed_at_];
      const auto takes = from_seconds(0.005 + 0.010 * draw_unit(latency_));
      coming_.emplace(now_.mono + takes, MessageReceived{send.to, Answer{.id = request->id}});
    } else if (const Probe* probe = std::get_if<Probe>(&send.message)) {
      coming_.emplace(now_.mono + 200us,
                      MessageReceived{send.to, ProbeAnswer{probe->id, load(send.to.value)}});
    }
  }

  Prng random_;
  Prng latency_;
  Balancer balancer_;
  Now now_{TimePoint{1s}, {}};
  TimePoint report_at_{};
  std::multimap<TimePoint, MessageReceived> coming_;
  std::array<std::uint32_t, kServers> active_{};
  std::array<std::uint32_t, kServers> taken_{};
  std::size_t placed_at_ = kServers;
};

class DeadServerEven : public ::testing::TestWithParam<Algorithm> {};

std::string algorithm_name(Algorithm algorithm) {
  return std::string(balance::algorithm_names()[static_cast<std::size_t>(algorithm)]);
}

INSTANTIATE_TEST_SUITE_P(Eight, DeadServerEven,
                         ::testing::Values(Algorithm::kRoundRobin, Algorithm::kRandom,
                                           Algorithm::kPowerOfTwo, Algorithm::kLeastConnections,
                                           Algorithm::kServerLoad, Algorithm::kPeakEwma,
                                           Algorithm::kPrequal, Algorithm::kMaglev),
                         [](const auto& param) { return algorithm_name(param.param); });

TEST_P(DeadServerEven, ItsSessionsSpreadEvenlyOverTheRest) {
  Aftermath aftermath(GetParam());
  aftermath.run(100us, [](std::size_t) {});  // about 100 under way at a time
  constexpr double kEven = kSessions / (kServers - 1.0);
  for (std::uint32_t i = 0; i < kServers; ++i) {
    EXPECT_NEAR(aftermath.taken()[i], i == kDead ? 0 : kEven, 0.1 * kEven) << "server " << i;
  }
  EXPECT_EQ(aftermath.taken()[kDead], 0u);
  EXPECT_EQ(aftermath.balancer().counts().sessions_moved, kSessions);
}

TEST(DeadServer, GreenFillsTheRestInItsOrder) {
  Aftermath aftermath(Algorithm::kGreen);
  const balance::PolicyConfig defaults;
  std::array<std::uint32_t, kServers> highest{};
  aftermath.run(285us, [&](std::size_t index) {  // about 35 under way: room for them in four
    highest[index] = std::max(highest[index], aftermath.balancer().active_at(index));
  });
  std::vector<std::uint32_t> in_order;
  for (std::uint32_t i = 0; i < kServers; ++i) {
    EXPECT_LE(highest[i], defaults.fill_max) << "server " << i;
    if (i != kDead) {
      in_order.push_back(aftermath.taken()[i]);
    }
  }
  EXPECT_EQ(aftermath.taken()[kDead], 0u);
  EXPECT_TRUE(std::is_sorted(in_order.rbegin(), in_order.rend()));
  // The first servers do all the work they may, those at the end none.
  EXPECT_GT(in_order[2], kSessions / 5);
  EXPECT_LT(in_order[5], kSessions / 1'000);
  EXPECT_EQ(in_order[6], 0u);
}

TEST(DeadServer, BoundedLoadsKeepTheirBoundOverTheRest) {
  Aftermath aftermath(Algorithm::kBoundedLoad);
  const balance::PolicyConfig defaults;
  std::uint32_t at_bound = 0;
  aftermath.run(100us, [&](std::size_t index) {
    std::uint32_t total = 0;
    for (std::size_t i = 0; i < kServers; ++i) {
      total += aftermath.balancer().active_at(i);
    }
    // ceil(c m / n) with c = 5/4 in whole numbers.
    ASSERT_EQ(defaults.load_bound, 1.25);
    const std::uint32_t n = 4 * (kServers - 1);
    const std::uint32_t bound = (5 * total + n - 1) / n;
    EXPECT_LE(aftermath.balancer().active_at(index), bound);
    at_bound += aftermath.balancer().active_at(index) == bound ? 1 : 0;
  });
  EXPECT_EQ(aftermath.taken()[kDead], 0u);
  EXPECT_GT(at_bound, 0u) << "the bound was never reached, so nothing was tested";
}

}  // namespace
}  // namespace copal

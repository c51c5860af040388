#include "sim/network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/base/assert.h"

namespace copal::sim {

namespace {

/// Between two processes of one host.
constexpr Duration kLoopback = 10us;
/// Frames that a frozen process' machine takes in for it; as a socket's buffer, more are lost.
constexpr std::size_t kFrozenFramesMax = 4096;
/// Bytes that a frame costs on the wire beyond itself: Ethernet, IP and TCP headers.
constexpr std::uint64_t kHeaderSizeBytes = 78;

std::uint64_t key_of(NodeId from, NodeId to) {
  return (static_cast<std::uint64_t>(from.value) << 32U) | to.value;
}

std::uint64_t pair_of(NodeId one, NodeId other) {
  return key_of(std::min(one, other), std::max(one, other));
}

/// All frames that may be on their way at once; the queue's bound in Transport's contract.
constexpr std::size_t kFlightsMax = std::size_t{1} << 22U;

}  // namespace

Network::Network(Engine& engine, std::vector<scenario::Link> links, SimgridCloud* cloud)
    : EventTarget(0x4e7), engine_(engine), links_(std::move(links)), cloud_(cloud) {
  link_up_.assign(links_.size(), true);
}

NodeId Network::add(std::size_t host, Endpoint& endpoint) {
  sites_.push_back({.host = host, .endpoint = &endpoint});
  return NodeId{static_cast<std::uint32_t>(sites_.size() - 1)};
}

Transport::Sent Network::send(NodeId from, NodeId to, Lane lane, std::span<const std::byte> frame,
                              const Body& body) {
  COPAL_ASSERT(from != to && to.value < sites_.size() && frame.size() <= kFrameSizeMaxBytes);
  const bool is_full = faults_ != nullptr && faults_->link(from, to).is_full;
  if (is_full || flights_.size() - free_.size() >= kFlightsMax) {
    return Transport::Sent::kOverloaded;
  }
  const std::uint64_t size_bytes =
      frame.size() + body.value.size_bytes() + body.opaque_size_bytes + kHeaderSizeBytes;
  count(frame, size_bytes);
  const std::uint32_t flight = take_flight(from, to, lane, Kind::kFrame);
  set_frame(flights_[flight], frame);
  flights_[flight].value = body.value;
  if (watcher_ != nullptr) {
    watcher_->on_sent(flight, from, to, frame);
  }
  if (faults_ == nullptr) {
    launch(flight, size_bytes);
  } else {
    launch_with_faults(flight, size_bytes);
  }
  return Transport::Sent::kQueued;
}

void Network::count(std::span<const std::byte> frame, std::uint64_t size_bytes) {
  const auto kind = frame.size() < 2 ? counts_.size() : static_cast<std::size_t>(frame[1]);
  if (kind < counts_.size()) {
    ++counts_[kind].frames;
    counts_[kind].frame_bytes += frame.size() + kHeaderSizeBytes;
    counts_[kind].body_bytes += size_bytes - frame.size() - kHeaderSizeBytes;
  }
}

void Network::set_frame(Flight& flight, std::span<const std::byte> frame) {
  if (frame.size() > kSmallFrameMaxBytes) {
    flight.large_frame = Blob::make(frame.size(), [frame](std::span<std::uint8_t> bytes) {
      std::memcpy(bytes.data(), frame.data(), frame.size());
    });
    return;
  }
  flight.size = static_cast<std::uint8_t>(frame.size());
  std::memcpy(flight.frame.data(), frame.data(), frame.size());
}

void Network::on_process_end(NodeId node, bool machine_is_on) {
  Site& site = sites_[node.value];
  ++site.starts;
  for (const std::uint32_t flight : site.waiting) {
    lose(flight);
  }
  site.waiting.clear();
  if (machine_is_on) {
    for (const NodeId peer : site.peers.list()) {
      reset(node, peer);
    }
  }
}

void Network::on_thaw(NodeId node) {
  const std::vector<std::uint32_t> waiting = std::exchange(sites_[node.value].waiting, {});
  for (const std::uint32_t flight : waiting) {
    deliver(flight);
  }
}

void Network::set_link(std::size_t host, bool up) {
  link_up_[host] = up;
  if (cloud_ != nullptr) {
    cloud_->set_link(host, up);
  }
}

void Network::on_event(std::uint64_t argument) {
  const auto flight = static_cast<std::uint32_t>(argument);
  if (flights_[flight].kind == Kind::kDeparture) {
    depart(flight);
    return;
  }
  const std::uint64_t key = lane_key(flights_[flight]);
  const TimePoint* last = last_arrivals_.find(key);
  if (last != nullptr && *last <= engine_.now()) {
    last_arrivals_.erase(key);
  }
  land(flight);
}

/// SimGrid lets a later small transfer overtake (simulation-facts 4.2); a connection does not: what
/// has landed waits for all that was sent before it.
void Network::on_flow_end(std::uint64_t flight, bool arrived) {
  Flight& ended = flights_[flight];
  ended.landed = true;
  ended.lost = !arrived;
  std::deque<std::uint32_t>& queue = flows(ended);
  while (!queue.empty() && flights_[queue.front()].landed) {
    const std::uint32_t next = queue.front();
    queue.pop_front();
    if (flights_[next].lost) {
      free_flight(next);
    } else {
      land(next);
    }
  }
}

std::uint32_t Network::take_flight(NodeId from, NodeId to, Lane lane, Kind kind) {
  std::uint32_t flight = 0;
  if (free_.empty()) {
    flight = static_cast<std::uint32_t>(flights_.size());
    flights_.emplace_back();
  } else {
    flight = free_.back();
    free_.pop_back();
  }
  Flight& entry = flights_[flight];
  entry.from = from;
  entry.to = to;
  entry.to_start = sites_[to.value].starts;
  entry.kind = kind;
  entry.lane = lane;
  entry.landed = false;
  entry.lost = false;
  entry.size = 0;
  const std::uint32_t* broken = connections_.find(pair_of(from, to));
  entry.connection = broken == nullptr ? 0 : *broken;
  return flight;
}

void Network::free_flight(std::uint32_t flight) {
  flights_[flight].large_frame = Blob();
  flights_[flight].value = Blob();
  free_.push_back(flight);
}

bool Network::Peers::insert(NodeId peer) {
  if (list_.size() <= kSearched) {
    if (std::find(list_.begin(), list_.end(), peer) != list_.end()) {
      return false;
    }
    list_.push_back(peer);
    return true;
  }
  if (bits_.empty()) {
    for (const NodeId known : list_) {
      bits_.resize(std::max<std::size_t>(bits_.size(), known.value + 1));
      bits_[known.value] = true;
    }
  }
  if (peer.value >= bits_.size()) {
    bits_.resize(peer.value + 1);
  }
  if (bits_[peer.value]) {
    return false;
  }
  bits_[peer.value] = true;
  list_.push_back(peer);
  return true;
}

bool Network::shares_bandwidth(NodeId from, NodeId to) const {
  const std::size_t from_host = sites_[from.value].host;
  const std::size_t to_host = sites_[to.value].host;
  return from_host != to_host && (links_[from_host].fidelity == scenario::Fidelity::kFlow ||
                                  links_[to_host].fidelity == scenario::Fidelity::kFlow);
}

/// from, to and the lane in one number: there are far fewer nodes than 2^30.
std::uint64_t Network::lane_key(NodeId from, NodeId to, Lane lane) {
  return key_of(from, to) | static_cast<std::uint64_t>(lane) << 62U;
}

std::deque<std::uint32_t>& Network::flows(const Flight& flight) {
  std::deque<std::uint32_t>*& queue = flows_[lane_key(flight)];
  if (queue == nullptr) {
    queue = &flow_queues_.emplace_back();
  }
  return *queue;
}

Duration Network::travel_time(std::size_t from_host, std::size_t to_host,
                              std::uint64_t size_bytes) const {
  if (from_host == to_host) {
    return kLoopback;
  }
  const scenario::Link& from = links_[from_host];
  const scenario::Link& to = links_[to_host];
  const double bandwidth = std::min(from.bandwidth_bytes_per_s, to.bandwidth_bytes_per_s);
  return (from.latency + to.latency) / 2 +
         from_seconds(static_cast<double>(size_bytes) / bandwidth);
}

void Network::launch(std::uint32_t flight, std::uint64_t size_bytes) {
  const Flight& entry = flights_[flight];
  const std::size_t from_host = sites_[entry.from.value].host;
  const std::size_t to_host = sites_[entry.to.value].host;
  if (sites_[entry.from.value].peers.insert(entry.to)) {
    sites_[entry.to.value].peers.insert(entry.from);
  }
  if (entry.kind == Kind::kFrame && shares_bandwidth(entry.from, entry.to)) {
    flows(entry).push_back(flight);
    flights_[flight].kind = Kind::kDeparture;
    flights_[flight].size_bytes = size_bytes;
    engine_.at(engine_.now() + travel_time(from_host, to_host, 0), *this, flight);
    return;
  }
  // A time is kept only while something is under way: a cluster has as many as it has frames in
  // flight, and not the square of its nodes.
  TimePoint& last = last_arrivals_[lane_key(entry)];
  last = std::max(engine_.now() + travel_time(from_host, to_host, size_bytes), last);
  engine_.at(last, *this, flight);
}

void Network::launch_with_faults(std::uint32_t flight, std::uint64_t size_bytes) {
  const NodeId from = flights_[flight].from;
  const NodeId to = flights_[flight].to;
  NetworkFaults::Fate fate = faults_->draw(from, to, engine_.now());
  if (fate.lost) {
    lose(flight);
    return;
  }
  if (fate.refused) {
    lose(flight);
    reset(to, from);
    return;
  }
  if (fate.flipped && flights_[flight].value.size_bytes() == 0) {
    // A connection's own check finds it and gives the connection up.
    lose(flight);
    break_connection(from, to);
    return;
  }
  const std::size_t from_host = sites_[from.value].host;
  const std::size_t to_host = sites_[to.value].host;
  const Duration leaves_in = faults_->time_to_leave(from, to, engine_.now(), size_bytes);
  if (leaves_in > 0ns) {
    fate.more = std::max(fate.more, leaves_in + travel_time(from_host, to_host, 0));
  }
  if (fate.twice) {
    const std::uint32_t copy = take_flight(from, to, flights_[flight].lane, Kind::kFrame);
    flights_[copy] = flights_[flight];
    launch(copy, size_bytes);
  }
  if (fate.flipped) {
    flip_bit(flight);
  }
  if (!fate.overtaken) {
    TimePoint& last = last_arrivals_[lane_key(flights_[flight])];
    last = std::max(last, engine_.now() + fate.more);
    launch(flight, size_bytes);
    return;
  }
  const Duration usual = travel_time(from_host, to_host, size_bytes);
  if (sites_[from.value].peers.insert(to)) {
    sites_[to.value].peers.insert(from);
  }
  engine_.at(engine_.now() + usual + fate.more, *this, flight);
}

/// In the value: nothing but its hash protects it.
void Network::flip_bit(std::uint32_t flight) {
  const Blob before = flights_[flight].value;
  const std::uint64_t bit = faults_->draw_bit(before.size_bytes() * 8);
  flights_[flight].value = Blob::make(before.size_bytes(), [&](std::span<std::uint8_t> bytes) {
    std::ranges::copy(before.bytes(), bytes.begin());
    bytes[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
  });
}

void Network::lose(std::uint32_t flight) {
  if (watcher_ != nullptr && flights_[flight].kind == Kind::kFrame) {
    watcher_->on_lost(flight);
  }
  free_flight(flight);
}

void Network::break_connection(NodeId one, NodeId other) {
  ++connections_[pair_of(one, other)];
  if (faults_ != nullptr) {
    faults_->on_break(one, other);
  }
  // The next one does not wait for what is lost.
  for (const Lane lane : {Lane::kControl, Lane::kData, Lane::kBulk}) {
    last_arrivals_.erase(lane_key(one, other, lane));
    last_arrivals_.erase(lane_key(other, one, lane));
  }
  reset(one, other);
  reset(other, one);
}

void Network::depart(std::uint32_t flight) {
  COPAL_ASSERT(cloud_ != nullptr);
  Flight& entry = flights_[flight];
  entry.kind = Kind::kFrame;
  // SimGrid aborts the process over a host that is off and is silent about a link that is.
  const auto off = [this](NodeId node) {
    return sites_[node.value].endpoint->state() == Endpoint::State::kOff;
  };
  if (severed(entry.from, entry.to) || off(entry.from) || off(entry.to)) {
    on_flow_end(flight, false);
    return;
  }
  cloud_->send(sites_[entry.from.value].host, sites_[entry.to.value].host, entry.size_bytes, flight,
               *this);
}

void Network::land(std::uint32_t flight) {
  const Flight& entry = flights_[flight];
  const Site& site = sites_[entry.to.value];
  const Endpoint::State state = site.endpoint->state();
  const std::uint32_t* broken = connections_.find(pair_of(entry.from, entry.to));
  const bool gone = entry.kind == Kind::kFrame && broken != nullptr && *broken != entry.connection;
  if (severed(entry.from, entry.to) || state == Endpoint::State::kOff || gone) {
    lose(flight);
    return;
  }
  if (state == Endpoint::State::kFrozen && entry.to_start == site.starts) {
    if (site.waiting.size() < kFrozenFramesMax) {
      sites_[entry.to.value].waiting.push_back(flight);
    } else {
      lose(flight);
    }
    return;
  }
  const bool for_this_start = entry.to_start == site.starts;
  if (state == Endpoint::State::kNoOne || !for_this_start) {
    if (entry.kind == Kind::kFrame) {
      reset(entry.to, entry.from);  // refused
    }
    lose(flight);
    return;
  }
  deliver(flight);
}

void Network::deliver(std::uint32_t flight) {
  // Taken out: the receiver may send, and so move the table.
  const Flight entry = std::move(flights_[flight]);
  if (watcher_ != nullptr && entry.kind == Kind::kFrame) {
    watcher_->on_arrived(flight);
  }
  free_flight(flight);
  Endpoint& endpoint = *sites_[entry.to.value].endpoint;
  if (entry.kind == Kind::kReset) {
    endpoint.on_link_down(entry.from);
    return;
  }
  const std::span<const std::byte> frame =
      entry.large_frame.size_bytes() > 0
          ? std::as_bytes(entry.large_frame.bytes())
          : std::span<const std::byte>(entry.frame).first(entry.size);
  mix_into_hash(frame);
  endpoint.on_frame(entry.from, frame, entry.value);
}

/// Eight bytes at a time, the last filled up with zeros. A value is named by its hash in the frame.
void Network::mix_into_hash(std::span<const std::byte> frame) {
  for (; !frame.empty(); frame = frame.subspan(std::min(frame.size(), sizeof(std::uint64_t)))) {
    std::uint64_t word = 0;
    std::memcpy(&word, frame.data(), std::min(frame.size(), sizeof word));
    engine_.mix_into_hash(word);
  }
}

void Network::reset(NodeId from, NodeId to) {
  if (!severed(from, to)) {
    // Behind what was sent as data: a process' last answers come before the news of its end.
    launch(take_flight(from, to, Lane::kData, Kind::kReset), kHeaderSizeBytes);
  }
}

bool Network::severed(NodeId a, NodeId b) const {
  const std::size_t host_a = sites_[a.value].host;
  const std::size_t host_b = sites_[b.value].host;
  return (host_a != host_b && (!link_up_[host_a] || !link_up_[host_b])) ||
         (faults_ != nullptr && faults_->link(a, b).blocked);
}

}  // namespace copal::sim

#include "core/node/driver.h"

#include <algorithm>
#include <utility>

#include "core/base/mutant.h"
#include "core/base/overloaded.h"
#include "core/node/node.h"
#include "core/protocol/lane.h"

namespace copal {

void Driver::on_frame(NodeId from, std::span<const std::byte> frame, const Blob& value) {
  Result<Message> message = decode(frame);
  if (!message) {
    ++counts_.malformed_frames;
    return;
  }
  if (value.size_bytes() > 0) {
    message = with_value(std::move(*message), value);
    if (!message) {
      ++counts_.damaged_values;
      return;
    }
  }
  input(MessageReceived{from, std::move(*message)});
}

void Driver::wake() {
  // A wake-up that an earlier one has replaced may still come. It must not make the driver forget
  // the one it waits for, or each would ask for another and they would only ever get more.
  if (ports_.clock->now().mono >= wake_asked_) {
    wake_asked_ = kNever;
  }
  input(Wake{});
}

void Driver::input(const Input& input) {
  step(input);
  // What the node does about it may be refused as well: that it was told already.
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    step(SendRefused{refused_[i]});
  }
  refused_.clear();
}

void Driver::step(const Input& input) {
  effects_.clear();
  const Now now = ports_.clock->now();
  node_.step(input, now, effects_);
  if (watcher_ != nullptr) {
    watcher_->on_step(input, now, effects_);
  }
  if (!effects_.store().empty() || !waiting_.empty()) {
    hand_over();
  }
  for (const Effect& effect : effects_) {
    perform(effect);
  }
  // An earlier wake-up that is still to come serves as well: one too many does no harm, while
  // moving it at every step would cost more than the step.
  const TimePoint deadline = node_.next_deadline();
  if (deadline < wake_asked_) {
    wake_asked_ = deadline;
    ports_.clock->wake_at(deadline);
  }
}

// ---- the store

void Driver::hand_over() {
  COPAL_ASSERT(ports_.storage != nullptr);
  if (!waiting_.empty()) {
    waiting_.append(effects_.store());
  }
  const StorageBatch& batch = waiting_.empty() ? effects_.store() : waiting_;
  const Result<StoreSequence> sequence = ports_.storage->write(batch);
  if (sequence) {
    handed_over_ = sequence->value;
    if (COPAL_MUTANT(kUnsyncedIsDurable)) {
      synced_ = handed_over_;
    }
    waiting_.clear();
    if (std::exchange(sync_waits_, false)) {
      ports_.storage->sync();
    }
    return;
  }
  ++counts_.store_waited;
  if (waiting_.empty()) {
    waiting_.append(effects_.store());
  }
}

void Driver::on_storage(const StorageCompletion& completion) {
  if (const auto* opened = std::get_if<StoreOpened>(&completion)) {
    handed_over_ = opened->newest.value;
    synced_ = opened->newest.value;
  } else if (const auto* synced = std::get_if<SyncEnded>(&completion)) {
    synced_ = std::max(synced_, synced->synced.value);
    release();
  } else if (const auto* failed = std::get_if<WriteFailed>(&completion)) {
    // Numbers are given again: what waits for one of these batches waits for what never was. Nor is
    // what waits behind it said: it may stand for all before it, as an acknowledgement does.
    std::deque<Held> rest;
    std::deque<Held> unsaid;
    for (Held& held : held_) {
      const bool fails = held.batch >= failed->first.value || follows_one_of(unsaid, held.send);
      (fails ? unsaid : rest).push_back(std::move(held));
    }
    counts_.unsaid += unsaid.size();
    held_ = std::move(rest);
    handed_over_ = failed->first.value - 1;
  }
  input(completion);
}

/// Whether one of the same kind and to the same peer is among them.
bool Driver::follows_one_of(const std::deque<Held>& some, const Send& send) {
  return std::ranges::any_of(some, [&send](const Held& other) {
    return other.send.to == send.to && other.send.message.index() == send.message.index();
  });
}

bool Driver::must_wait(const Send& send) const {
  if (send.after_sync && !COPAL_MUTANT(kAfterSyncIgnored) &&
      (synced_ < handed_over_ || !waiting_.empty())) {
    return true;
  }
  return follows_one_of(held_, send);
}

void Driver::release() {
  // In their order: one that must wait keeps those of its kind and peer behind it.
  std::deque<Held> rest;
  for (Held& held : held_) {
    if (follows_one_of(rest, held.send) || held.batch > synced_) {
      rest.push_back(std::move(held));
    } else {
      send_now(held.send);
    }
  }
  held_ = std::move(rest);
}

// ---- effects

void Driver::perform(const Send& send) {
  if (!must_wait(send)) {
    send_now(send);
    return;
  }
  // What the store has not taken yet becomes the next batch.
  const std::uint64_t batch = handed_over_ + (waiting_.empty() ? 0 : 1);
  held_.push_back({send, send.after_sync ? batch : 0});
}

void Driver::send_now(const Send& send) {
  const std::size_t size_bytes = encode(send.message, ports_.frame);
  const Body body{value_of(send.message), body_size_bytes(send.message)};
  const auto sent = ports_.transport->send(send.to, lane_of(send.message, body.value.size_bytes()),
                                           ports_.frame.first(size_bytes), body);
  if (sent == Transport::Sent::kOverloaded) {
    ++counts_.overloaded_sends;
    if (std::ranges::find(refused_, send.to) == refused_.end()) {
      refused_.push_back(send.to);
    }
  }
}

void Driver::perform(const Effect& effect) {
  std::visit(
      Overloaded{
          [this](const Send& send) { perform(send); },
          [this](const AnswerClient& answer) { ports_.caller->answer_client(answer); },
          [this](const StartWork& start) { ports_.application->start_work(start.work, start.tag); },
          [this](const CancelWork& cancel) { ports_.application->cancel_work(cancel.work); },
          [this](const ReadCpu&) { ports_.application->read_cpu(); },
          [this](const PowerDown&) { ports_.application->power_down(); },
          [this](const PowerOn& order) { ports_.caller->power_on(order.server); },
          [this](const AnswerCall& answer) { ports_.application->answer_call(answer); },
          [this](const AnswerEntries& answer) { ports_.application->answer_entries(answer); },
          [this](const AnswerKeys& answer) { ports_.application->answer_keys(answer); },
          [this](const TellListener& news) { ports_.application->tell_listener(news); },
          // The node keeps to the store's limits.
          [this](const ReadStore& read) {
            COPAL_ASSERT(ports_.storage->read(read.id, read.family, read.key));
          },
          [this](const ScanStore& scan) {
            COPAL_ASSERT(
                ports_.storage->scan(scan.id, scan.family, scan.from, scan.size_max_bytes));
          },
          [this](const SyncStore&) {
            if (waiting_.empty()) {
              ports_.storage->sync();
            } else {
              sync_waits_ = true;
            }
          },
          [this](const StopProcess& stop) {
            if (ports_.supervisor != nullptr) {
              ports_.supervisor->stop_process(stop.failed);
            }
          },
          [this](const SetAlarm& set) {
            if (ports_.supervisor != nullptr) {
              ports_.supervisor->set_alarm(set.alarm, set.on);
            }
          }},
      effect);
}

}  // namespace copal

#include "core/node/driver.h"

#include <array>
#include <utility>

#include "core/base/overloaded.h"
#include "core/protocol/codec.h"

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
  effects_.clear();
  node_.step(input, ports_.clock->now(), effects_);
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

void Driver::perform(const Effect& effect) {
  std::visit(
      Overloaded{
          [this](const Send& send) {
            std::array<std::byte, kMessageSizeMaxBytes> frame;
            const std::size_t size_bytes = encode(send.message, frame);
            const auto sent =
                ports_.transport->send(send.to, {frame.data(), size_bytes},
                                       {value_of(send.message), body_size_bytes(send.message)});
            if (sent == Transport::Sent::kOverloaded) {
              ++counts_.overloaded_sends;
            }
          },
          [this](const AnswerClient& answer) { ports_.caller->answer_client(answer); },
          [this](const StartWork& start) { ports_.application->start_work(start.work, start.tag); },
          [this](const CancelWork& cancel) { ports_.application->cancel_work(cancel.work); },
          [this](const ReadCpu&) { ports_.application->read_cpu(); },
          [this](const PowerDown&) { ports_.application->power_down(); },
          [this](const PowerOn& order) { ports_.caller->power_on(order.server); }},
      effect);
}

}  // namespace copal

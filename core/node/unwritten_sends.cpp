#include "core/node/unwritten_sends.h"

#include <algorithm>
#include <utility>

namespace copal {

namespace {

bool is_ack_to(const Send& send, NodeId peer) {
  return send.to == peer && std::holds_alternative<ReplicateAck>(send.message);
}

}  // namespace

bool UnwrittenSends::must_wait(const Send& send) const {
  return send.after_sync || (std::holds_alternative<ReplicateAck>(send.message) &&
                             std::ranges::any_of(held_, [&send](const Send& held) {
                               return is_ack_to(held, send.to);
                             }));
}

void UnwrittenSends::end_step(bool is_written, Effects& effects) {
  if (is_written && held_.empty()) {
    return;
  }
  effects.erase_if([this](Effect& effect) {
    auto* send = std::get_if<Send>(&effect);
    if (send == nullptr || !must_wait(*send)) {
      return false;
    }
    if (std::holds_alternative<ReplicateAck>(send->message)) {
      std::erase_if(held_, [send](const Send& held) { return is_ack_to(held, send->to); });
    }
    send->after_sync = true;
    held_.push_back(std::move(*send));
    return true;
  });
  while (held_.size() > kHeldMax) {
    held_.pop_front();
  }
  if (is_written) {
    for (Send& send : held_) {
      effects.push_back(std::move(send));
    }
    held_.clear();
  }
}

}  // namespace copal

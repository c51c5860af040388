#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "core/base/blob.h"
#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/cache/local_cache_config.h"
#include "core/cache/near_cache.h"
#include "core/membership/triad_link.h"
#include "core/protocol/effect.h"

namespace copal {

/// A server's acknowledged writes until every ready member has them: the second copy of those that
/// only their acting owner has. When another member acts, or the owner began anew, they are offered
/// to it under the same version; so a write is lost only if owner and writer are gone. What a read
/// finds the owner to lack is offered as well, and bytes that its disk has lost are given back.
/// Rule: R1.7.
/// Chosen: at the bound in bytes further writes wait, but where the owner is the only member that
/// is ready (two of three down) nothing ever covers them and writing must go on: there the oldest
/// are given up, and counted. Invariants: 1. the charges add up; 2. what is kept for an owner
/// stands in the order of its positions; 3. an offer under way is asked again until it is answered.
class KeptWrites {
 public:
  /// near  says what was used since it was written.
  KeptWrites(const LocalCacheConfig& config, TriadLink& link, const NearCache& near,
             std::uint64_t& next_sequence)
      : config_(config), link_(link), near_(near), next_sequence_(next_sequence) {}

  /// Whether another write may be sent: its room is not known before its answer, so one more is
  /// taken while there is any.
  bool has_room() const { return size_bytes_ < config_.kept_max_bytes; }

  /// A write was acknowledged by the member that acts under this view, under this position.
  void keep(const MNode& mnode, const std::string& key_text, const Blob& value, Slot owner,
            Incarnation incarnation, std::uint64_t position, Now now, Effects& effects);
  /// The owner lacks a version that this server has read; or it is offered this already, and is to
  /// know of the use too (R0.7).
  void offer(const MNode& mnode, const std::string& key_text, const Blob& value, Now now,
             Effects& effects);

  /// A member's heartbeat came: what it covers is let go.
  void on_heartbeat(Slot from);
  /// Who acts has changed: what others hold in charge now is offered to them.
  void on_owners_changed(Now now, Effects& effects);
  bool on_answer(const OfferAnswer& answer, Now now);
  /// A member lacks the bytes of a value, and nobody that it asked before has them.
  void on_fetch(NodeId from, const FetchValue& fetch, Effects& effects) const;
  void on_lost(NodeId member, Now now);
  void on_time(Now now, Effects& effects);
  TimePoint next_deadline() const { return next_deadline_; }

  std::uint64_t size_bytes() const { return size_bytes_; }
  std::size_t count() const;
  struct Counts {
    std::uint64_t kept = 0;
    std::uint64_t offered = 0;
    std::uint64_t taken = 0;     // the owner had not known it
    std::uint64_t obsolete = 0;  // removed, or newer there
    std::uint64_t given_up = 0;  // at the bound, with nobody to replicate to
  };
  const Counts& counts() const { return counts_; }
  void check_invariants() const;

 private:
  struct Kept {
    MNode mnode;
    std::string key_text;
    Blob value;
    Incarnation incarnation;
    std::uint64_t position = 0;
    // Two starts may have one incarnation, if a disk was lost; but a server hears one of them only.
    bool was_heard = false;
  };
  /// An entry that is offered.
  struct Offer {
    Kept kept;
    NodeId asked;
    Slot avoid{kSlots};  // the connection to this one broke
    TimePoint again_at{};
    TimePoint told_use{};    // the last use that was sent with it
    std::size_t lacked = 0;  // how often the owner had not got the bytes, nor this server
  };

  static constexpr Duration kBytesDelay = 1s;
  static constexpr std::size_t kLackedMax = 30;

  static std::uint64_t charge(const Kept& kept);
  void set_start(Kept& kept, Slot owner, Incarnation incarnation, std::uint64_t position) const;
  bool is_same_start(const Kept& kept, Slot owner) const;
  bool is_in_charge(const Kept& kept, Slot owner, TimePoint now) const;
  void begin_offer(Kept kept, Now now, Effects& effects);
  void send(std::uint64_t sequence, Offer& offer, Now now, Effects& effects);
  void ask_again(Offer& offer, TimePoint at);
  void insert(Slot owner, Kept kept);
  void give_up_oldest();

  const LocalCacheConfig& config_;
  TriadLink& link_;
  const NearCache& near_;
  std::uint64_t& next_sequence_;
  std::array<std::deque<Kept>, kSlots> kept_;  // by owner
  std::map<std::uint64_t, Offer> offers_;      // by sequence
  std::uint64_t size_bytes_ = 0;
  TimePoint next_deadline_ = kNever;
  Counts counts_;
};

}  // namespace copal

// While one owner acts, operations are atomic: what an operation made of an entry is what it makes
// of the state right before it. Two states of a key that one owner gave in one term, one after the
// other, have nothing between them, so the later one's operation is applied here to the earlier
// one, by rules written anew. And an operation that says that its condition failed must have met a
// state in which it fails.

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/mnode/value_name.h"
#include "sim/checkers/checkers.h"

namespace copal::sim {

namespace {

using Op = fuzz::PlannedOp::Kind;

std::optional<std::int64_t> number_of(const MNode& mnode) {
  const ValueName name = value_name(mnode);
  if (!name.is_inline) {
    return std::nullopt;
  }
  const auto bytes = inline_bytes(name);
  std::int64_t number = 0;
  const char* begin = reinterpret_cast<const char*>(bytes.data());
  const auto [end, error] = std::from_chars(begin, begin + bytes.size(), number);
  return error == std::errc{} && end == begin + bytes.size() ? std::optional(number) : std::nullopt;
}

/// Whether the operation may change an entry in this state (nothing: absent).
bool applies(const Operation& operation, const MNode* before) {
  switch (operation.planned.kind) {
    case Op::kPutIfAbsent:
      return before == nullptr;
    case Op::kReplace:
    case Op::kGetAndReplace:
    case Op::kRemove:
    case Op::kGetAndRemove:
    case Op::kTouch:
      return before != nullptr;
    case Op::kCompareAndSet:
      return before != nullptr && before->version == operation.change.expected_version;
    case Op::kReplaceValue:
    case Op::kRemoveValue:
      return before != nullptr && value_name(*before) == operation.change.expected_value;
    default:
      return true;
  }
}

/// The bytes of a state, where they can be known: it holds them itself, or they were put.
std::optional<Blob> bytes_of(const MNode& state, const Operation* made_by) {
  const ValueName name = value_name(state);
  if (name.is_inline) {
    return Blob(inline_bytes(name));
  }
  const bool was_put = made_by != nullptr && made_by->change.action == Action::kPut;
  return was_put ? std::optional(
                       fuzz::value_bytes(made_by->planned.value, made_by->planned.value_size_bytes))
                 : std::nullopt;
}

ValueName joined(const Blob& first, const Blob& second) {
  const Blob whole =
      Blob::make(first.size_bytes() + second.size_bytes(), [&](std::span<std::uint8_t> bytes) {
        const auto rest = std::ranges::copy(first.bytes(), bytes.begin()).out;
        std::ranges::copy(second.bytes(), rest);
      });
  return name_value(whole.bytes());
}

/// made_by  what gave the state before; nothing if that is not known.
bool is_appended(const Operation& operation, const MNode* before, const Operation* made_by,
                 const MNode& after) {
  const Blob added = fuzz::value_bytes(operation.planned.value, operation.planned.value_size_bytes);
  const auto was = before == nullptr ? std::optional<Blob>(Blob{}) : bytes_of(*before, made_by);
  if (!was) {
    return after.value_size_bytes == before->value_size_bytes + added.size_bytes();
  }
  const bool in_front = operation.planned.kind == Op::kPrepend;
  return value_name(after) == (in_front ? joined(added, *was) : joined(*was, added));
}

/// Flags and expire timeout are given with a put, or with whatever makes an entry where there is
/// none; a touch gives a timeout; else both stay.
bool has_its_attributes(const fuzz::PlannedCache& cache, const Operation& operation,
                        const MNode* before, const MNode& after) {
  const Change& change = operation.change;
  const bool is_new = before == nullptr || change.action == Action::kPut;
  const bool gives_timeout = is_new || change.action == Action::kTouch;
  return after.is_tombstone() ||
         (after.user_flags == (is_new ? change.user_flags : before->user_flags) &&
          (gives_timeout ? may_have_timeout(cache, change, after.expire_timeout)
                         : after.expire_timeout == before->expire_timeout));
}

/// Whether the state after is what the operation makes of the one before.
bool follows(const Operation& operation, const MNode* before, const MNode& after) {
  const Op kind = operation.planned.kind;
  if (kind == Op::kIncrement) {
    const auto delta = static_cast<std::int64_t>(operation.change.delta);
    const auto was = before == nullptr ? std::optional<std::int64_t>(0) : number_of(*before);
    return was && number_of(after) == *was + delta;
  }
  if (kind == Op::kTouch) {
    return before != nullptr && value_name(after) == value_name(*before);
  }
  if (operation.change.action == Action::kRemove) {
    return after.is_tombstone();
  }
  return value_name(after) == operation.change.value;
}

bool previous_is(const Operation& operation, const MNode* before) {
  if (!operation.change.wants_previous) {
    return true;
  }
  return before == nullptr ? !operation.previous
                           : operation.previous && operation.previous->version == before->version;
}

/// Whether the owner that made both had forgotten the first when it made the second.
bool forgot(const fuzz::Trial& world, const KeyHistory& key, const Version& one,
            const Version& two) {
  const std::uint32_t member = one.owner.slot().value;
  return starts_of_memory(world, member, born(key, one)) !=
         starts_of_memory(world, member, born(key, two));
}

/// Whether an owner has to have the bytes of the state before: such changes wait while they are
/// read from its disk, and are then done in one step.
bool needs_bytes(const Change& change) {
  return is_append(change.action) || change.wants_previous;
}

/// Whether an operation gives a state if another one came between that left none: all that can be
/// known of what that made is its value, or its size.
bool follows_unseen(const Operation& operation, const Operation& other, const MNode& before,
                    const MNode& after) {
  MNode between = before;
  const bool puts = other.change.action == Action::kPut;
  if (puts) {
    set_value(between, other.change.value);
  } else if (is_append(other.change.action)) {
    between.value_size_bytes += other.change.value.size_bytes;
  }
  const MNode* state = other.change.action == Action::kRemove ? nullptr : &between;
  return applies(other, &before) && applies(operation, state) &&
         (is_append(operation.change.action)
              ? is_appended(operation, state, puts ? &other : nullptr, after)
              : follows(operation, state, after));
}

constexpr Duration kTriesLast = 5s;  // those that are on their way as their server gives up

/// Whether another operation may have been done between two states, in the step that gave the later
/// one: nothing but its own answer, if there is one, tells of the state that it made.
bool overtook_another(const History& history, const KeyHistory& key, const Operation& operation,
                      const MNode& before, const MNode& after) {
  return before.has_stored_value() && needs_bytes(operation.change) &&
         std::ranges::any_of(history.operations, [&](const Operation& other) {
           const bool is_unseen = other.changed() && before.version < other.version &&
                                  other.version < after.version &&
                                  born(key, other.version) == kNever;
           const bool may_have_happened = is_unseen || other.died || !other.is_over() ||
                                          other.status == CacheStatus::kOutcomeUnknown;
           const TimePoint until = other.asked + other.planned.timeout + kTriesLast;
           return other.name() == operation.name() && other.id != operation.id && other.was_told &&
                  may_have_happened && needs_bytes(other.change) &&
                  other.asked <= born(key, after.version) && until >= born(key, before.version) &&
                  follows_unseen(operation, other, before, after);
         });
}

void check_states(const fuzz::Trial& world, const KeyName& name, const KeyHistory& key,
                  const std::map<Version, const Operation*>& by_version, Findings& findings) {
  const History& history = world.history();
  const Version clear = history.cleared(key.group, name.cache);
  for (auto at = key.states.begin(); at != key.states.end(); ++at) {
    const auto next = std::next(at);
    if (next == key.states.end() || next->first.owner != at->first.owner ||
        next->first.epoch != at->first.epoch || at->first < clear ||
        forgot(world, key, at->first, next->first)) {
      continue;
    }
    const auto operation = by_version.find(next->first);
    if (operation == by_version.end()) {
      continue;
    }
    findings.judged();
    const MNode* before = at->second.is_tombstone() ? nullptr : &at->second;
    const Operation& of = *operation->second;
    const auto made_by = by_version.find(at->first);
    const bool follows_it =
        is_append(of.change.action)
            ? is_appended(of, before, made_by == by_version.end() ? nullptr : made_by->second,
                          next->second)
            : follows(of, before, next->second);
    const bool is_right = applies(of, before) && follows_it && previous_is(of, before) &&
                          has_its_attributes(cache_of(world.plan(), of), of, before, next->second);
    if (!is_right && !overtook_another(history, key, of, at->second, next->second)) {
      findings.violated(describe(of) + " can't follow the state of version " + describe(at->first));
    }
  }
}

/// Whether an operation may have met its own state, made by an earlier attempt of its server: that
/// doesn't count as one in which its condition fails. Two operations of one server may come to the
/// same value, or to none, at the same time, be it by increments: a state that may be the other's
/// does count. Plain puts and removals may be done twice (R0.3): such a removal may meet its own,
/// and a state may be theirs whatever they were told.
bool is_its_own(const History& history, const Operation& operation, const MNode& state,
                TimePoint since) {
  const auto made_by = [&](const Operation& one) {
    const Action action = one.change.action;
    const bool gives_it =
        (action == Action::kPut && one.change.value == value_name(state)) ||
        (action == Action::kRemove && state.is_tombstone()) ||
        (action == Action::kTouch && !state.is_tombstone()) ||  // whatever its value
        (action == Action::kIncrement && number_of(state)) ||
        (is_append(action) && state.value_size_bytes >= one.change.value.size_bytes);
    return one.name() == operation.name() && one.server == state.change.server.value &&
           !one.is_read() && gives_it && one.asked <= since;
  };
  const bool is_once =
      operation.change.action == Action::kPut ||
      (operation.change.action == Action::kRemove && operation.planned.kind != Op::kRemove);
  return is_once && made_by(operation) &&
         std::ranges::none_of(history.operations, [&](const Operation& other) {
           const bool is_unknown =
               !other.is_over() || other.died || other.status == CacheStatus::kOutcomeUnknown;
           const bool is_plain =
               other.planned.kind == Op::kPut || other.planned.kind == Op::kRemove;
           return other.id != operation.id && made_by(other) &&
                  (is_unknown || is_plain || (other.changed() && other.version == state.version));
         });
}

/// Whether the condition fails in what another operation made meanwhile, and the next one overtook
/// in the same step: its answer alone tells of that state, or nothing does.
bool met_overtaken(const History& history, const Operation& operation, const KeyHistory& key) {
  return std::ranges::any_of(history.operations, [&](const Operation& other) {
    if (other.name() != operation.name() || other.id == operation.id ||
        other.asked > operation.answered || other.answered < operation.asked) {
      return false;
    }
    const bool removes = other.change.action == Action::kRemove;
    if (other.died || other.status == CacheStatus::kOutcomeUnknown) {
      return removes && other.was_told && !applies(operation, nullptr);
    }
    return other.changed() && born(key, other.version) == kNever && (removes || other.entry) &&
           !applies(operation, removes ? nullptr : &*other.entry);
  });
}

/// Whether a member that acted had the key in a state in which the condition fails.
bool met_failing(const History& history, const Operation& operation) {
  const KeyHistory& key = history.keys.at(operation.name());
  if (met_overtaken(history, operation, key)) {
    return true;
  }
  for (const ActingSpan& span : history.acting[key.group.value]) {
    const TimePoint from = std::max(span.from, operation.asked);
    const TimePoint to = std::min(span.to, operation.answered);
    const std::vector<HeldState>& held = key.held[span.member];
    for (std::size_t i = 0; i < held.size() && from <= to; ++i) {
      const TimePoint until = i + 1 < held.size() ? held[i + 1].since : kNever;
      if (held[i].since > to || until < from || !held[i].running) {
        continue;
      }
      const auto state = key.states.find(held[i].version);
      const bool absent = state == key.states.end() || held[i].is_tombstone;
      if (state != key.states.end() &&
          is_its_own(history, operation, state->second, born(key, held[i].version))) {
        continue;
      }
      if (!applies(operation, absent ? nullptr : &state->second)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace

void check_atomicity(fuzz::Trial& world, Findings& findings) {
  const History& history = world.history();
  std::map<KeyName, std::map<Version, const Operation*>> by_version;
  for (const Operation& operation : history.operations) {
    if (ends_by_itself(world.plan(), operation.name())) {
      continue;
    }
    if (operation.changed()) {
      by_version[operation.name()][operation.version] = &operation;
    }
    const bool failed = operation.status == CacheStatus::kConditionFailed ||
                        (operation.status == CacheStatus::kAbsent && !operation.is_read());
    if (failed && operation.is_over()) {
      findings.judged();
      if (!met_failing(history, operation)) {
        findings.violated(describe(operation) + " says that its condition failed; it did not");
      }
    }
  }
  for (const auto& [name, key] : history.keys) {
    if (!ends_by_itself(world.plan(), name)) {
      check_states(world, name, key, by_version[name], findings);
    }
  }
}

}  // namespace copal::sim

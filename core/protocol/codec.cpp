#include "core/protocol/codec.h"

#include <bit>
#include <concepts>
#include <cstring>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

namespace copal {

namespace {

constexpr std::uint64_t last_of(ServerPhase) {
  return static_cast<std::uint64_t>(kServerPhaseLast);
}
constexpr std::uint64_t last_of(AnswerStatus) {
  return static_cast<std::uint64_t>(kAnswerStatusLast);
}

constexpr std::uint64_t last_of(CacheStatus) {
  return static_cast<std::uint64_t>(kCacheStatusLast);
}
constexpr std::uint64_t last_of(Condition) {
  return static_cast<std::uint64_t>(kConditionLast);
}
constexpr std::uint64_t last_of(Action) {
  return static_cast<std::uint64_t>(kActionLast);
}

/// A message that may bring a value.
template <class Kind>
concept BringsValue = requires(const Kind& kind) {
  kind.value_hash();
};

/// A part of a message that lists its own fields.
template <class Part>
concept Composed = requires(Part part) {
  Part::fields(part, [](auto&) {});
};

static_assert(std::endian::native == std::endian::little, "the wire is little-endian");

/// Appends fields to a buffer that is large enough.
class Writer {
 public:
  explicit Writer(std::byte* out) : out_(out) {}

  template <std::unsigned_integral Number>
  void operator()(const Number& number) {
    std::memcpy(out_, &number, sizeof number);
    out_ += sizeof number;
  }
  template <class Tag, class Number>
  void operator()(const detail::Id<Tag, Number>& id) {
    (*this)(id.value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const Enum& value) { (*this)(static_cast<std::uint8_t>(value)); }
  void operator()(const Duration& duration) {
    COPAL_ASSERT(duration.count() >= 0);
    (*this)(static_cast<std::uint64_t>(duration.count()));
  }
  void operator()(const double& ratio) {
    COPAL_ASSERT(ratio >= 0 && ratio <= 1);
    (*this)(std::bit_cast<std::uint64_t>(ratio));
  }
  void operator()(const bool& flag) { (*this)(static_cast<std::uint8_t>(flag ? 1 : 0)); }
  template <class Tag>
  void operator()(const detail::Hash256<Tag>& hash) {
    std::memcpy(out_, hash.bytes.data(), hash.bytes.size());
    out_ += hash.bytes.size();
  }
  void operator()(const Version& version) {
    (*this)(version.counter);
    (*this)(version.epoch);
    (*this)(version.owner.number());
  }
  void operator()(const View& view) {
    (*this)(view.term);
    (*this)(view.slot.value);
  }
  void operator()(const ValueName& name) {
    COPAL_ASSERT(is_valid(name));
    (*this)(name.hash);
    (*this)(name.size_bytes);
    (*this)(name.is_inline);
  }
  void operator()(const std::string& key_text) {
    COPAL_ASSERT(key_text.size() <= kKeySizeMaxBytes);
    (*this)(static_cast<std::uint16_t>(key_text.size()));
    std::memcpy(out_, key_text.data(), key_text.size());
    out_ += key_text.size();
  }
  template <class Part>
  void operator()(const std::optional<Part>& part) {
    (*this)(part.has_value());
    if (part) {
      (*this)(*part);
    }
  }
  template <Composed Part>
  void operator()(const Part& part) {
    Part::fields(part, *this);
  }

  std::byte* end() const { return out_; }

 private:
  std::byte* out_;
};

/// Takes fields from a frame of any content. Once something is wrong it stays wrong.
class Reader {
 public:
  explicit Reader(std::span<const std::byte> frame) : rest_(frame) {}

  template <std::unsigned_integral Number>
  void operator()(Number& number) {
    take(&number, sizeof number);
  }
  template <class Tag, class Number>
  void operator()(detail::Id<Tag, Number>& id) {
    (*this)(id.value);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(Enum& value) {
    std::uint8_t number = 0;
    (*this)(number);
    good_ = good_ && number <= last_of(Enum{});
    if (good_) {
      value = static_cast<Enum>(number);
    }
  }
  void operator()(Duration& duration) {
    std::uint64_t number = 0;
    (*this)(number);
    good_ = good_ && number <= static_cast<std::uint64_t>(Duration::max().count());
    if (good_) {
      duration = Duration{static_cast<std::int64_t>(number)};
    }
  }
  void operator()(double& ratio) {
    std::uint64_t bits = 0;
    (*this)(bits);
    const double number = std::bit_cast<double>(bits);
    good_ = good_ && number >= 0 && number <= 1;  // false for what is not a number, too
    if (good_) {
      ratio = number;
    }
  }
  void operator()(bool& flag) {
    std::uint8_t number = 0;
    (*this)(number);
    good_ = good_ && number <= 1;
    flag = number == 1;
  }
  template <class Tag>
  void operator()(detail::Hash256<Tag>& hash) {
    take(hash.bytes.data(), hash.bytes.size());
  }
  void operator()(Version& version) {
    std::uint32_t owner = 0;
    (*this)(version.counter);
    (*this)(version.epoch);
    (*this)(owner);
    version.owner = OwnerId::from_number(owner);
  }
  void operator()(View& view) {
    (*this)(view.term);
    (*this)(view.slot.value);
    good_ = good_ && view.slot.value < kSlots && view.term <= kTermMax;
  }
  void operator()(ValueName& name) {
    (*this)(name.hash);
    (*this)(name.size_bytes);
    (*this)(name.is_inline);
    good_ = good_ && is_valid(name);
  }
  void operator()(std::string& key_text) {
    std::uint16_t size_bytes = 0;
    (*this)(size_bytes);
    good_ = good_ && size_bytes <= kKeySizeMaxBytes && size_bytes <= rest_.size();
    if (good_) {
      key_text.resize(size_bytes);
      take(key_text.data(), size_bytes);
    }
  }
  template <class Part>
  void operator()(std::optional<Part>& part) {
    bool there = false;
    (*this)(there);
    if (good_ && there) {
      (*this)(part.emplace());
    }
  }
  void operator()(AgedMNode& aged) {
    AgedMNode::fields(aged, *this);
    good_ = good_ && (aged.mnode.flags & ~MNode::kFlagsKnown) == 0;
    good_ = good_ && is_valid(value_name(aged.mnode));
  }
  template <Composed Part>
  void operator()(Part& part) {
    Part::fields(part, *this);
  }

  /// Whether all was well and nothing is left.
  bool complete() const { return good_ && rest_.empty(); }

 private:
  void take(void* to, std::size_t size_bytes) {
    if (rest_.size() < size_bytes) {
      good_ = false;
      return;
    }
    std::memcpy(to, rest_.data(), size_bytes);
    rest_ = rest_.subspan(size_bytes);
  }

  std::span<const std::byte> rest_;
  bool good_ = true;
};

template <class Kind>
Result<Message> decode_fields(std::span<const std::byte> fields) {
  Kind message;
  Reader reader(fields);
  Kind::fields(message, reader);
  if (!reader.complete()) {
    return Error::kMalformed;
  }
  return Message{message};
}

template <std::size_t... kIndex>
Result<Message> decode_kind(std::size_t kind, std::span<const std::byte> fields,
                            std::index_sequence<kIndex...>) {
  using Decode = Result<Message> (*)(std::span<const std::byte>);
  static constexpr Decode kDecoders[] = {
      &decode_fields<std::variant_alternative_t<kIndex, Message>>...};
  if (kind >= sizeof...(kIndex)) {
    return Error::kMalformed;
  }
  return kDecoders[kind](fields);
}

}  // namespace

std::uint64_t body_size_bytes(const Message& message) {
  if (const auto* request = std::get_if<Request>(&message)) {
    return request->body_size_bytes;
  }
  if (const auto* answer = std::get_if<Answer>(&message)) {
    return answer->body_size_bytes;
  }
  return 0;
}

Blob value_of(const Message& message) {
  return std::visit(
      [](const auto& kind) {
        if constexpr (BringsValue<std::remove_cvref_t<decltype(kind)>>) {
          return kind.value;
        } else {
          return Blob();
        }
      },
      message);
}

Result<Message> with_value(Message message, const Blob& value) {
  const bool fits = std::visit(
      [&value](auto& kind) {
        if constexpr (BringsValue<std::remove_cvref_t<decltype(kind)>>) {
          kind.value = value;
          return hash_value(value.bytes()) == kind.value_hash();
        } else {
          return false;
        }
      },
      message);
  if (!fits) {
    return Error::kMalformed;
  }
  return message;
}

std::size_t encode(const Message& message, std::span<std::byte> out) {
  COPAL_ASSERT(out.size() >= kMessageSizeMaxBytes);
  Writer writer(out.data());
  writer(kProtocolVersion);
  writer(static_cast<std::uint8_t>(message.index()));
  std::visit([&writer](const auto& kind) { kind.fields(kind, writer); }, message);
  return static_cast<std::size_t>(writer.end() - out.data());
}

Result<Message> decode(std::span<const std::byte> frame) {
  if (frame.size() < 2 || static_cast<std::uint8_t>(frame[0]) != kProtocolVersion) {
    return Error::kMalformed;
  }
  return decode_kind(static_cast<std::size_t>(frame[1]), frame.subspan(2),
                     std::make_index_sequence<std::variant_size_v<Message>>{});
}

}  // namespace copal

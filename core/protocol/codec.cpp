#include "core/protocol/codec.h"

#include <bit>
#include <concepts>
#include <cstring>
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
  void operator()(const LoadSample& load) { LoadSample::fields(load, *this); }

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
    if (rest_.size() < sizeof number) {
      good_ = false;
      return;
    }
    std::memcpy(&number, rest_.data(), sizeof number);
    rest_ = rest_.subspan(sizeof number);
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
  void operator()(LoadSample& load) { LoadSample::fields(load, *this); }

  /// Whether all was well and nothing is left.
  bool complete() const { return good_ && rest_.empty(); }

 private:
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

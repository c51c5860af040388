#include "sim/fuzz/message_text.h"

#include <array>
#include <cstdio>

#include "core/protocol/wire.h"

namespace copal::sim::fuzz {

namespace {

/// The name of a type without its namespaces, as the compiler spells it.
template <class Type>
std::string name_of_type() {
  std::string text = __PRETTY_FUNCTION__;  // "… [with Type = copal::CacheGet; …]"
  const std::size_t from = text.find("Type = ") + 7;
  text = text.substr(from, text.find_first_of(";]", from) - from);
  return text.substr(text.rfind(':') + 1);
}

std::string duration_text(Duration duration) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6gs", to_seconds(duration));
  return text.data();
}

/// Writes fields as people read them.
class FieldPrinter {
 public:
  FieldPrinter(std::string& out, const KeyNames& keys) : out_(out), keys_(keys) {}

  template <std::unsigned_integral Number>
  void operator()(const Number& number) {
    add(std::to_string(number));
  }
  template <class Tag, class Number>
  void operator()(const detail::Id<Tag, Number>& id) {
    if constexpr (std::same_as<Tag, struct NodeIdTag>) {
      add(id == kNoNode ? "-" : "n" + std::to_string(id.value));
    } else {
      add(std::to_string(id.value));
    }
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(const Enum& value) { add("#" + std::to_string(static_cast<int>(value))); }
  void operator()(const Duration& duration) { add(duration_text(duration)); }
  void operator()(const WallTime& time) { add(duration_text(time.time_since_epoch())); }
  void operator()(const double& ratio) { add(std::to_string(ratio)); }
  void operator()(const Weight& weight) { add(std::to_string(weight.value)); }
  void operator()(const bool& flag) { add(flag ? "yes" : "no"); }
  template <class Tag>
  void operator()(const detail::Hash256<Tag>& hash) {
    std::string name;
    if constexpr (std::same_as<detail::Hash256<Tag>, KeyHash>) {
      name = keys_ ? keys_(hash) : "";
    }
    if (name.empty()) {
      std::array<char, 16> text{};
      std::snprintf(text.data(), text.size(), "~%02x%02x%02x", hash.bytes[0], hash.bytes[1],
                    hash.bytes[2]);
      name = text.data();
    }
    add(name);
  }
  void operator()(const Version& version) {
    add("v" + std::to_string(version.counter) + "/" + std::to_string(version.epoch) + "/" +
        std::to_string(version.owner.number()));
  }
  void operator()(const Slot& slot) { add("slot " + std::to_string(slot.value)); }
  void operator()(const Group& group) { add("group " + std::to_string(group.value)); }
  void operator()(const View& view) {
    add("view " + std::to_string(view.term) + "@" + std::to_string(view.slot.value));
  }
  void operator()(const ValueName& name) {
    (*this)(name.hash);
    (*this)(name.size_bytes);
  }
  void operator()(const std::string& text) { add("'" + text + "'"); }
  template <class Part>
  void operator()(const std::optional<Part>& part) {
    part ? (*this)(*part) : add("none");
  }
  template <class Part>
  void operator()(const std::vector<Part>& list) {
    add(std::to_string(list.size()) + " of [");
    constexpr std::size_t kShown = 8;
    for (std::size_t i = 0; i < list.size() && i < kShown; ++i) {
      (*this)(list[i]);
    }
    out_ += list.size() > kShown ? ", …]" : "]";
  }
  template <std::size_t kBits>
  void operator()(const std::bitset<kBits>& bits) {
    add(std::to_string(bits.count()) + " bits");
  }
  template <Composed Part>
  void operator()(const Part& part) {
    add("{");
    first_ = true;
    Part::fields(part, *this);
    first_ = false;
    out_ += "}";
  }

 private:
  void add(const std::string& text) {
    out_ += (first_ ? "" : ", ") + text;
    first_ = false;
  }

  std::string& out_;
  const KeyNames& keys_;
  bool first_ = true;
};

}  // namespace

std::string kind_name(const Message& message) {
  return std::visit([](const auto& kind) { return name_of_type<std::decay_t<decltype(kind)>>(); },
                    message);
}

std::string text_of(const Message& message, const KeyNames& keys) {
  std::string text = kind_name(message) + "(";
  FieldPrinter printer(text, keys);
  std::visit([&](const auto& kind) { std::decay_t<decltype(kind)>::fields(kind, printer); },
             message);
  return text + ")";
}

std::string text_of(const Input& input, const KeyNames& keys) {
  if (const auto* received = std::get_if<MessageReceived>(&input)) {
    return "from n" + std::to_string(received->from.value) + ": " +
           text_of(received->message, keys);
  }
  std::string text = std::visit(
      [](const auto& kind) { return name_of_type<std::decay_t<decltype(kind)>>(); }, input);
  if (const auto* down = std::get_if<LinkDown>(&input)) {
    text += " n" + std::to_string(down->peer.value);
  } else if (const auto* read = std::get_if<ReadEntry>(&input)) {
    text += " " + std::to_string(read->call.value) + " '" + read->key + "'";
  } else if (const auto* change = std::get_if<ChangeEntry>(&input)) {
    text += " " + std::to_string(change->call.value) + " '" + change->key + "'";
  } else if (const auto* completion = std::get_if<StorageCompletion>(&input)) {
    text = std::visit([](const auto& kind) { return name_of_type<std::decay_t<decltype(kind)>>(); },
                      *completion);
  }
  return text;
}

}  // namespace copal::sim::fuzz

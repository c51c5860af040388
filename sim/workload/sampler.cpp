#include "sim/workload/sampler.h"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "core/base/assert.h"
#include "core/base/math.h"
#include "sim/workload/input_report.h"
#include "sim/workload/line_reader.h"

namespace copal::sim {

namespace {

using Kind = scenario::Distribution::Kind;

/// In (0, 1]: a logarithm of it exists.
double draw_above_zero(Random& random) {
  return 1.0 - draw_unit(random);
}

/// The mean of a Pareto law from `lowest` on that is cut to `maximum`.
double cut_pareto_mean(double lowest, double shape, double maximum) {
  if (maximum <= lowest) {
    return maximum;
  }
  const double beyond = lowest * math::pow(lowest / maximum, shape - 1) / (shape - 1);
  return lowest * shape / (shape - 1) - beyond;
}

/// Nothing if it is not a number >= 0.
std::optional<double> parse_value(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value >= 0 && value <= 1e300)) {
    return std::nullopt;
  }
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) {
    text.remove_prefix(1);
  }
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) {
    text.remove_suffix(1);
  }
  return text;
}

}  // namespace

double draw_exponential(Random& random) {
  return -math::log(draw_above_zero(random));
}

Sampler::Sampler(const scenario::Distribution& law) : kind_(law.kind), mean_(law.mean) {
  COPAL_ASSERT(kind_ != Kind::kFile);
  if (!(mean_ > 0)) {  // every law with this mean is the constant 0
    kind_ = Kind::kConstant;
    mean_ = 0;
    return;
  }
  switch (kind_) {
    case Kind::kLognormal:
      first_ = math::log(mean_) - law.sigma * law.sigma / 2;
      second_ = law.sigma;
      return;
    case Kind::kPareto:
      first_ = mean_ * (law.shape - 1) / law.shape;
      second_ = -1 / law.shape;
      third_ = law.maximum;
      if (law.maximum > 0) {
        mean_ = cut_pareto_mean(first_, law.shape, law.maximum);
      }
      return;
    case Kind::kHyperexponential: {
      const double p = (1 + math::sqrt((law.cv2 - 1) / (law.cv2 + 1))) / 2;
      first_ = p;
      second_ = mean_ / (2 * p);
      third_ = mean_ / (2 * (1 - p));
      return;
    }
    case Kind::kConstant:
    case Kind::kExponential:
    case Kind::kUniform:
    case Kind::kFile:
      return;
  }
}

Sampler::Sampler(std::vector<double> numbers, double scale)
    : kind_(Kind::kFile), first_(scale), numbers_(std::move(numbers)) {
  COPAL_ASSERT(!numbers_.empty());
  double sum = 0;
  for (const double number : numbers_) {
    sum += number;
  }
  mean_ = sum / static_cast<double>(numbers_.size()) * scale;
}

double Sampler::draw(Random& random) const {
  switch (kind_) {
    case Kind::kConstant:
      return mean_;
    case Kind::kExponential:
      return mean_ * draw_exponential(random);
    case Kind::kUniform:
      return 2 * mean_ * draw_unit(random);
    case Kind::kLognormal: {
      const double radius = math::sqrt(2 * draw_exponential(random));
      return math::exp(first_ + second_ * radius * math::sin_turns(draw_unit(random)));
    }
    case Kind::kPareto: {
      const double value = first_ * math::pow(draw_above_zero(random), second_);
      return third_ > 0 ? std::min(value, third_) : value;
    }
    case Kind::kHyperexponential: {
      const double mean = draw_unit(random) < first_ ? second_ : third_;
      return mean * draw_exponential(random);
    }
    case Kind::kFile:
      return first_ * numbers_[draw_below(random, static_cast<std::uint32_t>(numbers_.size()))];
  }
  COPAL_ASSERT(false);
}

std::optional<std::string> load_sampler(const scenario::Distribution& law, Sampler& sampler) {
  if (law.kind != Kind::kFile) {
    sampler = Sampler(law);
    return std::nullopt;
  }
  LineReader reader(law.file);
  std::vector<double> numbers;
  while (reader.next()) {
    const std::string_view text = trimmed(reader.line());
    if (text.empty() || text.starts_with('#')) {
      continue;
    }
    const auto value = parse_value(text);
    // Unlike a log, such a file is made for this purpose: one wrong line means a wrong file.
    if (!value || reader.too_long()) {
      return law.file + ":" + std::to_string(reader.line_number()) + ": '" + shown(text) +
             "'; expected one number a line, not below 0";
    }
    numbers.push_back(*value);
  }
  if (reader.failure()) {
    return reader.failure();
  }
  if (numbers.empty()) {
    return law.file + ": has no numbers; expected one number a line, not below 0";
  }
  sampler = Sampler(std::move(numbers), law.scale);
  return std::nullopt;
}

Duration work_of(double seconds) {
  return from_seconds(std::min(seconds, 1e8));
}

std::uint32_t size_of(double bytes) {
  return static_cast<std::uint32_t>(std::min(bytes, 4'294'967'294.0) + 0.5);
}

}  // namespace copal::sim

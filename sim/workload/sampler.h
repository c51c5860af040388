#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/time.h"
#include "core/ports/random.h"
#include "scenarios/scenario.h"

namespace copal::sim {

/// Draws numbers that follow a law, by inverting its distribution function or by a transformation
/// that is exact. Formulas, with m the mean and u, v evenly distributed in (0, 1]:
///   exponential       -m log u
///   uniform           2 m u
///   lognormal         exp(log m - sigma^2/2 + sigma z), z = sqrt(-2 log u) sin(2 pi v)
///   pareto            m (a-1)/a * u^(-1/a), a the shape, cut to the maximum; m is the mean before
///                     the cut, mean() the one after it
///   hyperexponential  one of two exponentials with means m/(2p) and m/(2(1-p)), the first with
///                     p = (1 + sqrt((c-1)/(c+1)))/2, c the squared coefficient of variation:
///                     both bear half of the load (balanced means)
///   file              one of its numbers, each as likely, times the scale
/// Source: Devroye, "Non-uniform random variate generation", 1986 (inversion; Box and Muller);
/// balanced means: Whitt, "Approximating a point process by a renewal process", 1982.
class Sampler {
 public:
  /// The constant 0.
  Sampler() = default;
  /// law  any but a file (asserted); its numbers are those that the scenario's checks let pass.
  explicit Sampler(const scenario::Distribution& law);
  /// numbers  at least one (asserted).
  Sampler(std::vector<double> numbers, double scale);

  double draw(Random& random) const;

  /// The law's mean, of the numbers as they are drawn.
  double mean() const { return mean_; }

 private:
  scenario::Distribution::Kind kind_ = scenario::Distribution::Kind::kConstant;
  double mean_ = 0;
  // What the formulas need, by kind; see draw().
  double first_ = 0;
  double second_ = 0;
  double third_ = 0;
  std::vector<double> numbers_;
};

/// Makes the sampler of any law; reads its file if it has one: one number >= 0 a line, blank lines
/// and those that begin with # left out; plain, gzip or xz.
/// Returns what is wrong, for people ("path:line: …"); nothing if all is well.
[[nodiscard]] std::optional<std::string> load_sampler(const scenario::Distribution& law,
                                                      Sampler& sampler);

/// seconds  >= 0. Returns nanoseconds, at most 1e8 seconds: laws without bounds must not overflow.
Duration work_of(double seconds);

/// bytes  >= 0. Returns the nearest whole number that fits.
std::uint32_t size_of(double bytes);

/// Returns an exponentially distributed number with mean 1.
double draw_exponential(Random& random);

}  // namespace copal::sim

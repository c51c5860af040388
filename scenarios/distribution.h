#pragma once

#include <string>

namespace copal::scenario {

/// A law that numbers (service times in seconds, think times in seconds, sizes in bytes) follow.
struct Distribution {
  enum class Kind {
    kConstant,
    kExponential,
    kUniform,
    kLognormal,
    kPareto,
    kHyperexponential,
    kFile
  };
  Kind kind = Kind::kConstant;
  double mean = 0;     // all but file
  double sigma = 1;    // lognormal: of the logarithm
  double shape = 2.5;  // pareto: alpha > 1 (the mean must exist)
  double maximum = 0;  // pareto: values are capped here; 0: not capped
  double cv2 = 4;      // hyperexponential: squared coefficient of variation, > 1
  std::string file{};  // file: one number a line, drawn evenly; a path as the program opens it
  double scale = 1;    // file: factor on each number
};

}  // namespace copal::scenario

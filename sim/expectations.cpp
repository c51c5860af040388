#include "sim/expectations.h"

#include <algorithm>
#include <string>

#include "core/base/assert.h"
#include "sim/report/number_text.h"

namespace copal::sim {

namespace {

using Op = scenario::Expectation::Op;

const LineSummary& find_line(std::span<const LineSummary> lines, const std::string& label) {
  const auto found = std::find_if(lines.begin(), lines.end(),
                                  [&](const LineSummary& line) { return line.label == label; });
  COPAL_ASSERT(found != lines.end());
  return *found;
}

ReportContext::Expectation check(const scenario::Expectation& expectation, const LineSummary& line,
                                 std::span<const LineSummary> lines) {
  const double measured = metric(line, expectation.metric).mean;
  ReportContext::Expectation outcome{.text = expectation.metric,
                                     .line = line.label,
                                     .metric = expectation.metric,
                                     .measured = measured};
  const auto compared = [&](const char* word) {
    const double bound = metric(find_line(lines, expectation.other_line), expectation.metric).mean *
                         expectation.ratio;
    outcome.text += std::string(word) + significant(expectation.ratio, 4) + " times " +
                    expectation.other_line + "'s (" + significant(bound, 4) + ")";
    return bound;
  };
  switch (expectation.op) {
    case Op::kBelow:
      outcome.text += " below " + significant(expectation.high, 4);
      outcome.ok = measured < expectation.high;
      break;
    case Op::kAbove:
      outcome.text += " above " + significant(expectation.low, 4);
      outcome.ok = measured > expectation.low;
      break;
    case Op::kBetween:
      outcome.text += " between " + significant(expectation.low, 4) + " and " +
                      significant(expectation.high, 4);
      outcome.ok = measured >= expectation.low && measured <= expectation.high;
      break;
    case Op::kBelowLine:
      outcome.ok = measured < compared(" below ");
      break;
    case Op::kAboveLine:
      outcome.ok = measured > compared(" above ");
      break;
  }
  return outcome;
}

}  // namespace

std::vector<ReportContext::Expectation> check_expectations(const scenario::Scenario& scenario,
                                                           std::span<const LineSummary> lines) {
  std::vector<ReportContext::Expectation> outcomes;
  for (const scenario::Expectation& expectation : scenario.expectations) {
    for (const scenario::Contender& contender : scenario.contenders) {
      if (expectation.line.empty() || expectation.line == contender.label) {
        outcomes.push_back(check(expectation, find_line(lines, contender.label), lines));
      }
    }
  }
  return outcomes;
}

}  // namespace copal::sim

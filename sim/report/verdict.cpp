#include "sim/report/verdict.h"

#include <algorithm>

#include "core/base/assert.h"
#include "sim/report/number_text.h"

namespace copal::sim {

namespace {

using Lines = std::vector<const LineSummary*>;

/// Share of requests that got no proper answer.
double trouble_ratio(const LineSummary& line) {
  const double requests = metric(line, "requests_count").mean;
  const double unfinished = metric(line, "unfinished_count").mean;
  return metric(line, "error_ratio").mean + (requests > 0 ? unfinished / requests : 0);
}

bool tied(std::span<const RunResult> runs, const LineSummary& line, const LineSummary& best,
          const std::string& name) {
  const Estimate difference = line_difference(runs, line.label, best.label, name);
  const double best_value = metric(best, name).mean;
  if (difference.half_width) {
    return difference.may_be_zero() || difference.mean <= kNegligibleMargin * best_value;
  }
  return metric(line, name).mean - best_value <= kSingleSeedMargin * best_value;
}

Finding find_best(std::span<const RunResult> runs, const Lines& lines, std::string question,
                  const std::string& name) {
  Finding finding;
  finding.question = std::move(question);
  finding.metric = name;
  if (lines.empty()) {
    return finding;
  }
  const LineSummary* best = *std::min_element(
      lines.begin(), lines.end(), [&](const LineSummary* left, const LineSummary* right) {
        return metric(*left, name).mean < metric(*right, name).mean;
      });
  finding.line = best->label;
  finding.value = metric(*best, name).mean;
  for (const LineSummary* line : lines) {
    if (line != best && tied(runs, *line, *best, name)) {
      finding.tied.push_back(line->label);
    }
  }
  finding.all_tied = lines.size() > 1 && finding.tied.size() + 1 == lines.size();
  return finding;
}

/// "a", "a and b", "a, b and c".
std::string listing(const std::vector<std::string>& labels) {
  std::string text;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    text += i == 0 ? "" : (i + 1 == labels.size() ? " and " : ", ");
    text += labels[i];
  }
  return text;
}

std::string tied_text(const Finding& finding) {
  return finding.tied.empty() ? "." : "; " + listing(finding.tied) + " cannot be told from it.";
}

/// What is said where no line stands out: naming the first of equals would mislead.
std::string all_tied_text(const std::string& what, const std::string& value) {
  return "In " + what + " no line can be told from another: about " + value + ".";
}

std::string latency_text(const Finding& finding, std::size_t candidates) {
  if (finding.line.empty()) {
    return "No line answered enough of its requests to be ranked.";
  }
  if (candidates == 1) {
    return finding.line + " answers 99 % of its requests within " + significant(finding.value, 3) +
           " ms.";
  }
  if (finding.all_tied) {
    return all_tied_text("p99 response time", significant(finding.value, 3) + " ms");
  }
  return finding.line + " has the lowest p99 response time, " + significant(finding.value, 3) +
         " ms" + tied_text(finding);
}

std::string energy_sentence(const Finding& finding, const Finding& latency,
                            std::span<const LineSummary> lines, std::size_t candidates) {
  if (finding.line.empty()) {
    return {};
  }
  const auto line = [&](const std::string& label) -> const LineSummary& {
    return *std::find_if(lines.begin(), lines.end(),
                         [&](const LineSummary& each) { return each.label == label; });
  };
  if (candidates == 1) {
    return finding.line + " uses " + energy_text(finding.value) + ".";
  }
  if (finding.all_tied) {
    return all_tied_text("energy", energy_text(finding.value));
  }
  std::string text = finding.line + " uses the least energy, " + energy_text(finding.value);
  if (finding.line != latency.line) {
    const double other = metric(line(latency.line), "energy_joules").mean;
    const double saved_percent = other > 0 ? 100 * (1 - finding.value / other) : 0;
    text += " (" + significant(saved_percent, 2) + " % below " + latency.line + ") at a p99 of " +
            significant(metric(line(finding.line), "latency_ms_p99").mean, 3) + " ms";
  }
  return text + tied_text(finding);
}

}  // namespace

std::string Verdict::text() const {
  std::string all = latency.text;
  for (const std::string& more : {energy.text, caveat}) {
    all += more.empty() ? "" : " " + more;
  }
  return all;
}

Verdict find_verdict(std::span<const RunResult> runs, std::span<const LineSummary> lines) {
  COPAL_ASSERT(!runs.empty() && !lines.empty());
  double least = trouble_ratio(lines.front());
  for (const LineSummary& line : lines) {
    least = std::min(least, trouble_ratio(line));
  }
  Verdict verdict;
  Lines candidates;
  for (const LineSummary& line : lines) {
    const bool answered = metric(line, "answered_count").mean > 0;
    if (answered && trouble_ratio(line) <= least + kErrorRatioMargin) {
      candidates.push_back(&line);
    } else {
      verdict.excluded.push_back(line.label);
    }
  }
  const std::size_t count = candidates.size();
  verdict.latency = find_best(runs, candidates, "Lowest p99", "latency_ms_p99");
  verdict.latency.text = latency_text(verdict.latency, count);
  std::erase_if(candidates, [](const LineSummary* line) {
    return metric(*line, "energy_joules").mean <= 0;  // not measured
  });
  verdict.energy = find_best(runs, candidates, "Least energy", "energy_joules");
  verdict.energy.text = energy_sentence(verdict.energy, verdict.latency, lines, candidates.size());
  if (!verdict.excluded.empty()) {
    verdict.caveat = "Left out, as too many of their requests failed or stayed unanswered: " +
                     listing(verdict.excluded) + ".";
  }
  if (lines.front().seeds < 2 && lines.size() > 1) {
    verdict.caveat += verdict.caveat.empty() ? "" : " ";
    verdict.caveat += "One seed: differences below 1 % count as ties, larger ones may be chance.";
  }
  return verdict;
}

}  // namespace copal::sim

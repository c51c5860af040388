#include "sim/workload/request_model.h"

namespace copal::sim {

std::optional<std::string> load_request_model(const scenario::Scenario& scenario,
                                              RequestModel& model) {
  const scenario::Application& application = scenario.application;
  if (auto error = load_sampler(application.service_time, model.work)) {
    return error;
  }
  if (auto error = load_sampler(application.request_size, model.request_size)) {
    return error;
  }
  if (auto error = load_sampler(application.answer_size, model.answer_size)) {
    return error;
  }
  model.error_ratio = application.error_ratio;
  model.sessions = SessionLaw(scenario.workload.sessions);
  return std::nullopt;
}

}  // namespace copal::sim

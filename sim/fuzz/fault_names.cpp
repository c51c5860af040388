#include "sim/fuzz/fault_names.h"

#include <array>

namespace copal::sim::fuzz {

namespace {
constexpr std::array<std::string_view, static_cast<std::size_t>(kLastFaultKind) + 1> kFaults = {
    "crash",
    "crash_for_good",
    "power_off",
    "freeze",
    "lose_disk",
    "reboot_loop",
    "planned_stop",
    "slow_start",
    "slow_node",
    "partition",
    "ring",
    "bridge",
    "one_way",
    "flap",
    "loss",
    "delay",
    "duplicate",
    "reorder",
    "clog",
    "full_queue",
    "slow_link",
    "reset",
    "refuse",
    "flip_bit",
    "clock_step",
    "clock_offset",
    "clock_drift",
    "clock_freeze",
    "disk_slow",
    "disk_stall",
    "disk_full",
    "disk_read_errors",
    "disk_write_errors",
    "disk_flips",
    "disk_misdirects",
    "disk_lies",
    "disk_tears",
    "disable",
    "drain",
    "false_load"};
constexpr std::array<std::string_view, static_cast<std::size_t>(kLastOpKind) + 1> kOps = {
    "get",
    "put",
    "remove",
    "put_if_absent",
    "replace",
    "compare_and_set",
    "replace_value",
    "get_and_put",
    "get_and_replace",
    "get_and_remove",
    "remove_value",
    "increment",
    "append",
    "prepend",
    "touch",
    "contains",
    "clear",
    "list",
    "forbidden",
    "request"};
static_assert(kFaults.back() == "false_load" && kOps.back() == "request");
}  // namespace

std::span<const std::string_view> fault_names() {
  return kFaults;
}
std::span<const std::string_view> op_names() {
  return kOps;
}

}  // namespace copal::sim::fuzz

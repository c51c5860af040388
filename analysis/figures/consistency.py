"""The pictures and the table of docs/consistency.md, from the results of scenarios/cache.

    copal-sim run scenarios/cache/{local_read_timeout,member_dies,rolling_restart,frozen_owner,\
two_down,split_brain,loss_window,all_restart}.yaml --seeds 5 --out out
    cd analysis && python3 -m figures.consistency ../out --picture ../docs/consistency.png
"""

import argparse
import pathlib
import re
import sys

import matplotlib
from matplotlib import pyplot

from copal_results import folder as folders

from . import look

SCENARIOS = ("local_read_timeout", "member_dies", "rolling_restart", "frozen_owner", "two_down",
             "split_brain", "loss_window", "all_restart")
BLUE, RED, GREY = "#2f6fb0", "#c2452d", "#8a8d94"
_UNITS_MS = {"ms": 1, "s": 1000, "min": 60_000}


def value_of(line):
    """What a line tries: "10ms" of "round_robin local_read_timeout=10ms"."""
    return line.rpartition("=")[2]


def milliseconds(text):
    """"10ms" as 10.0."""
    number, unit = re.fullmatch(r"([0-9.]+)(ms|s|min)", text).groups()
    return float(number) * _UNITS_MS[unit]


class Measured:
    """Result folders by scenario; figures of one line, by what it tries."""

    def __init__(self, out):
        self.results = {name: folders.load(pathlib.Path(out) / name) for name in SCENARIOS}

    def values(self, scenario):
        return [value_of(line) for line in self.results[scenario].lines]

    def _of(self, scenario, value, metric):
        runs = self.results[scenario].runs
        return runs[runs.line.map(value_of) == value][metric]

    def mean(self, scenario, value, metric):
        return self._of(scenario, value, metric).mean()

    def most(self, scenario, value, metric):
        """The largest of all seeds."""
        return self._of(scenario, value, metric).max()

    def series(self, scenario, value):
        results = self.results[scenario]
        line = next(line for line in results.lines if value_of(line) == value)
        return results.series(line)


def rows(measured):
    """(promise, what was measured, scenario): the table of docs/consistency.md."""
    mean, most = measured.mean, measured.most
    plain = look.plain
    both = ("available", "replicated")

    def pair(text, scenario, metric, scale=1, take=most):
        return text.format(*(plain(take(scenario, value, metric) * scale) for value in both))

    table = [
        ("Acknowledged: `available` when the owner has it, `replicated` when a second member has",
         pair("a write takes {} ms, {} ms (median; 0.1 ms one way)", "member_dies",
              "cache_write_ms_p50", take=mean), "member_dies"),
        ("`available`: lost if owner and writer are gone before it replicated",
         pair("loss window of {} µs in the median, ", "member_dies", "loss_window_ms_p50", 1000,
              mean).split(",")[0]
         + f", {plain(mean('member_dies', 'available', 'loss_window_ms_p99') * 1000)} µs (p99); "
         + f"`replicated` {plain(mean('member_dies', 'replicated', 'loss_window_ms_p99'))}",
         "member_dies"),
        ("the same, owner cut off and dead with all writers 50 ms later",
         pair("{} lost, {} lost", "loss_window", "lost_writes_count"), "loss_window"),
    ]
    for value in measured.values("local_read_timeout"):
        table.append((f"Reads: behind by at most local_read_timeout = {value}",
                      f"p99 {plain(mean('local_read_timeout', value, 'staleness_ms_p99'))} ms, "
                      f"p99.9 {plain(mean('local_read_timeout', value, 'staleness_ms_p99_9'))} ms, "
                      f"most {plain(most('local_read_timeout', value, 'staleness_ms_max'))} ms; "
                      f"{plain(mean('local_read_timeout', value, 'cache_messages_per_operation'))}"
                      " messages an operation", "local_read_timeout"))
    for scenario, promise in (
            ("member_dies", "1 of 3 down: all served"),
            ("frozen_owner", "1 of 3 frozen: all served"),
            ("rolling_restart", "A planned stop loses nothing and keeps nobody waiting")):
        table.append((promise,
                      pair("errors {}, {}; ", scenario, "error_ratio")
                      + pair("longest wait {} s, {} s; ", scenario, "latency_ms_max", 1e-3)
                      + pair("lost {}, {}; ", scenario, "lost_writes_count")
                      + pair("alike after {} s, {} s", scenario, "recovery_s_max"), scenario))
    table.append(("2 of 3 down: all served, `replicated` as single_copy",
                  f"errors {plain(most('two_down', 'allow', 'error_ratio'))}, "
                  f"{plain(mean('two_down', 'allow', 'single_copy_count'))} single copies, "
                  f"lost {plain(most('two_down', 'allow', 'lost_writes_count'))}, alike after "
                  f"{plain(most('two_down', 'allow', 'recovery_s_max'))} s; with `degraded: refuse`"
                  f" {plain(mean('two_down', 'refuse', 'error_ratio') * 100)} % of the requests "
                  "are refused", "two_down"))
    table.append(("Split brain: both sides serve, the higher version wins",
                  pair("overwritten {}, {}; ", "split_brain", "overwritten_writes_count", take=mean)
                  + pair("lost {}, {}; ", "split_brain", "lost_writes_count")
                  + pair("a read behind by up to {} s, {} s; ", "split_brain", "staleness_ms_max",
                         1e-3)
                  + pair("alike after {} s, {} s", "split_brain", "recovery_s_max"),
                  "split_brain"))
    for value in measured.values("all_restart"):
        table.append((f"All machines lose power, sync = {value}",
                      f"{plain(mean('all_restart', value, 'lost_writes_count'))} of "
                      f"{plain(mean('all_restart', value, 'acknowledged_writes_count'))} "
                      "acknowledged writes lost", "all_restart"))
    return table


def markdown(measured):
    lines = ["| promise (DESIGN section 5) | measured | scenario |", "|---|---|---|"]
    lines += [f"| {promise} | {figures} | {scenario} |"
              for promise, figures, scenario in rows(measured)]
    return "\n".join(lines) + "\n"


def draw_staleness(axes, measured):
    values = [value for value in measured.values("local_read_timeout") if milliseconds(value) > 0]
    bounds = [milliseconds(value) for value in values]
    axes.plot(bounds, bounds, color=GREY, linestyle="--", label="the bound: local_read_timeout")
    for metric, label, color in (("staleness_ms_max", "most", RED),
                                 ("staleness_ms_p99", "p99", BLUE)):
        axes.plot(bounds, [max(measured.most("local_read_timeout", value, metric), 0.1)
                           for value in values], marker="o", color=color, label=label)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(bounds, values)
    look.log_axis(axes)
    axes.set_title("How far a read is behind, ms")
    axes.legend(frameon=False)


def draw_messages(axes, measured):
    values = measured.values("local_read_timeout")
    counts = [measured.mean("local_read_timeout", value, "cache_messages_per_operation")
              for value in values]
    axes.bar(values, counts, color=BLUE, width=0.6)
    for place, count in enumerate(counts):
        axes.annotate(look.plain(count), (place, count), xytext=(0, 3), ha="center",
                      textcoords="offset points")
    axes.grid(axis="x", visible=False)
    axes.set_title("Messages per operation")


def draw_outage(axes, measured):
    for value, color in (("available", BLUE), ("replicated", RED)):
        series = measured.series("member_dies", value)
        axes.plot(series.index, series["latency_ms_p99"].clip(lower=1), color=color, label=value)
    axes.set_yscale("log")
    look.log_axis(axes)
    look.time_axis(axes, series.index[-1])
    for begin, end in ((10, 20), (35, 45)):
        axes.axvspan(begin, end, color=GREY, alpha=0.15, linewidth=0)
    axes.set_title("Response time p99 in ms while a member is down (grey)")
    axes.legend(frameon=False)


def draw_losses(axes, measured):
    bars = []
    for scenario, name in (("split_brain", "split of 10 s"),
                           ("loss_window", "owner and writers die")):
        bars += [(f"{name}, {value}", scenario, value) for value in measured.values(scenario)]
    bars += [(f"power cut, sync {value}", "all_restart", value)
             for value in measured.values("all_restart")]
    for metric, label, color, shift in (("overwritten_writes_count", "overwritten", BLUE, -0.2),
                                        ("lost_writes_count", "lost", RED, 0.2)):
        counts = [measured.mean(scenario, value, metric) for _, scenario, value in bars]
        axes.barh([place + shift for place in range(len(bars))], counts, height=0.38, color=color,
                  label=label)
        for place, count in enumerate(counts):
            axes.annotate(look.plain(count), (max(count, 0.7), place + shift), xytext=(3, 0),
                          textcoords="offset points", va="center", fontsize=7)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_yticks(range(len(bars)), [name for name, _, _ in bars])
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(look.plain)
    axes.grid(axis="y", visible=False)
    axes.set_title("Acknowledged writes that did not stay")
    axes.legend(frameon=False, loc="lower right")


def save(measured, path):
    """Draws into a file whose ending says the format."""
    matplotlib.use("Agg")
    with pyplot.rc_context(look.STYLE | {"savefig.dpi": 100}):
        figure, axes = pyplot.subplots(2, 2, figsize=(10.5, 6.4), layout="constrained",
                                       gridspec_kw={"width_ratios": [1.2, 1]})
        draw_staleness(axes[0][0], measured)
        draw_messages(axes[0][1], measured)
        draw_outage(axes[1][0], measured)
        draw_losses(axes[1][1], measured)
        metadata = {"Date": None} if str(path).endswith(".svg") else {"Software": None}
        figure.savefig(path, metadata=metadata)
        pyplot.close(figure)


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m figures.consistency",
                                     description="Draws and prints what docs/consistency.md shows.")
    parser.add_argument("folder", help="what copal-sim run of the scenarios left with --out")
    parser.add_argument("--picture", help="picture to write: .png, .svg or .pdf")
    options = parser.parse_args(arguments)
    try:
        measured = Measured(options.folder)
        if options.picture:
            save(measured, options.picture)
        print(markdown(measured), end="")
    except (folders.ResultsError, OSError, ValueError) as error:
        print(f"consistency: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

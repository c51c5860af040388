"""A quantile of the response time over time, one curve a line."""

from copal_results import palette

from . import look

# Longer series are averaged over neighbours down to this many points: calmer, and as many as such
# a picture can show.
POINTS_MAX = 180


def _calm(series):
    group = -(-len(series) // POINTS_MAX)
    return series.groupby([place // group for place in range(len(series))]).mean()


def draw(axes, results, quantile="p99", seed=None):
    """quantile: p50, p95 or p99. seed: whose run, the first if not given."""
    for line, style in palette.styles(results.lines).items():
        series = results.series(line, seed).reset_index()
        series = _calm(series[["time_s", f"latency_ms_{quantile}"]])
        axes.plot(series["time_s"], series[f"latency_ms_{quantile}"], label=line, linewidth=1.3,
                  **style)
    axes.set_yscale("log")
    look.log_axis(axes)
    look.time_axis(axes, results.scenario["duration_s"])
    axes.set_title(f"Response time over time, {quantile} in ms")

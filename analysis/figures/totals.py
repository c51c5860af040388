"""One metric of all lines as bars, with the 95 % interval over seeds where there is one."""

from copal_results import palette

from . import look

TITLES = {"latency_ms_p99": ("Response time, p99 in ms", 1),
          "energy_joules": ("Energy in kJ", 1e-3),
          "server_hours": ("Server-hours", 1),
          "error_ratio": ("Errors in %", 100)}


def draw(axes, results, metric):
    """metric: a key of TITLES."""
    title, scale = TITLES[metric]
    summary = results.summary[metric] * scale
    styles = palette.styles(results.lines)
    places = range(len(summary))
    reach = (summary["high"] - summary["mean"]).fillna(0)
    axes.barh(places, summary["mean"], height=0.7,
              color=[styles[line]["color"] for line in summary.index],
              xerr=reach if reach.any() else None, error_kw={"elinewidth": 0.8, "capsize": 2})
    for place, (value, more) in enumerate(zip(summary["mean"], reach)):
        axes.annotate(look.plain(value), (value + more, place), xytext=(4, 0),
                      textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, summary.index)
    axes.invert_yaxis()
    axes.margins(x=0.14)
    axes.grid(axis="y", visible=False)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(look.plain)
    axes.set_title(title)

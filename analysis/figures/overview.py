"""The README's picture: p99 and p50 over time, p99 and energy as bars."""

import matplotlib
from matplotlib import pyplot

from . import look, response_times, totals


def save(results, path, seed=None):
    """Draws into a file whose ending says the format."""
    matplotlib.use("Agg")
    with pyplot.rc_context(look.STYLE):
        figure, axes = pyplot.subplots(2, 2, figsize=(11, 6.6), layout="constrained",
                                       gridspec_kw={"width_ratios": [1.55, 1]})
        response_times.draw(axes[0][0], results, "p99", seed)
        response_times.draw(axes[1][0], results, "p50", seed)
        totals.draw(axes[0][1], results, "latency_ms_p99")
        totals.draw(axes[1][1], results, "energy_joules")
        figure.suptitle(results.scenario["title"] or results.scenario["name"], x=0.01, ha="left",
                        fontsize=13, fontweight="bold", parse_math=False)
        handles, labels = axes[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="lower center",
                      ncols=min(6, len(labels)), frameon=False, bbox_to_anchor=(0.5, -0.085),
                      handlelength=2.6)
        # No date in the file: the same results give the same picture.
        metadata = {"Date": None} if str(path).endswith(".svg") else None
        figure.savefig(path, bbox_inches="tight", metadata=metadata)
        pyplot.close(figure)

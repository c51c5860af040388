"""What all figures share: quiet axes, times and numbers as people read them."""

from matplotlib import ticker

TEXT, MUTED, RULE = "#1f2126", "#62666e", "#e2e0da"

STYLE = {
    "font.family": "sans-serif", "font.size": 9, "axes.titlesize": 10, "axes.titleweight": "bold",
    "axes.titlelocation": "left", "axes.edgecolor": RULE, "axes.labelcolor": MUTED,
    "axes.grid": True, "grid.color": RULE, "grid.linewidth": 0.6, "axes.axisbelow": True,
    "axes.spines.top": False, "axes.spines.right": False, "text.color": TEXT,
    "xtick.color": MUTED, "ytick.color": MUTED, "savefig.dpi": 160, "figure.facecolor": "white",
    # Letters stay letters in .svg, and nothing in it depends on the day it was drawn.
    "svg.fonttype": "none", "svg.hashsalt": "copal",
}


def clock(seconds, _position=None):
    """m:ss."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def time_axis(axes, duration_s):
    axes.set_xlim(0, duration_s)
    axes.xaxis.set_major_locator(ticker.MaxNLocator(6, steps=[1, 1.5, 3, 6, 10]))
    axes.xaxis.set_major_formatter(clock)


def log_axis(axes):
    """1, 2, 5, 10 … as plain numbers; matplotlib would write powers of ten."""
    axes.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(plain)
    axes.yaxis.set_minor_locator(ticker.NullLocator())


def plain(value, _position=None):
    """Three significant digits, never an exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{float(f'{value:.3g}'):g}"

"""The colour of each line, the same as in the report (analysis/report/report_charts.js)."""

LIGHT = ["#4279b5", "#8697a6", "#c12b07", "#0e99e9", "#f75b78", "#456d49", "#7534ad", "#531003",
         "#bf7605", "#192867", "#821e0d", "#015757"]
DASHES = [(), (3, 3), (9, 3), (6, 2, 2, 2), (12, 3), (), (5, 3), (), (9, 2, 2, 2, 2, 2), (2, 2),
          (14, 3, 3, 3), (7, 5)]
ALGORITHMS = ["round_robin", "random", "power_of_two", "least_connections", "server_load", "green",
              "peak_ewma", "prequal", "bounded_load", "maglev"]


def slots(labels):
    """Label -> place in the palette: algorithms have theirs, other labels take what is left."""
    taken = {label: ALGORITHMS.index(label) for label in labels if label in ALGORITHMS}
    free = sorted((slot for slot in range(len(LIGHT)) if slot not in taken.values()),
                  key=lambda slot: (slot < len(ALGORITHMS), slot))
    others = [label for label in labels if label not in taken]
    for place, label in enumerate(others):
        taken[label] = free[place] if place < len(free) else place * 5 % len(LIGHT)
    return taken


def styles(labels):
    """Label -> arguments of matplotlib's plot: color and linestyle."""
    return {label: {"color": LIGHT[slot],
                    "linestyle": (0, DASHES[slot]) if DASHES[slot] else "solid"}
            for label, slot in slots(labels).items()}

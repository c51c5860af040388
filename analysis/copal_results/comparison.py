"""Result folders against each other."""

import pandas

from . import folder as _folder
from . import stats


def _label(results, several):
    return results.path.name if several else ""


def _differences(runs, base):
    """Paired by seed: metric -> (mean, low, high, seeds) of runs minus base."""
    both = runs.merge(base, on="seed", suffixes=("", "_base"))
    metrics = [name for name in runs.columns
               if name not in ("line", "algorithm", "seed", "event_hash")]
    return {name: (*stats.estimate((both[name] - both[f"{name}_base"]).dropna()), len(both))
            for name in metrics}


def compare(folders, base=None):
    """Paired differences over the seeds that both sides ran.

    folders  one path: each line against the line `base` (the first if not given); several: each
             folder's lines against the line of the same label in the first folder.
    Returns a table indexed by (folder, line, metric): mean, low, high, seeds. low and high are the
    95 % interval; missing with fewer than two seeds. Raises ResultsError.
    """
    all_results = [_folder.load(path) for path in folders]
    if not all_results:
        raise _folder.ResultsError("compare needs at least one result folder")
    first = all_results[0]
    base = base or first.lines[0]
    if base not in first.lines:
        raise _folder.ResultsError(f"{first.path}: no line {base!r}; "
                                   f"it has {', '.join(first.lines)}")
    several = len(all_results) > 1
    rows = []
    for results in all_results[1:] if several else all_results:
        runs, base_runs = results.runs, first.runs
        for line in results.lines:
            if not several and line == base:
                continue
            against = base_runs[base_runs.line == (line if several else base)]
            for metric, values in _differences(runs[runs.line == line], against).items():
                rows.append((_label(results, several), line, metric, *values))
    return pandas.DataFrame(rows, columns=["folder", "line", "metric", "mean", "low", "high",
                                           "seeds"]).set_index(["folder", "line", "metric"])

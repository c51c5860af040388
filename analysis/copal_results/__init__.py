"""Reads the result folders of copal-sim for notebooks and figures (docs/results.md).

    import copal_results
    results = copal_results.load("out")
    results.summary["latency_ms_p99"]            # mean, low, high of each line
    results.series("green", seed=1)["power_watts"].plot()
    copal_results.compare(["before", "after"])   # paired differences, line by line
"""

from .comparison import compare
from .folder import Results, ResultsError, load

__all__ = ["Results", "ResultsError", "compare", "load"]

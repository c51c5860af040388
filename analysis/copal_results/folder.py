"""One result folder as tables."""

import json
import pathlib

import pandas

SCHEMA = "copal-results/1"


class ResultsError(Exception):
    """A folder that cannot be read; the message names the file and what is wrong."""


class Results:
    """What copal-sim run left.

    path      the folder
    scenario  dict: name, title, claim, file, text, settings, duration_s, warm_up_s
    engine, input  dicts as in docs/results.md; input is None without a trace
    """

    def __init__(self, path, document):
        self.path = path
        self.scenario = document["scenario"]
        self.engine = document["engine"]
        self.input = document["input"]
        self.version = document["copal_version"]
        self._runs = document["runs"]
        self._lines = document["lines"]
        self._expectations = document["expectations"]

    @property
    def lines(self):
        """Labels of all lines, in the scenario's order."""
        return [line["label"] for line in self._lines]

    @property
    def seeds(self):
        return sorted({run["seed"] for run in self._runs})

    @property
    def summary(self):
        """One row a line; columns (metric, mean | low | high). low and high are the 95 % interval
        over seeds, not a number with one seed."""
        table = {line["label"]: {(name, part): value[part]
                                 for name, value in line["metrics"].items()
                                 for part in ("mean", "low", "high")}
                 for line in self._lines}
        frame = pandas.DataFrame.from_dict(table, orient="index").reindex(self.lines).astype(float)
        frame.columns = pandas.MultiIndex.from_tuples(frame.columns, names=["metric", "part"])
        frame.index.name = "line"
        return frame

    @property
    def runs(self):
        """One row a line and seed: line, algorithm, seed, event_hash and a column a metric."""
        frame = pandas.DataFrame([{key: run[key] for key in
                                   ("line", "algorithm", "seed", "event_hash")} | run["metrics"]
                                  for run in self._runs])
        metrics = frame.columns[4:]
        return frame.astype({metric: float for metric in metrics})

    @property
    def servers(self):
        """One row a line, seed and server: name, requests, active_mean, cpu_ratio_mean, awake_s,
        energy_joules."""
        return pandas.DataFrame([{"line": run["line"], "seed": run["seed"]} | server
                                 for run in self._runs for server in run["servers"]])

    @property
    def expectations(self):
        """One row an expectation and line: text, line, metric, measured, ok."""
        return pandas.DataFrame(self._expectations,
                                columns=["text", "line", "metric", "measured", "ok"])

    def series(self, line, seed=None):
        """The time series of one run, indexed by time_s; latencies are not a number where nothing
        was answered. seed: the first if not given."""
        path = self.path / self._run(line, seed)["series"]
        try:
            return pandas.read_csv(path, index_col="time_s")
        except (OSError, ValueError) as error:
            raise ResultsError(f"{path}: {error}") from error

    def histogram(self, line, seed=None):
        """The response times of one run: lower_ms, upper_ms, count; ascending."""
        return pandas.DataFrame(self._run(line, seed)["latency_histogram"],
                                columns=["lower_ms", "upper_ms", "count"])

    def _run(self, line, seed):
        for run in self._runs:
            if run["line"] == line and seed in (None, run["seed"]):
                return run
        if line not in self.lines:
            raise ResultsError(f"{self.path}: no line {line!r}; it has {', '.join(self.lines)}")
        raise ResultsError(f"{self.path}: line {line!r} has no seed {seed}; "
                           f"it has {', '.join(map(str, self.seeds))}")


def load(folder):
    """Reads a result folder. Raises ResultsError if there is none, or of another version."""
    path = pathlib.Path(folder)
    file = path / "results.json"
    if not path.exists():
        raise ResultsError(f"{path}: there is no such folder")
    if not file.is_file():
        raise ResultsError(f"{path}: holds no results.json; expected what copal-sim run --out left")
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ResultsError(f"{file}: is not JSON as written by copal-sim: {error}") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise ResultsError(f"{file}: its schema is {schema!r}; this package reads {SCHEMA!r}")
    try:
        return Results(path, document)
    except KeyError as error:
        raise ResultsError(f"{file}: has no {error}") from error

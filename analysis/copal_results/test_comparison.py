"""Paired differences, with folders of a few hand-made numbers."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import copal_results  # noqa: E402
from copal_results import stats  # noqa: E402


class Comparison(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="copal-compare-")
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)

    def write(self, name, figures):
        """figures: {line: {seed: p99}}."""
        runs = [{"line": line, "algorithm": line, "seed": seed, "event_hash": "0" * 16,
                 "metrics": {"latency_ms_p99": p99}}
                for line, seeds in figures.items() for seed, p99 in seeds.items()]
        document = {"schema": "copal-results/1", "copal_version": "0", "scenario": {}, "engine": {},
                    "input": None, "runs": runs, "expectations": [],
                    "lines": [{"label": line, "metrics": {}} for line in figures]}
        (self.root / name).mkdir()
        (self.root / name / "results.json").write_text(json.dumps(document))
        return self.root / name

    def test_lines_of_one_folder_against_the_first(self):
        folder = self.write("one", {"a": {1: 10, 2: 20, 3: 30}, "b": {3: 31, 1: 12, 2: 23}})
        table = copal_results.compare([folder])
        self.assertEqual(list(table.index), [("", "b", "latency_ms_p99")])
        row = table.iloc[0]
        self.assertAlmostEqual(row["mean"], 2)
        # Differences 2, 3, 1: standard error 1/sqrt(3), t with 2 degrees of freedom 4.302653.
        self.assertAlmostEqual(row["high"] - row["mean"], 4.302653 / 3 ** 0.5, places=5)
        self.assertEqual(row["seeds"], 3)

    def test_another_base_turns_the_sign(self):
        folder = self.write("one", {"a": {1: 10}, "b": {1: 12}})
        table = copal_results.compare([folder], base="b")
        self.assertEqual(table.loc[("", "a", "latency_ms_p99"), "mean"], -2)
        self.assertTrue(table["low"].isna().all())

    def test_several_folders_pair_equal_labels_and_seeds(self):
        before = self.write("before", {"a": {1: 10, 2: 20}, "gone": {1: 1}})
        after = self.write("after", {"a": {2: 19, 1: 9, 7: 70}, "new": {1: 5}})
        table = copal_results.compare([before, after])
        self.assertEqual(table.loc[("after", "a", "latency_ms_p99"), "mean"], -1)
        self.assertEqual(table.loc[("after", "a", "latency_ms_p99"), "seeds"], 2)
        self.assertEqual(table.loc[("after", "new", "latency_ms_p99"), "seeds"], 0)

    def test_unknown_base_and_no_folder_are_refused(self):
        folder = self.write("one", {"a": {1: 10}, "b": {1: 12}})
        with self.assertRaisesRegex(copal_results.ResultsError, "no line 'c'; it has a, b"):
            copal_results.compare([folder], base="c")
        with self.assertRaisesRegex(copal_results.ResultsError, "at least one"):
            copal_results.compare([])


class Stats(unittest.TestCase):
    def test_published_quantiles(self):
        for degrees, quantile in ((1, 12.7062), (2, 4.3027), (9, 2.2622), (30, 2.0423),
                                  (120, 1.9799)):
            self.assertAlmostEqual(stats.student_t_975(degrees), quantile, places=4)

    def test_few_values(self):
        self.assertEqual(stats.estimate([]), (None, None, None))
        self.assertEqual(stats.estimate([3]), (3, None, None))


if __name__ == "__main__":
    unittest.main()

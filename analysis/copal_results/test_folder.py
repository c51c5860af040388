"""Reads folders that the C++ side wrote, so that both agree on the format."""

import json
import pathlib
import shutil
import sys
import tempfile
import unittest

import jsonschema

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import copal_results  # noqa: E402
from copal_results import fixture, stats  # noqa: E402


def _strict(schema):
    """The schema with every described object closed: a key that it does not know is an error."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _strict(value) for key, value in schema.items()}
    if "properties" in schema and schema.get("type") == "object":
        closed["additionalProperties"] = False
    return closed


class Folders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="copal-results-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        fixture.write_folders(cls.root)
        cls.results = copal_results.load(cls.root / "plain")
        cls.schema = json.loads((fixture.ROOT / "docs" / "results.schema.json").read_text())

    def changed(self, change):
        """A copy of a good folder whose document went through `change`."""
        copy = self.root / "changed"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.root / "plain", copy)
        document = json.loads((copy / "results.json").read_text())
        (copy / "results.json").write_text(json.dumps(change(document)))
        return copy

    def assert_refused(self, folder, pattern):
        with self.assertRaisesRegex(copal_results.ResultsError, pattern):
            copal_results.load(folder)

    def test_documents_match_the_schema_and_it_knows_every_key(self):
        jsonschema.Draft202012Validator.check_schema(self.schema)
        validator = jsonschema.Draft202012Validator(_strict(self.schema))
        for name in ("plain", "hostile", "idle"):
            with self.subTest(folder=name):
                document = json.loads((self.root / name / "results.json").read_text())
                self.assertEqual([error.message for error in validator.iter_errors(document)], [])

    def test_schema_refuses_what_is_wrong(self):
        validator = jsonschema.Draft202012Validator(self.schema)
        good = json.loads((self.root / "plain" / "results.json").read_text())
        for place, bad in ((("schema",), "copal-results/2"), (("runs", 0, "event_hash"), "12"),
                           (("runs", 0, "metrics"), {}), (("lines", 0, "seeds"), 0),
                           (("expectations", 0, "ok"), "yes")):
            with self.subTest(place=place):
                document = json.loads(json.dumps(good))
                holder = document
                for step in place[:-1]:
                    holder = holder[step]
                holder[place[-1]] = bad
                self.assertFalse(validator.is_valid(document))

    def test_summary_has_mean_low_and_high_of_each_line(self):
        summary = self.results.summary
        self.assertEqual(list(summary.index), ["round_robin", "prequal", "green"])
        p99 = self.results.runs.query("line == 'green'")["latency_ms_p99"]
        mean, low, high = stats.estimate(p99)
        row = summary.loc["green", "latency_ms_p99"]
        self.assertAlmostEqual(row["mean"], mean, places=9)
        self.assertAlmostEqual(row["low"], low, places=6)
        self.assertAlmostEqual(row["high"], high, places=6)

    def test_one_seed_has_no_interval(self):
        summary = copal_results.load(self.root / "hostile").summary
        self.assertTrue(summary["latency_ms_p99"]["low"].isna().all())
        self.assertFalse(summary["latency_ms_p99"]["mean"].isna().any())

    def test_runs_servers_and_expectations(self):
        self.assertEqual(len(self.results.runs), 9)
        self.assertEqual(self.results.seeds, [1, 2, 3])
        self.assertRegex(self.results.runs["event_hash"][0], "^[0-9a-f]{16}$")
        self.assertEqual(len(self.results.servers), 9 * 8)
        self.assertEqual(list(self.results.expectations["ok"]), [True, False])

    def test_series_and_histogram_of_a_run(self):
        series = self.results.series("green", 2)
        self.assertEqual(len(series), 120)
        self.assertEqual(series.index.name, "time_s")
        self.assertFalse(series.equals(self.results.series("green", 3)))
        histogram = self.results.histogram("green", 2)
        answered = self.results.runs.query("line == 'green' and seed == 2")["answered_count"]
        self.assertEqual(histogram["count"].sum(), answered.iloc[0])
        self.assertTrue((histogram["lower_ms"] < histogram["upper_ms"]).all())

    def test_missing_figures_are_not_a_number(self):
        idle = copal_results.load(self.root / "idle")
        self.assertTrue(idle.series("idle")["latency_ms_p99"].isna().all())
        self.assertTrue(idle.runs["latency_ms_p99"].isna().all())
        self.assertEqual(len(idle.histogram("idle")), 0)

    def test_hostile_text_is_read_as_text(self):
        hostile = copal_results.load(self.root / "hostile")
        self.assertIn("</script>", hostile.scenario["text"])
        self.assertEqual(hostile.input["lines_broken"], 3)

    def test_wrong_folders_say_what_is_wrong(self):
        self.assert_refused(self.root / "none", "no such folder")
        self.assert_refused(self.root, "holds no results.json")
        self.assert_refused(self.changed(lambda document: [document]), "schema is None")
        self.assert_refused(self.changed(lambda document: document | {"schema": "copal-results/9"}),
                            "'copal-results/9'; this package reads 'copal-results/1'")
        self.assert_refused(self.changed(lambda document: {
            key: value for key, value in document.items() if key != "lines"}), "has no 'lines'")
        (self.root / "changed" / "results.json").write_text("{")
        self.assert_refused(self.root / "changed", "is not JSON")

    def test_unknown_line_and_seed_name_the_known_ones(self):
        with self.assertRaisesRegex(copal_results.ResultsError, "round_robin, prequal, green"):
            self.results.series("grün")
        with self.assertRaisesRegex(copal_results.ResultsError, "no seed 9; it has 1, 2, 3"):
            self.results.histogram("green", 9)
        (self.changed(lambda document: document) / "series" / "green-seed1.csv").unlink()
        with self.assertRaisesRegex(copal_results.ResultsError, "green-seed1.csv"):
            copal_results.load(self.root / "changed").series("green")


if __name__ == "__main__":
    unittest.main()

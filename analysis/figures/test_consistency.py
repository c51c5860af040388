"""The table and the picture of docs/consistency.md can be made, and say what scenarios measured."""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from figures import consistency  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Consistency(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="copal-consistency-")
        cls.addClassCleanup(folder.cleanup)
        cls.out = pathlib.Path(folder.name)
        build = pathlib.Path(os.environ.get("COPAL_BUILD_DIR", ROOT / "build" / "release"))
        files = [f"scenarios/cache/{name}.yaml" for name in consistency.SCENARIOS]
        # At another rate their expectations need not hold: exit status 1.
        done = subprocess.run([build / "copal-sim", "run", *files, "--out", cls.out, "--quiet",
                               "--set", "workload.rate=60/s"],
                              cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            raise AssertionError(done.stdout + done.stderr)
        cls.measured = consistency.Measured(cls.out)

    def test_every_promise_has_its_row(self):
        table = consistency.markdown(self.measured)
        self.assertEqual(table.count("\n"), 2 + 15)
        for words in ("loss window of", "at most local_read_timeout = 10ms", "1 of 3 down",
                      "2 of 3 down", "Split brain", "sync = always | 0 of"):
            self.assertIn(words, table)
        self.assertNotIn("nan", table)

    def test_same_results_give_the_same_picture(self):
        pictures = [self.out / name for name in ("a.svg", "b.svg")]
        for picture in pictures:
            consistency.save(self.measured, picture)
        self.assertEqual(pictures[0].read_bytes(), pictures[1].read_bytes())

    def test_what_a_line_tries_is_read_from_its_label(self):
        self.assertEqual(consistency.value_of("round_robin local_read_timeout=10ms"), "10ms")
        self.assertEqual(consistency.milliseconds("1.5s"), 1500)


if __name__ == "__main__":
    unittest.main()

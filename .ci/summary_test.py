#!/usr/bin/python3
"""What the last line of a test run says must be true: of the sums, of the runners behind them."""

import contextlib
import io
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import python_tests
import summary

PASSED = '<testcase name="a"><system-out>[ DATA ] generated: x\nnote: half</system-out></testcase>'
FAILED = '<testcase name="b"><failure message="broken"/></testcase>'
SKIPPED = '<testcase name="c" status="notrun"><skipped message="no browser"/></testcase>'


def summed_up(*cases):
    """Returns (exit status, output) of the summary over one file with these cases."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "results.xml"
        path.write_text(f"<testsuite>{''.join(cases)}</testsuite>")
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            status = summary.main([str(path)])
        return status, said.getvalue().splitlines()


class Summary(unittest.TestCase):
    def test_counts_are_the_last_line(self):
        self.assertEqual(summed_up(PASSED, PASSED)[0], 0)
        self.assertEqual(summed_up(PASSED, PASSED)[1][-1], "2 passed, 0 failed")
        status, lines = summed_up(PASSED, FAILED, SKIPPED)
        self.assertEqual((status, lines[-1]), (1, "1 passed, 1 failed"))

    def test_failed_skipped_and_notes_are_named(self):
        _, lines = summed_up(PASSED, FAILED, SKIPPED)
        self.assertEqual(lines[:-1], ["note: a: generated: x", "note: a: half",
                                      "skipped: c (no browser)", "FAILED: b"])

    def test_what_took_longest_is_named(self):
        cases = [f'<testcase name="t{i}" time="{i}.4"/>' for i in range(9, 20)]
        _, lines = summed_up(*cases)
        self.assertEqual(lines[:-1], [f"slow: t{i}, {i} s" for i in range(19, 11, -1)])
        _, lines = summed_up('<testcase name="quick" time="9.9"/>')
        self.assertEqual(lines, ["1 passed, 0 failed"])

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(summed_up(SKIPPED)[0], 1)
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(summary.main(["there/is/no.xml"]), 1)


class PythonTests(unittest.TestCase):
    def run_text(self, text):
        """Returns the rows of a test file with this text."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "made_test.py"
            path.write_text("import unittest\n" + text)
            rows, _ = python_tests.run_file(str(path), dict(os.environ))
            return [result for _, result in rows]

    def test_results_are_read(self):
        rows = self.run_text(
            "class T(unittest.TestCase):\n"
            "    def test_a(self):\n        'A docstring.'\n"
            "    def test_b(self): self.fail()\n"
            "    def test_c(self): raise KeyError\n"
            "    @unittest.skip('why')\n"
            "    def test_d(self): pass\n")
        self.assertEqual(rows, ["ok", "FAIL", "ERROR", "skipped 'why'"])

    def test_a_class_that_skips_itself_is_no_failure(self):
        self.assertEqual(self.run_text(
            "class T(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n"
            "        raise unittest.SkipTest('no browser')\n    def test_a(self): pass\n"),
            ["skipped 'no browser'"])

    def test_a_failed_subtest_is_a_failure(self):
        rows = self.run_text(
            "class T(unittest.TestCase):\n    def test_a(self):\n"
            "        for i in range(3):\n            with self.subTest(i=i):\n"
            "                self.assertNotEqual(i, 1)\n")
        self.assertTrue({"FAIL", "ERROR"} & set(rows))

    def test_what_does_not_load_fails(self):
        self.assertIn("ERROR", self.run_text("import no_such_module\n"))
        self.assertIn("ERROR", self.run_text("raise SystemExit(0)\n"))
        self.assertIn("ERROR", self.run_text("x = 1\n"))

    def test_a_crash_half_way_fails(self):
        rows = self.run_text(
            "import os\nclass T(unittest.TestCase):\n"
            "    def test_a(self): pass\n    def test_b(self): os._exit(0)\n")
        self.assertIn("ERROR", rows)


class AddUp(unittest.TestCase):
    def add_up(self, text):
        done = subprocess.run([sys.executable, "add_up.py"], input=text, capture_output=True,
                              text=True, check=False, cwd=pathlib.Path(__file__).parent)
        return done.returncode, done.stdout.splitlines()[-1]

    def test_lines_are_added_up(self):
        self.assertEqual(self.add_up("x\n2 passed, 0 failed\n3 passed, 0 failed\n"),
                         (0, "5 passed, 0 failed"))
        self.assertEqual(self.add_up("2 passed, 1 failed\n"), (1, "2 passed, 1 failed"))

    def test_no_line_is_a_failure(self):
        self.assertEqual(self.add_up("no test matches\n")[0], 1)


if __name__ == "__main__":
    unittest.main()

#!/usr/bin/python3
"""Runs every Python test of the tree: all files named test_*.py or *_test.py. Usage:
    .ci/python_tests.py [--build DIR] [--junit FILE] [--list] [PATTERN]
PATTERN  only files whose path contains it.
The tests find the programs by the environment variable COPAL_BUILD_DIR, set from --build. Each file
runs in an interpreter of its own, in its own folder (that of its package, if it is in one), so that
none depends on another.
"""

import argparse
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

import source_tree

_TIMEOUT_S = 900
_RESULT = re.compile(r"^(?P<name>\w+) \((?P<where>[\w.]+)\)(?:\n.*?)? \.\.\. .*?"
                     r"(?P<result>ok|FAIL|ERROR|skipped .*|expected failure|unexpected success)$",
                     re.MULTILINE)


def test_files(pattern):
    names = [name for name in source_tree.files()
             if re.search(r"(^|/)(test_\w+|\w+_test)\.py$", name)]
    return [name for name in names if pattern in name]


def of_setup(name):
    """unittest lists a class or module that skips itself, but does not count it as a test."""
    return name.endswith((": setUpClass", ": setUpModule"))


def run_file(path, environment):
    """Runs one file. Returns (rows, output), a row being (name, result)."""
    full = source_tree.ROOT / path
    folder, module = full.parent, full.stem
    while (folder / "__init__.py").is_file():  # a test of a package is imported as part of it
        folder, module = folder.parent, f"{folder.name}.{module}"
    command = [sys.executable, "-m", "unittest", "-v", module]
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True,
                              text=True, timeout=_TIMEOUT_S, check=False)
        output, status = done.stdout + done.stderr, done.returncode
    except subprocess.TimeoutExpired as stopped:
        said = stopped.stderr or b""
        return [(f"{path}: stopped after {_TIMEOUT_S} s", "FAIL")], said.decode(errors="replace")
    rows = [(f"{path}: {match['name']}", match["result"]) for match in _RESULT.finditer(output)]
    bad = any(result in ("FAIL", "ERROR", "unexpected success") for _, result in rows)
    ran = re.search(r"^Ran (\d+) tests? in", output, re.MULTILINE)
    if status != 0 and not bad:
        rows.append((f"{path}: did not load", "ERROR"))
    elif not rows or not ran or int(ran[1]) != sum(not of_setup(name) for name, _ in rows):
        # unittest's own count must agree with the names found, or a test would vanish unseen.
        rows.append((f"{path}: ran {ran[1] if ran else 'no'} tests, found {len(rows)}", "ERROR"))
    return rows, output


def write_junit(path, rows):
    suite = xml.Element("testsuite", name="python", tests=str(len(rows)))
    for name, result in rows:
        case = xml.SubElement(suite, "testcase", name=name)
        if result.startswith("skipped"):
            xml.SubElement(case, "skipped", message=result)
        elif result not in ("ok", "expected failure"):
            xml.SubElement(case, "failure", message=result)
    xml.ElementTree(suite).write(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--junit")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("pattern", nargs="?", default="")
    options = parser.parse_args()
    names = test_files(options.pattern)
    if options.list:
        print("\n".join(names))
        return 0
    environment = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                       COPAL_BUILD_DIR=str((source_tree.ROOT / options.build).resolve()))
    rows = []
    for name in names:
        began = time.monotonic()
        of_file, output = run_file(name, environment)
        rows += of_file
        bad = [row for row in of_file if row[1] in ("FAIL", "ERROR", "unexpected success")]
        print(f"{'FAILED' if bad else 'passed'} {name}: {len(of_file)} tests"
              f" in {time.monotonic() - began:.1f} s", flush=True)
        if bad:
            print(output)
    if not names:
        rows = [("no Python test found", "ERROR")]
    if options.junit:
        write_junit(options.junit, rows)
    return 1 if any(result in ("FAIL", "ERROR", "unexpected success") for _, result in rows) else 0


if __name__ == "__main__":
    sys.exit(main())

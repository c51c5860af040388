#!/usr/bin/python3
"""Sums up JUnit files: names every failed and every skipped test, every note a test left, and what
took longest. The last line is `N passed, N failed`. Exit status 1 if a test failed, none ran or a
file is missing.
Usage: .ci/summary.py FILE…

A note is a line of a test's output that starts with `note: ` or `[ DATA ] `; a test that runs on
less than the real thing says so by one.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml


SLOW_MIN_SECONDS = 10
SLOW_MAX = 8


def read(path):
    """Returns (passed, failed names, skipped names with reason, notes, (seconds, name) of each test
    case) of one JUnit file."""
    passed, failed, skipped, notes, times = 0, [], [], [], []
    for case in xml.parse(path).getroot().iter("testcase"):
        name = case.get("name")
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif skip is not None or case.get("status") in ("notrun", "disabled"):
            reason = skip.get("message") if skip is not None else case.get("status")
            skipped.append(f"{name} ({reason})")
        else:
            passed += 1
        times.append((float(case.get("time") or 0), name))
        for said in case.iter("system-out"):
            notes += [f"{name}: {note}" for note in
                      re.findall(r"^(?:note: |\[ DATA \] )(.*)$", said.text or "", re.MULTILINE)]
    return passed, failed, skipped, notes, times


def main(paths):
    passed, failed, skipped, notes, times = 0, [], [], [], []
    for path in paths:
        if not pathlib.Path(path).is_file():
            failed.append(f"{path} was not written: its tests did not run to the end")
            continue
        found = read(path)
        passed += found[0]
        failed += found[1]
        skipped += found[2]
        notes += found[3]
        times += found[4]
    slow = [f"{name}, {seconds:.0f} s" for seconds, name in sorted(times, reverse=True)[:SLOW_MAX]
            if seconds >= SLOW_MIN_SECONDS]
    for title, names in (("note", notes), ("slow", slow), ("skipped", skipped),
                         ("FAILED", failed)):
        for name in names:
            print(f"{title}: {name}")
    if passed == 0 and not failed:
        failed.append("")
        print("FAILED: no test ran")
    print(f"{passed} passed, {len(failed)} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

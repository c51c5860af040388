#!/usr/bin/python3
"""Runs the fuzzer with each mutant of core/base/mutant.h until a checker catches it. Usage:
    .ci/mutants.py [--seeds N] [MUTANT…]    all mutants, or these; at most N seeds each
Prints a line for each: the first seed that catches it and by which checkers. The last line is
`N passed, N failed`, a mutant each. Needs build/mutants (`cmake --preset mutants`).
"""

import argparse
import re
import subprocess
import sys

import source_tree

PROGRAM = source_tree.ROOT / "build" / "mutants" / "copal-sim"


def names():
    done = subprocess.run([PROGRAM, "fuzz", "--mutant", "list"], capture_output=True, text=True,
                          check=True)
    return [line.split()[0] for line in done.stdout.splitlines()]


def catch(name, seeds):
    """Returns the line that says by what the mutant is caught, or None."""
    done = subprocess.run([PROGRAM, "fuzz", "--mutant", name, "--seeds", f"1..{seeds}",
                           "--failures", "1", "--quiet"], capture_output=True, text=True,
                          check=False)
    caught = re.search(r"^\S+ is caught at seed .*$", done.stdout, re.MULTILINE)
    return caught.group(0) if caught else None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("mutants", nargs="*")
    arguments = parser.parse_args()
    escaped = 0
    mutants = arguments.mutants or names()
    for name in mutants:
        line = catch(name, arguments.seeds)
        escaped += line is None
        print(line or f"{name} ESCAPES {arguments.seeds} seeds", flush=True)
    print(f"{len(mutants) - escaped} passed, {escaped} failed")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main())

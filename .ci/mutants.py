#!/usr/bin/python3
"""Shows that the fuzzer's checkers work: each mutant of core/base/mutant.h is caught, and each
checker is needed for one of them. Usage:
    .ci/mutants.py [--seeds N] [--caught-only] [--checker CHECKER]… [MUTANT…]
                            all mutants, or these; all checkers, or these; N seeds at most
Prints a line for each mutant: the first seed that catches it and by which checkers; and for each
checker a mutant that escapes as many seeds when this checker is switched off. The last line is
`N passed, N failed`, a mutant or a checker each. Needs build/mutants (`cmake --preset mutants`).
"""

import argparse
import re
import subprocess
import sys

import source_tree

PROGRAM = source_tree.ROOT / "build" / "mutants" / "copal-sim"


def fuzz(*arguments):
    return subprocess.run([PROGRAM, "fuzz", *arguments], capture_output=True, text=True,
                          check=False)


def mutants():
    return [line.split()[0] for line in fuzz("--mutant", "list").stdout.splitlines()]


def checkers():
    """Returns their names, which the program says to whom asks for one that there isn't."""
    return fuzz("--without", "?").stderr.split("expected a checker:")[1].split()


def catch(mutant, seeds, without=None, first=1):
    """Returns (the seed that catches a mutant, by which checkers), or None if none of them does."""
    # Few seeds first: what was begun comes to its end, and most mutants are caught by the first.
    steps = [first - 1] + [few for few in (8, 64) if first <= few < seeds] + [seeds]
    for before, last in zip(steps, steps[1:]):
        done = fuzz("--mutant", mutant, "--seeds", f"{before + 1}..{last}", "--failures", "1",
                    "--quiet", *(["--without", without] if without else []))
        caught = re.search(r"^\S+ is caught at seed (\d+) by (.*)$", done.stdout, re.MULTILINE)
        if caught:
            return int(caught[1]), caught[2].split()
        # Gates of whole campaigns may fail here; a seed that ran is what counts.
        if not re.search(r"^\d+ passed, \d+ failed$", done.stdout, re.MULTILINE):
            sys.exit(f"{mutant}: {done.stderr}")
    return None


def show_caught(names, seeds):
    """Returns {mutant: what catch() says of it}."""
    found = {}
    for name in names:
        found[name] = catch(name, seeds)
        if found[name]:
            print(f"{name} is caught at seed {found[name][0]} by {' '.join(found[name][1])}",
                  flush=True)
        else:
            print(f"{name} ESCAPES {seeds} seeds", flush=True)
    return found


def needed_for(checker, found, seeds):
    """Returns a mutant that only this checker catches, or None."""
    alone = [(one[0], name) for name, one in found.items() if one and one[1] == [checker]]
    # What is caught late is more often caught by one checker alone. What all checkers together have
    # not seen one fewer does not see.
    for seed, name in sorted(alone, reverse=True):
        if catch(name, seeds, without=checker, first=seed) is None:
            return name
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--caught-only", action="store_true", help="do not try without checkers")
    parser.add_argument("--checker", action="append", help="try without this one; default: each")
    parser.add_argument("mutants", nargs="*")
    arguments = parser.parse_args()
    found = show_caught(arguments.mutants or mutants(), arguments.seeds)
    passed = sum(one is not None for one in found.values())
    failed = len(found) - passed
    for checker in [] if arguments.caught_only else arguments.checker or checkers():
        mutant = needed_for(checker, found, arguments.seeds)
        passed += mutant is not None
        failed += mutant is None
        print(f"{checker}: " + (f"without it {mutant} escapes {arguments.seeds} seeds" if mutant
                                else "NO MUTANT escapes without it"), flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

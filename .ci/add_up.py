#!/usr/bin/python3
"""Passes its input on and adds up every line `N passed, N failed` in it; the sum is the last line.
Exit status 1 if something failed or no such line came."""

import re
import sys


def main():
    passed = failed = lines = 0
    for line in sys.stdin:
        counts = re.fullmatch(r"(\d+) passed, (\d+) failed\n", line)
        if counts:
            passed, failed, lines = passed + int(counts[1]), failed + int(counts[2]), lines + 1
        else:
            sys.stdout.write(line)
    print(f"{passed} passed, {failed} failed")
    return 0 if lines and not failed else 1


if __name__ == "__main__":
    sys.exit(main())

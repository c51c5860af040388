#!/usr/bin/python3
"""Compiles each header alone: what it needs it includes. The last line is `N passed, N failed`."""

import concurrent.futures
import os
import subprocess
import sys

import source_tree


def check(name):
    done = subprocess.run(
        ["g++", "-std=c++20", "-fsyntax-only", "-I", ".", "-include", name, "-x", "c++",
         "/dev/null"],
        cwd=source_tree.ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stderr


def main():
    names = [name for name in source_tree.files()
             if name.endswith(".h") and not name.startswith("cmake/")]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(int(os.environ.get("COPAL_JOBS", 2))) as pool:
        for name, (well, output) in zip(names, pool.map(check, names)):
            if not well:
                failed += 1
                print(f"FAILED {name}\n{output}")
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main())

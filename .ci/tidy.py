#!/usr/bin/python3
"""Runs clang-tidy over the C++ files. Usage:
    .ci/tidy.py          over all
    .ci/tidy.py --few    over the files of the last commit and of the work tree, and as many others,
                         picked by the commit, as make up at least eight
    .ci/tidy.py PATH…    over these
The last line is `N passed, N failed`, a file each.
"""

import concurrent.futures
import hashlib
import json
import os
import subprocess
import sys

import source_tree

FEW_MIN = 8
FEW_MAX = 24
BUILD = source_tree.ROOT / "build" / "tidy"


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=source_tree.ROOT, capture_output=True, text=True,
                          check=False)
    return done.stdout.split("\n") if done.returncode == 0 else []


def few(names):
    """Returns the changed ones of the names first, then others."""
    changed = set(git("diff", "--name-only", "HEAD~1", "HEAD") + git("diff", "--name-only", "HEAD"))
    commit = (git("rev-parse", "HEAD") or [""])[0]
    picked = sorted(names, key=lambda name: (
        name not in changed, hashlib.sha256((commit + name).encode()).hexdigest()))
    count = sum(name in changed for name in names)
    return picked[:min(max(count, FEW_MIN), FEW_MAX)]


def compile_commands():
    """Configures without precompiled headers, which only their own compiler can read. Returns the
    names, relative to the root, of the files that the build compiles."""
    subprocess.run(["cmake", "--preset", "tidy"], cwd=source_tree.ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    database = json.loads((BUILD / "compile_commands.json").read_text())
    names = {os.path.relpath(entry["file"], source_tree.ROOT) for entry in database}
    return sorted(name for name in names if not name.startswith("build") and name.endswith(".cpp"))


def tidy(name):
    done = subprocess.run(
        ["clang-tidy", "--quiet", "-p", str(BUILD), "--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-unused-command-line-argument",
         "--extra-arg=-Wno-ignored-optimization-argument", str(source_tree.ROOT / name)],
        cwd=source_tree.ROOT, capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + ("" if done.returncode == 0 else done.stderr)


def main(arguments):
    names = compile_commands()
    if arguments == ["--few"]:
        names = few(names)
    elif arguments:
        names = arguments
    jobs = int(os.environ.get("COPAL_JOBS", os.cpu_count()))
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for name, (well, output) in zip(names, pool.map(tidy, names)):
            print(f"{'ok    ' if well else 'FAILED'} {name}", flush=True)
            if not well:
                failed += 1
                print(output)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

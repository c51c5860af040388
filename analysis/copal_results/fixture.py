"""For tests: result folders as the C++ tests write them."""

import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]


def write_folders(folder):
    """Lets sim_tests write `plain` (3 lines, 3 seeds, 120 s), `hostile` and `idle` below folder.
    The program is found by COPAL_BUILD_DIR, default build/release of the tree."""
    build = pathlib.Path(os.environ.get("COPAL_BUILD_DIR", ROOT / "build" / "release"))
    program = build / "sim_tests"
    if not program.exists():
        raise AssertionError(f"{program} is missing: build it first")
    done = subprocess.run([program, "--gtest_filter=WriteResults.FoldersForThePythonTests"],
                          env={**os.environ, "COPAL_RESULTS": str(folder)}, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0 or not (pathlib.Path(folder) / "plain" / "results.json").exists():
        raise AssertionError(done.stdout + done.stderr)

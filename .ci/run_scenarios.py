#!/usr/bin/python3
"""Runs every shipped scenario and looks at what it leaves: exit status 0, so its expectations hold;
a folder with results and report; and its time. Usage: .ci/run_scenarios.py [PATTERN]

A scenario takes under 10 s, unless its file says `# Takes about N s`. Being slower is noted, twice
as slow is a failure: machines differ. Scenarios on recorded traffic get it from COPAL_DATA (default
../shared/data), scaled down; where that is absent, a made file of the same format, and a note says
so. The last line is `N passed, N failed`.
"""

import datetime
import gzip
import json
import lzma
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import time

import source_tree

LIMIT_S = 10
PROGRAM = source_tree.ROOT / "build" / "release" / "copal-sim"
OUT = source_tree.ROOT / "build" / "ci" / "scenarios"
DATA = pathlib.Path(os.environ.get("COPAL_DATA", source_tree.ROOT / ".." / "shared" / "data"))


def make_per_minute(path):
    """Requests in each minute of two days around the scenario's window, with a peak."""
    start = datetime.datetime(1998, 6, 30)
    with gzip.open(path, "wt") as file:
        file.write("minute_utc,requests,bytes\n")
        for minute in range(2 * 1440):
            at = start + datetime.timedelta(minutes=minute)
            requests = int(30000 + 185000 * math.exp(-((minute - 1300) / 90) ** 2))
            file.write(f"{at:%Y-%m-%dT%H:%MZ},{requests},{requests * 5000}\n")


def make_access_log(path):
    """Three days of a small site in Combined Log Format, some lines broken."""
    draw = random.Random(1)
    at = datetime.datetime(2015, 5, 17, 10, 5)
    with gzip.open(path, "wt") as file:
        for line in range(3000):
            at += datetime.timedelta(seconds=draw.expovariate(1 / 80))
            if line % 500 == 499:
                file.write("\x16\x03\x01 not HTTP\n")
                continue
            file.write(f'10.0.{draw.randrange(4)}.{draw.randrange(250)} - - '
                       f'[{at:%d/%b/%Y:%H:%M:%S} +0000] "GET /page/{draw.randrange(90)} HTTP/1.1" '
                       f'200 {draw.randrange(100, 90000)} "-" "Agent/{draw.randrange(7)}"\n')


def make_key_trace(path):
    """Keys of a cache, a few often and many seldom: big-endian numbers of 32 bits."""
    draw = random.Random(1)
    with lzma.open(path, "wb") as file:
        for _ in range(76118):
            file.write(int(20000 ** draw.random()).to_bytes(4, "big"))


def make_cluster_stats(path):
    """Three rows like those of Twitter's table."""
    path.write_text(
        "cluster,miss_ratio,key_bytes,value_bytes,rate_kqps,ttl_mix,wss_mb,operation_mix,"
        "zipf_alpha\n"
        '7,0.2,20,2000,1.5,"1.8h:0.5, 2h:0.5,",85,get:0.82 set:0.18,1.1\n'
        '19,0.5,40,100,3.5,"7h:1.00,",3400,get:0.75 set:0.25,0.7\n'
        '50,0.5,20,67000,0.25,"900s:0.7, 1200s:0.3,",150,get:0.5 set:0.5,1.3\n')


# Scenario -> (recorded file, how to make one like it, settings that scale it down)
TRACES = {
    "scenarios/worldcup98.yaml": (
        "worldcup98-per-minute.csv.gz", make_per_minute,
        ["workload.window_from=1998-06-30T21:35Z", "workload.window_to=1998-06-30T21:50Z",
         "duration=15min"]),
    "scenarios/access_log.yaml": (
        "apache-combined-10k.log.gz", make_access_log, ["workload.time_scale=1000"]),
    "scenarios/cache/key_trace.yaml": ("cache2k-web07.trace.xz", make_key_trace, []),
    "scenarios/cache/twitter_cluster.yaml": (
        "twitter-2020-cluster-stats.csv", make_cluster_stats, []),
}


def scenarios(pattern):
    """Returns the shipped scenarios: the YAML files of scenarios/ that name a cloud."""
    return [name for name in source_tree.files()
            if name.startswith("scenarios/") and name.endswith(".yaml") and pattern in name
            and "/testing/" not in name and "/testdata/" not in name
            and re.search(r"^cloud:", (source_tree.ROOT / name).read_text(), re.MULTILINE)]


def trace_arguments(name):
    if name not in TRACES:
        return []
    file_name, make, settings = TRACES[name]
    trace = DATA / file_name
    if not trace.is_file():
        trace = OUT / file_name
        make(trace)
        print(f"note: {name} runs on a made file: {file_name} is not in COPAL_DATA")
    return ["--trace", str(trace)] + [word for setting in settings for word in ("--set", setting)]


def problem_of(name, out, status, took_s):
    """Returns what is wrong with a run, or None."""
    if status != 0:
        return f"exit status {status}"
    for file_name in ("results.json", "report.html"):
        if not (out / file_name).is_file():
            return f"{file_name} is missing"
    if not json.loads((out / "results.json").read_text()):
        return "results.json is empty"
    text = (source_tree.ROOT / name).read_text()
    noted = re.search(r"^# Takes about (\d+) s", text, re.MULTILINE)
    limit = int(noted[1]) if noted else LIMIT_S
    if took_s > 2 * limit:
        return f"took {took_s:.1f} s, {limit} s is the limit"
    if took_s > limit:
        print(f"note: {name} took {took_s:.1f} s, {limit} s is the limit")
    return None


def run(name):
    out = OUT / pathlib.Path(name).stem
    command = [str(PROGRAM), "run", name, "--quiet", "--out", str(out), *trace_arguments(name)]
    began = time.monotonic()
    done = subprocess.run(command, cwd=source_tree.ROOT, capture_output=True, text=True,
                          check=False)
    took_s = time.monotonic() - began
    problem = problem_of(name, out, done.returncode, took_s)
    print(f"{'FAILED' if problem else 'ok    '} {name}: {problem or f'{took_s:.1f} s'}", flush=True)
    if problem:
        print(" ".join(command), done.stdout, done.stderr, sep="\n")
    return problem is None


def main(arguments):
    OUT.mkdir(parents=True, exist_ok=True)
    names = scenarios(arguments[0] if arguments else "")
    results = [run(name) for name in names]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

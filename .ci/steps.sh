# shellcheck shell=bash
# The steps of .ci/run and .ci/long, and what runs and counts them. Sourced from the root folder.

python=/usr/bin/python3
jobs="${COPAL_JOBS:-$(nproc)}"
logs=build/ci
passed=0
failed=0
# shellcheck disable=SC2034  # Read by .ci/run.
step_status=0
times=()

# Runs one step: a function of this file. Its output goes to the terminal and to build/ci/NAME.log;
# if that ends with `N passed, N failed`, these numbers count, else the step counts as one. Says in
# step_status how it went. Never call it in a condition: bash would ignore -e inside the step too.
step() {
  local name="$1" began=$SECONDS status=0 counts
  printf '\n==== %s\n' "$name"
  mkdir -p "$logs"
  # In a subshell of its own with -e: a step fails at its first broken command.
  set +e
  (
    set -eo pipefail
    "step_$name"
  ) 2>&1 | tee "$logs/$name.log"
  status=${PIPESTATUS[0]}
  set -e
  counts="$(grep -aE '^[0-9]+ passed, [0-9]+ failed$' "$logs/$name.log" | tail -n 1 || true)"
  if [ -n "$counts" ]; then
    passed=$((passed + $(cut -d ' ' -f 1 <<<"$counts")))
    failed=$((failed + $(cut -d ' ' -f 3 <<<"$counts")))
  elif [ "$status" = 0 ]; then
    passed=$((passed + 1))
  fi
  if [ "$status" != 0 ] && [[ "$counts" != *" passed, "[1-9]* ]]; then
    failed=$((failed + 1))
  fi
  times+=("$(printf '%5d s  %-12s %s' "$((SECONDS - began))" "$name" \
    "$([ "$status" = 0 ] && echo "${counts:-ok}" || echo "FAILED${counts:+ ($counts)}")")")
  # shellcheck disable=SC2034
  step_status=$status
}

# Prints what ran, how long it took, and the sum as the last line.
summary() {
  printf '\n==== summary\n'
  printf '%s\n' "${times[@]}"
  printf '%5d s  together\n' "$SECONDS"
  printf '%d passed, %d failed\n' "$passed" "$failed"
}

# Prints the names of the tracked or new files that end like one of the arguments.
files_named() {
  local patterns=()
  for ending in "$@"; do
    patterns+=("*$ending")
  done
  git ls-files --cached --others --exclude-standard -- "${patterns[@]}" | sort -u |
    while read -r name; do [ -f "$name" ] && printf '%s\n' "$name"; done
}

# Runs the tests of one program that match a filter, as many processes at a time as there are jobs;
# no match is a failure. Each process takes several tests: to start one for each, as ctest does,
# takes a tenth of a second under a sanitizer. A process that takes longer than `seconds` (600) has
# failed. filter_tests PROGRAM FILTER
filter_tests() {
  local results shards=$((4 * jobs)) status=0
  # Tests are indented, suites are not. Not -q: it would leave at the first, and the program would
  # end by the broken pipe.
  if ! "$1" --gtest_filter="$2" --gtest_list_tests | grep '^  ' >/dev/null; then
    echo "no test matches $2"
    return 1
  fi
  results="$(mktemp -d)"
  seq 0 $((shards - 1)) | xargs -P "$jobs" -I '{}' env GTEST_TOTAL_SHARDS="$shards" \
    GTEST_SHARD_INDEX='{}' timeout "${seconds:-600}" "$1" --gtest_filter="$2" --gtest_brief=1 \
    --gtest_output="xml:$results/{}.xml" || status=$?
  "$python" .ci/summary.py "$results"/*.xml || status=$?
  rm -rf "$results"
  return "$status"
}

# Configures a preset and builds its targets. build_preset PRESET TARGET…
build_preset() {
  cmake --preset "$1"
  cmake --build "build/$1" --parallel "$jobs" --target "${@:2}"
}

# Builds a preset and runs all its tests, each in a process of its own. preset_tests PRESET
preset_tests() {
  local results="build/$1/test-results.xml" status=0
  build_preset "$1" all
  rm -f "$results"
  ctest --test-dir "build/$1" --parallel "$jobs" --output-on-failure --no-tests=error \
    --output-junit "$PWD/$results" || status=$?
  "$python" .ci/summary.py "$results"
  return "$status"
}

# ---- the steps

step_deps() { bash setup.sh deps test; }

step_format() {
  files_named .h .cpp | xargs clang-format --dry-run -Werror
  echo "$(files_named .h .cpp | wc -l) files formatted"
}

step_layers() { "$python" .ci/check_layers.py; }

step_style() {
  "$python" .ci/check_style.py
  "$python" .ci/check_joined.py
}

step_shell() {
  files_named .sh .ci/run .ci/long .ci/fresh | xargs shellcheck --external-sources
}

# What a reader of the README types; the theory at a tenth of the sample that the promised intervals
# need, not at a fiftieth. .ci/long takes all of it.
step_test() { COPAL_THEORY=0.1 bash setup.sh test; }

# Without the theory tests: they need large samples (the intervals of a small one mean nothing), and
# run the same code as the others. Nor are the golden hashes computed a second time.
sanitized_tests() {
  build_preset "$1" core_tests sim_tests
  {
    filter_tests "build/$1/core_tests" '*'
    filter_tests "build/$1/sim_tests" '*-*Theory*:*OneProcessGivesTheGoldenHashToo*'
  } | "$python" .ci/add_up.py
}

step_asan() { sanitized_tests asan; }

# Golden hashes and bits, on the processor's own paths through glibc and without FMA and AVX2.
step_determinism() {
  local tunables=glibc.cpu.hwcaps=-FMA,-AVX2 filter='*Golden*:*Determinism*-*OneProcess*'
  for program in core_tests sim_tests; do
    GLIBC_TUNABLES="$tunables" filter_tests "build/release/$program" "$filter"
  done | "$python" .ci/add_up.py
}

step_scenarios() { "$python" .ci/run_scenarios.py; }

# Fresh seeds, other ones each time: what a change breaks shows here first.
step_seeds() {
  build/release/copal-sim fuzz --minutes 3 \
    --first-seed "$(($(date +%s) * 1000))" --jobs "$jobs" --quiet --out "$logs/seeds"
}

# 20,000 fresh seeds with all families of faults, then some minutes of each family alone.
step_campaign() {
  local seeds="${COPAL_CAMPAIGN_SEEDS:-20000}" minutes="${COPAL_CAMPAIGN_MINUTES:-14}"
  local first family status=0
  first="$(($(date +%s) * 1000))"
  campaign_of() { # FAMILY ARGUMENT…
    local family="$1"
    shift
    build/release/copal-sim fuzz "$@" --failures 50 --jobs "$jobs" --quiet \
      --out "$logs/campaign-$family" || [ "$?" = 1 ] || echo '0 passed, 1 failed'
  }
  {
    echo "== all, seeds $first to $((first + seeds - 1))"
    campaign_of all --seeds "$first..$((first + seeds - 1))" | tee "$logs/campaign.txt"
    for family in none process link clock disk order load; do
      echo "== $family"
      campaign_of "$family" --minutes "$((minutes / 7))" --first-seed "$first" --focus "$family"
    done
  } | "$python" .ci/add_up.py || status=1
  return "$status"
}

# Which defects the fuzzer catches, and by what.
step_mutants() {
  build_preset mutants copal-sim
  "$python" .ci/mutants.py
}

step_tidy() { "$python" .ci/tidy.py --few; }

step_tidy_all() { "$python" .ci/tidy.py; }

step_tsan() { sanitized_tests tsan; }

step_clang() { COPAL_THEORY=0.1 preset_tests clang; }

step_debug() { COPAL_THEORY=0.1 preset_tests debug; }

step_theory_full() {
  COPAL_THEORY=1 seconds=3600 filter_tests build/release/sim_tests '*Theory*'
}

# Each header compiles alone.
step_headers() { "$python" .ci/check_headers.py; }

# Each fuzz target for some minutes, from a corpus that build/fuzz keeps.
step_fuzz() {
  local seconds="${COPAL_FUZZ_SECONDS:-180}" target name
  build_preset fuzz fuzz_targets
  for target in build/fuzz/fuzz_*; do
    if [ ! -x "$target" ] || [ ! -f "$target" ]; then
      continue
    fi
    name="$(basename "$target")"
    mkdir -p "build/fuzz/corpus/$name"
    echo "== $name for $seconds s"
    "$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -print_final_stats=1 \
      -artifact_prefix="build/fuzz/$name-" "build/fuzz/corpus/$name" 2>"build/fuzz/$name.log" || {
      tail -n 40 "build/fuzz/$name.log"
      return 1
    }
    grep -aE 'Done [0-9]+ runs' "build/fuzz/$name.log"
  done
}

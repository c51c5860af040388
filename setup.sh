#!/bin/bash
# From a fresh Debian 12 (bash, git and root or sudo) to a built and tried Copal. See `help` below.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

# What the build needs, and what the tests and checks need on top of it. Nothing outside Debian 12.
build_packages=(
  g++ cmake ninja-build ccache pkg-config
  libsimgrid-dev libboost-dev libboost-iostreams-dev
  libyaml-cpp-dev nlohmann-json3-dev libcli11-dev zlib1g-dev liblzma-dev libssl-dev
  libjs-chart.js libgtest-dev libbenchmark-dev
)
test_packages=(
  python3 python3-jsonschema python3-yaml python3-pandas python3-matplotlib
  chromium chromium-driver python3-selenium
  clang-format clang-tidy shellcheck
)
# For .ci/long only: a second compiler, its fuzzer and its thread sanitizer.
long_packages=(clang libclang-rt-14-dev)

say() { printf '\n== %s\n' "$*"; }
fail() {
  printf 'setup.sh: %s\n' "$*" >&2
  exit 1
}

usage() {
  cat <<'TEXT'
Usage: bash setup.sh COMMAND [ARGUMENTS]

  run [ARGUMENTS]  Install what is missing, build, and run `copal-sim run ARGUMENTS`.
                   Without arguments: the quickstart that is part of the program, into
                   out/quickstart.
  test             Install what is missing, build, and run every test. The last line is
                   `N passed, N failed`.
  build            Install what the build needs, and build into build/release.
  deps [SET]       Only install. SET: build (default), test, or long.
  help             This text.

Examples:
  bash setup.sh run
  bash setup.sh run scenarios/balance/server_dies.yaml --seeds 5 --out out/server_dies
  bash setup.sh test

Environment:
  COPAL_JOBS  compilers and tests at a time (default: one per processor)
  COPAL_DATA  folder of recorded traffic for the tests (default: ../shared/data; where it is
              absent they make files of the same formats)
TEXT
}

# Prints those of the given packages that are not installed.
missing_packages() {
  local package
  for package in "$@"; do
    # shellcheck disable=SC2016  # ${…} is dpkg-query's own syntax.
    case "$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)" in
      installed) ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "installing packages needs root; run as root, or install sudo"
  fi
}

install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "this is not a Debian system; install what the lists at the top of this file name"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [ "${#missing[@]}" = 0 ]; then
    return
  fi
  say "Installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=3 update
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Acquire::Retries=3 \
    -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
}

deps() {
  case "${1:-build}" in
    build) install_packages "${build_packages[@]}" ;;
    test) install_packages "${build_packages[@]}" "${test_packages[@]}" ;;
    long) install_packages "${build_packages[@]}" "${test_packages[@]}" "${long_packages[@]}" ;;
    *) fail "deps: '$1' is not one of build, test, long" ;;
  esac
}

jobs="${COPAL_JOBS:-$(nproc)}"

# Builds everything, or the targets given.
build() {
  say "Building ${*:-everything} into build/release with $jobs jobs"
  mkdir -p build
  cmake --preset release >build/configure.log 2>&1 || {
    cat build/configure.log >&2
    fail "cmake --preset release failed"
  }
  cmake --build build/release --parallel "$jobs" ${1:+--target "$@"}
}

run() {
  if [ "$#" = 0 ]; then
    set -- --out out/quickstart
  fi
  say "copal-sim run $*"
  build/release/copal-sim run "$@"
}

# Runs the C++ tests and the Python tests, all of them even after a failure, then says the sum.
run_tests() {
  local results=build/release/test-results
  rm -rf "$results"
  mkdir -p "$results"
  say "C++ tests"
  ctest --test-dir build/release --parallel "$jobs" --output-on-failure --progress \
    --no-tests=error --test-output-size-passed 100000 \
    --output-junit "$PWD/$results/ctest.xml" || true
  say "Python tests"
  # Debian's own Python by its full name: another one in PATH would not see Debian's modules.
  /usr/bin/python3 .ci/python_tests.py --build build/release --junit "$results/python.xml" || true
  say "Summary"
  /usr/bin/python3 .ci/summary.py "$results/ctest.xml" "$results/python.xml"
}

case "${1:-help}" in
  run)
    deps build
    build copal-sim
    run "${@:2}"
    ;;
  test)
    [ "$#" = 1 ] || fail "test takes no arguments; single tests: ctest --test-dir build/release -R"
    deps test
    build
    run_tests
    ;;
  build)
    deps build
    build
    ;;
  deps) deps "${2:-build}" ;;
  help | --help | -h) usage ;;
  *)
    usage >&2
    fail "unknown command '$1'"
    ;;
esac

#!/usr/bin/python3
"""Checks which folder may include which, and what the core and the simulated world must not use.

The order of the layers is that of STYLE section 2; this table is its exact form. Usage:
    .ci/check_layers.py          checks the tree; exit status 1 if a rule is broken
    .ci/check_layers.py --table  prints the table
"""

import re
import sys

import source_tree

# Layer -> what it may include besides itself; "all below" is spelled out by _closed(). Two notes
# on the order: ports stand right above base, because they speak of times, ids and bytes only and
# the messages' inputs name the ids of the Application port; elastic stands on balance, because what
# wakes a server looks at the same views of servers.
_DIRECT = {
    "core/base": [],
    "core/ports": ["core/base"],
    "core/mnode": ["core/base"],
    "core/protocol": ["core/mnode", "core/ports"],
    "core/values": ["core/protocol"],
    "core/detector": ["core/values"],
    "core/strong": ["core/detector"],
    "core/ownership": ["core/detector"],
    "core/lease": ["core/strong", "core/ownership"],
    "core/membership": ["core/strong", "core/ownership"],
    "core/cache": ["core/lease", "core/membership"],
    "core/session": ["core/cache"],
    "core/deploy": ["core/cache"],
    "core/balance": ["core/cache"],
    "core/elastic": ["core/balance"],
    "core/node": ["core/session", "core/deploy", "core/elastic"],
    "core/testing": ["core/node"],  # for tests only, see _check_include
    "core": ["core/testing"],  # core/paper_test.cpp
    "scenarios": ["core/node"],
    "sim": ["scenarios"],
    "prod": ["scenarios"],
    "bench": ["sim", "prod", "core/testing"],
    "tools": ["sim", "prod"],
    "cmake": ["core/node"],  # precompiled headers of sim/ and of tests
}

# The one arrow upwards: the generator of random numbers implements the port Random.
_EXCEPTIONS = {("core/base/prng.h", "core/ports/random.h")}

# Headers of the world: core must not know them, not even in its tests.
_WORLD_HEADERS = re.compile(
    r"^(simgrid|xbt|boost|asio|rocksdb|openssl|yaml-cpp|nlohmann|CLI|zlib\.h|lzma\.h"
    r"|sys/|unistd\.h|pthread\.h|fcntl\.h|netinet/|arpa/|poll\.h|signal\.h|time\.h"
    r"|thread$|mutex$|shared_mutex$|condition_variable$|future$|atomic$|stop_token$|semaphore$"
    r"|latch$|barrier$|coroutine$)")
# Headers that the core's code must not use; its tests may.
_CORE_HEADERS = re.compile(
    r"^(iostream|istream|ostream|fstream|sstream|filesystem|random|ctime|locale|regex|exception"
    r"|stdexcept|unordered_map|unordered_set|cstdlib|stdlib\.h|stdio\.h|cstdio|math\.h)$")
# core/base/assert.cpp prints and aborts; core/base/sha256.cpp takes a pure function from a library.
# Nobody else may.
_CORE_HEADER_EXCEPTIONS = {("core/base/assert.cpp", "cstdio"), ("core/base/assert.cpp", "cstdlib"),
                           ("core/base/sha256.cpp", "openssl/sha.h")}

_LIBM = (r"log|log2|log10|log1p|exp|exp2|expm1|pow|sin|cos|tan|asin|acos|atan|atan2|sinh|cosh|tanh"
         r"|cbrt|hypot|erf|erfc|tgamma|lgamma")
_ENGINES = (r"random_device|mt19937(?:_64)?|minstd_rand0?|default_random_engine|seed_seq"
            r"|\w+_distribution|random_shuffle|shuffle|sample")

# (name, pattern, why): no code of the core, tests included.
_CORE_WORDS = [
    ("clock", r"\b(?:system|steady|high_resolution|utc)_clock\b|\bclock_gettime\b|\bgettimeofday\b",
     "time is an argument of step()"),
    ("sleep", r"\bsleep(?:_for|_until)?\s*\(|\busleep\s*\(|\bnanosleep\s*\(",
     "nothing in the core waits"),
    ("environment", r"\bgetenv\b|\bsetenv\b|\benviron\b", "a node decides by its inputs alone"),
    ("engine", rf"\bstd::(?:ranges::)?(?:{_ENGINES})\b|\bs?rand\s*\(",
     "use core/base/prng.h: std:: engines and distributions differ between libraries (R0.8)"),
    ("coroutine", r"\bco_(?:await|yield|return)\b",
     "operations of several steps are pending tables"),
]
# (name, pattern, why): the core's code; its tests may compare with the library's.
_CORE_CODE_WORDS = [
    ("exception", r"\b(?:throw|try|catch)\b", "errors are values, see core/base/result.h"),
    ("unordered", r"\bunordered_(?:multi)?(?:map|set)\b",
     "its order differs between libraries; use core/base/flat_map.h or a sorted container"),
    ("function", r"\bstd::(?:move_only_)?function\b",
     "it may allocate on the path of a request; use a port, a template or a switch"),
    ("time", r"\bstd::(?:time|clock|ctime|localtime|gmtime)\b"
             r"|(?<![\w.:>])time\s*\(\s*(?:NULL|nullptr|0)",
     "time is an argument of step()"),
    ("exit", r"\b(?:std::)?(?:exit|_exit|quick_exit|abort)\s*\(", "use COPAL_ASSERT"),
    ("thread_local", r"\bthread_local\b", "a node belongs to whoever steps it"),
    ("print", r"\b(?:std::)?f?printf\b|\bputs\b|\bstd::c(?:out|err|log)\b",
     "a node says things by effects"),
]
_WORD_EXCEPTIONS = {
    ("core/base/assert.cpp", "print"), ("core/base/assert.cpp", "exit"),
    ("core/base/math.h", "libm name"), ("core/base/math.cpp", "libm name"),
}

# What reaches a simulation's trace: core, scenarios and sim, tests excepted (R0.8).
_ARITHMETIC_WORDS = [
    ("libm", rf"\bstd::(?:{_LIBM})[fl]?\b(?=\s*\()|(?<!\w)::(?:{_LIBM})[fl]?\b(?=\s*\()",
     "glibc's differ between processors; use copal::math (R0.8)"),
    ("libm name", rf"(?<![\w:.>])(?:{_LIBM})[fl]?(?=\s*\()",
     "write math::log and the like, so that glibc's is never found instead (R0.8)"),
    ("fma", r"\bstd::fmaf?\s*\(|\bFP_CONTRACT\b", "one rounding less on some processors (R0.8)"),
    ("engine", rf"\bstd::(?:ranges::)?(?:{_ENGINES})\b"
               r"|(?<![\w:.>])s?rand\s*\(|#\s*include\s*<random>",
     "use core/base/prng.h (R0.8)"),
    ("views", r"\bstd::(?:views|ranges::\w*view)\b", "clang 14 does not compile them"),
]


def _closed():
    allowed = {}
    def close(layer):
        if layer not in allowed:
            allowed[layer] = {layer}
            for below in _DIRECT[layer]:
                allowed[layer] |= close(below)
        return allowed[layer]
    for layer in _DIRECT:
        close(layer)
    # The test's tools are not handed on to what stands above them.
    for layer in ("scenarios", "sim", "prod", "tools"):
        allowed[layer] -= {"core/testing", "core"}
    return allowed


ALLOWED = _closed()


def layer_of(path):
    """Returns the layer of a file, or None for a folder that is in no table."""
    parts = path.split("/")
    if len(parts) < 2:
        return None
    layer = "/".join(parts[:2]) if parts[0] == "core" and len(parts) > 2 else parts[0]
    return layer if layer in ALLOWED else None


def is_test(path):
    """Tests and contract suites: what no program links."""
    return (path.endswith(("_test.cpp", "_test.h", "_contract.h", "_contract.cpp"))
            or path.startswith("core/testing/") or "/testing/" in path or "/fuzz_" in path)


def _check_include(path, layer, included):
    """Returns what is wrong with one quoted include, or None."""
    target = layer_of(included)
    if target is None:
        return f'"{included}" is in no layer; includes name the path from the root'
    if (path, included) in _EXCEPTIONS:
        return None
    if target == "core/testing" and is_test(path):
        return None
    if target not in ALLOWED[layer]:
        return f"{layer} must not include {target} ({included})"
    if not is_test(path) and is_test(included) and layer not in ("bench", "tools"):
        return f"{included} is for tests only"
    return None


def _check_core_header(path, header):
    if _WORLD_HEADERS.match(header) and (path, header) not in _CORE_HEADER_EXCEPTIONS:
        return f"<{header}> belongs to a world, not to the core"
    if _CORE_HEADERS.match(header) and not is_test(path) and (
            path, header) not in _CORE_HEADER_EXCEPTIONS:
        return f"<{header}> is on the core's ban list"
    return None


def _word_rules(path, layer):
    in_core = layer == "core" or layer.startswith("core/")
    rules = []
    if in_core:
        rules += _CORE_WORDS
        if not is_test(path):
            rules += _CORE_CODE_WORDS
    if (in_core or layer in ("scenarios", "sim")) and not is_test(path):
        rules += _ARITHMETIC_WORDS
    return [rule for rule in rules if (path, rule[0]) not in _WORD_EXCEPTIONS]


def check_file(path, text):
    """Returns the broken rules of one file as (line, what). path is relative to the root."""
    layer = layer_of(path)
    if layer is None:
        return [(1, "this folder is in no layer: add it to .ci/check_layers.py")]
    in_core = layer == "core" or layer.startswith("core/")
    found = []
    code = source_tree.without_comments(text, keep_strings=True)
    for match in re.finditer(r'^[ \t]*#[ \t]*include\s*([<"])([^>"\n]+)[>"]', code, re.MULTILINE):
        line = source_tree.line_of(code, match.start(1))
        quote, name = match.group(1), match.group(2)
        what = None
        if quote == '"':
            what = _check_include(path, layer, name)
        elif in_core:
            what = _check_core_header(path, name)
        if what:
            found.append((line, what))
    bare = source_tree.without_comments(text)
    for name, pattern, why in _word_rules(path, layer):
        for match in re.finditer(pattern, bare):
            word = " ".join(match.group(0).split())
            found.append((source_tree.line_of(bare, match.start()), f"{word}: {why} [{name}]"))
    return sorted(set(found))


def main():
    if sys.argv[1:] == ["--table"]:
        for layer, allowed in ALLOWED.items():
            print(f"{layer:16} <- {', '.join(sorted(allowed - {layer})) or '-'}")
        return 0
    checked = broken = 0
    for path in source_tree.files():
        if not path.endswith((".h", ".cpp")):
            continue
        checked += 1
        text = (source_tree.ROOT / path).read_text(encoding="utf-8")
        for line, what in check_file(path, text):
            print(f"{path}:{line}: {what}")
            broken += 1
    print(f"layers: {checked} files, {broken} rules broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

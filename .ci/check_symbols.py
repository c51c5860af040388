#!/usr/bin/python3
"""Checks what the core's archive asks of the outside: memory, the language's run time, and nothing
else. No socket, thread, file, clock, environment or unseeded randomness can hide from the linker.
No mutant either (core/base/mutant.h): they exist in a build of their own, which is not checked.
Usage: .ci/check_symbols.py ARCHIVE    exit status 1 if a symbol is not allowed

C symbols are on a list of allowed ones. Of the C++ library everything is allowed but what the
second list names: its containers and strings are many, its ways out are few.
"""

import argparse
import re
import subprocess
import sys

_C_ALLOWED = re.compile(r"""^(?:
    mem(?:cpy|move|set|cmp|chr) | bcmp | str(?:len|cmp|ncmp|chr)
  | sqrt | floor | ceil | trunc | round | fmod              # exact by IEEE 754
  | fprintf | __fprintf_chk | fwrite | stderr | abort       # core/base/assert.cpp
  | strto(?:d|ul|ull|l|ll)
  | __stack_chk_fail | __mem(?:cpy|move|set)_chk | __assert_fail | __dso_handle
  | _GLOBAL_OFFSET_TABLE_ | __tls_get_addr | _Unwind_\w+ | __gxx_personality_v0
  | __(?:u|)(?:div|mod)ti3 | __popcountdi2 | __float(?:u|)ntidf
  | __libc_single_threaded                                  # std::shared_ptr's count
  | __cxa_\w+ | __(?:asan|ubsan|tsan|sanitizer|sanitize|gcov|llvm)_\w+
  )$""", re.VERBOSE)
# Only assert.cpp may print and end the process.
_ASSERT_ONLY = re.compile(r"^(?:fprintf|__fprintf_chk|fwrite|stderr|abort)$")
# Only sha256.cpp may ask OpenSSL, for one pure function.
_SHA256_ONLY = re.compile(r"^SHA256_(?:Init|Update|Final)$")
_CPP_BANNED = [
    (re.compile(r"\bstd::(?:__cxx11::)?(?:basic_)?[io]?f(?:stream|ilebuf)\b|\bfilesystem\b"),
     "file"),
    (re.compile(r"\bstd::(?:cout|cerr|clog|cin|wcout|wcerr)\b|\bios_base\b"), "stream"),
    (re.compile(r"\bstd::(?:__cxx11::)?locale\b"), "locale"),
    (re.compile(r"\bstd::(?:thread|this_thread|condition_variable|mutex|timed_mutex|__future_base"
                r"|call_once|__atomic_futex)\b"), "thread"),
    (re.compile(r"_clock::now\b"), "clock"),
    (re.compile(r"\brandom_device\b"), "randomness"),
    (re.compile(r"\b(?:simgrid|boost|asio|YAML|nlohmann|rocksdb)::"), "a world's library"),
]


def verdict(symbol, demangled, member):
    """Returns why a symbol that the archive does not define itself is not allowed, or None."""
    if demangled != symbol or symbol.startswith("_Z"):
        for pattern, what in _CPP_BANNED:
            if pattern.search(demangled):
                return what
        if re.search(r"\bcopal::", demangled) and not re.search(r"\bstd::", demangled):
            return "defined nowhere in the core"
        return None
    if _ASSERT_ONLY.match(symbol) and member != "assert.cpp.o":
        return "only core/base/assert.cpp prints and aborts"
    if _SHA256_ONLY.match(symbol):
        return None if member == "sha256.cpp.o" else "only core/base/sha256.cpp asks OpenSSL"
    if _C_ALLOWED.match(symbol):
        return None
    return "not among the allowed C symbols"


def symbols(archive):
    """Returns (defined symbols, [(member, undefined symbol)]) of an archive."""
    # binutils' nm whatever the compiler: llvm-nm prints another posix format.
    listed = subprocess.run(["nm", "--format=posix", archive], check=True, capture_output=True,
                            text=True).stdout
    defined, undefined = set(), []
    member = ""
    for line in listed.splitlines():
        head = re.match(r".*\[(.*)\]:$", line)
        if head:
            member = head[1]
            continue
        name, kind = line.split()[:2]
        if kind in ("U", "w", "v"):
            undefined.append((member, name, kind))
        else:
            defined.add(name)
    return defined, undefined


def mutants(defined):
    """Returns what only a build with mutants defines."""
    return sorted(name for name in defined if re.search(r"active_mutant|mutant_uses", name))


def demangle(names):
    text = subprocess.run(["c++filt"], input="\n".join(names), check=True, capture_output=True,
                          text=True).stdout
    return dict(zip(names, text.splitlines()))


def check(archive):
    """Returns (number of outside symbols, [(member, demangled, why)])."""
    defined, undefined = symbols(archive)
    outside = [(member, name) for member, name, kind in undefined
               if kind == "U" and name not in defined]
    readable = demangle(sorted({name for _, name in outside}))
    broken = []
    for member, name in outside:
        why = verdict(name, readable[name], member)
        if why:
            broken.append((member, readable[name], why))
    broken += [(archive, name, "belongs to the build with mutants") for name in mutants(defined)]
    return len(readable), broken


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("archive")
    options = parser.parse_args()
    count, broken = check(options.archive)
    for member, name, why in broken:
        print(f"{member}: {name}: {why}")
    print(f"symbols: {count} from outside, {len(broken)} not allowed")
    return 1 if broken or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())

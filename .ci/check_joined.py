#!/usr/bin/python3
"""Checks that no file of a folder takes a name away from another. Usage:
    .ci/check_joined.py          checks the tree; exit status 1 if the rule is broken

Files of a folder are compiled as one (cmake/join.cmake). The compiler says if two of them define
the same; it says nothing if one's anonymous namespace has a name that another takes from a header:
the header's is then hidden, and what the other means has changed.
"""

import pathlib
import re
import sys

import source_tree

_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
_NAMESPACE = re.compile(r"^namespace ([\w:]+) \{", re.MULTILINE)
_ANONYMOUS = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.MULTILINE | re.DOTALL)
# What stands at the start of a line and declares nothing. clang-format doesn't indent namespaces.
_OTHER_LINE = re.compile(r"[ #/})]|TEST|INSTANTIATE|return|namespace|static_assert|$")
_DECLARED = re.compile(
    r"^(?:\[\[\w+\]\] |inline |constexpr |static |const )*"
    r"(?:(?:struct|class|enum(?: class)?|using|concept) (\w+)"
    r"|[\w:<>,&* ]+?[ &*](\w+)(?: = |\(|\{|\[|;))", re.MULTILINE)


def declared(text):
    """Returns the names that C++ text declares outside of functions and classes."""
    lines = source_tree.without_comments(text).split("\n")
    kept = "\n".join(line for line in lines if not _OTHER_LINE.match(line))
    return {first or second for first, second in _DECLARED.findall(kept)}


def _namespace(text):
    match = _NAMESPACE.search(text)
    return match.group(1) if match else ""


def _reached(path, includes, seen):
    for other in includes.get(path, ()):
        if other not in seen:
            seen.add(other)
            _reached(other, includes, seen)
    return seen


def hidden_names(texts):
    """Returns (file, name, header, file that includes the header) for each name that is hidden.
    texts  the C++ of every file by its path."""
    includes = {path: set(_INCLUDE.findall(text)) for path, text in texts.items()}
    declared_in = {}
    for path, text in texts.items():
        if path.endswith(".h"):
            for name in declared(text):
                declared_in.setdefault(name, []).append((path, _namespace(text)))
    folders = {}
    for path in texts:
        if path.endswith(".cpp"):
            folder = (pathlib.PurePath(path).parent, path.endswith("_test.cpp"))
            folders.setdefault(folder, {})[path] = _reached(path, includes, set())
    found = []
    for files in folders.values():
        for path in files:
            here = _namespace(texts[path]) + "::"
            for name in declared("\n".join(_ANONYMOUS.findall(texts[path]))):
                for header, namespace in declared_in.get(name, []):
                    users = [other for other in files if other != path and header in files[other]]
                    if users and here.startswith(namespace + "::"):
                        found.append((path, name, header, users[0]))
    return sorted(found)


def main():
    texts = {path: (source_tree.ROOT / path).read_text() for path in source_tree.files()
             if path.endswith((".h", ".cpp")) and "/fuzz_" not in path
             and path.startswith(("core/", "scenarios/", "sim/", "prod/"))}
    found = hidden_names(texts)
    for path, name, header, user in found:
        print(f"{path}: its own {name} hides that of {header} from {user}; name it otherwise")
    print(f"joined: {len(texts)} files, {len(found)} names hidden")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

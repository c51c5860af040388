#!/usr/bin/python3
"""Checks what STYLE.md says about size and form and no other tool checks. Usage:
    .ci/check_style.py          checks the tree; exit status 1 if a rule is broken
"""

import ast
import re
import sys

import source_tree

LINE_COLUMNS_MAX = 100
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70

_CPP = (".h", ".cpp")
_PYTHON = (".py",)
_SHELL = (".sh", ".ci/run", ".ci/long", ".ci/fresh")
_CODE = (*_CPP, *_PYTHON, *_SHELL, ".cmake", "CMakeLists.txt", ".js", ".css", ".html", ".yaml")
_TODO = re.compile(r"\b(TODO|FIXME|XXX)\b(?!\((?:soon|perf|test|port)\): \S)")
# Nothing in the tree may lean on one machine. Written in pieces, so that this file passes too.
_MACHINE = re.compile("|".join(re.escape(a + b) for a, b in [
    ("/wor", "k/"), ("/tmp/", "build"), ("/ro", "ot/"), ("/ho", "me/"), ("deb.deb", "ian.org"),
    ("py", "pi.org"), ("pythonho", "sted.org"), ("registry.npm", "js.org"), ("proxy.gol", "ang"),
]))
# A fresh system's own root folder is no machine's of ours.
_MACHINE_EXCEPTIONS = {".ci/fresh"}
_CONTROL = re.compile(r"\b(?:if|for|while|switch|do|else|return|case)\b")


def _kind_of_brace(before):
    """Says what a `{` opens, from the text since the last `;`, `{` or `}`, outside functions."""
    before = re.sub(r"template\s*<[^{}]*?>\s*(?=\w)", "", before)
    if re.search(r"\bnamespace\b", before) or re.match(r"\s*extern\s*$", before):
        return "scope"
    if re.match(r"\s*(?:typedef\s+)?(?:class|struct|union|enum)\b", before):
        return "scope" if "(" not in re.sub(r"(?:alignas|\[\[)\S*", "", before) else "function"
    return "function" if "(" in before else "braces"


def cpp_functions(text):
    """Returns the outermost functions of C++ text as (first line, lines). Counts from the line
    where the declaration starts to the closing brace; functions inside functions count to these."""
    code = source_tree.without_comments(text)
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m.group(0)), code,
                  flags=re.MULTILINE)
    found = []
    depth_in_function = braces = 0
    start = 0  # where the current declaration starts
    first = 0
    for match in re.finditer(r"[;{}]", code):
        position, sign = match.start(), match.group(0)
        if depth_in_function or braces:
            change = {"{": 1, "}": -1, ";": 0}[sign]
            if depth_in_function:
                depth_in_function += change
                if depth_in_function == 0:
                    last = source_tree.line_of(code, position)
                    found.append((first, last - first + 1))
                    start = position + 1
            else:
                braces += change
            continue
        if sign == "{":
            label = re.match(r"\s*(?:(?:public|private|protected)\s*:\s*)?", code[start:position])
            text_start = start + label.end()
            kind = _kind_of_brace(code[text_start:position])
            if kind == "function":
                first = source_tree.line_of(code, text_start)
                depth_in_function = 1
                continue
            if kind == "braces":
                braces = 1
                continue
        start = position + 1
    return found


def python_functions(text):
    """Returns the functions of Python text as (first line, lines)."""
    return [(node.lineno, node.end_lineno - node.lineno + 1) for node in ast.walk(ast.parse(text))
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]


def shell_functions(text):
    """Returns the functions of a shell script as (first line, lines)."""
    found = []
    first = None
    for number, line in enumerate(text.split("\n"), 1):
        if re.match(r"[\w-]+\(\) [{(]$", line):
            first = number
        elif first and re.match(r"[})]$", line):
            found.append((first, number - first + 1))
            first = None
    return found


def _functions(path, text):
    if path.endswith(_CPP):
        return cpp_functions(text)
    if path.endswith(_PYTHON):
        return python_functions(text)
    if path.endswith(_SHELL):
        return shell_functions(text)
    return []


def _check_size(path, lines, text):
    found = []
    for number, line in enumerate(lines, 1):
        if len(line) > LINE_COLUMNS_MAX and not re.search(r"https?://\S{60}", line):
            found.append((number, f"{len(line)} columns, {LINE_COLUMNS_MAX} at most"))
    if len(lines) > FILE_LINES_MAX:
        found.append((len(lines), f"{len(lines)} lines, {FILE_LINES_MAX} at most"))
    for number, count in _functions(path, text):
        if count > FUNCTION_LINES_MAX:
            found.append((number, f"function of {count} lines, {FUNCTION_LINES_MAX} at most"))
    return found


def _check_header(text):
    code = source_tree.without_comments(text, keep_strings=True)
    first = re.search(r"\S[^\n]*", code)
    if not first or first.group(0).split() != ["#pragma", "once"]:
        return [(1, "a header starts with #pragma once")]
    found = []
    for match in re.finditer(r"^\s*using\s+namespace\b", code, re.MULTILINE):
        found.append((source_tree.line_of(code, match.end()), "using namespace in a header"))
    return found


def _check_own_header_first(path, text, exists):
    own = re.sub(r"(_test|_bench)?\.cpp$", ".h", path)
    if not exists(own):
        return []
    first = re.search(r'^#include\s+([<"][^>"]+)', text, re.MULTILINE)
    if first and first.group(1)[1:] == own:
        return []
    return [(1, f'"{own}" is not the first include')]


def check_file(path, text, exists):
    """Returns the broken rules of one file as (line, what).
    exists  says of a path relative to the root whether there is such a file."""
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    found = []
    if path.endswith(_CODE):
        found += _check_size(path, lines, text)
    for number, line in enumerate(lines, 1):
        if _TODO.search(line) and path.endswith(_CPP):
            found.append((number, "a TODO has a kind: TODO(soon|perf|test|port): what"))
        if _MACHINE.search(line) and path not in _MACHINE_EXCEPTIONS:
            found.append((number, f"names one machine: {_MACHINE.search(line).group(0)}"))
        if line != line.rstrip() and path.endswith((*_CODE, ".md")):
            found.append((number, "blanks at the end of the line"))
    if text and not text.endswith("\n"):
        found.append((len(lines), "no end of line at the end of the file"))
    if path.endswith(".h"):
        found += _check_header(text)
    if path.endswith(".cpp"):
        found += _check_own_header_first(path, text, exists)
    return sorted(set(found))


def main():
    checked = broken = 0
    for path in source_tree.files():
        content = (source_tree.ROOT / path).read_bytes()
        if b"\0" in content:
            continue
        checked += 1
        exists = lambda other: (source_tree.ROOT / other).is_file()
        for line, what in check_file(path, content.decode("utf-8"), exists):
            print(f"{path}:{line}: {what}")
            broken += 1
    print(f"style: {checked} files, {broken} rules broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

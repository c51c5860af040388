"""What the checks share: which files there are, and C++ without its comments and strings."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent

_TOKEN = re.compile(
    r'//(?:\\\n|[^\n])*'  # a comment to the end of the line
    r"|/\*.*?\*/"
    r'|R"(?P<delimiter>[^(\s]*)\(.*?\)(?P=delimiter)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])*'",  # a character, not a digit separator
    re.DOTALL,
)


def files(root=ROOT):
    """Returns the paths, relative to root, of all files that are or could be committed, sorted."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=root, check=True, capture_output=True, text=True).stdout
    names = sorted(set(name for name in listed.split("\0") if name))
    return [name for name in names if (root / name).is_file()]


def without_comments(text, keep_strings=False):
    """Returns C++ text with every comment, and unless kept every string, blanked: the same lines
    and columns, so that positions stay true."""
    def blank(match):
        token = match.group(0)
        if keep_strings and not token.startswith("/"):
            return token
        return re.sub(r"[^\n]", " ", token)
    return _TOKEN.sub(blank, text)


def line_of(text, position):
    """Returns the number, from 1, of the line in which a position of the text lies."""
    return text.count("\n", 0, position) + 1

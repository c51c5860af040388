"""python3 -m copal_results FOLDER --out picture.png: the comparison as one picture."""

import argparse
import pathlib
import sys

from . import folder

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from figures import overview  # noqa: E402  the figures stand beside this package


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python3 -m copal_results",
                                     description="Draws a result folder of copal-sim.")
    parser.add_argument("folder", help="what copal-sim run --out left")
    parser.add_argument("--out", required=True, help="picture to write: .png, .svg or .pdf")
    parser.add_argument("--seed", type=int, help="whose series are drawn; default: the first")
    options = parser.parse_args(arguments)
    try:
        overview.save(folder.load(options.folder), options.out, options.seed)
    except (folder.ResultsError, OSError, ValueError) as error:
        print(f"copal_results: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

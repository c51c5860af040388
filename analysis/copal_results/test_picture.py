"""The picture is drawn, and in the report's colours."""

import contextlib
import io
import json
import pathlib
import re
import sys
import tempfile
import unittest

from PIL import Image, ImageColor

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from copal_results import __main__ as program  # noqa: E402
from copal_results import fixture, palette  # noqa: E402


def _list_in_script(name):
    """A list of constants in the report's script, as Python values."""
    script = (fixture.ROOT / "analysis/report/report_charts.js").read_text()
    text = re.search(rf"\b{name}\b\s*[=:]\s*(\[.*?\])(?:;|,\n    dark)", script, re.S)[1]
    return json.loads(re.sub(r",\s*\]", "]", text.replace("'", '"')))


class Picture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="copal-picture-")
        cls.addClassCleanup(folder.cleanup)
        cls.root = pathlib.Path(folder.name)
        fixture.write_folders(cls.root)

    def test_palette_is_the_reports(self):
        self.assertEqual(palette.LIGHT, _list_in_script("light"))
        self.assertEqual([list(dash) for dash in palette.DASHES], _list_in_script("DASHES"))
        self.assertEqual(palette.ALGORITHMS, _list_in_script("ALGORITHMS"))

    def test_labels_get_places_as_in_the_report(self):
        self.assertEqual(palette.slots(["mine", "green", "other"]),
                         {"green": 5, "mine": 10, "other": 11})

    def test_picture_shows_every_line_in_its_colour(self):
        for name in ("plain", "hostile"):
            with self.subTest(folder=name):
                out = self.root / f"{name}.png"
                self.assertEqual(program.main([str(self.root / name), "--out", str(out)]), 0)
                with Image.open(out) as picture:
                    counts = {color: count for count, color in
                              picture.convert("RGB").getcolors(picture.width * picture.height)}
                for line in ("round_robin", "prequal", "green"):
                    color = ImageColor.getrgb(palette.styles([line])[line]["color"])
                    self.assertGreater(counts.get(color, 0), 2000, line)

    def test_same_results_give_the_same_bytes(self):
        pictures = [self.root / name for name in ("a.svg", "b.svg")]
        for picture in pictures:
            self.assertEqual(program.main([str(self.root / "plain"), "--out", str(picture)]), 0)
        self.assertEqual(pictures[0].read_bytes(), pictures[1].read_bytes())

    def test_mistakes_exit_with_2_and_a_reason(self):
        for arguments, reason in ((["none", "--out", "x.png"], "no such folder"),
                                  ([str(self.root / "plain"), "--out", "x.what"], "what"),
                                  ([str(self.root / "plain"), "--seed", "9", "--out", "x.png"],
                                   "no seed 9")):
            with self.subTest(reason=reason):
                said = io.StringIO()
                with contextlib.redirect_stderr(said):
                    self.assertEqual(program.main(arguments), 2)
                self.assertIn(reason, said.getvalue())


if __name__ == "__main__":
    unittest.main()

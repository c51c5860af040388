#!/usr/bin/python3
"""Opens reports in headless Chromium: at a desktop's and a phone's width, light and dark.

Environment:
COPAL_BUILD_DIR    folder of sim_tests and copal-sim; default: build/release of the tree
COPAL_REPORT       test these pages (separated by colons) instead of the generated ones
COPAL_SCREENSHOTS  folder that gets a picture of every page, width and scheme
"""

import base64
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("COPAL_BUILD_DIR", ROOT / "build" / "release"))
DESKTOP, PHONE = (1280, 900), (390, 844)
LOOKS = [(DESKTOP, "light"), (PHONE, "dark"), (DESKTOP, "dark"), (PHONE, "light")]
LOOKS_OF_LONG = LOOKS[:2]  # of the long page only its length is new
CHARTS = ["latency", "servers", "load", "traffic", "errors", "spread", "power", "bars"]

# Chromium's own background requests would drown the page's, and are refused on closed networks.
_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
          "--disable-background-networking", "--disable-component-update", "--disable-sync",
          "--hide-scrollbars", "--allow-file-access-from-files"]

# Each chart's lines as [chart, label, colour, dash].
_LINES = """
  return Object.values(Chart.instances).flatMap((chart) => chart.config.type === 'bar'
    ? chart.data.labels.map((label, i) => [chart.canvas.id, label,
        chart.data.datasets[0].backgroundColor[i], null])
    : chart.data.datasets.map((line) => [chart.canvas.id, line.label, line.borderColor,
        line.borderDash.join(' ')]));"""

# Each canvas as [id, pixels with anything, pixels with a colour that is no grey].
_PIXELS = """
  return [...document.querySelectorAll('canvas')].map((canvas) => {
    const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let any = 0, coloured = 0;
    for (let i = 0; i < data.length; i += 4) {
      any += data[i + 3] > 0;
      const [r, g, b] = [data[i], data[i + 1], data[i + 2]];
      coloured += data[i + 3] > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 40;
    }
    return [canvas.id, any, coloured];
  });"""


def _generate(folder):
    """Lets the C++ tests write their pages. Returns name -> path."""
    program = BUILD / "sim_tests"
    if not program.exists():
        raise AssertionError(f"{program} is missing: build it, or name a page in COPAL_REPORT")
    done = subprocess.run([program, "--gtest_filter=HtmlReport.PagesForTheBrowserTest"],
                          env={**os.environ, "COPAL_PAGES": folder}, capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(done.stdout + done.stderr)
    return {page.stem.removeprefix("copal-page-"): page
            for page in sorted(pathlib.Path(folder).glob("copal-page-*.html"))}


def _run_quickstart(folder):
    """Lets copal-sim write a real report. Returns its path."""
    out = pathlib.Path(folder) / "quickstart"
    done = subprocess.run([BUILD / "copal-sim", "run", "scenarios/balance/quickstart.yaml",
                           "--out", out], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):  # 1: an expectation failed, which is another test's matter
        raise AssertionError(done.stdout + done.stderr)
    return out / "report.html"


class ReportPage(unittest.TestCase):
    """Everything a reader meets, on each page."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="copal-pages-")
        cls.addClassCleanup(cls.folder.cleanup)
        given = os.environ.get("COPAL_REPORT")
        if given:
            cls.pages = {path.replace("/", "_"): pathlib.Path(path).resolve()
                         for path in given.split(":")}
        else:
            cls.pages = _generate(cls.folder.name)
            cls.pages["quickstart"] = _run_quickstart(cls.folder.name)
        options = Options()
        options.binary_location = "/usr/bin/chromium"
        for flag in [*_FLAGS, f"--user-data-dir={cls.folder.name}/profile"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        cls.addClassCleanup(cls.browser.quit)

    def open(self, name, size=DESKTOP, scheme="light"):
        """Loads a page and returns the data inside it."""
        browser = self.browser
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1,
            "mobile": size == PHONE})
        browser.get_log("performance")
        browser.get_log("browser")
        browser.get(self.pages[name].as_uri())
        return json.loads(self.script("return document.getElementById('data').textContent"))

    def script(self, text, *arguments):
        return self.browser.execute_script(text, *arguments)

    def on_every_look(self, check):
        """Calls check(name, data, size, scheme) on every page in every look."""
        for name in self.pages:
            for size, scheme in LOOKS_OF_LONG if name == "long" else LOOKS:
                with self.subTest(page=name, width=size[0], scheme=scheme):
                    check(name, self.open(name, size, scheme), size, scheme)

    def hold_picture(self, name, size, scheme):
        folder = os.environ.get("COPAL_SCREENSHOTS")
        if not folder:
            return
        pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
        height = self.script("return document.documentElement.scrollHeight")
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size[0], "height": height, "scale": 1}})
        path = pathlib.Path(folder) / f"{name}-{size[0]}-{scheme}.png"
        path.write_bytes(base64.b64decode(shot["data"]))

    def test_loads_without_network_or_complaint(self):
        def check(name, _data, _size, _scheme):
            self.assertEqual([entry["message"] for entry in self.browser.get_log("browser")], [])
            asked = [json.loads(entry["message"])["message"]
                     for entry in self.browser.get_log("performance")]
            urls = {event["params"]["request"]["url"] for event in asked
                    if event["method"] == "Network.requestWillBeSent"}
            page = self.pages[name].as_uri()
            self.assertIn(page, urls)
            self.assertEqual([url for url in urls if url != page and not url.startswith("data:")],
                             [])

        self.on_every_look(check)

    def test_nothing_scrolls_sideways(self):
        def check(name, _data, size, scheme):
            self.hold_picture(name, size, scheme)
            widths = "return [document.documentElement.scrollWidth, innerWidth]"
            content, window = self.script(widths)
            self.assertEqual(window, size[0])
            self.assertLessEqual(content, window)
            self.script("document.querySelectorAll('details').forEach((e) => { e.open = true; });"
                        "document.getElementById('all-metrics').click();")
            self.assertLessEqual(self.script(widths)[0], window, "with everything unfolded")

        self.on_every_look(check)

    def test_every_chart_is_drawn(self):
        def check(_name, data, _size, _scheme):
            pixels = {chart: (some, coloured) for chart, some, coloured in self.script(_PIXELS)}
            self.assertEqual(list(pixels), [f"chart-{name}" for name in CHARTS])
            for chart, (some, coloured) in pixels.items():
                self.assertGreater(some, 2000, chart)
                self.assertGreater(coloured, 100, chart)
            self.assertTrue(data["lines"])

        self.on_every_look(check)

    def test_every_line_is_everywhere_in_its_own_colour(self):
        def check(_name, data, _size, _scheme):
            labels = [line["label"] for line in data["lines"]]
            legend = self.script(
                "return [...document.querySelectorAll('#legend button')].map((button) =>"
                " [button.textContent, button.querySelector('line').getAttribute('stroke')])")
            self.assertEqual([label for label, _ in legend], labels)
            colors = dict(legend)
            self.assertEqual(len(set(colors.values())), min(len(labels), 12))
            drawn = self.script(_LINES)
            self.assertEqual({chart for chart, _, _, _ in drawn},
                             {f"chart-{name}" for name in CHARTS})
            for chart in CHARTS:
                of_chart = [line for line in drawn if line[0] == f"chart-{chart}"]
                self.assertEqual([label for _, label, _, _ in of_chart], labels, chart)
                for _, label, color, _ in of_chart:
                    self.assertEqual(color, colors[label], f"{label} in {chart}")
            dashes = {(label, dash) for _, label, _, dash in drawn if dash is not None}
            self.assertEqual(len(dashes), len(labels), "one dash pattern a line")
            rows = self.script("return [...document.querySelectorAll('#summary-table tbody th')]"
                               ".map((cell) => cell.textContent)")
            self.assertEqual(rows, labels)

        self.on_every_look(check)

    def test_legend_hides_a_line_in_all_charts_by_mouse_and_keyboard(self):
        def check(_name, data, _size, _scheme):
            labels = [line["label"] for line in data["lines"]]
            everywhere = sorted(self.script(_LINES))

            def button():
                return self.browser.find_elements(By.CSS_SELECTOR, "#legend button")[1]

            button().click()
            self.assertEqual(button().get_attribute("aria-pressed"), "false")
            left = {label for _, label, _, _ in self.script(_LINES)}
            self.assertEqual(left, set(labels) - {labels[1]})
            button().send_keys(Keys.ENTER)
            self.assertEqual(button().get_attribute("aria-pressed"), "true")
            self.script("document.activeElement.blur()")
            self.browser.find_element(By.TAG_NAME, "h1").click()  # the pointer leaves the legend
            self.assertEqual([line[:2] for line in sorted(self.script(_LINES))],
                             [line[:2] for line in everywhere])

        self.on_every_look(check)

    def test_columns_sort_both_ways(self):
        for name in self.pages:
            with self.subTest(page=name):
                data = self.open(name)
                p99 = {line["label"]: line["metrics"]["latency_ms_p99"]["mean"]
                       for line in data["lines"]}
                for direction, down in (("ascending", False), ("descending", True)):
                    self.browser.find_element(
                        By.CSS_SELECTOR, "#summary-table [data-sort=latency_ms_p99]").click()
                    order = self.script(
                        "return [...document.querySelectorAll('#summary-table tbody th')]"
                        ".map((cell) => cell.textContent)")
                    values = [p99[label] for label in order]
                    self.assertEqual(values, sorted(values, reverse=down))
                    self.assertTrue(self.browser.find_elements(
                        By.CSS_SELECTOR, f"#summary-table th[aria-sort={direction}]"))

    def test_quantile_log_scale_and_peaks_change_the_picture(self):
        for name in self.pages:
            with self.subTest(page=name):
                data = self.open(name)
                chart = "Chart.getChart('chart-latency')"
                p99 = self.script(f"return {chart}.data.datasets[0].data.map((p) => p.y)")
                Select(self.browser.find_element(
                    By.CSS_SELECTOR, "[aria-label='Response time: what is shown']"
                )).select_by_visible_text("p50")
                p50 = self.script(f"return {chart}.data.datasets[0].data.map((p) => p.y)")
                self.assertNotEqual(p50, p99)
                self.script("[...document.querySelectorAll('.chart label')]"
                            ".find((e) => e.textContent === 'log scale').firstChild.click()")
                self.assertEqual(self.script(f"return {chart}.options.scales.y.type"),
                                 "logarithmic")
                if data["runs"][0]["series"]["full"]:
                    self.script("[...document.querySelectorAll('#options label')]"
                                ".find((e) => e.textContent === 'every peak').firstChild.click()")
                    points = self.script(f"return {chart}.data.datasets[0].data.length")
                    self.assertGreater(points, len(p50))

    def test_seed_selector_shows_another_run(self):
        for name in self.pages:
            data = self.open(name)
            seeds = sorted({run["seed"] for run in data["runs"]})
            boxes = self.browser.find_elements(By.CSS_SELECTOR, "#options select")
            with self.subTest(page=name):
                self.assertEqual(len(boxes), 1 if len(seeds) > 1 else 0)
                if not boxes:
                    continue
                line = ("return Chart.getChart('chart-latency').data.datasets[0].data"
                        ".map((point) => point.y)")
                before = self.script(line)
                Select(boxes[0]).select_by_value(str(seeds[1]))
                self.assertNotEqual(self.script(line), before)

    def test_scenario_text_stays_text(self):
        for name in self.pages:
            with self.subTest(page=name):
                data = self.open(name)
                self.assertIsNone(self.script("return window.hacked ?? null"))
                self.assertEqual(self.script(
                    "return document.querySelectorAll('b, img, body script:not([type])').length"),
                    3, "the page's own three scripts and nothing of a scenario's")
                self.assertEqual(self.script("return document.getElementById('scenario')"
                                             ".textContent"), data["scenario"]["text"])

    def test_hashes_expectations_and_broken_lines_are_listed(self):
        for name in self.pages:
            with self.subTest(page=name):
                data = self.open(name)
                text = self.script("return document.querySelector('main').textContent")
                for run in data["runs"]:
                    self.assertIn(run["event_hash"], text)
                for each in data["expectations"]:
                    self.assertIn(each["text"], text)
                failed = sum(not each["ok"] for each in data["expectations"])
                self.assertEqual(len(self.browser.find_elements(
                    By.CSS_SELECTOR, "#expectations td.fail")), failed)
                for each in (data["input"] or {}).get("first_broken", []):
                    self.assertIn(each["reason"], text)

    def test_canvases_and_controls_have_names(self):
        for name in self.pages:
            with self.subTest(page=name):
                self.open(name)
                unnamed = self.script(
                    "return [...document.querySelectorAll('canvas, button, select, input,"
                    " .scroll')].filter((e) => !(e.getAttribute('aria-label') || e.textContent"
                    " || e.closest('label')?.textContent)).map((e) => e.outerHTML.slice(0, 80))")
                self.assertEqual(unnamed, [])


if __name__ == "__main__":
    unittest.main()

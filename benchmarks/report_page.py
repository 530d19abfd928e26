"""How large the report's page is and how fast it opens, in headless Chromium.

    python benchmarks/report_page.py REPORT.html...

Opening is from the navigation to the end of the page's own script, when the matrix is drawn; the
median of five. Then one row of the matrix is opened. Needs the development dependencies and a
Chromium (CHROMIUM names one).
"""

from __future__ import annotations

import os
import shutil
import statistics
import sys
import time
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

_TIMES = 5


def measured(browser: Browser, path: Path) -> tuple[float, float, int]:
    """Seconds to open, seconds to open a row of the matrix, elements on the page."""
    opening, row, elements = [], [], 0
    for _ in range(_TIMES):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        started = time.perf_counter()
        page.goto(path.resolve().as_uri(), wait_until="load")
        page.evaluate("new Promise(done => requestAnimationFrame(() => done()))")
        opening.append(time.perf_counter() - started)
        elements = page.evaluate("document.querySelectorAll('*').length")
        closed = page.locator("#matrix-grid button[aria-expanded=false]")
        if closed.count():
            started = time.perf_counter()
            closed.first.evaluate("button => button.click()")
            row.append(time.perf_counter() - started)
        page.close()
    return statistics.median(opening), statistics.median(row or [0.0]), elements


def main(paths: list[str]) -> None:
    print("| page | MB | opens in | a row of the matrix | elements |\n|---|--:|--:|--:|--:|")
    with sync_playwright() as driver:
        named = os.environ.get("CHROMIUM") or shutil.which("chromium")
        browser = driver.chromium.launch(executable_path=named, args=["--no-sandbox"])
        for each in map(Path, paths):
            opening, row, elements = measured(browser, each)
            size = each.stat().st_size / 1e6
            print(f"| {each} | {size:.1f} | {opening:.2f} s | {row:.2f} s | {elements} |")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])

"""Write ``docs/report.png``: the first screen of a published board's report, at most 200 KB.

    python docs/screenshot.py [--track mnist5k-quick] [--out docs/report.png]

Needs the test extra (Playwright) and a chromium of the system's, such as Debian's.
"""

from __future__ import annotations

import argparse
import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 200_000
WIDTH, HEIGHT = 1280, 1240


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--track", default="mnist5k-quick")
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "report.png")
    options = parser.parse_args()
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("there is no chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "ganbench", "report", "--track", options.track, "--quiet"]
        places = ["--published", ROOT / "leaderboards", "--runs", Path(folder, "none"), "--out", Path(folder, "report")]
        subprocess.run([*command, *map(str, places)], check=True)
        content = shrunk(shot(Path(folder, "report", options.track, "index.html"), chromium))
    options.out.write_bytes(content)
    print(f"{options.out}: {len(content):,} bytes")


def shot(page_file: Path, chromium: str) -> bytes:
    """Return the first screen of a page as a PNG."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.wait_for_load_state("networkidle")
        content = page.screenshot()
        browser.close()
    return content


def shrunk(png: bytes) -> bytes:
    """Return the picture with as many colours, at most 256, as fit into the limit."""
    from PIL import Image

    with Image.open(io.BytesIO(png)) as image:
        plain = image.convert("RGB")
    for colours in (256, 128, 64, 32):
        stream = io.BytesIO()
        plain.quantize(colours, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        if stream.tell() <= LIMIT:
            return stream.getvalue()
    sys.exit(f"the picture does not fit into {LIMIT:,} bytes: make it smaller")


if __name__ == "__main__":
    main()

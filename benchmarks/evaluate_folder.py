"""How long ``ganbench evaluate`` takes for 10,000 PNG files of 28x28: ``python benchmarks/evaluate_folder.py``.

The files are the 5,000 digits of `mnist5k` and the same moved by a pixel, written to a temporary folder. Each run is a
process of its own, start and import included, on as many cores as there are; the reference's features are in the cache
from the second run on, as for a user.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from ganbench.data.embedded import mnist5k_digits


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    digits = mnist5k_digits()[0][:, 0]
    with tempfile.TemporaryDirectory() as place:
        for index, image in enumerate(np.concatenate([digits, np.roll(digits, 1, axis=2)])):
            Image.fromarray(image).save(Path(place, f"{index:05d}.png"))
        seconds = []
        for _ in range(arguments.repeats + 1):
            start = time.perf_counter()
            done = subprocess.run([sys.executable, "-m", "ganbench", "evaluate", place], capture_output=True, text=True)
            seconds.append(time.perf_counter() - start)
            if done.returncode:
                sys.exit(done.stderr)
    first, *others = seconds
    print(done.stdout)
    print(
        f"10,000 PNG files: median {statistics.median(others):.1f} s ({min(others):.1f} to {max(others):.1f},"
        f" n = {len(others)}); the first run {first:.1f} s"
    )


if __name__ == "__main__":
    main()

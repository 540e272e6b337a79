"""How long the command line takes to answer: ``python benchmarks/startup.py [--repeats 9]``.

Wall seconds of ``ganbench --help``, ``plugins`` and ``tracks`` as processes of their own, with the catalog of plugins
already kept (its first call imports them, and torch with them).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=9)
    repeats = parser.parse_args().repeats
    for words in (["--help"], ["plugins"], ["tracks"]):
        command = [sys.executable, "-m", "ganbench", *words]
        subprocess.run(command, capture_output=True, check=True)
        seconds = []
        for _ in range(repeats):
            start = time.perf_counter()
            subprocess.run(command, capture_output=True, check=True)
            seconds.append(time.perf_counter() - start)
        print(
            f"ganbench {words[0]}: median {statistics.median(seconds):.2f} s "
            f"({min(seconds):.2f} to {max(seconds):.2f}, n = {repeats})"
        )


if __name__ == "__main__":
    main()

"""From nothing to a row beside dcgan: the seconds of `ganbench new`, of installing what it made, and of a first run.

    python benchmarks/first_row.py [--kind gan] [--track digits-smoke] [--budget BUDGET]

All lies in a folder for the time being, ganbench's cache too, which is empty at first. The package is installed there
and not among your own, without looking for dependencies, which ganbench has brought. Prints wall seconds and
core-seconds (of all processes) of each step, and the board.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAME = "first-row"
PIP = ("-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index")


def core_seconds() -> float:
    """Return what the children of this process, and theirs, have computed so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", default="gan")
    parser.add_argument("--track", default="digits-smoke")
    parser.add_argument("--budget")
    asked = parser.parse_args()
    run = ["run", "--plugins", f"{NAME},dcgan", "--track", asked.track]
    run += ["--budget", asked.budget] if asked.budget else []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        python_path = os.pathsep.join(filter(None, [str(folder / "site"), os.environ.get("PYTHONPATH")]))
        environment = os.environ | {"GANBENCH_CACHE": str(folder / "cache"), "PYTHONPATH": python_path}
        steps = {
            "ganbench new": ("-m", "ganbench", "new", "model", NAME, "--kind", asked.kind),
            "pip install": (*PIP, "--target", str(folder / "site"), f"./{NAME}"),
            "ganbench run": ("-m", "ganbench", *run),
        }
        walls, board = list[float](), ""
        for step, words in steps.items():
            start, spent = time.perf_counter(), core_seconds()
            answer = subprocess.run(
                [sys.executable, *words], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
            )
            if answer.returncode:
                sys.exit(f"{step} failed:\n{answer.stdout}")
            walls.append(time.perf_counter() - start)
            print(f"{step:13} {walls[-1]:6.1f} s, {core_seconds() - spent:6.1f} core-s", flush=True)
            board = answer.stdout
        print(f"{'together':13} {sum(walls):6.1f} s\n\n{board}")
        if NAME not in board:
            sys.exit(f"there is no row {NAME}")


if __name__ == "__main__":
    main()

"""The main job's wall time beside what its training alone takes: ``ganbench run`` in an empty folder, as users run it.

    python benchmarks/main_job.py [--plugins dcgan,vanilla,vae] [--track mnist5k-quick] [--seeds N] [--repeats 1]
                                  [--folder DIR]

Prints wall seconds, training core-seconds (the sum of ``seconds["train"]`` over runs, each on one thread), scoring
core-seconds, and wall / (training core-seconds / cores): 1 would be a machine that does nothing but train. With
``--folder``, which must be new, the runs are kept there, once (`ganbench publish` takes them).
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ganbench.store.store import Store
from ganbench.util.device import cores


def main_job(words: list[str], kept: Path | None) -> tuple[float, float, float]:
    """Return wall, training and scoring seconds of one run of the command, in `kept` or a folder for the time being."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = kept or Path(temporary)
        start = time.perf_counter()
        command = [sys.executable, "-m", "ganbench", "run", *words, "--quiet"]
        subprocess.run(command, cwd=folder, check=True)
        wall = time.perf_counter() - start
        store = Store(Path(folder, "runs"))
        runs = [record for key in store.keys() if (record := store.read(key)) is not None]
        training = sum(record.seconds.get("train", 0.0) for record in runs)
        scoring = sum(score.seconds for record in runs for score in store.scores(record.key).records)
    return wall, training, scoring


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plugins", default="dcgan,vanilla,vae")
    parser.add_argument("--track", default="mnist5k-quick")
    parser.add_argument("--seeds")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    if options.folder:
        options.folder.mkdir(parents=True)
        options.repeats = 1
    words = ["--plugins", options.plugins, "--track", options.track]
    words += ["--seeds", options.seeds] if options.seeds else []
    ratios = []
    for _ in range(options.repeats):
        wall, training, scoring = main_job(words, options.folder)
        ratios.append(wall / (training / cores()))
        print(
            f"wall {wall:.0f} s, training {training:.0f} core-s, scoring {scoring:.0f} core-s, {cores()} cores: "
            f"wall / (training / cores) = {ratios[-1]:.2f}",
            flush=True,
        )
    if len(ratios) > 1:
        print(f"median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, n = {len(ratios)})")


if __name__ == "__main__":
    main()

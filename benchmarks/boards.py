"""What is trained for the published boards: ``python benchmarks/boards.py TRACK [options of ganbench run]``.

The command goes on where it was interrupted. `ganbench publish --track TRACK` then merges its runs into
`leaderboards/`, and `benchmarks/zoo.py`, `benchmarks/claims.py` and `benchmarks/tuning.py` write the pages about them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from points import OF_TRACK, labels

from ganbench.registry.builtins import discover

PEERS = ("pythae-", "diffusers-")
FOR_CLAIMS = (
    "ae-gmm[components=1]", "dcgan[batch_norm=false]", "dcgan[translation=0]", "r3gan[fake_penalty=false]",
    "two-stage-vae[second_stage=false]", "wae-mmd[components=10]", "wgan-gp[batch_norm=false]",
)  # fmt: skip
"""Variants on the quick board that a claim of `claims.py` needs beside all models."""
BINARY = (
    "vae", "conv-vae", "iwae[samples=1]", "iwae", "iwae[samples=50]", "vamp", "ladder-vae", "pixelcnn", "realnvp",
)  # fmt: skip
BEYOND_DIGITS = (
    "dcgan", "lsgan", "wgan-gp", "sngan", "r3gan", "self-conditioned-gan", "cgan", "projection-gan", "conv-vae",
    "vae-gan", "ae-gmm", "flow-matching", "ddpm", "gmm",
)  # fmt: skip
TUNED = Path(__file__).parents[1] / "leaderboards" / "tuning" / "mnist5k-quick.json"
"""What `ganbench tune` found, which `defaults.py` makes the defaults: named here, it marks rows as tuned."""
SEEDS = {"mnist5k-quick": 5}
"""As many as the track says elsewhere."""


def shipped() -> list[str]:
    """Return the models of this repository but for the peers, which need an extra."""
    found = [entry for entry in discover().all("models") if entry.thing.__module__.startswith("ganbench_plugins.")]
    return [entry.name for entry in found if not entry.name.startswith(PEERS)]


def plugins(track: str) -> list[str] | None:
    """Return what stands on a board, None where it is not one of those published."""
    if track in OF_TRACK:
        return [*labels(track), "gmm"]
    return {
        "mnist5k-quick": [*shipped(), *FOR_CLAIMS],
        "mnist-binary-standard": list(BINARY),
        "fashion-quick": list(BEYOND_DIGITS),
        "cifar10-quick": list(BEYOND_DIGITS),
    }.get(track)


def main() -> int:
    track, *options = sys.argv[1:] or [""]
    if (wanted := plugins(track)) is None:
        print("usage: python benchmarks/boards.py TRACK [options of ganbench run]", file=sys.stderr)
        return 2
    seeds = ["--seeds", str(SEEDS[track])] if track in SEEDS else []
    settings = [] if track in OF_TRACK else ["--settings", str(TUNED)]
    words = ["--plugins", ",".join(wanted), "--track", track, *seeds, *settings, *options]
    return subprocess.run(["ganbench", "run", *words]).returncode


if __name__ == "__main__":
    sys.exit(main())

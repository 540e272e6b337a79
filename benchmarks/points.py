"""GANs on points of the plane, with settings that show what papers on mode collapse show.

`python benchmarks/points.py ring8-quick --seeds 100-102 --against validation` trains them and prints the board; what
follows the track goes to `ganbench run`. `--list` prints the labels alone.

At their defaults, sized for digits, GANs do not reach the modes' width within a short budget. These settings were
chosen on seed 100 against the validation split: 2 latent dimensions, 128 units, Adam without momentum, a rate that
falls to 0 and averaged weights. "Slow" rows have a discriminator that learns at half the generator's rate, under which
`vanilla` collapses: they show which losses survive that.
"""

from __future__ import annotations

import subprocess
import sys

TUNED = "latent_dim=2,hidden=128,beta1=0,beta2=0.99,ema=0.995,decay_steps=5000"
BATCH = {"ring8-quick": 128, "grid25-quick": 256}
"""Budget / batch size = `decay_steps`."""
MODELS = {"vanilla": "", "wgan-gp": "penalty=0.1", "r3gan": "gamma=0.01", "pacgan": "", "unrolled-gan": ""}
SLOW = "lr_ratio=0.5"


def labels(track: str) -> list[str]:
    """Return each model with its settings for a track, and again with a slow discriminator."""
    return [
        f"{name}[{','.join(filter(None, (f'batch_size={BATCH[track]}', TUNED, own, slow)))}]"
        for slow in ("", SLOW)
        for name, own in MODELS.items()
    ]


def main() -> int:
    match sys.argv[1:]:
        case [track, "--list"] if track in BATCH:
            print(*labels(track), sep="\n")
            return 0
        case [track, *options] if track in BATCH:
            plugins = ",".join(labels(track))
            return subprocess.run(["ganbench", "run", "--plugins", plugins, "--track", track, *options]).returncode
    print(f"usage: python benchmarks/points.py {'|'.join(BATCH)} [--list | options of ganbench run]", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())

"""GANs and flows on points of the plane, with settings that show what papers on mode collapse show.

    python benchmarks/points.py ring8-quick --seeds 100-102 --against validation

trains them and prints the board; what follows the track goes to `ganbench run`. With ``--list`` alone it prints the
labels, with ``--json`` the settings as a file for `ganbench run --settings`.

At their defaults, sized for digits, GANs do not reach the modes' width within a short budget. These settings were
chosen from trials on other seeds: 2 latent dimensions, 128 units, Adam without momentum, a rate that falls to 0 and
averaged weights. "Slow" rows have a discriminator that learns at a tenth of the generator's rate, as in the ring of
unrolled GANs' authors: it shows which models survive what makes the plain GAN collapse. `unrolled-gan` always has it,
since the discriminator that its generator sees makes five updates more.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from ganbench.registry.builtins import discover
from ganbench.training.hyperparameters import label_of, make_config

TUNED = {"latent_dim": 2, "hidden": 128, "beta1": 0.0, "beta2": 0.99, "ema": 0.995, "decay_steps": 5000}
OF_TRACK: dict[str, dict[str, Any]] = {
    "ring8-quick": {"batch_size": 128},
    "grid25-quick": {"batch_size": 256, "point_scale": 5.0},
}
"""The budget is `decay_steps` batches."""
GANS: dict[str, dict[str, Any]] = {
    "vanilla": {},
    "wgan-gp": {"penalty": 0.1},
    "r3gan": {"gamma": 0.01},
    "pacgan": {},
    "unrolled-gan": {"lr_ratio": 0.1, "unrolling": 5},
}
SLOW = {"lr_ratio": 0.1}
FLOWS: dict[str, dict[str, Any]] = {
    "flow-matching": {"sampling_steps": 100},
    "realnvp": {},
}


def settings(track: str) -> dict[str, dict[str, Any]]:
    """Return the hyper-parameters of each model on a track."""
    batch = {"batch_size": OF_TRACK[track]["batch_size"]}
    return {name: OF_TRACK[track] | TUNED | own for name, own in GANS.items()} | {
        name: batch | own for name, own in FLOWS.items()
    }


def row(track: str, name: str, *, slow: bool = False) -> str:
    """Return the label that boards have for a model with its settings for a track."""
    model = discover().get("models", name).thing
    return label_of(model, make_config(model, settings(track)[name] | (SLOW if slow else {})))


def label(track: str, name: str, *, slow: bool = False) -> str:
    """Return a model with its settings for a track, as ``--plugins`` takes it."""
    chosen = settings(track)[name] | (SLOW if slow else {})
    return f"{name}[{','.join(f'{key}={value}' for key, value in chosen.items())}]"


def labels(track: str) -> list[str]:
    """Return each model with its settings for a track, and each GAN again with a slow discriminator."""
    wanted = [label(track, name) for name in (*GANS, *FLOWS)] + [label(track, name, slow=True) for name in GANS]
    return list(dict.fromkeys(wanted))


def main() -> int:
    match sys.argv[1:]:
        case [track, "--list"] if track in OF_TRACK:
            print(*labels(track), sep="\n")
        case [track, "--json"] if track in OF_TRACK:
            models = {name: {"params": chosen} for name, chosen in settings(track).items()}
            print(json.dumps({"format": "ganbench settings 1", "models": models}, indent=1))
        case [track, *options] if track in OF_TRACK:
            plugins = ",".join(labels(track))
            return subprocess.run(["ganbench", "run", "--plugins", plugins, "--track", track, *options]).returncode
        case _:
            print(f"usage: python benchmarks/points.py {'|'.join(OF_TRACK)} [options of ganbench run]", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

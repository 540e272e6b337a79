"""Our models beside pythae's of the same kind, network and hyper-parameters: ``python benchmarks/peers.py``.

    python benchmarks/peers.py [--seeds 100-102] [--against validation] [--pairs 7] [--write] [models ...]

It needs the extra: ``pip install 'ganbench[peers]'``. Agreement: both sides of a pair are trained on a track with the
same seeds, and the ratio of their FIDs is what `ganbench compare` finds, Welch's test between logarithms of FID.
Speed: pythae's model is trained by the loop of pythae's `BaseTrainer` and by ours, on the same images, in turn, with
the same batch size and Adam's same settings; of pythae's trainer its epochs alone are timed, without the progress bar,
the copy of the best model at the end of each epoch, and its files. ``--write`` puts the tables into docs/peers.md;
names of our models leave out the pairs of all others.
"""

from __future__ import annotations

import argparse
import logging
import platform
import statistics
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from training_overhead import fresh, harness

import ganbench
from ganbench.data.embedded import load_mnist5k
from ganbench.model import DataSpec, Model
from ganbench.registry.builtins import discover

PAGE = Path(__file__).parents[1] / "docs" / "peers.md"
PAIRS = {
    "vae": ("pythae-vae", "the same loss and gradient"),
    "wae-mmd": ("pythae-wae-mmd", "the same loss and gradient"),
    "ae-gmm": ("pythae-ae", "half the loss, so the same steps of Adam"),
    "rae-l2": ("pythae-rae-l2", "half the loss, so the same steps of Adam"),
    "beta-vae": ("pythae-beta-vae", "the same loss and gradient"),
    "vamp[warmup=0]": ("pythae-vamp[prior=as-trained]", "the same loss; pseudo-inputs start elsewhere"),
    "vamp[warmup=0] ": (
        "pythae-vamp",
        "its sampler squashes the log variances of posteriors by tanh, training does not",
    ),
    "iwae": ("pythae-iwae", "the same gradient"),
    "rae-gp": ("pythae-rae-gp", "another penalty: the gradient of the summed image by the input, through the encoder"),
}
"""Ours, pythae's, and what differs; a second pair of one model has a blank behind its name."""
TRAINED = ["pythae-vae", "pythae-beta-vae", "pythae-wae-mmd", "pythae-ae"]
"""Models that pythae trains with one optimiser, as `BaseTrainer` does."""
NOTHING = "Not measured yet: there were no runs when this was written, and the command trains them."
HEAD = """# Peers: pythae's models under our loop

Written by `{command}` (pythae {pythae}, torch {torch}, {processor}).
The extra `peers` (`pip install 'ganbench[peers]'`) brings models of [pythae](https://arxiv.org/abs/2206.08309) and the
diffusion model of diffusers onto the boards, their code untouched:
[`plugins/pythae_peer.py`](../plugins/pythae_peer.py), [`plugins/diffusers_ddpm.py`](../plugins/diffusers_ddpm.py).
`tests/plugins/test_pythae.py` compares losses, gradients and steps with ours, to float32's precision. A seed gives both
sides the same first weights and batches, and where they draw the same noise in the same order nearly the same samples.
"""


def agreement(pairs: dict[str, tuple[str, str]], arguments: argparse.Namespace) -> list[str]:
    """Train what has not been trained yet; return a table with a row for each pair that both sides finished."""
    settings = {"track": arguments.track, "against": arguments.against, "runs": arguments.runs}
    budget = {"budget": arguments.budget} if arguments.budget else {}
    if not arguments.no_training:
        names = list(dict.fromkeys(name for ours, (theirs, _) in pairs.items() for name in (ours.strip(), theirs)))
        ganbench.run(names, seeds=arguments.seeds, jobs=1, **settings, **budget)
    lines = [
        "| ours | FID | pythae's | FID | ours / theirs | P(ours is lower) | seeds | what differs |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for ours, (theirs, differs) in pairs.items():
        try:
            found = ganbench.compare(ours.strip(), theirs, published=None, **settings, **budget)
        except ganbench.RequestError as error:
            print(f"left out: {error}")
            continue
        lines.append(row(found, ours.strip(), theirs, differs))
    return lines


def row(found: dict[str, Any], ours: str, theirs: str, differs: str) -> str:
    fid = next(each for each in found["metrics"] if each["name"] == found["headline"])
    a, b = fid["a"], fid["b"]
    cells = [f"`{ours}`", shown(a), f"`{theirs}`", shown(b)]
    cells += [f"{fid['change']:.3f} [{fid['low']:.3f}, {fid['high']:.3f}]", f"{fid['probability_better']:.2f}"]
    seeds = f"{a['n']}" if a["n"] == b["n"] else f"{a['n']}, {b['n']}"
    return f"| {' | '.join([*cells, seeds, differs])} |"


def shown(found: dict[str, Any]) -> str:
    return f"{found['mean']:.1f} [{found['low']:.1f}, {found['high']:.1f}]"


def speed(names: list[str], pairs: int, seconds: float) -> list[str]:
    """Return a table of images a second under both loops."""
    registry, dataset = discover(), load_mnist5k()
    pixels = torch.from_numpy(dataset.train.images)
    spec = DataSpec(dataset.shape, dataset.classes, dataset.name, len(pixels))
    lines = [
        "| model | our loop, images/s | pythae's trainer, images/s | ours / theirs, median [least, most] | pairs |",
        "|---|---|---|---|---|",
    ]
    for name in names:
        cls: type[Model] = registry.get("models", name).thing
        size = cls.Config().batch_size  # type: ignore[attr-defined]
        steps = max(10, int(20 * seconds / harness(fresh(cls, spec), pixels, 20)))
        ours, theirs = [], []
        for pair in range(pairs):
            for side in (0, 1) if pair % 2 else (1, 0):
                model = fresh(cls, spec)
                if side:
                    theirs.append(steps * size / trainer_seconds(model, pixels, steps * size))
                else:
                    ours.append(steps * size / harness(model, pixels, steps))
        ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
        cells = [f"`{name}`", f"{statistics.median(ours):,.0f}", f"{statistics.median(theirs):,.0f}"]
        cells += [f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]", str(pairs)]
        lines.append(f"| {' | '.join(cells)} |")
        print(lines[-1], flush=True)
    return lines


def trainer_seconds(model: Model, pixels: torch.Tensor, images: int) -> float:
    """Return the seconds of epochs of pythae's trainer over so many images."""
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import CallbackHandler, TrainingCallback

    logging.getLogger("pythae.trainers.base_trainer.base_trainer").setLevel(logging.WARNING)
    peer: Any = model.peer
    data = pixels[: min(images, len(pixels))].float() / 255
    with tempfile.TemporaryDirectory() as folder:
        trainer = BaseTrainer(
            peer,
            BaseDataset(data, torch.zeros(len(data))),
            training_config=BaseTrainerConfig(
                output_dir=folder,
                per_device_train_batch_size=model.config.batch_size,
                learning_rate=model.config.lr,
                optimizer_params={"fused": True},
                no_cuda=True,
            ),
        )
        trainer.set_optimizer()
        trainer.callback_handler = CallbackHandler([TrainingCallback()], peer)
        done, start = 0, time.perf_counter()
        while done < images:
            trainer.train_step(epoch=1 + done // len(data))
            done += len(data)
        return (time.perf_counter() - start) * images / done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", help="ours, of which pairs are compared (all)")
    parser.add_argument("--track", default="mnist5k-quick")
    parser.add_argument("--seeds", default="100-102")
    parser.add_argument("--against", default="validation")
    parser.add_argument("--budget", default=None)
    parser.add_argument("--runs", default="runs", help="a store of runs; what it holds is not trained again")
    parser.add_argument("--no-training", action="store_true", help="compare the runs that are there")
    parser.add_argument("--pairs", type=int, default=7, help="runs of each loop, in turn; 0 leaves speed out")
    parser.add_argument("--seconds", type=float, default=3.0, help="about how long one side of a pair takes")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    wanted = {
        ours: pair
        for ours, pair in PAIRS.items()
        if not arguments.models or ours.strip().partition("[")[0] in arguments.models
    }
    speeds = speed(TRAINED, arguments.pairs, arguments.seconds) if arguments.pairs else []
    rows = agreement(wanted, arguments)
    print("\n".join(rows))
    if arguments.write:
        PAGE.write_text(page(arguments, rows, speeds))
        print(PAGE)


def page(arguments: argparse.Namespace, rows: list[str], speeds: list[str]) -> str:
    command = " ".join(["python benchmarks/peers.py", *sys.argv[1:]])
    parts = HEAD.format(
        command=command, pythae=version("pythae"), torch=torch.__version__, processor=platform.machine()
    ).splitlines()
    budget = f", {arguments.budget}" if arguments.budget else ""
    parts += [
        "",
        "## Agreement",
        "",
        f"The same networks, hyper-parameters, budget and seeds ({arguments.seeds}) on `{arguments.track}`{budget}, "
        f"against the {arguments.against} split. FID is the geometric mean over seeds with its 95 % interval; the "
        "ratio's interval is Welch's. Where it holds 1, the two agree within the noise of seeds.",
        "",
        *(rows if len(rows) > 2 else [NOTHING]),
    ]
    if speeds:
        parts += [
            "",
            "## Speed",
            "",
            "pythae's models on one core, one thread: our loop against the epochs of pythae's `BaseTrainer` (without "
            "its progress bar, its copies of the best model and its files), in turn, both with Adam's fused kernel.",
            "",
            *speeds,
        ]
    return "\n".join([*parts, ""])


if __name__ == "__main__":
    main()

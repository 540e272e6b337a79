"""What the harness costs: its training loop against a bare PyTorch loop over the same networks, in turn.

    python benchmarks/training_overhead.py [--pairs 7] [--seconds 6] [models ...]

Each pair trains the same model class for the same number of steps from the same seed, once in a loop as a tutorial
would write it (images as one float tensor, a permutation an epoch, nothing else) and once through
`ganbench.training.loop.Loop` with its budget, clock, NaN guard and progress reports. The order alternates.
Prints speeds and the median ratio harness / bare; 0.98 is the least we accept.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch

from ganbench.budget import Budget
from ganbench.data.embedded import load_mnist5k
from ganbench.model import Batch, DataSpec, Model
from ganbench.registry.builtins import discover
from ganbench.training.loop import Loop
from ganbench.training.phase_timer import PhaseTimer
from ganbench.training.seeding import seed_everything


def fresh(cls: type[Model], spec: DataSpec) -> Model:
    seed_everything(0)
    return cls(spec, cls.Config()).train()


def bare(model: Model, images: torch.Tensor, steps: int) -> float:
    """Return the seconds of a plain loop."""
    size, done = model.config.batch_size, 0
    start = time.perf_counter()
    while done < steps:
        order = torch.randperm(len(images))
        for first in range(0, len(images) - size + 1, size):
            model.step(Batch(images[order[first : first + size]], None))
            done += 1
            if done == steps:
                break
    return time.perf_counter() - start


def harness(model: Model, pixels: torch.Tensor, steps: int) -> float:
    """Return the seconds that the harness bills."""
    meter = PhaseTimer(torch.device("cpu"))
    with meter.phase("train"):
        Loop(model, pixels, None, Budget(steps=steps), meter, seed=0).run()
    return meter.seconds("train")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["dcgan", "vanilla", "vae"])
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=6.0, help="about how long one side of a pair takes")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    registry, dataset = discover(), load_mnist5k()
    pixels = torch.from_numpy(dataset.train.images)
    images = pixels.float().div(127.5).sub(1)
    spec = DataSpec(dataset.shape, dataset.classes, dataset.name, len(pixels))
    print(f"mnist5k, torch {torch.__version__}, {arguments.threads} threads, {arguments.pairs} pairs")
    for name in arguments.models:
        cls = registry.get("models", name).thing
        steps = max(20, int(20 * arguments.seconds / bare(fresh(cls, spec), images, 20)))
        ratios, speeds = [], []
        for pair in range(arguments.pairs):
            seconds = {}
            for side in ("bare", "harness") if pair % 2 == 0 else ("harness", "bare"):
                model = fresh(cls, spec)
                seconds[side] = bare(model, images, steps) if side == "bare" else harness(model, pixels, steps)
            ratios.append(seconds["bare"] / seconds["harness"])
            speeds.append(steps * model.config.batch_size / seconds["harness"])
        print(
            f"{name}: {statistics.median(speeds):,.0f} images/s; harness / bare {statistics.median(ratios):.3f} "
            f"(median of {len(ratios)}, {min(ratios):.3f} to {max(ratios):.3f})",
            flush=True,
        )


if __name__ == "__main__":
    main()

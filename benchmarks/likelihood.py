"""Likelihoods of trained VAEs beside the literature's: ``python benchmarks/likelihood.py RUN...``

A RUN is the folder of a run on a track of binary digits, such as `mnist-binary-standard`. For each its bound of
-log p(x) on the first `--images` test images is taken with 1, 50 and `--samples` draws of q(z | x) (5,000 in
arXiv:1509.00519), mean and standard error over images, in nats and bits per dimension. The last column is what is left
to the figure that pythae's reproducibility pages give for the model (arXiv:2206.08309), which was trained for longer.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path

import torch
from torch import Tensor

from ganbench.api import load
from ganbench.data.pixels import to_float
from ganbench.model import Model
from ganbench.registry.builtins import built_in
from ganbench.registry.lookup import load_dataset
from ganbench.store.run_record import read_run

PUBLISHED = {"vae": 89.78, "iwae": 86.82}
"""Nats of MNIST's binarised test images."""


def nats(model: Model, images: Tensor, samples: int) -> Tensor:
    """Return the bound of -log p(x) in nats, (n,)."""
    torch.manual_seed(0)
    bits = model.log_likelihood(images, samples=samples)  # type: ignore[call-arg]
    return -bits.double() * math.log(2) * images[0].numel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--images", type=int, default=1000)
    parser.add_argument("--samples", type=int, default=5000)
    parser.add_argument("--data-dir", type=Path)
    chosen = parser.parse_args()
    print("| model | seed | trained on | draws | nats | bits/dim | to the published | seconds |")
    print("|---|---|---|---:|---:|---:|---:|---:|")
    for run in chosen.runs:
        record, model = read_run(run / "run.json"), load(run).eval()
        dataset = load_dataset(record.spec.training.dataset, built_in(), chosen.data_dir)
        images = to_float(torch.from_numpy(dataset.test.images[: chosen.images]))
        about = (
            f"| {record.spec.model_info.label} | {record.spec.seed_index} | {record.images:,} images of {dataset.name}"
        )
        for samples in (1, 50, chosen.samples):
            began = time.perf_counter()
            found = nats(model, images, samples)
            mean, error = float(found.mean()), float(found.std() / math.sqrt(len(found)))
            published = PUBLISHED.get(record.spec.model_info.label)
            gap = f"{mean - published:+.1f} from {published}" if published and samples == chosen.samples else ""
            bits = mean / (math.log(2) * images[0].numel())
            spent = time.perf_counter() - began
            print(f"{about} | {samples:,} | {mean:.2f} ± {error:.2f} | {bits:.4f} | {gap} | {spent:.0f} |", flush=True)


if __name__ == "__main__":
    main()

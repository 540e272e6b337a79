"""What `ganbench.Scorer` costs: core-seconds for 1,000 images, and how far the peak of memory rises, for several n.

    python benchmarks/scorer.py [--n 1000,10000,50000] [--metrics fid,is] [--batch 64]

Each n is a process of its own, one thread, on the CPU: held-out digits of mnist5k with grain, in LeNet's features. The
memory is what the peak of the process rises by while samples come and are scored, above what it was when the scorer had
been made; the samples themselves are drawn batch by batch.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import torch

import ganbench
from ganbench.data.embedded import load_mnist5k

MIB = 2**20


def peak() -> int:
    """Return the largest resident size so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def measure(n: int, metrics: str, batch: int) -> dict[str, float]:
    """Score n samples; return core-seconds of `update` and `compute`, and the rise of the peak in bytes."""
    torch.set_num_threads(1)
    digits = torch.from_numpy(load_mnist5k().validation.images)
    generator = torch.Generator().manual_seed(0)

    def drawn(size: int) -> torch.Tensor:
        images = digits[torch.randint(len(digits), (size,), generator=generator)].float() / 127.5 - 1
        return (images + 0.1 * torch.randn(images.shape, generator=generator)).clamp(-1, 1)

    scorer = ganbench.Scorer("mnist5k-quick", metrics, value_range="-1-1", device="cpu")
    drawn(batch)
    before, updating = peak(), 0.0
    for start in range(0, n, batch):
        images = drawn(min(batch, n - start))
        began = time.process_time()
        scorer.update(images)
        updating += time.process_time() - began
    began = time.process_time()
    scorer.compute()
    return {"update": updating, "compute": time.process_time() - began, "memory": peak() - before}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", default="1000,10000,50000")
    parser.add_argument("--metrics", default="fid,is")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(measure(asked.one, asked.metrics, asked.batch)))
        return
    print(f"{asked.metrics}, batches of {asked.batch}")
    for n in map(int, asked.n.split(",")):
        words = ["--one", str(n), "--metrics", asked.metrics, "--batch", str(asked.batch)]
        answer = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
        found = json.loads(answer.stdout)
        print(
            f"n = {n:6,}: update {found['update'] / n * 1000:.3f} core-s for 1,000 images,"
            f" compute {found['compute']:.3f} core-s, memory +{found['memory'] / MIB:.0f} MiB",
            flush=True,
        )


if __name__ == "__main__":
    main()

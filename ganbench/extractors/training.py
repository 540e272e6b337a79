"""How the bundled LeNets were made: ``python -m ganbench.extractors.training mnist --out FILE``.

Seeded; trains on the 60,000 official training images, less the 5,000 that `mnist5k` holds (a judge must not
have seen the images it judges), and reports the accuracy on the official 10,000 test images once, at the end.
The schedule is fixed in advance: no epoch is chosen by looking at the test images.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ganbench.data.dataset import Split
from ganbench.data.embedded import mnist5k_digits
from ganbench.data.mnist import official_splits
from ganbench.extractors.lenet import LeNet, to_unit_range

SETS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}


def without_mnist5k(split: Split) -> Split:
    """Drop the images that the embedded data set contains, pixel for pixel."""
    embedded = {image.tobytes() for image in mnist5k_digits()[0]}
    keep = np.array([image.tobytes() not in embedded for image in split.images])
    assert split.labels is not None
    return Split(split.images[keep], split.labels[keep])


def shifted(images: Tensor, reach: int, flip: bool, generator: torch.Generator) -> Tensor:
    """Move each image by up to `reach` pixels (background fills in) and mirror half of them where `flip`."""
    n, _, height, width = images.shape
    padded = nn.functional.pad(images, (reach,) * 4)
    dy, dx = torch.randint(0, 2 * reach + 1, (2, n), generator=generator)
    rows = dy[:, None] + torch.arange(height)
    columns = dx[:, None] + torch.arange(width)
    if flip:
        mirrored = torch.rand(n, generator=generator) < 0.5
        columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    return padded[torch.arange(n)[:, None, None], :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def train(train_split: Split, *, epochs: int, flip: bool, seed: int, batch_size: int = 128) -> LeNet:
    """Train with Adam on a one-cycle schedule; the weights returned are their running average (decay 0.999)."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = LeNet().train()
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.999), use_buffers=True
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, weight_decay=1e-2)
    images, labels = torch.from_numpy(train_split.images), torch.from_numpy(train_split.labels)
    steps = len(images) // batch_size
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=epochs * steps, pct_start=0.2)
    for epoch in range(epochs):
        start, total = time.perf_counter(), 0.0
        order = torch.randperm(len(images), generator=generator)
        for step in range(steps):
            chosen = order[step * batch_size : (step + 1) * batch_size]
            batch = to_unit_range(shifted(images[chosen], 2, flip, generator))
            loss = nn.functional.cross_entropy(model(batch)[1], labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            total += float(loss.detach())
        print(f"epoch {epoch + 1}/{epochs}  loss {total / steps:.4f}  {time.perf_counter() - start:.0f} s", flush=True)
    averaged = average.module.eval()
    assert isinstance(averaged, LeNet)
    return averaged


@torch.no_grad()
def accuracy(model: LeNet, split: Split) -> float:
    """Return the share of images whose largest logit is the true label."""
    correct = 0
    for start in range(0, len(split), 1000):
        logits = model(to_unit_range(torch.from_numpy(split.images[start : start + 1000])))[1]
        assert split.labels is not None
        correct += int((logits.argmax(1).numpy() == split.labels[start : start + 1000]).sum())
    return correct / len(split)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=sorted(SETS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train_split, test_split = official_splits(arguments.dataset, SETS[arguments.dataset], arguments.data_dir)
    if arguments.dataset == "mnist":
        train_split = without_mnist5k(train_split)
    print(f"{arguments.dataset}: {len(train_split):,} training images, torch {torch.__version__}", flush=True)
    model = train(train_split, epochs=arguments.epochs, flip=arguments.dataset == "fashion-mnist", seed=arguments.seed)
    result = accuracy(model, test_split)
    print(f"accuracy on the {len(test_split):,} official test images: {result:.4f}", flush=True)
    metadata = {"dataset": arguments.dataset, "accuracy": f"{result:.4f}", "seed": str(arguments.seed)}
    save_file(model.state_dict(), arguments.out, metadata=metadata)


if __name__ == "__main__":
    main()

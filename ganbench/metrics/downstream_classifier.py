"""Downstream accuracy: a small classifier learns from samples alone and is tested on held-out real images.

Known as classification accuracy score (arXiv:1905.10887) or GAN-train (arXiv:1807.09499). The schedule is fixed:
no step is chosen by looking at the test images.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

BATCH = 64
PEAK_LR = 4e-3


def network(channels: int, classes: int) -> nn.Module:
    """Three strided convolutions with batch normalisation, an average over places, one linear layer."""
    layers: list[nn.Module] = []
    for width_in, width_out in ((channels, 16), (16, 32), (32, 64)):
        layers += [nn.Conv2d(width_in, width_out, 3, 2, 1, bias=False), nn.BatchNorm2d(width_out), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(classes))


def downstream_accuracy(
    images: Tensor, labels: Tensor, test_images: Tensor, test_labels: Tensor, *, classes: int, steps: int, seed: int
) -> float:
    """Return the accuracy, 0 to 1, on the test images of a classifier trained on the labelled samples.

    Images are uint8 (N, C, H, W), labels int64 (N,). Every random choice follows from `seed`; the global random
    state is left alone.
    """
    predicted = predictions(images, labels, test_images, classes=classes, steps=steps, seed=seed)
    return float((predicted == test_labels).double().mean())


def predictions(images: Tensor, labels: Tensor, test_images: Tensor, *, classes: int, steps: int, seed: int) -> Tensor:
    """Return the classes, int64 (n,), that a classifier trained on the labelled samples gives the test images."""
    device = images.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model = network(images.shape[1], classes).to(device)
        model(_scaled(images[:2]))  # the lazy layer learns its size
        optimizer = torch.optim.Adam(model.parameters(), lr=PEAK_LR)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=PEAK_LR, total_steps=steps)
        model.train()
        for _ in range(steps):
            chosen = torch.randint(len(images), (BATCH,), device=device)
            loss = nn.functional.cross_entropy(model(_scaled(images[chosen])), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
    model.eval()
    with torch.no_grad():
        return torch.cat([model(_scaled(chunk)).argmax(1) for chunk in test_images.split(500)])


def accuracy_by_class(predicted: Tensor, labels: Tensor, classes: int) -> list[float | None]:
    """Return the share of each class's images, (n,), that were told right; None for a class without images."""
    right = torch.bincount(labels[predicted == labels], minlength=classes).tolist()
    return [
        hits / count if count else None
        for hits, count in zip(right, labels.bincount(minlength=classes).tolist(), strict=True)
    ]


def _scaled(images: Tensor) -> Tensor:
    return images.float().div(127.5).sub(1.0)

"""Downstream accuracy: a small classifier learns from samples alone and is tested on held-out real images.

Known as classification accuracy score (arXiv:1905.10887) or GAN-train (arXiv:1807.09499). The schedule is fixed:
no step is chosen by looking at the test images.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

BATCH = 48
PEAK_LR = 4e-3
EVAL_BATCH = 500


def network(shape: tuple[int, ...], classes: int) -> nn.Module:
    """Return a classifier of images of `shape` (C, H, W): two convolutions with batch normalisation, one linear layer.

    Pooling before the normalisation leaves a quarter of the values to normalise; a third convolution doubled the time
    and did not raise the accuracy on real digits.
    """
    places = math.prod((size + 7) // 8 for size in shape[1:])  # each side is halved three times, rounded up
    return nn.Sequential(
        nn.Conv2d(shape[0], 16, 5, 2, 2, bias=False), nn.MaxPool2d(2, ceil_mode=True), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Linear(32 * places, classes),
    )  # fmt: skip


def downstream_accuracy(
    images: Tensor, labels: Tensor, test_images: Tensor, test_labels: Tensor, *, classes: int, steps: int, seed: int
) -> float:
    """Return the accuracy, 0 to 1, on the test images of a classifier trained on the labelled samples.

    Images are uint8 (N, C, H, W), labels int64 (N,). Every random choice follows from `seed`; the global random
    state is unchanged afterwards.
    """
    predicted = predictions(images, labels, test_images, classes=classes, steps=steps, seed=seed)
    return float((predicted == test_labels).double().mean())


def predictions(images: Tensor, labels: Tensor, test_images: Tensor, *, classes: int, steps: int, seed: int) -> Tensor:
    """Return the classes, int64 (n,), that a classifier trained on the labelled samples predicts for the test images.

    It takes `steps` updates with Adam on batches of 48, drawn with replacement.
    """
    device = images.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        model = network(tuple(images.shape[1:]), classes).to(device)
        batches = torch.randint(len(images), (steps, BATCH), device=device)
    weights = _in_one_vector(model)
    gradient = weights.grad
    assert gradient is not None
    optimizer = torch.optim.Adam([weights], lr=PEAK_LR, fused=device.type in ("cpu", "cuda"))
    model.train()
    for rate, chosen in zip(learning_rates(steps), batches, strict=True):
        optimizer.param_groups[0]["lr"] = rate
        gradient.zero_()
        nn.functional.cross_entropy(model(_scaled(images[chosen])), labels[chosen]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        return torch.cat([model(_scaled(chunk)).argmax(1) for chunk in test_images.split(EVAL_BATCH)])


def _in_one_vector(model: nn.Module) -> nn.Parameter:
    """Return one vector that all parameters of the model, and their gradients, become views of.

    An update is then one operation: for so small a network the optimizer's loop over parameters costs as much as a
    convolution.
    """
    parameters = list(model.parameters())
    vector = nn.Parameter(nn.utils.parameters_to_vector(parameters).detach())
    vector.grad = torch.zeros_like(vector)
    sizes = [parameter.numel() for parameter in parameters]
    for parameter, values, slopes in zip(parameters, vector.data.split(sizes), vector.grad.split(sizes), strict=True):
        parameter.data = values.view_as(parameter)
        parameter.grad = slopes.view_as(parameter)
    return vector


def learning_rates(steps: int) -> list[float]:
    """Return the rate of each step: up to the peak over the first 30 %, then down to almost 0, by half cosines.

    That is PyTorch's `OneCycleLR` (arXiv:1708.07120) with its defaults, computed once instead of at every step.
    """
    peak, rates = 0.3 * steps - 1, list[float]()
    for step in range(steps):
        if step <= peak:
            start, end, share = PEAK_LR / 25, PEAK_LR, step / peak
        else:
            start, end, share = PEAK_LR, PEAK_LR / 25e4, (step - peak) / (steps - 1 - peak)
        rates.append(end + (start - end) / 2 * (1 + math.cos(math.pi * share)))
    return rates


def accuracy_by_class(predicted: Tensor, labels: Tensor, classes: int) -> list[float | None]:
    """Return the share of each class's images, (n,), that were classified correctly; None where it has none."""
    right = torch.bincount(labels[predicted == labels], minlength=classes).tolist()
    return [
        hits / count if count else None
        for hits, count in zip(right, labels.bincount(minlength=classes).tolist(), strict=True)
    ]


def _scaled(images: Tensor) -> Tensor:
    # Channels last: convolutions and normalisation of few channels are faster.
    return images.contiguous(memory_format=torch.channels_last).float().div_(127.5).sub_(1.0)

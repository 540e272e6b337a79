"""Every model on a device beside the CPU, from the same weights and the same random numbers: a part of `gpu.py`."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

from ganbench.data.dataset import Dataset
from ganbench.data.pixels import to_float
from ganbench.model import Batch, DataSpec, Model
from ganbench.registry.registry import Registered
from ganbench.training.likelihood import log_likelihood
from ganbench.training.sampling import draw
from ganbench.training.seeding import seed_everything

CPU = torch.device("cpu")
STEPS, SAMPLES, FITTED = 3, 16, 500
"""Steps that are compared, samples that are, and training images that a model without steps is fitted to."""


class SameRandomNumbers(TorchDispatchMode):
    """Draws every random number on the CPU, and moves it to where it was asked for.

    A GPU's generator gives other numbers from the same seed; so two devices could not be compared step by step.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._device = device

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        drawn = torch.Tag.nondeterministic_seeded in func.tags and "attention" not in func.name()
        if not drawn or self._device.type == "cpu":
            return func(*args, **kwargs)
        if isinstance(kwargs.get("generator"), torch.Generator) and kwargs["generator"].device.type != "cpu":
            raise ValueError("draws from a generator of its own on the device: it cannot be compared")
        if kwargs.get("device") is not None:
            kwargs["device"] = CPU
        moved = [each for each in (*args, *kwargs.values()) if isinstance(each, Tensor)]
        there = {id(each): each.to(CPU) for each in moved}
        args, kwargs = tree_map(lambda each: there.get(id(each), each), (args, kwargs))
        found = func(*args, **kwargs)
        back = {id(there[id(each)]): each for each in moved}

        def returned(each: Any) -> Any:
            if not isinstance(each, Tensor):
                return each
            original = back.get(id(each))  # what an operation in place returns
            return each.to(self._device) if original is None else original.copy_(each)

        return tree_map(returned, found)


def fitted(model: Model, images: Tensor, labels: Tensor | None) -> list[float]:
    """Make a few steps and `finish`; return all losses."""
    losses, size = list[float](), getattr(model.config, "batch_size", 64)
    model.train()
    if type(model).step is not Model.step:
        for step in range(STEPS):
            part = slice(step * size, (step + 1) * size)
            found = model.step(Batch(to_float(images[part]), None if labels is None else labels[part]))
            losses += [float(loss.detach()) for loss in found.values()]
    if type(model).finish is not Model.finish:
        part = slice(0, FITTED)
        model.finish(Batch(to_float(images[part]), None if labels is None else labels[part]))
    return losses


def answers(model: Model, data: Dataset, device: torch.device) -> tuple[list[float], Tensor]:
    """Return losses and samples, uint8, of a model on a device, from seed 1."""
    images = torch.from_numpy(data.train.images).to(device)
    labels = None if data.train.labels is None else torch.from_numpy(data.train.labels).to(device)
    seed_everything(1)
    with SameRandomNumbers(device):
        losses = fitted(model, images, labels)
        asked = None if labels is None else torch.arange(SAMPLES, device=device) % data.classes
        samples = draw(model, SAMPLES, asked, 0)
        if type(model).log_likelihood is not Model.log_likelihood:
            bounds = log_likelihood(model, to_float(images[:SAMPLES]), 0)
            losses += [float(bounds.double().mean())]
    return losses, samples.cpu()


def compared(entry: Registered, data: Dataset, device: torch.device) -> dict[str, Any]:
    """Return how far a model on a device is from the same one on the CPU: ``loss``, the largest difference of a loss.

    That is relative, and absolute below 1. ``grey`` is the largest mean difference of a sample, in levels of grey.
    ``error`` says why there is neither.
    """
    start, kind = time.perf_counter(), entry.thing
    try:
        seed_everything(0)
        model = kind(DataSpec(data.shape, data.classes, data.name, len(data.train.images)), kind.Config())
        other = copy.deepcopy(model).to(device)
        expected, samples = answers(model, data, CPU)
        losses, others = answers(other, data, device)
        differences = [abs(a - b) / max(1.0, abs(b)) for a, b in zip(losses, expected, strict=True)]
        grey = (others.float() - samples.float()).abs().flatten(1).mean(1).max()
        found = {"loss": max(differences, default=0.0), "grey": float(grey)}
    except Exception as error:  # a model may fail in any way: the others are compared all the same
        found = {"error": f"{type(error).__name__}: {' '.join(str(error).split())[:160]}"}
    return found | {"model": entry.name, "seconds": time.perf_counter() - start}


def all_compared(
    entries: list[Registered], data: Dataset, device: torch.device, deadline: float
) -> Iterator[dict[str, Any]]:
    """Yield what `compared` says of each model, until the deadline of ``time.perf_counter``."""
    for entry in entries:
        if time.perf_counter() > deadline:
            yield {"model": entry.name, "error": "not reached: the time was up", "seconds": 0.0}
        else:
            yield compared(entry, data, device)

"""Weights that a model trains or keeps, and that `parameters` does not know of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.model import Model
from ganbench.training.state_kinds import VALUES, attributes, constant, is_attributes, is_container


def hidden_parameters(model: Model) -> Iterator[str]:
    """Yield the attribute paths of weights that are not among ``model.parameters()``: nobody moves or counts them.

    Modules in a plain list or dict are such, and leaf tensors that require gradients; of optimisers, what they update.
    """
    known, seen = {id(each) for each in model.parameters()}, set[int]()

    def walk(value: Any, path: str) -> Iterator[str]:
        if type(value) in VALUES or id(value) in seen or constant(value) is not None:
            return
        seen.add(id(value))
        if isinstance(value, Tensor):
            weight = isinstance(value, nn.Parameter) or (value.is_leaf and value.requires_grad)
            if weight and id(value) not in known:
                yield path
        elif isinstance(value, torch.optim.Optimizer):
            for group in value.param_groups:
                for index, each in enumerate(group["params"]):
                    yield from walk(each, f"weight {index} of {path}")
        elif is_container(value):
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                yield from walk(item, f"{path}[{key!r}]")
        elif is_attributes(value):
            for name, item in attributes(value).items():
                yield from walk(item, f"{path}.{name}")

    yield from walk(model, "self")

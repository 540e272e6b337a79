"""Everything that decides how a model goes on: taken out of it for a checkpoint, and put back exactly.

Beyond parameters, buffers and optimisers that is whatever `step` may have changed: counters, running numbers, image
pools, schedulers, generators of random numbers, helpers such as an average of weights, gradients that are still there,
and what is frozen. So every attribute is looked at, and what is found becomes nodes, which a file can hold without
pickled code. What cannot be held is an `UnsavableError`, never left out.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch
from torch import nn

from ganbench.model import Model
from ganbench.training.state_codec import Node, Reader, UnsavableError, Writer

T = TypeVar("T")

_ERRORS = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, RecursionError)


def capture(model: Model, *, trained: bool = False) -> Node:
    """Return a model's state, copied to the CPU: nothing that the model does afterwards changes it.

    Of a `trained` one, what sampling needs: no optimisers, no gradients. Raises `UnsavableError` where an attribute
    holds what no node can; where the model is `trained` or has an `extra_state` of its own, which is to hold such
    things, that attribute is left as the model's constructor makes it.
    """
    own = type(model).extra_state is not Model.extra_state

    def write() -> Node:
        writer = Writer(model, sampling=trained, lenient=trained or own)
        return "model", (writer.module(model, ""), writer.node(model.extra_state(), "extra_state()"))

    return _attempt(write, "its state cannot be saved")


def restore(model: Model, state: Node) -> None:
    """Put a state back into a model just made from the same class, data and hyper-parameters.

    Tensors are written in place: whatever shares them still does. Raises `UnsavableError` where the state does not fit.
    """

    def read() -> None:
        reader, (modules, extra) = Reader(model), state[1]
        reader.module(model, modules[1])
        model.load_extra_state(reader.value(extra, None))

    _attempt(read, f"its state does not fit {type(model).__name__}")


def random_states(device: torch.device) -> Node:
    """Return where the global generators of torch, numpy and Python stand."""
    states = {
        "torch": torch.get_rng_state(), "numpy": np.random.get_state(legacy=False), "python": random.getstate(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }  # fmt: skip
    return Writer(nn.Module()).node(states, "random states")


def set_random_states(state: Node, device: torch.device) -> None:
    """Put the global generators where `random_states` found them."""
    states = Reader(nn.Module()).value(state, None)
    torch.set_rng_state(states["torch"])
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)


def _attempt(what: Callable[[], T], complaint: str) -> T:
    try:
        return what()
    except _ERRORS as error:
        raise UnsavableError(f"{complaint}: {' '.join(str(error).split())[:200]}") from error

"""Everything that decides how a model goes on: taken out of it for a checkpoint, and put back exactly.

Beyond parameters, buffers and optimisers that is whatever `step` may have changed: counters, running numbers, image
pools, schedulers, generators of random numbers, helpers such as an average of weights, gradients that are still there,
and what is frozen. So every attribute is looked at. What cannot be held is an `UnsavableError` that names its path,
never left out. Only the model's class attribute `transient`, paths such as ``("rows", "head.cache")``, leaves
attributes to the constructor, and to what `load_extra_state` makes of them.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from itertools import chain

import numpy as np
import torch

from ganbench.model import Model
from ganbench.training.state_codec import ERRORS, Decoder, Encoder, Node, UnsavableError

__all__ = ["Node", "UnsavableError", "capture", "made_in_init", "random_states", "restore", "set_random_states"]


def made_in_init(model: Model) -> frozenset[str]:
    """Return the paths of the objects in a model just made, for `capture`: only those can take a state back."""
    encoder = Encoder(_device_of(model), transient=model.transient, copy=False)
    encoder.encode(model, "self")
    return frozenset(encoder.paths)


def capture(model: Model, *, trained: bool = False, made: Collection[str] | None = None) -> Node:
    """Return a model's state, copied to the CPU: nothing that the model does afterwards changes it.

    Of a `trained` one, what sampling needs: no optimisers, no gradients. Raises `UnsavableError` where an attribute
    holds what no file can, or, where `made` is given, an object that `restore` would find no counterpart of.
    """
    device = _device_of(model)
    encoder = Encoder(device, trained=trained, transient=model.transient, made=made)
    with _explained("its state cannot be saved"):
        state = {
            "device": device.type, "trained": trained,
            "model": encoder.encode(model, "self"), "extra": encoder.encode(model.extra_state(), "extra_state()"),
        }  # fmt: skip
    if device.type == "cuda":
        torch.cuda.synchronize(device)  # once for all copies
    return state


def restore(model: Model, state: Node) -> None:
    """Put a state back into a model just made from the same class, data and hyper-parameters.

    Tensors are written in place: whatever shares them still does. A trained model's state goes to every kind of device;
    generators of another kind stay as the constructor made them. Raises `UnsavableError` where the state does not fit.
    """
    device = _device_of(model)
    with _explained(f"its state does not fit {type(model).__name__}"):
        if not state["trained"]:
            _check_device(state, device)
        decoder = Decoder(device)
        decoder.decode(state["model"], model, "self")
        model.load_extra_state(decoder.decode(state["extra"], None, "extra_state()"))


def random_states(device: torch.device) -> Node:
    """Return where the global generators of torch, numpy and Python stand."""
    states = {
        "torch": torch.get_rng_state(), "numpy": np.random.get_state(legacy=False), "python": random.getstate(),
        "cuda": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
    }  # fmt: skip
    return {"device": device.type, "states": Encoder(torch.device("cpu")).encode(states, "random states")}


def set_random_states(state: Node, device: torch.device) -> None:
    """Put the global generators where `random_states` found them; raise `UnsavableError` on another kind of device."""
    _check_device(state, device)
    states = Decoder(torch.device("cpu")).decode(state["states"], None, "random states")
    torch.set_rng_state(states["torch"])
    np.random.set_state(states["numpy"])
    random.setstate(states["python"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)


class _OtherDeviceError(UnsavableError):
    """A checkpoint of one kind of device, on another: generators of the one know nothing of the other's."""


def _check_device(state: Node, device: torch.device) -> None:
    if state["device"] != device.type:
        raise _OtherDeviceError(
            f"its checkpoint was taken on {state['device']}, and this is {device.type}: training starts again"
        )


def _device_of(model: Model) -> torch.device:
    return next((tensor.device for tensor in chain(model.parameters(), model.buffers())), torch.device("cpu"))


@contextmanager
def _explained(complaint: str) -> Iterator[None]:
    try:
        yield
    except _OtherDeviceError:
        raise
    except (UnsavableError, *ERRORS) as error:
        raise UnsavableError(f"{complaint}: {' '.join(str(error).split())[:300]}") from error

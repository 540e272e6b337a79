"""A model's state as nodes that ``torch.save`` holds without pickled code, and back into a model just made.

What each part buys: modules, containers and plain objects are walked attribute by attribute, since authors keep state
in all of them. An object has one node, so what was shared (tied weights, a network in a helper) is shared again.
Tensors and containers are restored in place, since optimisers, views and closures refer to them. Generators and what
has a `state_dict` are asked for their state. Functions and other constants are only compared: a checkpoint holds no
code. All else is refused by its path (``self.head.rows is a generator``). Globals and closures are not seen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ganbench.training.state_kinds import (
    CONTAINERS,
    OPTIMISERS,
    VALUES,
    accessors,
    attributes,
    constant,
    is_attributes,
    is_container,
)

Node = Any
"""A plain value, or a dict with a ``kind``."""

ERRORS = (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError)
ADVICE = "return its state from extra_state(), and name it in `transient`"


class UnsavableError(Exception):
    """State that a checkpoint cannot hold, or that does not fit the model; the message says where it is."""


class Encoder:
    """Turns values into nodes; copies of a GPU's tensors are there once that is synchronised.

    Of what was `trained`, optimisers and gradients are left out. Attributes named in `transient` are left to the
    model's constructor. Where `made` is given, the `paths` of what that makes, other objects are refused: none could
    take their state. Without `copy`, only those paths are found.
    """

    def __init__(
        self, device: torch.device, *, trained: bool = False, transient: Collection[str] = (),
        made: Collection[str] | None = None, copy: bool = True,
    ) -> None:  # fmt: skip
        self._device, self._trained, self._made, self._copy = device, trained, made, copy
        self._transient = {f"self.{name}" for name in transient}
        self._nodes: dict[int, tuple[dict[str, Any], Any]] = {}  # with the value: an identity is its own while it lives
        self.paths = set[str]()

    def encode(self, value: Any, path: str) -> Node:
        """Return a value's node; raise `UnsavableError` with the path of what has none."""
        if type(value) in VALUES:
            return value
        if path in self._transient or (self._trained and isinstance(value, OPTIMISERS)):
            return {"kind": "left"}
        if "()" not in path and (name := constant(value)) is not None:
            return {"kind": "constant", "is": name}
        if id(value) not in self._nodes:
            node = {"type": type(value).__name__}
            self._nodes[id(value)] = node, value
            try:
                node |= self._content(value, path)
            except ERRORS as error:
                raise UnsavableError(f"{path} is {_a(value)}, which a checkpoint cannot hold: {error}") from error
        return self._nodes[id(value)][0]

    def _content(self, value: Any, path: str) -> dict[str, Any]:
        if isinstance(value, Tensor):
            gradient = value.grad if value.is_leaf and not self._trained else None
            return {
                "kind": "tensor", "tensor": self._copied(value), "memory": _memory(value),
                "on_device": value.device.type == self._device.type,
                "requires_grad": value.is_leaf and value.requires_grad,
                "grad": None if gradient is None else self._copied(gradient),
            }  # fmt: skip
        if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biufc":
            return {"kind": "array", "array": torch.from_numpy(np.array(value))}
        exact = type(value) in CONTAINERS.values()
        if not exact and ("()" in path or (self._made is not None and path not in self._made)):
            raise UnsavableError(
                f"{path} is {_a(value)}, and nothing made in __init__ could take its state: make it there, or {ADVICE}"
            )
        self.paths.add(path)
        if exact or is_container(value):
            keys = [self.encode(key, path) for key in value] if isinstance(value, dict) else None
            pairs = value.items() if isinstance(value, dict) else enumerate(value)
            items = [self.encode(item, f"{path}[{key!r}]") for key, item in pairs]
            return {"kind": "container", "keys": keys, "items": items, "maxlen": getattr(value, "maxlen", None)}
        if found := accessors(value):
            state = self.encode(found[0](value), f"{path}.state_dict()")
            return {"kind": "stateful", "state": state, "device": _device_kind(value)}
        if is_attributes(value):
            own = {name: self.encode(each, f"{path}.{name}") for name, each in attributes(value).items()}
            node = {"kind": "object", "attributes": own}
            if isinstance(value, nn.Module) and type(value).get_extra_state is not nn.Module.get_extra_state:
                node["extra"] = self.encode(value.get_extra_state(), f"{path}.get_extra_state()")
            return node
        raise UnsavableError(f"{path} is {_a(value)}, which a checkpoint cannot hold: {ADVICE}")

    def _copied(self, tensor: Tensor) -> Tensor:  # from a GPU into pinned memory, without waiting
        return tensor.detach().to("cpu", copy=True, non_blocking=True) if self._copy else tensor


class Decoder:
    """Turns nodes into values again, in place of what a model on `device` has there wherever that can be."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._done: dict[int, Any] = {}
        self._memory: dict[int, int] = {}

    def decode(self, node: Node, current: Any, path: str) -> Any:
        """Return a node's value; raise `UnsavableError` with the path of what does not fit `current`."""
        if not isinstance(node, dict):
            return node
        if id(node) not in self._done:
            try:
                self._done[id(node)] = self._decoded(node, current, path)
            except ERRORS as error:
                raise UnsavableError(f"{path}: {error}") from error
        return self._done[id(node)]

    def _decoded(self, node: dict[str, Any], current: Any, path: str) -> Any:
        kind = node["kind"]
        if kind == "tensor":
            return self._tensor(node, current, path)
        if kind == "container":
            return self._container(node, current, path)
        if kind == "array":
            array = node["array"].numpy()
            if not isinstance(current, np.ndarray) or (current.shape, current.dtype) != (array.shape, array.dtype):
                return array.copy() if node["type"] == "ndarray" else array[()]
            current[...] = array
        elif kind == "constant" and (now := constant(current) or _a(current)) != node["is"]:
            raise UnsavableError(f"{path} has become {node['is']}, and in a new model it is {now}: {ADVICE}")
        elif kind in ("object", "stateful"):
            _check_type(node, current, path)
            self._done[id(node)] = current  # what leads back to itself finds it here
            if kind == "object":
                self._object(node, current, path)
            elif (found := accessors(current)) and node["device"] == _device_kind(current):  # another's stays as made
                found[1](current, self.decode(node["state"], None, path))
        return current

    @torch.no_grad()
    def _tensor(self, node: dict[str, Any], current: Any, path: str) -> Any:
        saved: Tensor = node["tensor"].to(self._device if node["on_device"] else "cpu")
        is_parameter = isinstance(current, nn.Parameter)
        fits = isinstance(current, Tensor) and _form(current) == _form(saved)
        if not fits and (is_parameter or node["type"] == "Parameter"):
            raise UnsavableError(f"{path} is {_shown(saved)}, and in a new model {_shown(current)}")
        # What a new model has in one memory and this one had not, or at another place of it, must not be written
        # through: spectral normalisation begins with the weight itself, and goes on with what it made of it.
        if fits and (self._is_where_it_was(current, node["memory"]) or is_parameter):
            current = current if torch.equal(current, saved) else current.copy_(saved)
        else:
            current = saved.clone()
        if current.is_leaf:
            current.requires_grad_(node["requires_grad"])
            current.grad = None if node["grad"] is None else node["grad"].to(current.device, copy=True)
        return current

    def _is_where_it_was(self, current: Tensor, saved: tuple[int, ...]) -> bool:
        now = _memory(current)
        return self._memory.setdefault(now[0], saved[0]) == saved[0] and now[1:] == saved[1:]

    def _container(self, node: dict[str, Any], current: Any, path: str) -> Any:
        if type(current).__name__ != node["type"] and node["type"] in CONTAINERS:
            current = deque((), node["maxlen"]) if node["type"] == "deque" else CONTAINERS[node["type"]]()
        _check_type(node, current, path)
        mapping, fixed = isinstance(current, dict), isinstance(current, tuple | frozenset)
        if not fixed:
            self._done[id(node)] = current
        keys = [self.decode(key, None, path) for key in node["keys"]] if mapping else range(len(node["items"]))
        before = current if mapping else {} if isinstance(current, set) else dict(enumerate(current))
        pairs = zip(keys, node["items"], strict=True)
        items = [self.decode(item, before.get(key), f"{path}[{key!r}]") for key, item in pairs]
        if fixed:
            return getattr(current, "_make", type(current))(items)
        current.clear()
        add = current.update if isinstance(current, dict | set) else current.extend
        add(dict(zip(keys, items, strict=True)) if mapping else items)
        return current

    def _object(self, node: dict[str, Any], owner: Any, path: str) -> None:
        current, is_module = attributes(owner), isinstance(owner, nn.Module)
        for name in current.keys() - node["attributes"].keys():
            if is_module and name not in vars(owner):
                raise UnsavableError(f"{path}.{name} is not in the checkpoint")
            object.__delattr__(owner, name)
        for name, saved in node["attributes"].items():
            if isinstance(saved, dict) and saved["kind"] == "left":
                continue
            value = self.decode(saved, current.get(name), f"{path}.{name}")
            if name not in current or value is not current[name]:  # a frozen dataclass has no other way than object's
                (setattr if is_module else object.__setattr__)(owner, name, value)
        if "extra" in node:
            owner.set_extra_state(self.decode(node["extra"], None, path))


def _a(thing: Any) -> str:
    name = thing if isinstance(thing, str) else type(thing).__name__
    return "None" if thing is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _shown(thing: Any) -> str:
    return f"{thing.dtype} of shape {tuple(thing.shape)}" if isinstance(thing, Tensor) else _a(thing)


def _form(tensor: Tensor) -> tuple[Any, ...]:
    return tensor.shape, tensor.dtype, tensor.device


def _memory(tensor: Tensor) -> tuple[int, ...]:
    return tensor.untyped_storage().data_ptr(), int(tensor.storage_offset()), *tensor.stride()


def _device_kind(thing: Any) -> str | None:
    return thing.device.type if isinstance(thing, torch.Generator) else None


def _check_type(node: dict[str, Any], current: Any, path: str) -> None:
    if type(current).__name__ != node["type"]:
        raise UnsavableError(
            f"{path} is {_a(node['type'])}, and in a new model {_a(current)}: make it in __init__, or {ADVICE}"
        )

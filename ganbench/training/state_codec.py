"""Values as nodes, ``(tag, content)`` of tensors and plain values, and back, in place of what is there.

A file can hold nodes without pickled code. What comes twice is written once, so that what was shared still is.
(Not seen: what a plugin keeps in globals, in closures, or in objects of C extensions behind a Python face.)
"""

from __future__ import annotations

import enum
import functools
import logging
import pathlib
import random
import re
import types
import weakref
from collections import deque
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Node = tuple[str, Any]

SCALARS = (type(None), bool, int, float, str, bytes, complex)
GROUPS = {"list": list, "tuple": tuple, "deque": deque, "set": set}
FUNCTIONS = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType, logging.Logger)
FIXED = (
    *FUNCTIONS, functools.partial, enum.Enum, pathlib.PurePath, re.Pattern,
    torch.dtype, torch.device, torch.Size, torch.layout, torch.memory_format, weakref.ref,
)  # fmt: skip
"""What never changes itself; where an attribute holds another one than it did, its state does not fit. (A weak
reference, as recurrent layers have some, owns nothing that could change.)"""
OPTIMISERS = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)
_TORCHS_OWN = frozenset(vars(nn.Module()))


class UnsavableError(Exception):
    """State that a checkpoint cannot hold, or that does not fit the model; the message says where it is."""


def _registered(model: nn.Module) -> dict[str, Any]:
    """Return modules, buffers and parameters by name: attributes may hold them once more."""
    return dict(model.named_modules()) | dict(model.named_buffers()) | dict(model.named_parameters())


def _attributes(module: nn.Module) -> dict[str, Any]:
    return {name: value for name, value in vars(module).items() if name not in _TORCHS_OWN}


def _fleeting(module: nn.Module) -> dict[str, Tensor]:
    """Return a module's own buffers that its `state_dict` leaves out."""
    names = module._non_persistent_buffers_set
    return {name: buffer for name, buffer in module._buffers.items() if name in names and buffer is not None}


def _slots(thing: Any) -> dict[str, Any]:
    """Return an object's attributes, those in slots too."""
    names = [name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ()) if name != "__weakref__"]
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)} | getattr(thing, "__dict__", {})


def _is_plain(thing: Any) -> bool:
    """Tell whether an object's class is written in Python from top to bottom: then it is what its attributes are."""
    kinds = [kind for kind in type(thing).__mro__ if kind is not object]
    written = 1 << 9  # set for classes that come of a class statement, not for most of those compiled
    attributes = hasattr(thing, "__dict__") or any("__slots__" in vars(kind) for kind in kinds)
    return attributes and all(kind.__flags__ & written for kind in kinds)


def _described(fixed: Any) -> str:
    if isinstance(fixed, functools.partial):
        return f"partial {_described(fixed.func)}"
    if isinstance(fixed, weakref.ref):
        return "weak reference"
    if isinstance(fixed, FUNCTIONS):
        line = getattr(getattr(fixed, "__code__", None), "co_firstlineno", "")
        return f"{getattr(fixed, '__module__', '')} {getattr(fixed, '__qualname__', repr(type(fixed)))} {line}".strip()
    return repr(fixed)


def _copied(tensor: Tensor) -> Tensor:
    return tensor.detach().to("cpu", copy=True)


class Writer:
    """Turns values into nodes; what comes twice is written once."""

    def __init__(self, model: nn.Module, *, sampling: bool = False, lenient: bool = False) -> None:
        self._sampling, self._lenient = sampling, lenient
        self._names = {id(thing): name for name, thing in _registered(model).items()}
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an identity is only unique while its owner lives

    def module(self, module: nn.Module, where: str) -> Node:
        parameters, parts = dict(module.named_parameters()), {}
        for path, part in module.named_modules():
            at = ".".join(filter(None, (where, path)))
            parts[path] = {
                "training": part.training,
                "buffers": {name: _copied(buffer) for name, buffer in _fleeting(part).items()},
                "attributes": {
                    name: self._attribute(value, ".".join(filter(None, (at, name))))
                    for name, value in _attributes(part).items()
                },
            }
        state = module.state_dict()
        return "module", {
            "tensors": {name: _copied(value) for name, value in state.items() if isinstance(value, Tensor)},
            "others": {name: self.node(v, f"{where}.{name}") for name, v in state.items() if not isinstance(v, Tensor)},
            "gradients": {
                name: _copied(each.grad)
                for name, each in parameters.items()
                if each.grad is not None and not self._sampling
            },
            "frozen": [name for name, each in parameters.items() if not each.requires_grad],
            "parts": parts,
        }

    def _attribute(self, value: Any, where: str) -> Node:
        mark = len(self._alive)
        try:
            return self.node(value, where)
        except UnsavableError:
            if not self._lenient:
                raise
            for seen in self._alive[mark:]:  # what was written of it is not
                del self._seen[id(seen)]
            del self._alive[mark:]
            return "skipped", None

    def node(self, value: Any, where: str) -> Node:
        if self._sampling and isinstance(value, OPTIMISERS):
            return "skipped", None
        if isinstance(value, FIXED):
            return "fixed", _described(value)
        if isinstance(value, SCALARS) and not isinstance(value, np.generic):
            return "value", value
        if id(value) in self._names:
            return "registered", self._names[id(value)]
        if id(value) in self._seen:
            return "again", self._seen[id(value)]
        self._seen[id(value)] = number = len(self._alive)
        self._alive.append(value)
        tag, content = self._first(value, where)
        return tag, (number, content)

    def _first(self, value: Any, where: str) -> Node:
        if isinstance(value, Tensor):
            gradient = value.grad if value.is_leaf and not self._sampling else None
            return "tensor", (_copied(value), None if gradient is None else _copied(gradient))
        if isinstance(value, np.ndarray | np.generic):
            if value.dtype.kind not in "biufc":
                raise UnsavableError(f"{where} is an array of {value.dtype}, which a checkpoint cannot hold")
            return "array" if isinstance(value, np.ndarray) else "scalar", torch.from_numpy(np.array(value))
        for tag, kind in GROUPS.items():
            if isinstance(value, kind):
                return tag, [self.node(item, f"{where}[{index}]") for index, item in enumerate(value)]
        if isinstance(value, dict):
            return "dict", [
                (self.node(key, where), self.node(item, f"{where}[{key!r}]")) for key, item in value.items()
            ]
        if isinstance(value, nn.Module):
            return self.module(value, where)
        if isinstance(value, torch.Generator):
            return "generator", value.get_state()
        if isinstance(value, np.random.Generator):
            return "numpy", self.node(value.bit_generator.state, where)
        if isinstance(value, np.random.RandomState):
            return "legacy", self.node(value.get_state(legacy=False), where)
        if isinstance(value, random.Random):
            return "python", self.node(value.getstate(), where)
        if callable(getattr(value, "state_dict", None)) and callable(getattr(value, "load_state_dict", None)):
            return "state", self.node(value.state_dict(), where)
        if _is_plain(value) and not hasattr(value, "__next__"):
            return "object", {name: self.node(item, f"{where}.{name}") for name, item in _slots(value).items()}
        raise UnsavableError(f"{where} is a {type(value).__name__}, which a checkpoint cannot hold")


class Reader:
    """Turns nodes into values again, in place of `current` wherever that can be."""

    def __init__(self, model: nn.Module) -> None:
        self._named = _registered(model)
        tensors = [each for each in self._named.values() if isinstance(each, Tensor)]
        self._storages = {each.untyped_storage().data_ptr() for each in tensors}
        self._done: dict[int, Any] = {}

    def module(self, module: nn.Module, content: dict[str, Any]) -> None:
        others = {name: self.value(node, None) for name, node in content["others"].items()}
        module.load_state_dict(content["tensors"] | others)
        for name, parameter in module.named_parameters():
            parameter.requires_grad_(name not in content["frozen"])
            gradient = content["gradients"].get(name)
            parameter.grad = None if gradient is None else gradient.to(parameter.device, copy=True)
        for path, part in module.named_modules():
            saved = content["parts"][path]
            part.training = saved["training"]
            for name, buffer in _fleeting(part).items():
                buffer.copy_(saved["buffers"][name])
            self._attributes(part, _attributes(part), saved["attributes"])

    def _attributes(self, owner: Any, current: dict[str, Any], saved: dict[str, Node]) -> None:
        for name in current.keys() - saved.keys():
            object.__delattr__(owner, name)
        for name, node in saved.items():
            before = current.get(name)
            value = self.value(node, before)
            if value is not before:
                object.__setattr__(owner, name, value)  # a frozen dataclass has no other way

    def value(self, node: Node, current: Any) -> Any:
        tag, content = node
        if tag == "value":
            return content
        if tag == "skipped":
            return current
        if tag == "fixed":
            if _described(current) != content:
                raise ValueError(f"{content} has become {_described(current)}")
            return current
        if tag == "registered":
            return self._named[content]
        if tag == "again":
            return self._done[content]
        number, content = content
        if tag in ("list", "deque", "set", "dict"):
            kind = dict if tag == "dict" else GROUPS[tag]
            current = current if isinstance(current, kind) else kind()
        self._done[number] = current  # what leads back to itself finds it here
        self._done[number] = found = self._filled(tag, content, current)
        return found

    def _filled(self, tag: str, content: Any, current: Any) -> Any:
        if tag == "tensor":
            saved, gradient = content
            tensor = self._tensor(saved, current)
            if gradient is not None:
                tensor.grad = gradient.to(tensor.device, copy=True)
            return tensor
        if tag in ("array", "scalar"):
            array = content.numpy()
            if tag == "scalar" or not isinstance(current, np.ndarray) or current.shape != array.shape:
                return array[()] if tag == "scalar" else array.copy()
            current[...] = array
        elif tag in GROUPS:
            before = list(current) if isinstance(current, list | tuple | deque) else []
            before += [None] * (len(content) - len(before))
            items = [self.value(node, old) for node, old in zip(content, before, strict=False)]
            if tag == "tuple":
                return getattr(type(current), "_make", tuple)(items)
            current.clear()
            (current.update if tag == "set" else current.extend)(items)
        elif tag == "dict":
            keys = [self.value(key, None) for key, _ in content]
            values = {key: self.value(node, current.get(key)) for key, (_, node) in zip(keys, content, strict=True)}
            current.clear()
            current.update(values)
        elif current is None:
            raise ValueError(f"there is no {tag} to put a saved one's state into")
        elif tag == "module":
            self.module(current, content)
        elif tag == "object":
            self._attributes(current, _slots(current), content)
        elif tag == "generator":
            current.set_state(content)
        elif tag == "numpy":
            current.bit_generator.state = self.value(content, None)
        elif tag == "legacy":
            current.set_state(self.value(content, None))
        elif tag == "python":
            current.setstate(self.value(content, None))
        else:
            current.load_state_dict(self.value(content, None))
        return current

    @torch.no_grad()
    def _tensor(self, saved: Tensor, current: Any) -> Tensor:
        if not isinstance(current, Tensor):
            return saved.clone()
        if current.shape != saved.shape or current.dtype != saved.dtype:
            return saved.to(current.device, copy=True)
        # A view of a parameter says what the parameter says; one that says something else was made of it since, as
        # spectral normalisation does, and must not be written through.
        if current.untyped_storage().data_ptr() in self._storages:
            saved = saved.to(current.device, copy=True)
            return current if torch.equal(current, saved) else saved
        return current.copy_(saved)

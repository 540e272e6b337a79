"""What a value is to a checkpoint: plain, constant, a generator, or an object that is its attributes."""

from __future__ import annotations

import enum
import functools
import logging
import pathlib
import random
import re
import types
import weakref
from collections import OrderedDict, deque
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.hooks import RemovableHandle

VALUES = frozenset({type(None), bool, int, float, str, bytes, complex, torch.dtype, torch.Size})
"""What ``torch.load(weights_only=True)`` reads back as it is."""
CONTAINERS = {kind.__name__: kind for kind in (dict, list, tuple, set, frozenset, deque, OrderedDict)}
OPTIMISERS = (torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)
FUNCTIONS = (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType, functools.partial)
SHOWN = (enum.Enum, pathlib.PurePath, re.Pattern, range, slice, torch.layout, torch.memory_format)
OPAQUE = (types.ModuleType, logging.Logger, weakref.ref, torch.device, RemovableHandle)
GENERATORS: dict[type, tuple[Any, Any]] = {
    torch.Generator: (torch.Generator.get_state, torch.Generator.set_state),
    np.random.Generator: (lambda it: it.bit_generator.state, lambda it, to: setattr(it.bit_generator, "state", to)),
    np.random.RandomState: (lambda it: it.get_state(legacy=False), np.random.RandomState.set_state),
    random.Random: (random.Random.getstate, random.Random.setstate),
}
_TYPING = "__orig_class__"
"""An attribute of what was made by a name such as ``Counter[str]``; it says nothing of the object."""
_OF_EVERY_MODULE = (frozenset(vars(nn.Module())) | {_TYPING}) - {"training"}


def constant(value: Any) -> str | None:
    """Return what tells a constant from others, such as a function's name; None for what is no constant."""
    if isinstance(value, FUNCTIONS):
        function = getattr(value, "func", value)  # of a partial
        line = getattr(getattr(function, "__code__", None), "co_firstlineno", "")
        return f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', '')} {line}".strip()
    if isinstance(value, SHOWN):
        return repr(value)
    return type(value).__name__ if isinstance(value, OPAQUE) else None


def accessors(thing: Any) -> tuple[Any, Any] | None:
    """Return the functions that get and set the state of what has such functions."""
    for kind, pair in GENERATORS.items():
        if isinstance(thing, kind):
            return pair
    if isinstance(thing, nn.Module) or not callable(getattr(thing, "load_state_dict", None)):
        return None
    return (lambda it: it.state_dict()), (lambda it, to: it.load_state_dict(to))


def is_container(thing: Any) -> bool:
    """Tell whether an object is what it contains; one that has attributes besides is not."""
    return isinstance(thing, tuple(CONTAINERS.values())) and not {*getattr(thing, "__dict__", ())} - {_TYPING}


def is_attributes(thing: Any) -> bool:
    """Tell whether an object is its attributes and nothing else: modules are, and what pickle would take for that."""
    if isinstance(thing, nn.Module):
        return True
    try:
        how = thing.__reduce_ex__(2)  # raises for what keeps more than attributes: locks, files, extensions' objects
    except Exception:  # an author's __getstate__ may raise anything
        return False
    made = isinstance(how, tuple) and getattr(how[0], "__name__", "") == "__newobj__" and how[1] == (type(thing),)
    return made and how[3:] == (None, None) and type(thing) is not object


def attributes(thing: Any) -> dict[str, Any]:
    """Return an object's attributes. A module's parameters, buffers and children come first: others may hold them."""
    if isinstance(thing, nn.Module):
        own: dict[str, Any] = dict(thing.named_parameters(recurse=False, remove_duplicate=False))
        own |= dict(thing.named_buffers(recurse=False, remove_duplicate=False)) | dict(thing.named_children())
        return own | {name: value for name, value in vars(thing).items() if name not in _OF_EVERY_MODULE}
    state = object.__getstate__(thing)
    usual, slots = state if isinstance(state, tuple) else (state, None)
    return {name: value for name, value in {**(usual or {}), **(slots or {})}.items() if name != _TYPING}

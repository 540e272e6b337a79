"""Search spaces of hyper-parameters, declared beside the fields of a model's `Config`, for `ganbench tune`.

    lr: Annotated[float, ganbench.LogUniform(1e-4, 1e-2)] = 1e-3

A class that inherits a `Config` and gives a field another default keeps the field's space; it declares another one by
another annotation. A field without a space is never tuned.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, get_type_hints

from ganbench.errors import RequestError

Value = float | int | bool | str


@dataclasses.dataclass(frozen=True)
class Uniform:
    """Numbers between `low` and `high`; whole ones, both ends included, where the field is an int."""

    low: float
    high: float

    def __contains__(self, value: object) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high

    def check(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"{self}: low must be smaller than high, and both finite")


@dataclasses.dataclass(frozen=True)
class LogUniform(Uniform):
    """Positive numbers between `low` and `high`, uniform in their logarithm."""

    def check(self) -> None:
        super().check()
        if self.low <= 0:
            raise ValueError(f"{self}: low must be positive")


@dataclasses.dataclass(frozen=True, init=False)
class Choice:
    """One of several values: numbers, booleans or text."""

    values: tuple[Value, ...]

    def __init__(self, *values: Value) -> None:
        object.__setattr__(self, "values", values)

    def __contains__(self, value: object) -> bool:
        return value in self.values

    def check(self) -> None:
        if len(set(self.values)) < 2 or not all(isinstance(value, Value) for value in self.values):
            raise ValueError(f"{self}: name at least two values, each a number, a boolean or text")


Space = Uniform | Choice
"""What a field may be tuned over."""


def search_space(config: type[Any]) -> dict[str, Space]:
    """Return the spaces of a `Config`'s fields by name, in the order of the fields.

    Raises `RequestError`, which names the field, where a space is empty or does not hold the field's default.
    """
    found: dict[str, Space] = {}
    for field in dataclasses.fields(config):
        space = _declared(config, field.name)
        if space is None:
            continue
        try:
            space.check()
        except ValueError as error:
            raise RequestError(f"search space of {field.name!r}: {error}") from error
        if field.default is not dataclasses.MISSING and field.default not in space:
            raise RequestError(f"search space of {field.name!r}: its default {field.default!r} is not in {space}")
        found[field.name] = space
    return found


def _declared(config: type[Any], name: str) -> Space | None:
    """Return the space that the first class with one declares for a field, looking from `config` upwards."""
    for kind in config.__mro__:
        if name in kind.__dict__.get("__annotations__", {}):
            hint = get_type_hints(kind, include_extras=True)[name]
            spaces = [item for item in getattr(hint, "__metadata__", ()) if isinstance(item, Space)]
            if spaces:
                return spaces[0]
    return None

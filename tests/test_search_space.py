"""Search spaces beside the fields of a `Config`: which one a field has, and which are refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

import ganbench
from ganbench.search_space import search_space


@dataclass(frozen=True)
class Base:
    batch_size: Annotated[int, ganbench.Choice(16, 32)] = 32
    lr: Annotated[float, ganbench.LogUniform(1e-4, 1e-2)] = 1e-3
    width: int = 24


@dataclass(frozen=True)
class Heir(Base):
    lr: float = 2e-3
    width: Annotated[int, ganbench.Uniform(8, 64)] = 16


def test_a_field_has_the_space_of_its_annotation_or_of_the_class_that_it_is_inherited_from() -> None:
    spaces = {"batch_size": ganbench.Choice(16, 32), "lr": ganbench.LogUniform(1e-4, 1e-2)}
    assert search_space(Base) == spaces
    assert search_space(Heir) == spaces | {"width": ganbench.Uniform(8, 64)}


@pytest.mark.parametrize(
    ("space", "default", "message"),
    [
        (ganbench.LogUniform(1e-4, 1e-2), 1.0, "'x': its default 1.0 is not in LogUniform"),
        (ganbench.Choice(1, 2), 3, "'x': its default 3 is not in Choice"),
        (ganbench.LogUniform(0.0, 1.0), 0.5, "'x': LogUniform.*: low must be positive"),
        (ganbench.Uniform(2.0, 1.0), 1.5, "'x': Uniform.*: low must be smaller than high"),
        (ganbench.Uniform(0.0, float("inf")), 1.5, "both finite"),
        (ganbench.Choice(1), 1, "'x': Choice.*: name at least two values"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(space: Any, default: Any, message: str) -> None:
    config = dataclass(frozen=True)(type("Config", (), {"__annotations__": {"x": Annotated[Any, space]}, "x": default}))
    with pytest.raises(ganbench.RequestError, match=message):
        search_space(config)

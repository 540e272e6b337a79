"""What a plugin registers must be what its kind asks for; what is wrong is one line."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench.errors import RequestError
from ganbench.model import Model
from ganbench.registry.builtins import discover
from ganbench.registry.item_checks import checked
from ganbench.registry.registry import Registry


def model(config: type | None = None, **attributes: Any) -> type[Model]:
    more = attributes | ({} if config is None else {"Config": config})
    return type("Made", (Model,), {"name": "made", **more})


class Plain:
    lr = 1e-3


@dataclass
class Thawed:
    lr: float = 1e-3


@dataclass(frozen=True)
class Needy:
    lr: float


class Undecorated(Model.Config):
    lr: float = 1e-3


@dataclass(frozen=True)
class Hidden:
    lr: float = field(default=1.0, init=False)


@dataclass(frozen=True)
class Picky:
    lr: float = -1.0

    def __post_init__(self) -> None:
        if self.lr < 0:
            raise ValueError("lr is below 0")


@dataclass(frozen=True)
class Numbers:
    dtype: torch.dtype = torch.float32


@dataclass(frozen=True)
class Folder:
    folder: Path = Path("x")


@dataclass(frozen=True)
class Endless:
    limits: tuple[float, ...] = (1.0, float("inf"))


@dataclass(frozen=True)
class Unresolved:
    kind: "NoSuchType" = None  # type: ignore[name-defined]  # noqa: F821, UP037


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (Plain, "put @dataclass(frozen=True) above it"), (Thawed, "put @dataclass(frozen=True) above it"),
        (Undecorated, "put @dataclass(frozen=True) above it"), (Needy, "no default for 'lr'"), (Hidden, "'lr' cannot"),
        (Picky, "lr is below 0"), (Numbers, "dtype=torch.float32 cannot be saved"), (Folder, "folder=PosixPath('x')"),
        (Endless, "limits=(1.0, inf)"), (Unresolved, "'NoSuchType' is not defined"),
    ],
)  # fmt: skip
def test_a_config_that_no_run_could_have_is_refused(config: type, said: str) -> None:
    with pytest.raises(RequestError) as refusal:
        checked("models", model(config))
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


@dataclass(frozen=True)
class Rich(Model.Config):
    sizes: tuple[int, ...] = (1, 2)
    limit: int | None = None
    table: dict[str, float] = field(default_factory=dict)
    inner: Model.Config = Model.Config()


class Renamed(Rich):
    """No fields of its own: nothing to decorate."""


@pytest.mark.parametrize("config", [None, Rich, Renamed, dataclasses.make_dataclass("Empty", [], frozen=True)])
def test_a_config_that_can_be_saved_is_taken(config: type | None) -> None:
    assert checked("models", made := model(config)) is made


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("family", None), ("version", 2), ("paper", ["arXiv:1"]), ("homepage", 3), ("homepage", "javascript:alert(1)"),
        ("homepage", "https://x.org/ y"), ("homepage", "www.x.org"), ("requires", "hmmlearn"), ("assets", "w.pt"),
        ("assets", (Path("w.pt"),)), ("conditional", "yes"), ("autocast", None),
    ],
)  # fmt: skip
def test_attributes_are_of_their_types(attribute: str, value: Any) -> None:
    with pytest.raises(RequestError, match=f"^class Made: {attribute} = "):
        checked("models", model(**{attribute: value}))


def test_attributes_as_documented_are_taken() -> None:
    made = model(homepage="https://x.org/a?b=c", assets=("w.pt", "data/t.npy"), requires=("hmmlearn",), version="2b")
    assert checked("models", made) is made


@pytest.mark.parametrize("kind", ["datasets", "extractors", "metrics", "tracks"])
def test_a_thing_of_another_kind_is_refused(kind: str, registry: Registry) -> None:
    others = [
        registry.all(other)[0].thing for other in ("models", "datasets", "metrics", "extractors") if other != kind
    ]
    for thing in (*others, None, object()):
        with pytest.raises(RequestError, match="is not "):
            checked(kind, thing)


def test_a_role_does_nothing() -> None:
    # It once made the harness hand the held-out images over.
    assert not hasattr(Model, "role")
    cheat = model(role="ceiling")
    assert checked("models", cheat) is cheat
    assert not [entry.name for entry in discover().all("models") if hasattr(entry.thing, "role")]

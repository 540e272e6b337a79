"""Hyper-parameters from outside: grammar, types, names, labels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from ganbench.errors import RequestError
from ganbench.model import Model
from ganbench.training.hyperparameters import config_values, label_of, make_config, split_plugins, split_settings


class Knobs(Model):
    name = "knobs"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 64
        lr: float = 2e-4
        fast: bool = False
        kind: Literal["small", "large"] = "small"
        title: str = "plain"
        layers: tuple[int, ...] = (8, 8)
        limit: int | None = None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("vae", [("vae", {})]),
        (" vae , dcgan ", [("vae", {}), ("dcgan", {})]),
        ("vae,vae[latent_dim=64]", [("vae", {}), ("vae", {"latent_dim": "64"})]),
        ("vae[latent_dim=64, beta=4],x", [("vae", {"latent_dim": "64", "beta": "4"}), ("x", {})]),
        ("vae[]", [("vae", {})]),
        ("./my.py:Tiny[lr=1],/a/b.py:C", [("./my.py:Tiny", {"lr": "1"}), ("/a/b.py:C", {})]),
        ("knobs[title=a=b]", [("knobs", {"title": "a=b"})]),
        ("knobs[layers=[1,2],lr=1],x", [("knobs", {"layers": "[1,2]", "lr": "1"}), ("x", {})]),
    ],
)
def test_plugins_and_their_variants(text: str, found: list[tuple[str, dict[str, str]]]) -> None:
    assert split_plugins(text) == found


@pytest.mark.parametrize(
    "text", ["", " ", ",", "vae,", "vae[beta]", "vae[=4]", "vae[beta=4", "vae]", "[beta=4]", "vae[a=1]x"]
)
def test_malformed_plugins_are_explained(text: str) -> None:
    with pytest.raises(RequestError, match="^--plugins ") as refusal:
        split_plugins(text)
    assert "\n" not in str(refusal.value)


def test_settings_name_model_parameter_and_value() -> None:
    assert split_settings(("dcgan.lr=1e-4", "my.model.x = a.b=c ")) == [
        ("dcgan", "lr", "1e-4"),
        ("my.model", "x", "a.b=c"),
    ]
    for text in ("lr=1", "dcgan.lr", "=3", ""):
        with pytest.raises(RequestError, match="^--set "):
            split_settings((text,))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("batch_size", "32", 32), ("lr", "1e-3", 1e-3), ("lr", "1", 1.0), ("fast", "true", True), ("fast", "0", False),
        ("kind", "large", "large"), ("title", "12", "12"), ("layers", "[1,2,3]", (1, 2, 3)), ("layers", [4], (4,)),
        ("limit", "5", 5), ("limit", "null", None),
    ],
)  # fmt: skip
def test_text_becomes_the_parameters_type(name: str, text: Any, value: Any) -> None:
    found = getattr(make_config(Knobs, {name: text}), name)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("batch_size", "many", "int"), ("batch_size", "1.5", "int"), ("lr", "fast", "float"), ("fast", "maybe", "bool"),
        ("kind", "huge", "'small' or 'large'"), ("layers", "[1,x]", "tuple"), ("limit", "x", "int"),
        ("lr", "nan", "lr"), ("lr", "inf", "lr"),  # JSON, and so a record, has no such numbers
    ],
)  # fmt: skip
def test_another_type_is_refused(name: str, text: str, said: str) -> None:
    with pytest.raises(RequestError, match=f"^model 'knobs': {name}={text!r}".replace("[", r"\[")) as refusal:
        make_config(Knobs, {name: text})
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_an_unknown_parameter_is_answered_with_the_nearest() -> None:
    with pytest.raises(RequestError, match=r"'knobs' has no parameter 'batchsize' \(did you mean 'batch_size'\?\)"):
        make_config(Knobs, {"batchsize": "3"})


class Picky(Model):
    name = "picky"

    @dataclass(frozen=True)
    class Config:
        needed: int
        batch_size: int = 1

        def __post_init__(self) -> None:
            if self.needed < 0:
                raise ValueError("needed is below 0")


def test_what_the_config_itself_refuses_is_told() -> None:
    with pytest.raises(RequestError, match="'picky'.*needed is below 0"):
        make_config(Picky, {"needed": "-1"})
    with pytest.raises(RequestError, match="'picky'.*needed"):
        make_config(Picky, {})
    assert label_of(Picky, make_config(Picky, {"needed": 1})) == "picky[needed=1,batch_size=1]"


class Shy(Model):
    name = "shy"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 64
        where: Any = None
        parts: tuple[float, ...] = (0.5,)
        inner: Knobs.Config = field(default_factory=Knobs.Config)


LOOP: list[Any] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    "value", [torch.float32, Path("x"), {1, 2}, 1j, b"bytes", object, float("nan"), [float("inf")], LOOP, {(1, 2): 3}],
    ids=["dtype", "path", "set", "complex", "bytes", "class", "nan", "inf", "loop", "key"],
)  # fmt: skip
def test_a_value_that_json_cannot_hold_is_refused_by_name(value: Any) -> None:
    for refused in (lambda: make_config(Shy, {"where": value}), lambda: config_values(Shy.Config(where=value))):
        with pytest.raises(RequestError, match="where=") as refusal:
            refused()
        assert "\n" not in str(refusal.value)
    with pytest.raises(RequestError, match="^model 'shy': "):
        make_config(Shy, {"where": value})
    with pytest.raises(RequestError, match="where="):
        label_of(Shy, Shy.Config(where=value))


@pytest.mark.parametrize("text", ["[NaN]", "[1, Infinity]", "[1e999]"])
def test_numbers_within_lists_are_finite_too(text: str) -> None:
    with pytest.raises(RequestError, match="^model 'shy': parts="):
        make_config(Shy, {"parts": text})


def test_a_dataclass_within_a_config_is_saved_and_read_back() -> None:
    config = make_config(Shy, {"inner": Knobs.Config(layers=(1, 2)), "parts": "[1, 2]"})
    values = config_values(config)
    assert (values["inner"]["layers"], values["parts"]) == ([1, 2], [1.0, 2.0])
    assert make_config(Shy, values) == config


class Loose(Model):
    name = "loose"

    class Config:
        batch_size = 3


def test_a_config_must_be_a_dataclass() -> None:
    with pytest.raises(RequestError, match="'loose'.*@dataclass"):
        make_config(Loose, {})


@pytest.mark.parametrize(
    ("settings", "label"),
    [
        ({}, "knobs"), ({"lr": "2e-4"}, "knobs"), ({"lr": "1e-4"}, "knobs[lr=0.0001]"),
        ({"kind": "large", "batch_size": 8}, "knobs[batch_size=8,kind=large]"),
        ({"layers": "[1,2]", "fast": "yes"}, "knobs[fast=true,layers=[1, 2]]"), ({"limit": "0"}, "knobs[limit=0]"),
    ],
)  # fmt: skip
def test_a_label_says_what_differs_from_the_defaults(settings: dict[str, Any], label: str) -> None:
    config = make_config(Knobs, settings)
    assert label_of(Knobs, config) == label
    assert make_config(Knobs, config_values(config)) == config

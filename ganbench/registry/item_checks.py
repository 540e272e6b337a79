"""Whether a thing that a plugin registers is what its kind asks for; what is wrong is said in one line."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_type_hints

from ganbench.errors import RequestError
from ganbench.util.resources import resources_of
from ganbench.util.text import error_line, one_line

KINDS = {
    "models": "model", "datasets": "data set", "extractors": "extractor", "metrics": "metric", "tracks": "track",
    "engines": "engine",
}  # fmt: skip
"""The kinds of things that plugins register, and what one of them is called in messages."""
RESERVED = ("real", "noise", "replay")
"""Names of the baselines, whose samples the scoring side makes: no model may have them."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOMEPAGE = re.compile(r"(https?://[^\s\"'<>]+)?")


def checked(kind: str, thing: Any) -> Any:
    """Return what is registered for `thing`: the track for a path, else itself. Raises `RequestError`."""
    if kind == "tracks":
        from ganbench.tracks.track import read_track

        if not isinstance(thing, str | Path):
            raise RequestError(f"{thing!r} is not the path of a track's .toml file")
        thing = read_track(Path(thing))
    elif kind == "models":
        _check_model(thing)
    else:
        wanted = _class_of(kind)
        if not isinstance(thing, wanted):
            raise RequestError(f"{thing!r} is not a {wanted.__module__}.{wanted.__qualname__}")
    if not isinstance(thing.name, str) or not NAME.fullmatch(thing.name):
        raise RequestError(f"{KINDS[kind]} name {thing.name!r}: use letters, digits, '.', '_' and '-'")
    if kind == "models":
        if thing.name.lower() in RESERVED:
            raise RequestError(f"model name {thing.name!r} is reserved for a baseline of every board: choose another")
        check_config(thing)
    return thing


def _class_of(kind: str) -> type:
    if kind == "datasets":
        from ganbench.data.dataset import DataSource

        return DataSource
    if kind == "extractors":
        from ganbench.extractors.base import ExtractorSource

        return ExtractorSource
    if kind == "engines":
        from ganbench.engine import EngineSource

        return EngineSource
    from ganbench.metric import Metric

    return Metric


def _check_model(thing: Any) -> None:
    from ganbench.model import Model

    if not (isinstance(thing, type) and issubclass(thing, Model)):
        raise RequestError(f"{thing!r} is not a subclass of ganbench.Model")
    where = f"class {thing.__qualname__}"
    if not isinstance(getattr(thing, "name", None), str):
        raise RequestError(f'{where} has no name: give it `name = "..."`')
    for attribute in ("family", "version", "paper", "homepage"):
        if not isinstance(value := getattr(thing, attribute), str):
            raise RequestError(f"{where}: {attribute} = {value!r}: write it as text, in quotes")
    if not _HOMEPAGE.fullmatch(thing.homepage):
        raise RequestError(f"{where}: homepage = {thing.homepage!r}: write an address that begins with https://")
    for attribute in ("requires", "assets"):
        value = getattr(thing, attribute)
        if not (isinstance(value, tuple | list) and all(isinstance(item, str) for item in value)):
            raise RequestError(f'{where}: {attribute} = {value!r}: write a tuple of texts, such as ("weights.pt",)')
    if not isinstance(thing.resources, Mapping):
        raise RequestError(f'{where}: resources = {thing.resources!r}: write a dict, such as {{"cpus": 2}}')
    resources_of(thing.resources, f"{where}: resources")
    for attribute in ("conditional", "autocast"):
        if not isinstance(value := getattr(thing, attribute), bool):
            raise RequestError(f"{where}: {attribute} = {value!r}: write True or False")


def check_config(model: Any) -> None:
    """Raise `RequestError` unless a model's `Config` is a frozen dataclass of typed defaults that JSON can hold."""
    config, where = model.Config, f"model {model.name!r}: its Config"
    frozen = isinstance(config, type) and dataclasses.is_dataclass(config) and _is_frozen(config)
    if not frozen:
        raise RequestError(f"{where} is not a frozen dataclass: put @dataclass(frozen=True) above it")
    for field in dataclasses.fields(config):
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RequestError(f"{where} has no default for {field.name!r}: give every field one")
        if not field.init:
            raise RequestError(f"{where}: field {field.name!r} cannot be set: leave out init=False")
    try:
        get_type_hints(config)
        defaults = config()
    except NameError as error:
        raise RequestError(f"{where} has a type that cannot be resolved ({error})") from error
    except Exception as error:  # its __post_init__ may raise anything
        raise RequestError(f"{where} cannot be made from its defaults ({error_line(error)})") from error
    for field in dataclasses.fields(config):
        try:
            json_value(field.name, getattr(defaults, field.name))
        except RequestError as error:
            raise RequestError(f"{where}: {error}") from error


def _is_frozen(config: type) -> bool:
    # An undecorated subclass of a frozen dataclass passes for one, though its own annotations are no fields.
    own = "__dataclass_params__" in vars(config) or not vars(config).get("__annotations__")
    return own and bool(config.__dataclass_params__.frozen)  # type: ignore[attr-defined]


def json_value(field: str, value: Any) -> Any:
    """Return a hyper-parameter as JSON values; raise `RequestError`, which names the field, where JSON has none."""
    try:
        return json.loads(json.dumps(value, allow_nan=False, default=_fields))
    except (TypeError, ValueError, RecursionError) as error:
        raise RequestError(
            f"{field}={one_line(repr(value), 80)} cannot be saved as JSON: use finite numbers, text, True or False,"
            " None, or lists of them"
        ) from error


def _fields(value: Any) -> dict[str, Any]:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__qualname__} is no JSON value")

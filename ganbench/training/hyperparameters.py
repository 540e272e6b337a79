"""Hyper-parameters from outside: ``--plugins "vae,vae[latent_dim=64]"`` and ``--set dcgan.lr=1e-4``."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import TYPE_CHECKING, Any, get_type_hints

from ganbench.errors import RequestError, did_you_mean
from ganbench.registry.item_checks import json_value

if TYPE_CHECKING:
    from ganbench.model import Model

_VARIANT = re.compile(r"(?P<name>[^\[\]]+?)\s*(?:\[(?P<settings>.*)\])?")


def split_plugins(text: str) -> list[tuple[str, dict[str, str]]]:
    """Split ``vae,vae[latent_dim=64,beta=4]`` into names and settings; commas within brackets do not separate."""
    parts = [part.strip() for part in _outside_brackets(text)]
    if not text.strip() or not all(parts):
        raise RequestError(
            f"--plugins {text!r}: name at least one model, separated by commas; `ganbench plugins` lists them"
        )
    found = []
    for part in parts:
        match = _VARIANT.fullmatch(part)
        if match is None:
            raise RequestError(f"--plugins {part!r}: write name or name[parameter=value,...]")
        items = [item for item in _outside_brackets(match["settings"] or "") if item.strip()]
        settings = [_assignment(item, f"--plugins {part!r}") for item in items]
        found.append((match["name"], dict(settings)))
    return found


def _outside_brackets(text: str) -> list[str]:
    """Split at the commas that stand within no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += {"[": 1, "]": -1}.get(character, 0)
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def split_settings(settings: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Split each ``model.parameter=value`` of ``--set``."""
    found = []
    for text in settings:
        target, value = _assignment(text, f"--set {text!r}")
        model, dot, parameter = target.rpartition(".")
        if not dot:
            raise RequestError(f"--set {text!r}: write model.parameter=value, such as dcgan.lr=1e-4")
        found.append((model, parameter, value))
    return found


def _assignment(text: str, where: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise RequestError(f"{where}: {text.strip()!r} is not parameter=value")
    return name.strip(), value.strip()


def make_config(model: type[Model], settings: dict[str, Any]) -> Any:
    """Return the model's `Config` with `settings` (text or values) checked against its types.

    Raises `RequestError`, which names model and parameter, also where a value cannot be saved as JSON.
    """
    from pydantic import TypeAdapter, ValidationError

    if not dataclasses.is_dataclass(model.Config):
        raise RequestError(f"model {model.name!r}: its Config is not a dataclass: put @dataclass(frozen=True) above it")
    try:
        hints = get_type_hints(model.Config)
    except NameError as error:
        raise RequestError(f"model {model.name!r}: a type in its Config cannot be resolved ({error})") from error
    names = [field.name for field in dataclasses.fields(model.Config)]
    values = {}
    for name, value in settings.items():
        if name not in names:
            raise RequestError(f"model {model.name!r} has no parameter {name!r}{did_you_mean(name, names)}")
        adapter = TypeAdapter(hints[name])
        try:
            values[name] = adapter.validate_python(value)
        except ValidationError as error:
            try:
                values[name] = adapter.validate_json(value)  # lists and tuples: [64, 128]
            except (ValidationError, TypeError):
                hint = getattr(hints[name], "__name__", None) or str(hints[name])
                message = error.errors()[0]["msg"]
                raise RequestError(
                    f"model {model.name!r}: {name}={value!r} is not of type {hint} ({message})"
                ) from error
        if isinstance(values[name], float) and not math.isfinite(values[name]):
            raise RequestError(f"model {model.name!r}: {name}={value!r} is not a finite number")
    try:
        config = model.Config(**values)
    except (TypeError, ValueError) as error:
        raise RequestError(f"model {model.name!r}: {error}") from error
    try:
        config_values(config)
    except RequestError as error:
        raise RequestError(f"model {model.name!r}: {error}") from error
    return config


def label_of(model: type[Model], config: Any) -> str:
    """Return the name and, in brackets, every hyper-parameter that differs from its default."""
    try:
        default = model.Config()
    except TypeError:  # a hyper-parameter has no default
        default = None
    changed = [
        f"{field.name}={_plain(field.name, getattr(config, field.name))}"
        for field in dataclasses.fields(config)
        if default is None or getattr(config, field.name) != getattr(default, field.name)
    ]
    return f"{model.name}[{','.join(changed)}]" if changed else model.name


def _plain(name: str, value: Any) -> str:
    value = json_value(name, value)
    return value if isinstance(value, str) else json.dumps(value)


def config_values(config: Any) -> dict[str, Any]:
    """Return the hyper-parameters as JSON values; raise `RequestError`, which names the one that JSON cannot hold."""
    return {field.name: json_value(field.name, getattr(config, field.name)) for field in dataclasses.fields(config)}

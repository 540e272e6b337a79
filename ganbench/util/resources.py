"""What a run needs of a node of a cluster: cores, GPUs and memory."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from pydantic import ByteSize, TypeAdapter, ValidationError

from ganbench.errors import RequestError, did_you_mean


@dataclass(frozen=True)
class Resources:
    """Cores, GPUs (0.25: four runs share one) and bytes of memory; None where nothing is said."""

    cpus: float | None = None
    gpus: float | None = None
    memory: int | None = None

    def over(self, others: Resources) -> Resources:
        """Return these, with what others say where these say nothing."""
        said = {field.name: value for field in fields(self) if (value := getattr(self, field.name)) is not None}
        return replace(others, **said)


def resources_of(values: Mapping[str, Any], where: str) -> Resources:
    """Return what a mapping such as ``{"cpus": 2, "gpus": 0.25, "memory": "8GiB"}`` asks for.

    Raises `RequestError`, which begins with `where`.
    """
    known = [field.name for field in fields(Resources)]
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            raise RequestError(f"{where}: unknown resource {name!r}{did_you_mean(name, known)}")
        read[name] = _memory(value, where) if name == "memory" else _count(name, value, where)
    return Resources(**read)


def _count(name: str, value: Any, where: str) -> float:
    least = {"cpus": 1.0, "gpus": 0.0}[name]
    try:
        count = float(value)
    except (TypeError, ValueError):
        count = math.nan
    whole = count == int(count) if math.isfinite(count) else False
    if not (math.isfinite(count) and count >= least and (whole or (name == "gpus" and count < 1))):
        example = "a whole number, at least 1" if name == "cpus" else "a whole number, or a share such as 0.25"
        raise RequestError(f"{where}: {name}={value}: write {example}")
    return count


def _memory(value: Any, where: str) -> int:
    try:
        size = int(TypeAdapter(ByteSize).validate_python(value))
    except ValidationError:
        size = 0
    if size < 2**20:
        raise RequestError(f"{where}: memory={value}: write a size such as 8GiB or 6000MB")
    return size


def read_resources(text: str | None) -> Resources:
    """Read ``--per-run cpus=2,gpus=0.25,memory=8GiB``; None asks for nothing."""
    values: dict[str, str] = {}
    for part in (text or "").split(",") if text is not None else []:
        name, equals, value = part.strip().partition("=")
        if not equals or not value:
            raise RequestError(f"--per-run {text!r}: write cpus=2,gpus=0.25,memory=8GiB, or some of these")
        values[name] = value
    return resources_of(values, f"--per-run {text!r}")

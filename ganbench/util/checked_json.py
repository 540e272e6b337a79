"""JSON files that carry the checksum of their own content, so that damage and careless edits are noticed.

The checksum is a plain SHA-256 and no signature: whoever wants to forge a file can compute it anew. What a record says
of itself is checked against its key when a board is made (`ganbench.boards.checks`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ganbench.errors import RequestError

M = TypeVar("M", bound=BaseModel)
_SCHEMA = re.compile(rb' "schema": ([0-9]{1,9}),?\n')
"""How the first line after the checksum reads, where `schema` is the first key."""
_HEAD, _TAIL = b'{"checksum": "', b'",\n'
_LENGTH = len(_HEAD) + 64 + len(_TAIL)


def encode(content: dict[str, Any]) -> bytes:
    """Return a JSON object whose first line holds the SHA-256 of all lines after it."""
    body = json.dumps(content, indent=1, allow_nan=False)[1:].lstrip("\n").encode() + b"\n"
    return _HEAD + hashlib.sha256(body).hexdigest().encode() + _TAIL + body


def read_raw(path: str, what: str) -> bytes | None:
    """Return the content of a file, None where there is none; raise `RequestError` where it cannot be read."""
    try:
        with open(path, "rb", buffering=0) as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise RequestError(f"{what} {path}: cannot be read ({os.strerror(error.errno or 0)})") from error


def decode(path: Path, model: type[M], what: str, schema: int) -> M:
    """Read a file that `encode` made; raise `RequestError`, which names the file, where it is damaged or foreign."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RequestError(f"{what} {path}: cannot be read ({error.strerror})") from error
    return decode_bytes(raw, path, model, what, schema)


def decode_bytes(raw: bytes, path: str | Path, model: type[M], what: str, schema: int) -> M:
    """Do what `decode` does with the content of a file that was read already; errors name it by its `path`."""
    found = _schema(raw)
    if found is None:
        raise RequestError(f"{what} {path}: damaged, or not a file of ganbench")
    if found != schema:
        raise RequestError(
            f"{what} {path}: has schema {str(found)[:20]!r}, and this version of ganbench reads {schema}"
        )
    if raw[:_LENGTH] != _HEAD + hashlib.sha256(raw[_LENGTH:]).hexdigest().encode() + _TAIL:
        raise RequestError(f"{what} {path}: changed after it was written (its checksum does not match)")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(f"{what} {path}: damaged ({where + ': ' if where else ''}{first['msg']})") from error


def _schema(raw: bytes) -> Any:
    """Return the schema that a file says it has, None where it is no JSON object with one."""
    if start := _SCHEMA.match(raw, _LENGTH):
        return int(start[1])
    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return content.get("schema") if isinstance(content, dict) else None

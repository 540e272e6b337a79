"""JSON that carries its checksum: every change is noticed, and said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from ganbench.errors import RequestError
from ganbench.util.checked_json import decode, decode_bytes, encode


class Thing(BaseModel):
    schema_version: int = 1
    name: str


CONTENT = {"schema": 1, "name": "é", "values": [1, 2.5, None]}


def test_what_is_encoded_is_decoded_and_is_plain_json(tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    path.write_bytes(encode(CONTENT))
    assert decode(path, Thing, "thing", 1) == decode_bytes(encode(CONTENT), path, Thing, "thing", 1) == Thing(name="é")
    assert encode(CONTENT) == encode(dict(CONTENT))
    with pytest.raises(ValueError, match="JSON"):
        encode({"schema": 1, "value": float("nan")})


def test_every_byte_counts(tmp_path: Path) -> None:
    path, whole = tmp_path / "thing.json", encode(CONTENT)
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(RequestError, match=r"^thing .*thing\.json: ") as refusal:
            decode(path, Thing, "thing", 1)
        assert "\n" not in str(refusal.value)
    for length in range(len(whole)):
        with pytest.raises(RequestError):
            decode_bytes(whole[:length], path, Thing, "thing", 1)


def test_another_schema_and_another_model_are_named(tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    with pytest.raises(RequestError, match=r"thing\.json: cannot be read .No such file"):
        decode(path, Thing, "thing", 1)
    with pytest.raises(RequestError, match="has schema '2', and this version of ganbench reads 1"):
        decode_bytes(encode({"schema": 2}), path, Thing, "thing", 1)
    with pytest.raises(RequestError, match=r"damaged \(name: Field required\)"):
        decode_bytes(encode({"schema": 1}), path, Thing, "thing", 1)
    with pytest.raises(RequestError, match="has schema"):
        decode_bytes(encode({"schema": "\n" * 10**6}), path, Thing, "thing", 1)

"""What a stranger may give: pickles that run code, names that lead elsewhere; and what a refusal is."""

from __future__ import annotations

import hashlib
import io
import json
import pickle
from pathlib import Path

import pytest
import torch

from ganbench.training.checkpoint import FORMAT, HEADER

from ..conftest import Answer

NAMES = ["../../outside", "/outside", "..", ".", "", "a/b", "a\\b", "a\nb", "a\0b", "-a", "a b", ".hidden"]


class Code:
    """Unpickled, it makes the marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


def as_pickle(code: Code) -> bytes:
    return pickle.dumps(code)


def as_zip(code: Code) -> bytes:
    torch.save(code, stream := io.BytesIO())
    return stream.getvalue()


def as_legacy(code: Code) -> bytes:
    torch.save(code, stream := io.BytesIO(), _use_new_zipfile_serialization=False)
    return stream.getvalue()


FORMS = pytest.mark.parametrize("form", [as_pickle, as_zip, as_legacy])


def refused(answer: Answer) -> str:
    """Return the one line of a refusal."""
    assert (answer.status, answer.err.count("\n")) == (2, 1), answer.err
    return answer.err


def put_checkpoint(folder: Path, content: bytes) -> None:
    """Give a run another checkpoint, with a header that says it is whole: a stranger can write that too."""
    header = {"ganbench_checkpoint": FORMAT, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "checkpoint.pt").write_bytes(json.dumps(header).encode().ljust(HEADER - 1) + b"\n" + content)

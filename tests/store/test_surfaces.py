"""Surfaces are read where they can be drawn, and whatever else lies in their file is no error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from ganbench.store.surfaces import read_surfaces

LEVEL = np.linspace(0, 1, 81 * 81, dtype=np.float32).reshape(81, 81)


def test_only_what_can_be_drawn_is_read(tmp_path: Path) -> None:
    infinite = LEVEL.copy()
    infinite[3, 4] = np.inf
    others = {"flat": LEVEL[0], "oblong": LEVEL[:5].copy(), "infinite": infinite, "whole": (9 * LEVEL).astype(np.int32),
              "one": LEVEL[:1, :1].copy(), "large": np.zeros((1025, 1025), np.float32)}  # fmt: skip
    save_file({"64": LEVEL, **others}, tmp_path / "surfaces.safetensors")
    found = read_surfaces(tmp_path)
    assert list(found) == ["64"] and np.array_equal(found["64"], LEVEL)


@pytest.mark.parametrize("content", [None, b"", b"\xff" * 64])
def test_no_file_and_a_damaged_one_hold_no_surfaces(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "surfaces.safetensors").write_bytes(content)
    assert read_surfaces(tmp_path) == {}


def test_a_dtype_that_numpy_has_not_is_no_error(tmp_path: Path) -> None:
    save_tensors({"64": torch.zeros(81, 81, dtype=torch.bfloat16)}, tmp_path / "surfaces.safetensors")
    assert read_surfaces(tmp_path) == {}

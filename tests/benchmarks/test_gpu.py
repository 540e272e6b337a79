"""`benchmarks/gpu.py` without a GPU: parts of it run on the CPU, where a device differs from itself in nothing."""

from __future__ import annotations

import importlib
import json
import time
from pathlib import Path
from typing import Any

import pytest
import torch

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    gpu, out = importlib.import_module("gpu"), tmp_path / "gpu.json"
    bench = gpu.Bench(torch.device("cpu"), gpu.SMOKE, time.perf_counter() + 60, tmp_path)
    gpu.measured(bench, out, ["models", "metrics", "loops"])
    found: dict[str, Any] = json.loads(out.read_text())
    return found


def test_a_device_is_compared_with_the_cpu_and_a_page_is_made_of_it(
    measured: dict[str, Any],
) -> None:
    assert {each["model"]: (each["loss"], each["grey"]) for each in measured["models"]} == {
        "cgan": (0, 0), "vae": (0, 0),
    }  # fmt: skip
    assert set(measured["metrics"][0]["differs"].values()) == {0}
    assert len(measured["loops"][0]["plain"]) == 3
    page = "\n".join(importlib.import_module("gpu_page").lines(measured))
    assert "| `cgan` | 0.0e+00 | 0.00 |" in page
    assert "Not measured: this part was not asked for." in page


def test_random_numbers_are_those_of_the_cpu_on_every_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    mode = importlib.import_module("gpu_models").SameRandomNumbers
    drawn = []
    for device in ("cpu", "meta"):  # on `meta` a number that is not drawn on the CPU could not be read
        torch.manual_seed(0)
        with mode(torch.device(device)):
            torch.randn(3, device=device)
            torch.randint(9, (4,), device=device)
        drawn.append(torch.rand(()))
    assert drawn[0] == drawn[1]

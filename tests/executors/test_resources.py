"""Cores, memory and devices."""

from __future__ import annotations

import pytest
import torch

from ganbench.errors import RequestError
from ganbench.executors import resources
from ganbench.executors.resources import MEMORY_PER_JOB, pick_device, share_out


@pytest.mark.parametrize(
    ("jobs", "trials", "device", "cores", "memory", "found"),
    [
        (None, 9, "cpu", 2, 99, (2, 1)), (None, 1, "cpu", 8, 99, (1, 8)), (None, 9, "cpu", 8, 3, (3, 2)),
        (None, 9, "cuda:0", 8, 99, (1, 8)), (None, 9, "cpu", 8, 0, (1, 8)), (1, 9, "cpu", 2, 99, (1, 2)),
        (4, 9, "cpu", 2, 99, (4, 1)), (3, 0, "cpu", 2, 99, (1, 2)),
    ],
)  # fmt: skip
def test_threads_are_divided_among_jobs(
    monkeypatch: pytest.MonkeyPatch,
    jobs: int | None,
    trials: int,
    device: str,
    cores: int,
    memory: int,
    found: tuple[int, int],
) -> None:
    monkeypatch.setattr(resources, "cores", lambda: cores)
    monkeypatch.setattr(resources, "memory", lambda: memory * MEMORY_PER_JOB)
    assert share_out(jobs, trials, device) == found


@pytest.mark.parametrize("jobs", [0, -1])
def test_less_than_one_job_is_refused(jobs: int) -> None:
    with pytest.raises(RequestError, match="^--jobs"):
        share_out(jobs, 3, "cpu")


def test_the_machine_has_cores_and_memory() -> None:
    assert resources.cores() >= 1
    assert resources.memory() > 2**28


@pytest.mark.parametrize(
    ("count", "choice", "found"),
    [(0, "auto", "cpu"), (2, "auto", "cuda:0"), (2, "cuda", "cuda:0"), (2, "cuda:1", "cuda:1"), (2, "cpu", "cpu")],
)
def test_a_device_is_picked(monkeypatch: pytest.MonkeyPatch, count: int, choice: str, found: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert pick_device(choice) == found


@pytest.mark.parametrize(
    ("count", "choice", "said"),
    [
        (0, "cuda", "no CUDA device"),
        (2, "cuda:2", "there are 2"),
        (2, "gpu", "write auto"),
        (2, "meta", "write auto"),
        (2, "", "write auto"),
    ],
)
def test_a_device_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, count: int, choice: str, said: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    with pytest.raises(RequestError, match="^--device") as refusal:
        pick_device(choice)
    assert said in str(refusal.value)

"""Cores, memory and devices."""

from __future__ import annotations

import pytest
import torch

from ganbench.errors import RequestError
from ganbench.util import device as resources
from ganbench.util.device import MEMORY_PER_JOB, pick_device, pick_devices, places, read_size, share_out


@pytest.mark.parametrize(
    ("jobs", "threads", "device", "cores", "memory", "found"),
    [
        (None, None, "cpu", 2, 99, (2, 1)), (None, None, "cpu", 8, 3, (3, 1)), (None, None, "cuda:0", 8, 99, (1, 8)),
        (None, None, "cpu", 8, 0, (1, 1)), (1, None, "cpu", 2, 99, (1, 1)), (4, None, "cpu", 2, 99, (4, 1)),
        (None, 4, "cpu", 8, 99, (2, 4)), (None, 16, "cpu", 8, 99, (1, 16)), (3, 2, "cuda:0", 8, 99, (3, 2)),
    ],
)  # fmt: skip
def test_the_number_of_threads_does_not_depend_on_that_of_jobs(
    monkeypatch: pytest.MonkeyPatch,
    jobs: int | None,
    threads: int | None,
    device: str,
    cores: int,
    memory: int,
    found: tuple[int, int],
) -> None:
    monkeypatch.setattr(resources, "cores", lambda: cores)
    monkeypatch.setattr(resources, "memory", lambda: memory * MEMORY_PER_JOB)
    assert share_out(jobs, threads, device) == found


@pytest.mark.parametrize(
    ("jobs", "devices", "found"), [(None, 1, (1, 16)), (4, 1, (4, 4)), (None, 2, (2, 8)), (20, 2, (20, 1))]
)
def test_runs_on_gpus_share_the_cores(
    monkeypatch: pytest.MonkeyPatch, jobs: int | None, devices: int, found: tuple[int, int]
) -> None:
    monkeypatch.setattr(resources, "cores", lambda: 16)
    assert share_out(jobs, None, "cuda:0", devices) == found


@pytest.mark.parametrize("number", [0, -1])
def test_less_than_one_job_or_thread_is_refused(number: int) -> None:
    with pytest.raises(RequestError, match="^--jobs"):
        share_out(number, None, "cpu")
    with pytest.raises(RequestError, match="^--threads"):
        share_out(None, number, "cpu")


@pytest.mark.parametrize(
    ("text", "size"), [(None, None), ("4GiB", 2**32), ("3000 MB", 3 * 10**9), ("1.5gib", 3 * 2**29)]
)
def test_sizes_are_read(text: str | None, size: int | None) -> None:
    assert read_size(text) == size


@pytest.mark.parametrize("text", ["", "4", "GiB", "4XiB", "1.2.3GiB", "-4GiB", "500MiB", "nan GB"])
def test_a_size_that_cannot_be_read_or_met_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="^--memory-limit .*4GiB"):
        read_size(text)


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


def have_gpus(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)


@pytest.mark.parametrize(
    ("count", "choice", "found"),
    [
        (0, "auto", ["cpu"]),
        (0, "cpu", ["cpu"]),
        (1, "auto", ["cuda:0"]),
        (3, "auto", ["cuda:0", "cuda:1", "cuda:2"]),
        (2, "cuda", ["cuda:0", "cuda:1"]),
        (3, "cuda:0, cuda:2", ["cuda:0", "cuda:2"]),
        (2, "cpu", ["cpu"]),
    ],
)
def test_runs_share_all_gpus_or_those_named(
    monkeypatch: pytest.MonkeyPatch, count: int, choice: str, found: list[str]
) -> None:
    have_gpus(monkeypatch, count)
    assert pick_devices(choice) == found


@pytest.mark.parametrize("choice", ["cuda:0,cuda:0", "cuda:0,cpu", "cuda:0,", "cuda:0,cuda:5"])
def test_devices_that_cannot_be_shared_are_refused(monkeypatch: pytest.MonkeyPatch, choice: str) -> None:
    have_gpus(monkeypatch, 2)
    with pytest.raises(RequestError, match="^--device"):
        pick_devices(choice)


def test_each_of_several_gpus_is_all_that_its_workers_see(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert places(["cpu"]) == places(["cuda:1"]) == [{}]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in places(["cuda:0", "cuda:2"])] == ["0", "2"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5,6,7")  # cuda:0 is the machine's number 5
    assert [each["CUDA_VISIBLE_DEVICES"] for each in places(["cuda:0", "cuda:2"])] == ["5", "7"]

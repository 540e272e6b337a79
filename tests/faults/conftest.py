"""Faults injected some at a time: each takes seconds, many of them waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from .commands import run

AT_ONCE = 3


class Undisturbed(NamedTuple):
    """The run that all others are compared with: where it lies, and the seconds that it took."""

    folder: Path
    seconds: float


Scenario = Callable[[Path, Undisturbed], None]


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    folder = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    ended = run(folder)
    assert (ended.status, ended.err) == (0, "")
    return Undisturbed(folder, time.monotonic() - start)


@pytest.fixture(scope="session")
def under_way(
    request: pytest.FixtureRequest, undisturbed: Undisturbed, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Future[None]]]:
    """Start every scenario that was asked for, as far as there is room."""
    chosen = {item.nodeid: _scenario_of(item) for item in request.session.items}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            name: pool.submit(scenario, tmp_path_factory.mktemp("fault"), undisturbed)
            for name, scenario in chosen.items()
            if scenario is not None
        }
        pool.shutdown(cancel_futures=True)


def _scenario_of(item: pytest.Item) -> Scenario | None:
    return item.callspec.params.get("scenario") if hasattr(item, "callspec") else None


@pytest.fixture
def played(request: pytest.FixtureRequest, under_way: dict[str, Future[None]]) -> None:
    """Wait for the scenario of this test; what it asserted in vain fails the test."""
    under_way[request.node.nodeid].result()

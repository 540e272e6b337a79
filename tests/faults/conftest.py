"""Faults injected some at a time: each takes seconds, many of them waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from .commands import Done, run, run_models

AT_ONCE = 2


class Undisturbed(NamedTuple):
    """The run that all others are compared with: where it lies, and the seconds that it took."""

    folder: Path
    seconds: float


Scenario = Callable[[Path, Undisturbed], None]
UnderWay = dict[str, Future[object]]
"""Scenarios at work, by the test that waits for one: what one asserts in vain fails that test."""


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
) -> Iterator[UnderWay]:
    """Start every scenario that was asked for, as far as there is room; and the run of all faulty models, if it was."""
    items = request.session.items
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures: UnderWay = {}
        if any("done" in getattr(item, "fixturenames", ()) for item in items):
            futures["models"] = pool.submit(run_models, tmp_path_factory.mktemp("models"))
        for item in items:
            if (scenario := _scenario_of(item)) is not None:
                futures[item.nodeid] = pool.submit(scenario, tmp_path_factory.mktemp("fault"), undisturbed)
        yield futures
        pool.shutdown(cancel_futures=True)


def _scenario_of(item: pytest.Item) -> Scenario | None:
    return item.callspec.params.get("scenario") if hasattr(item, "callspec") else None


@pytest.fixture(scope="session")
def done(under_way: UnderWay) -> Done:
    """The run of all faulty models."""
    found = under_way["models"].result()
    assert isinstance(found, Done)
    return found

"""A plugin for pytest: ``pytest --ganbench NAME`` adds a test for each rule of what NAME stands for.

NAME is what `ganbench check` takes: a registered name, a file, a package's folder. Without the option nothing is
imported but this file.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ganbench.registry.registry import Broken


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("ganbench", "checks of models, metrics, data sets, extractors and tracks")
    group.addoption(
        "--ganbench", action="append", default=[], metavar="NAME",
        help="Add a test for each rule of NAME: a registered name, FILE.py:NAME, or a package's folder. May be given"
             " several times.",
    )  # fmt: skip
    group.addoption(
        "--ganbench-kind", choices=("model", "dataset", "extractor", "metric", "track"),
        help="What NAME is, where things of several kinds have that name.",
    )  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add the tests before any other plugin selects among them."""
    for name in config.getoption("--ganbench"):
        items.extend(_tests(session, name, config.getoption("--ganbench-kind")))


def _tests(session: pytest.Session, name: str, kind: str | None) -> Iterator[pytest.Item]:
    from ganbench.errors import RequestError
    from ganbench.testing.subjects import find

    try:
        found = find(name, kind)
    except RequestError as error:
        raise pytest.UsageError(f"--ganbench {name}: {error}".replace("--kind", "--ganbench-kind")) from error
    for broken in found.broken:
        yield Rule.from_parent(
            session, name=f"{broken.what or broken.origin}::is_registered", apply=partial(_fail, broken)
        )
    for subject in found.subjects:
        checks, case = subject.suite()
        for check in checks:
            yield Rule.from_parent(session, name=f"{subject}::{check.name}", apply=partial(check.on, case))


def _fail(broken: Broken) -> None:
    raise AssertionError(str(broken))


class Rule(pytest.Item):
    """One rule of one thing: `apply` raises AssertionError, in one line, where it is broken."""

    def __init__(self, *, apply: Callable[[], None], **named: Any) -> None:
        super().__init__(**named, nodeid=f"ganbench::{named['name']}")
        self._apply = apply

    def runtest(self) -> None:
        self._apply()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> str:
        return str(excinfo.value)

    def reportinfo(self) -> tuple[str, int | None, str]:
        return "ganbench", None, self.name

"""Reports of simulated runs, made once, and a browser that they are looked at in."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from ganbench.boards.board import Board
from ganbench.report.output import write_files
from ganbench.report.site import Shown, build_site
from ganbench.store.run_record import RunStatus
from tests.boards import factory
from tests.boards.factory import Made, full, make, seeds
from tests.store.factory import run_record

Open = Callable[..., Any]
BOARD = "tiny-quick/index.html"
HOSTILE = "<script>alert(1)</script>"
QUOTED = "a\"b'c&d</script>"
METRICS = 13
"""Columns of the published boards."""


def made() -> list[Made]:
    """Return every kind of row: a label that is HTML, one that quotes, failures, a lone seed, baselines."""
    return [
        *full(),
        *seeds(HOSTILE, (30.0, 31.0), curve=True, asked={"config": {"lr": HOSTILE}, "model": {"family": QUOTED}}),
        *seeds("wide[lr=0.1]", (60.0, 64.0), asked={"config": {"lr": 0.1, "beta": 1}}),
        make(QUOTED, 0, 33.0, status=RunStatus.FAILED, reason=HOSTILE, record={"log": f"Traceback\n{HOSTILE}"}),
    ]


def many() -> list[Made]:
    """Return 45 models of three seeds, with as many columns and costs as a real board has."""
    rng = Random(0)
    more = [f"metric_{at}" for at in range(METRICS - 8)]
    found = [make("real", 0, 2.0, role="ceiling"), make("noise", 0, 905.0, role="floor")]
    for index in range(45):
        label = f"model-{index:02}" if index % 3 else f"model-{index:02}[latent_dim={index + 10}]"
        fids = [20 * 1.09**index * rng.lognormvariate(0, 0.07) for _ in range(3)]
        shares = {name: rng.random() for name in ("precision", "recall", "density", "cas", "cas_oracle", *more)}
        cost = {
            "seconds": {"train": 10 + 100 * rng.random(), "sample": 0.4, "total": 120.0},
            "parameters": rng.randrange(10**5, 10**7), "peak_memory_bytes": rng.randrange(10**8, 10**9),
            "curve": run_record(label, points=6).curve, "flops": 1e12 * (1 + rng.random()),
        }  # fmt: skip
        found += seeds(label, fids, curve=True, record=cost, **shares)
    return found


class Report:
    """A board and its report as files."""

    def __init__(self, root: Path, runs: Iterable[Made]) -> None:
        factory.write(root / "runs", runs := list(runs), pictures=True)
        self.board: Board = factory.board(root / "runs")
        self.out = root / "report"
        self.files = build_site([Shown(self.board)])
        write_files(self.out, self.files)
        self.page = next(path for path in self.files if path.count("/") == 1 and path.endswith("index.html"))

    def html(self, path: str | None = None) -> str:
        return self.files[path or self.page].decode()


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return Report(tmp_path_factory.mktemp("report"), made())


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return Report(tmp_path_factory.mktemp("large"), many())


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("there is no chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(browser: Any, report: Report) -> Iterator[Open]:
    """Open a page of the report; at the end, nothing but files was asked for and no script failed."""
    asked: list[str] = []
    wrong: list[str] = []
    contexts = []

    def opened(path: str | Path = BOARD, **options: Any) -> Any:
        contexts.append(browser.new_context(**{"viewport": {"width": 1280, "height": 900}} | options))
        page = contexts[-1].new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.on("dialog", lambda dialog: wrong.append(dialog.message))
        page.goto((report.out / path).as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []
    assert asked
    assert {url.partition(":")[0] for url in asked} <= {"file", "data"}

"""How long a task may be silent, and what becomes of a log without an end."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.engine import Task
from ganbench.engines.watchdog import LOG_BYTES, LOG_KEPT, Watchdog


def watchdog(log: Path, budget_seconds: float | None = None) -> Watchdog:
    task = Task("a", "module:function", {}, log, budget_seconds=budget_seconds, budget_phases=frozenset(("training",)))
    watching = Watchdog(task)
    watching.hear({"phase": "training"})
    return watching


@pytest.mark.parametrize(
    ("budget", "timeout", "allowed"),
    [(20.0, 600.0, 200.0), (2.0, 600.0, 60.0), (600.0, 600.0, 600.0), (20.0, 5.0, 5.0)],
)
def test_silence_is_allowed_for_a_multiple_of_the_budget(
    tmp_path: Path, budget: float, timeout: float, allowed: float
) -> None:
    assert watchdog(tmp_path / "log.txt", budget).allowed_silence(timeout) == allowed


def test_a_budget_in_images_is_measured_by_the_pace_so_far(tmp_path: Path) -> None:
    counted = watchdog(tmp_path / "log.txt")
    assert counted.allowed_silence(600.0) == 600.0
    counted.hear({"share": 0.5, "seconds": 6.0})
    assert counted.allowed_silence(600.0) == 120.0
    counted.hear({"phase": "sampling"})
    assert counted.allowed_silence(600.0) == 600.0  # the budget says nothing of this phase


def test_the_reason_says_how_long_and_where(tmp_path: Path) -> None:
    watching = watchdog(tmp_path / "log.txt")
    watching.hear({"share": 0.4, "seconds": 600.0})
    assert watching.overdue(5.0, watching.heard + 4.9) == ""
    assert watching.overdue(5.0, watching.heard + 5.1) == (
        "stalled: no progress for 5 s during training at 40 % of its budget"
    )


def test_a_phase_with_a_limit_is_overdue_though_it_shows_progress(tmp_path: Path) -> None:
    watching = watchdog(tmp_path / "log.txt")
    watching.hear({"phase": "curve", "limit_seconds": 3.0})
    began = watching.heard
    watching.hear({"phase": "curve"})
    assert watching.overdue(600.0, began + 2.9) == ""
    assert watching.overdue(600.0, began + 3.1) == "curve took longer than its limit of 3 s"
    watching.hear({"phase": "training"})
    assert watching.overdue(600.0, began + 3.1) == ""


def test_time_is_counted_by_phase_from_when_news_came(tmp_path: Path) -> None:
    watching = watchdog(tmp_path / "log.txt")
    watching.book(100.0)
    watching.spent = {}
    for at, phase in ((103.0, "sampling"), (105.0, "training")):
        watching.hear({"phase": phase, "heard": at})
    watching.book(106.0)
    assert watching.spent == {"training": 4.0, "sampling": 2.0}
    watching.spent = None  # the engine slept
    watching.hear({"phase": "sampling", "heard": 200.0})
    assert watching.spent is None


def test_what_is_not_said_is_as_before(tmp_path: Path) -> None:
    watching = watchdog(tmp_path / "log.txt")
    watching.hear({"share": 0.25, "images": 640, "losses": {"d": 1.0}, "first": 1})
    event = watching.hear({"share": 0.5, "second": 2})
    assert (event.phase, event.share, event.images, event.losses) == ("training", 0.5, 640, {"d": 1.0})
    assert event.data == {"second": 2}
    assert watching.last.data == {"first": 1, "second": 2}


def test_a_log_is_cut_to_its_end_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    watching = watchdog(path)
    watching.cut_log()  # there is none yet
    with open(path, "ab", buffering=0) as log:
        log.write(b"first\n" + b"x" * LOG_BYTES + b"last\n")
        watching.cut_log()
        log.write(b"after\n")
    text = path.read_bytes()
    assert len(text) < LOG_KEPT + 100
    assert b"bytes left out]\n" in text[:60]
    assert text.endswith(b"last\nafter\n")
    watching.cut_log()
    assert path.read_bytes() == text

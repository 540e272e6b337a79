"""Scoring that an engine lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ganbench.engine import Ended, Event, Task
from ganbench.experiment.execution import Execution


class Collects:
    """An engine that only collects."""

    def __init__(self) -> None:
        self.tasks: list[Task] = []

    def submit(self, task: Task, *, first: bool = False) -> None:
        self.tasks.append(task)


def test_scoring_that_was_cancelled_is_told_and_not_tried_again(tmp_path: Path) -> None:
    unused: Any = None
    engine: Any = Collects()
    execution = Execution(engine, unused, unused, [], "fid", unused)
    execution._scoring["score-0"] = (["a", "b"], unused)
    task = Task("score-0", "b:c", {"keys": ["a", "b"], "metrics": []}, tmp_path / "log")
    end = Ended(task, -15, Event(task), lost="SLURM job 1_0 was cancelled")
    found = list(execution._scoring_ended("score-0", end))
    assert [(news.key, news.refused) for news in found] == [("a", end.lost), ("b", end.lost)]
    assert engine.tasks == []


@pytest.mark.parametrize("memory", [True, False])
def test_runs_that_took_too_much_memory_together_are_scored_one_by_one(
    tmp_path: Path, memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    unused: Any = None
    execution = Execution(unused, unused, unused, [], "fid", unused)
    execution._scoring["score-0"] = (["a", "b"], unused)
    again: list[list[str]] = []
    monkeypatch.setattr(Execution, "_submit", lambda self, keys, plan, metrics: again.append(keys))
    task = Task("score-0", "b:c", {"keys": ["a", "b"], "metrics": []}, tmp_path / "log")
    lost = "SLURM job 1_0 ended (OUT_OF_MEMORY)" if memory else ""
    assert not list(execution._scoring_ended("score-0", Ended(task, -15, Event(task), lost=lost, out_of_memory=memory)))
    assert again == [["a"], ["b"]]

"""Phases pause each other, and what none covers is not booked."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from ganbench.training import phase_timer as meter
from ganbench.training.phase_timer import PhaseTimer


def test_a_phase_inside_another_pauses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(meter, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    watch = PhaseTimer(torch.device("cpu"))
    now[0] += 50
    with watch.phase("train"):
        now[0] += 1
        with pytest.raises(ZeroDivisionError), watch.phase("evaluate"):
            now[0] += 10
            assert watch.seconds("train") == 1
            assert watch.seconds("evaluate") == 10
            raise ZeroDivisionError
        now[0] += 2
        assert watch.seconds("train") == 3
    now[0] += 50
    with watch.phase("sample"):
        now[0] += 5
    assert watch.seconds("never") == 0
    assert watch.by_phase() == {"train": 3, "evaluate": 10, "sample": 5}


def test_what_an_earlier_process_spent_takes_the_place_of_building_the_model_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(meter, "time", SimpleNamespace(perf_counter=lambda: now[0]))
    watch = PhaseTimer(torch.device("cpu"))
    with watch.phase("evaluate"):
        now[0] += 1
    with watch.phase("train"):
        now[0] += 5
        watch.load({"train": 100.0, "evaluate": 10.0})
        assert watch.seconds("train") == 100
        now[0] += 2
    assert watch.by_phase() == {"train": 102, "evaluate": 11}

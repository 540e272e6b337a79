"""Phases pause each other, and what none covers is not booked."""

from __future__ import annotations

import time

import pytest
import torch

from ganbench.training import phase_timer
from ganbench.training.phase_timer import PhaseTimer


def test_a_phase_inside_another_pauses_it(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(phase_timer, "perf_counter", lambda: now[0])
    timer = PhaseTimer(torch.device("cpu"))
    now[0] += 50
    with timer.phase("train"):
        now[0] += 1
        with pytest.raises(ZeroDivisionError), timer.phase("evaluate"):
            now[0] += 10
            assert timer.seconds("train") == 1
            assert timer.seconds("evaluate") == 10
            raise ZeroDivisionError
        now[0] += 2
        assert timer.seconds("train") == 3
    now[0] += 50
    with timer.phase("sample"):
        now[0] += 5
    assert timer.seconds("never") == 0
    assert timer.by_phase() == {"train": 3, "evaluate": 10, "sample": 5}


def test_what_an_earlier_process_spent_takes_the_place_of_building_the_model_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = [0.0]
    monkeypatch.setattr(phase_timer, "perf_counter", lambda: now[0])
    timer = PhaseTimer(torch.device("cpu"))
    with timer.phase("evaluate"):
        now[0] += 1
    with timer.phase("train"):
        now[0] += 5
        timer.load({"train": 100.0, "evaluate": 10.0})
        assert timer.seconds("train") == 100
        now[0] += 2
    assert timer.by_phase() == {"train": 102, "evaluate": 11}


def test_a_plugin_that_slows_the_clock_of_the_process_does_not_slow_this_one(monkeypatch: pytest.MonkeyPatch) -> None:
    timer = PhaseTimer(torch.device("cpu"))
    with timer.phase("train"):
        monkeypatch.setattr(time, "perf_counter", lambda: 0.0)
        time.sleep(0.02)
    assert timer.seconds("train") >= 0.02


def test_the_share_of_a_core_is_that_of_training_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    now, processor = [0.0], [5.0]
    monkeypatch.setattr(phase_timer, "perf_counter", lambda: now[0])
    monkeypatch.setattr(phase_timer, "process_time", lambda: processor[0])
    timer = PhaseTimer(torch.device("cpu"))
    assert timer.processor_share() is None
    with timer.phase("train"):
        now[0], processor[0] = 8.0, 11.0
        timer.load({"train": 100.0})
        with timer.phase("evaluate"):
            now[0], processor[0] = 20.0, 40.0
    assert timer.processor_share() == 0.75

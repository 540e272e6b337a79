"""A study: the defaults come first, suggestions do not depend on interruptions, and nothing that was told is lost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

import ganbench
from ganbench.experiment.settings_file import best_of
from ganbench.search_space import search_space
from ganbench.tuning.study import Study


class Tiny(ganbench.Model):
    name = "tiny"

    @dataclass(frozen=True)
    class Config:
        lr: Annotated[float, ganbench.LogUniform(1e-4, 1e-2)] = 1e-3
        units: Annotated[int, ganbench.Uniform(2, 30)] = 20
        loss: Annotated[str, ganbench.Choice("hinge", "plain")] = "plain"
        ema: float = 0.9


def study(folder: Path, **fixed: Any) -> Study:
    spaces = {name: space for name, space in search_space(Tiny.Config).items() if name not in fixed}
    return Study(Tiny, "./tiny.py:Tiny", fixed, spaces, ("protocol",), folder / "optuna.log")


def value(params: dict[str, Any]) -> float:
    return abs(params["lr"] - 0.003) + (params["loss"] == "plain")


def go_on(found: Study, runs: int) -> None:
    pending = found.pending()
    for trial in pending + found.ask(runs - len(pending)):
        found.tell(trial, value(trial.params), 1.5, "ok")


def test_the_defaults_are_tried_first_and_all_lies_within_the_spaces(tmp_path: Path) -> None:
    found = study(tmp_path)
    go_on(found, 6)
    tried = found.finished()
    assert len(tried) == 6
    assert tried[0].params == {"lr": 1e-3, "units": 20, "loss": "plain"}
    for each in tried:
        assert all(each.params[name] in space for name, space in search_space(Tiny.Config).items())
        assert isinstance(each.params["units"], int)
        assert each.params["lr"] == float(f"{each.params['lr']:.3g}")
        assert (each.value, each.seconds, each.status) == (value(each.params), 1.5, "ok")
    best = best_of(tried)
    assert best is not None and best.value == min(value(each.params) for each in tried)


def test_an_interrupted_search_tries_what_it_would_have_tried(tmp_path: Path) -> None:
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
    whole = study(tmp_path / "whole")
    for _ in range(8):
        go_on(whole, 1)
    go_on(study(tmp_path / "parts"), 1)
    study(tmp_path / "parts").ask(1)  # and killed before the run ended
    assert [trial.number for trial in study(tmp_path / "parts").pending()] == [1]
    for _ in range(7):
        go_on(study(tmp_path / "parts"), 1)
    assert study(tmp_path / "parts").finished() == whole.finished()


def test_a_run_that_failed_counts_and_is_never_the_best(tmp_path: Path) -> None:
    found = study(tmp_path)
    first, second = found.ask(2)
    found.tell(first, None, 0.0, "diverged")
    assert best_of(found.finished()) is None
    found.tell(second, 7.0, 2.0, "ok")
    assert [(each.value, each.status) for each in found.finished()] == [(None, "diverged"), (7.0, "ok")]
    best = best_of(found.finished())
    assert best is not None and best.value == 7.0


def test_what_is_fixed_stays_and_has_a_study_of_its_own(tmp_path: Path) -> None:
    free, fixed = study(tmp_path), study(tmp_path, loss="hinge")
    go_on(fixed, 3)
    assert free.finished() == []
    assert {each.params["loss"] for each in fixed.finished()} == {"hinge"}
    assert fixed.label == "tiny[loss=hinge]" and fixed.asked == "./tiny.py:Tiny[loss=hinge]"


@pytest.mark.parametrize("change", ["protocol", "space"])
def test_what_does_not_compare_does_not_share_a_study(tmp_path: Path, change: str) -> None:
    one = study(tmp_path)
    other = (
        Study(Tiny, "tiny", {}, one.spaces, ("another",), one.journal)
        if change == "protocol"
        else Study(Tiny, "tiny", {}, one.spaces | {"units": ganbench.Uniform(2, 31)}, one.protocol, one.journal)
    )
    assert one.name != other.name


def test_a_trial_is_written_as_the_command_line_takes_it(tmp_path: Path) -> None:
    found = study(tmp_path)
    (trial,) = found.ask(1)
    assert found.text(trial) == "./tiny.py:Tiny[lr=0.001,units=20,loss=plain]"

"""Runs that share GPUs, and when they may not."""

from __future__ import annotations

import pytest

from ganbench.budget import Budget
from ganbench.errors import RequestError
from ganbench.experiment import engine
from ganbench.experiment.engine import EngineChoice


@pytest.mark.parametrize(
    ("budget", "jobs", "devices"),
    [("60kimg", 8, ["cuda:0"]), ("90s", 1, ["cuda:0"]), ("90s", 2, ["cuda:0", "cuda:1"]), ("90s", 8, ["cpu"])],
)
def test_runs_may_share_a_gpu_unless_time_is_what_they_spend(
    monkeypatch: pytest.MonkeyPatch, budget: str, jobs: int, devices: list[str]
) -> None:
    monkeypatch.setattr(engine, "device_kind", lambda device: "H100")
    EngineChoice(devices=tuple(devices), jobs=jobs).check_timed(Budget.parse(budget))


@pytest.mark.parametrize(("jobs", "said"), [(3, "--jobs 2 at the most"), (2, "of one kind.*A100.*H100")])
def test_under_a_time_budget_each_run_has_a_gpu_of_one_kind(
    monkeypatch: pytest.MonkeyPatch, jobs: int, said: str
) -> None:
    monkeypatch.setattr(engine, "device_kind", {"cuda:0": "H100", "cuda:1": "A100"}.get)
    with pytest.raises(RequestError, match=said):
        EngineChoice(devices=("cuda:0", "cuda:1"), jobs=jobs).check_timed(Budget.parse("90s"))

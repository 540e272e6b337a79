"""FLOPs of training: known answers, rounds of unlike steps, whatever goes wrong, and nothing else of a run changes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.budget import Budget
from ganbench.errors import EngineGone
from ganbench.model import Batch, DataSpec, Model
from ganbench.store.checkpoint_header import LATEST, Damaged, read_header
from ganbench.store.run_record import RunRecord, RunStatus, read_run
from ganbench.store.run_spec import RuntimeConfig, TrainJob
from ganbench.training import flops as counting
from ganbench.training import training_run
from ganbench.training.checkpoint import read_file
from ganbench.training.data_file import write_training_data
from ganbench.training.flops import flops_per_step, mean_of_period, training_flops
from ganbench.training.hyperparameters import make_config
from ganbench.training.loop import Loop
from ganbench.training.phase_timer import PhaseTimer
from ganbench.util.atomic_io import sha256_of

from ..conftest import Smoke, stored
from .test_worker import forked, quiet

N, BATCH, PIXELS = 40, 10, 4
POINTS = torch.zeros(N, PIXELS)
FORWARD = 2 * BATCH * PIXELS * 3


class Linear(Model):
    """One linear layer from 4 to 3: forward, and backward for its weights alone, since nothing learns its inputs."""

    name = "linear"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = BATCH

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.layer = nn.Linear(PIXELS, 3)
        self.optimizer = torch.optim.Adam(self.layer.parameters())
        self.steps = 0

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.steps += 1
        return {"loss": self.update(batch.images)}

    def update(self, points: Tensor) -> Tensor:
        loss = self.layer(points).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()  # type: ignore[no-any-return]


def made(kind: type[Model]) -> Model:
    return kind(DataSpec((PIXELS,), 0, "none", N), make_config(kind, {}))


def loop_of(model: Model, precision: str = "fp32") -> Loop:
    timer = PhaseTimer(torch.device("cpu"))
    return Loop(model, POINTS, None, Budget(steps=1), timer, seed=0, precision=precision)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_linear_layer_is_two_products(precision: str) -> None:
    assert flops_per_step(loop_of(made(Linear), precision), 100) == 2 * FORWARD


def test_a_layer_whose_inputs_learn_is_three_products() -> None:
    class Twice(Linear):
        def update(self, points: Tensor) -> Tensor:
            return super().update(self.first(points))

        def __init__(self, data: DataSpec, config: Any) -> None:
            super().__init__(data, config)
            self.first = nn.Linear(PIXELS, PIXELS)

    first = 2 * BATCH * PIXELS * PIXELS
    assert flops_per_step(loop_of(made(Twice)), 100) == 2 * first + 3 * FORWARD


class Critic(Linear):
    """Makes the same update once more in each third step."""

    critic_steps = 3

    def step(self, batch: Batch) -> dict[str, Tensor]:
        losses = super().step(batch)
        if self.steps % self.critic_steps == 0:
            self.update(batch.images)
        return losses


@pytest.mark.parametrize("critic_steps", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("before", [0, 1])
def test_steps_in_rounds_count_as_their_round(critic_steps: int, before: int) -> None:
    model = made(Critic)
    assert isinstance(model, Critic)
    model.critic_steps, model.steps = critic_steps, before
    if critic_steps < 10:
        assert flops_per_step(loop_of(model), 100) == pytest.approx(2 * FORWARD * (critic_steps + 1) / critic_steps)
    else:  # the first six are alike, and no round of ten is looked for
        assert flops_per_step(loop_of(model), 100) == 2 * FORWARD


def test_alike_steps_are_soon_counted_and_no_more_than_were_made() -> None:
    alike, unlike, few = made(Linear), made(Critic), made(Critic)
    ticks = list[int]()
    flops_per_step(loop_of(alike), 100, lambda: ticks.append(1))
    flops_per_step(loop_of(unlike), 100)
    flops_per_step(loop_of(few), 2)
    assert (alike.steps, unlike.steps, few.steps, len(ticks)) == (counting.ALIKE, counting.STEPS, 2, counting.ALIKE)
    assert alike.training


@pytest.mark.parametrize(
    ("counts", "mean"),
    [
        ([], 0), ([3], 3), ([1, 2], 1.5), ([1, 1, 2, 1, 1, 2, 1], 4 / 3), ([2, 1, 1, 2, 1, 1, 2], 4 / 3),
        ([1, 2, 4], 7 / 3),
    ],
)  # fmt: skip
def test_the_mean_is_that_of_one_round(counts: list[int], mean: float) -> None:
    assert mean_of_period(counts) == pytest.approx(mean)


def test_a_penalty_on_gradients_is_counted() -> None:
    """torch's counter raises there, for the sake of a table by module that nobody reads."""

    class Penalised(Linear):
        def update(self, points: Tensor) -> Tensor:
            points = points.clone().requires_grad_()
            (gradient,) = torch.autograd.grad(self.layer(points).sum(), points, create_graph=True)
            gradient.square().sum().backward()
            return gradient.sum().detach()

    assert flops_per_step(loop_of(made(Penalised)), 100) == 3 * FORWARD


@pytest.mark.parametrize("fused", [True, False])
def test_an_lstm_is_counted_as_its_products(fused: bool) -> None:
    """oneDNN's LSTM is one operator, for which torch has no formula; without oneDNN it is made of matrix products."""

    class Recurrent(Linear):
        def __init__(self, data: DataSpec, config: Any) -> None:
            super().__init__(data, config)
            self.lstm = nn.LSTM(2, 3, num_layers=2, bidirectional=True, batch_first=True)

        def update(self, points: Tensor) -> Tensor:
            return self.lstm(points.view(BATCH, 2, 2))[0].sum().detach()  # type: ignore[no-any-return]

    weights = 2 * 4 * 3 * (2 + 3) + 2 * 4 * 3 * (6 + 3)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.backends.mkldnn, "enabled", fused)
        assert flops_per_step(loop_of(made(Recurrent)), 100) == 2 * BATCH * 2 * weights


def test_attention_is_counted_on_a_cpu() -> None:
    class Attends(Linear):
        def update(self, points: Tensor) -> Tensor:
            queries = points.view(BATCH, 1, 2, 2).clone().requires_grad_()
            total = F.scaled_dot_product_attention(queries, queries, queries).sum()
            total.backward()
            return total.detach()

    product = 2 * BATCH * 2 * 2 * 2
    assert flops_per_step(loop_of(made(Attends)), 100) == (2 + 5) * product


def count(kind: type[Model], check: Callable[[], None] = lambda: None) -> float | None:
    return training_flops(lambda: loop_of(made(kind)), 100, tick=lambda: None, check=check)


def test_all_steps_are_billed() -> None:
    assert count(Linear) == 100 * 2 * FORWARD


def test_what_the_counter_does_not_see_is_unknown_and_not_nothing() -> None:
    class Elementwise(Linear):
        def update(self, points: Tensor) -> Tensor:
            return points.square().mean()

    assert count(Elementwise) is None


@pytest.mark.parametrize("error", [RuntimeError("the schedule\nis over"), SystemExit(3), MemoryError()])
def test_whatever_a_step_raises_is_one_line(error: BaseException, capsys: pytest.CaptureFixture[str]) -> None:
    class Over(Linear):
        def update(self, points: Tensor) -> Tensor:
            print("step", self.steps)
            print("step", self.steps, file=sys.stderr)
            if self.steps == 3:
                raise error
            return super().update(points)

    assert count(Over) is None
    said = capsys.readouterr()
    assert said.out.startswith(f"ganbench: its FLOPs could not be counted: {type(error).__name__}")
    assert (said.out.count("\n"), said.err) == (1, "")


def test_counts_of_a_process_that_was_tampered_with_are_not_used(capsys: pytest.CaptureFixture[str]) -> None:
    def check() -> None:
        raise ValueError("tampered")

    assert count(Linear, check) is None
    assert "tampered" in capsys.readouterr().out


# In a run.


@pytest.fixture
def jobs(smoke: Smoke, tmp_path: Path, digits: Any) -> Callable[[str, str], TrainJob]:
    """Return a function that gives the job of a smoke run's model, to be done in another folder."""
    data_file = write_training_data(digits)

    def job(label: str, folder: str) -> TrainJob:
        record = stored(smoke.runs)[label].record
        assert record is not None
        return TrainJob(
            spec=record.spec, runtime=RuntimeConfig(device="cpu", threads=1), folder=tmp_path / folder,
            data_file=data_file, samples=200, curve_points=3, curve_samples=100,
        )  # fmt: skip

    return job


def done(job: TrainJob, emit: Callable[..., None] = quiet) -> RunRecord:
    assert forked(job, emit) == 0
    return read_run(job.folder / "run.json")


def timeless(record: RunRecord) -> dict[str, Any]:
    """Return what of a record is the same for each training of a run, without its FLOPs."""
    found = record.model_dump(
        exclude={"seconds", "images_per_second", "peak_memory_bytes", "processor_share", "provenance", "files", "flops"}
    )
    return found | {"curve": [point.model_dump(exclude={"seconds"}) for point in record.curve]}


@pytest.mark.parametrize("label", ["dcgan", "vae"])
def test_counting_changes_nothing_else(
    jobs: Callable[[str, str], TrainJob], label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted, plain = jobs(label, "counted"), jobs(label, "plain")
    phases = counted.folder.parent / "phases"
    with_flops = done(counted, lambda **event: phases.open("a").write(f"{event.get('phase')}\n"))
    assert with_flops.flops is not None and with_flops.flops > 1e6
    assert phases.read_text().split()[-1] == "counting"
    monkeypatch.setattr(training_run, "training_flops", lambda *words, **more: None)
    without = done(plain)
    assert without.flops is None
    assert timeless(with_flops) == timeless(without)
    states = [read_file(job.folder / "checkpoint.pt") for job in (counted, plain)]
    one, other = (list(tensors([state[name] for name in ("model", "random")])) for state in states)
    assert one == other != []
    for record, job in ((with_flops, counted), (without, plain)):
        assert {name: sha256_of(job.folder / name) for name in record.files} == record.files


def tensors(node: Any) -> Iterator[tuple[torch.dtype, torch.Size, bytes]]:
    """Yield the tensors in a tree, as their bytes."""
    if isinstance(node, Tensor):
        yield node.dtype, node.shape, node.contiguous().view(-1).numpy().tobytes()
    elif isinstance(node, dict | list | tuple):
        for part in node.values() if isinstance(node, dict) else node:
            yield from tensors(part)


def test_a_run_that_goes_on_after_its_training_counts_the_same(jobs: Callable[[str, str], TrainJob]) -> None:
    job = jobs("dcgan", "stopped")

    def gone(**event: Any) -> None:
        """Leave at the final samples, once the checkpoint of the trained model is there."""
        if event.get("phase") == "sampling" and event.get("share") == 1.0:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                try:
                    if read_header(job.folder / LATEST)["share"] == 1.0:
                        break
                except (Damaged, OSError):
                    pass
                time.sleep(0.01)
            raise EngineGone

    assert forked(job, gone) == 1
    assert not (job.folder / "run.json").exists()
    assert "loop" not in read_file(job.folder / LATEST)
    resumed = done(job)
    assert resumed.resumed == [resumed.images]
    assert resumed.flops == done(jobs("dcgan", "whole")).flops is not None


@pytest.mark.parametrize("end", ["dies", "hears nobody"])
def test_a_run_that_ends_while_it_counts_is_whole(jobs: Callable[[str, str], TrainJob], end: str) -> None:
    job = jobs("vae", "run")

    def emit(**event: Any) -> None:
        if event.get("phase") == "counting":
            if end == "dies":
                os._exit(7)
            raise EngineGone

    assert forked(job, emit) == (7 if end == "dies" else 0)
    record = read_run(job.folder / "run.json")
    assert (record.status, record.flops) == (RunStatus.OK, None)
    assert (job.folder / "checkpoint.pt").exists()
    assert not (job.folder / LATEST).exists()

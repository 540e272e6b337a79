"""What a process of its own and checkpoints cost a run, and how long a checkpoint of a large model stops training.

    python benchmarks/isolation.py [--pairs 3] [--track mnist5k-quick] [--budget 60kimg] [--large 50] [models ...]

Each pair trains one run twice, in turn: within this process, without checkpoints (bare); and as `ganbench run` does it,
by the local engine with checkpoints every ten seconds (isolated). The order alternates. What starting the engine
takes, once a command, is told apart from what each run pays. The last part trains nothing: it takes checkpoints of a
model of so many million parameters under Adam while another thread of control computes, and tells how long `save`
held it up, how long writing took beside it, and how much slower it computed meanwhile.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

import torch
from torch import nn

from ganbench.engine import Ended, Task
from ganbench.experiment.engine import make_engine
from ganbench.experiment.session import Request, prepare
from ganbench.model import DataSpec, Model
from ganbench.registry.builtins import discover
from ganbench.store.run_spec import RuntimeConfig, TrainJob
from ganbench.training import worker
from ganbench.training.checkpoint import CheckpointWriter
from ganbench.training.state import capture
from ganbench.training.training_run import TrainingRun


def bare(job: TrainJob) -> float:
    """Return the seconds of a run within this process, which takes no checkpoint on the way."""
    runtime = job.runtime.model_copy(update={"checkpoint_seconds": 1e9})
    job.folder.mkdir(parents=True)
    start = time.perf_counter()
    TrainingRun(job.model_copy(update={"runtime": runtime}), lambda **news: json.dumps(news, default=str), start)()
    return time.perf_counter() - start


def isolated(job: TrainJob, runtime: RuntimeConfig) -> tuple[float, float]:
    """Return the seconds of a run by the engine, and those until its worker was there."""
    began = ready = time.perf_counter()
    task = Task("run", worker.ENTRY, job.model_dump(mode="json"), job.folder / "log.txt", lock=job.folder)
    with make_engine(1, runtime) as engine:
        engine.submit(task)
        for event in engine.events():
            if isinstance(event, Ended):
                assert event.code == 0, event.log
                done = time.perf_counter()
            elif event.phase == "loading" and ready == began:
                ready = time.perf_counter()
    return done - began, ready - began


class Large(Model):
    """Layers of 4 M parameters, and one optimiser."""

    name = "large"

    def __init__(self, millions: int) -> None:
        super().__init__(DataSpec((1, 2, 2), 0, "none", 64), self.Config())
        self.layers = nn.ModuleList(nn.Linear(2000, 2000) for _ in range(round(millions / 4)))
        self.optimizer = torch.optim.Adam(self.parameters(), fused=True)
        for parameter in self.parameters():
            parameter.grad = torch.ones_like(parameter)
        self.optimizer.step()


def large(millions: int, pairs: int) -> None:
    model, x = Large(millions), torch.rand(500, 500)
    count = sum(parameter.numel() for parameter in model.parameters())
    held, wrote, slower = [], [], []

    def computed(seconds: float) -> float:
        """Return products a second."""
        start, done = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            x @ x
            done += 1
        return done / (time.perf_counter() - start)

    with tempfile.TemporaryDirectory() as folder:
        for _ in range(pairs):
            keeper, alone = CheckpointWriter(Path(folder), 0.0), computed(2.0)
            start = time.perf_counter()
            keeper.save(lambda: {"model": capture(model)}, {})
            held.append(time.perf_counter() - start)
            beside = computed(1.0)
            keeper.wait()
            wrote.append(time.perf_counter() - start)
            slower.append(alone / beside)
    print(
        f"{count / 1e6:.0f} M parameters under Adam: training held for {said(held)} s, written after {said(wrote)} s, "
        f"computing meanwhile {said(slower)} times slower (n = {pairs})"
    )


def said(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=["vae", "dcgan"])
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--track", default="mnist5k-quick")
    parser.add_argument("--budget")
    parser.add_argument("--large", type=int, default=50, help="millions of parameters; 0 leaves that part out")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    registry = discover()
    print(f"{arguments.track}, torch {torch.__version__}, 1 thread, {arguments.pairs} pairs")
    for name in arguments.models:
        ratios, startups = [], []
        for pair in range(arguments.pairs):
            with tempfile.TemporaryDirectory() as folder:
                seconds = {}
                for side in ("bare", "isolated") if pair % 2 == 0 else ("isolated", "bare"):
                    request = Request(
                        name, track=arguments.track, seeds=1, budget=arguments.budget, baselines=False,
                        runs=Path(folder, side), threads=1,
                    )  # fmt: skip
                    session = prepare(request, registry)
                    (job,) = session.train
                    if side == "bare":
                        seconds[side] = bare(job)
                    else:
                        whole, startup = isolated(job, session.runtime)
                        seconds[side] = whole - startup
                        startups.append(startup)
                ratios.append(seconds["isolated"] / seconds["bare"])
        print(
            f"{name}: isolated / bare {said(ratios)}; starting the engine, once a command, {said(startups)} s; "
            f"the last bare run took {seconds['bare']:.1f} s",
            flush=True,
        )
    if arguments.large:
        large(arguments.large, arguments.pairs)


if __name__ == "__main__":
    main()

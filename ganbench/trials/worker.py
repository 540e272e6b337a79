"""One trial in a process of its own: ``python -m ganbench.trials.worker FOLDER``.

FOLDER holds ``trial.json`` and ``setting.json``; the record and everything else of the trial go there. Standard output
carries one JSON object a line for the executor (`Event`); whatever a plugin prints goes to ``log.txt``.
"""

from __future__ import annotations

import time

_START = time.perf_counter()  # before torch is imported: that is part of what loading costs

import contextlib
import csv
import dataclasses
import io
import json
import os
import resource
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import torch
import torch._dynamo  # noqa: F401  # the first optimiser imports it: seconds that no model should be billed
from torch import Tensor

from ganbench.budget import Budget
from ganbench.data.dataset import Dataset, Split
from ganbench.errors import DivergedError, RequestError
from ganbench.evaluation.evidence import Classifier
from ganbench.evaluation.judge import Judge, Verdict
from ganbench.evaluation.samples import SampleError, draw
from ganbench.files import write_text, write_whole
from ganbench.model import Batch, DataSpec, Model
from ganbench.registry import resolve
from ganbench.scores import flat
from ganbench.shipped import built_in, discover
from ganbench.training.loop import Progress, train
from ganbench.training.meter import Meter
from ganbench.trials.config import make_config
from ganbench.trials.pictures import write_grid
from ganbench.trials.plan import find_metrics, load_dataset
from ganbench.trials.provenance import provenance
from ganbench.trials.record import Record, Status
from ganbench.trials.seeds import derive, seed_everything
from ganbench.trials.trial import Setting, Trial

GRID = 100
"""Samples shown in a trial's picture."""


class Run:
    """The state of one trial on its way: what is known so far goes into the record, however it ends."""

    def __init__(self, trial: Trial, setting: Setting, folder: Path, events: TextIO) -> None:
        self.trial, self.setting, self.folder, self._events = trial, setting, folder, events
        self.device = torch.device(setting.device)
        self.meter = Meter(self.device)
        self.progress = Progress(0, 0, 0.0, 0.0)
        self.curve: list[dict[str, float]] = []
        self.verdict = Verdict({}, {})
        self.parameters = 0
        self.provenance: dict[str, Any] = {}

    def __call__(self) -> None:
        """Load, train, sample, score."""
        track = self.trial.track.protocol
        self.provenance = provenance(self.device, self.trial.precision, self.setting.command)
        registry = built_in()
        named = [("datasets", track.dataset), ("extractors", track.extractor)]
        named += [("metrics", name) for name in track.metrics]
        if not all(registry.has(kind, name) for kind, name in named):
            registry = discover()  # imports everybody's plugins: only where something of theirs is named
        dataset = load_dataset(track.dataset, registry, self.setting.data_dir)
        source = registry.get("extractors", track.extractor).thing
        extractor = source.load(self.device, self.setting.weights)
        images, labels = self._on_device(dataset.train)
        with self.meter.phase("evaluate"):
            self.judge = Judge(
                dataset, extractor, self.trial.track.extractor_sha256, find_metrics(track.metrics, registry),
                oracle=0 < dataset.classes == source.classes_of(self.setting.weights), device=self.device,
            )  # fmt: skip
        # Samples are asked for in the proportions of the held-out images, which are neither trained on nor reference.
        self.labels = self._on_device(dataset.heldout)[1]
        model = self.train_model(dataset, images, labels)
        self.evaluate(model)

    def _on_device(self, split: Split) -> tuple[Tensor, Tensor | None]:
        labels = None if split.labels is None else torch.from_numpy(split.labels).to(self.device)
        return torch.from_numpy(split.images).to(self.device), labels

    def train_model(self, dataset: Dataset, images: Tensor, labels: Tensor | None) -> Model:
        trial, track = self.trial, self.trial.track.protocol
        spec = DataSpec(dataset.shape, dataset.classes, dataset.name, len(dataset.train))
        cls = resolve(trial.address)
        config = make_config(cls, trial.config)
        seed_everything(derive(trial.seed, "training"))
        points = track.curve_points
        with self.meter.phase("train"):
            with self.device:
                model = cls(spec, config)
            model.to(self.device)
            self.parameters = sum(parameter.numel() for parameter in model.parameters())
            if cls.step is not Model.step:
                self.progress = train(
                    model, images, labels, Budget.parse(track.budget), self.meter,
                    seed=derive(trial.seed, "batches"), precision=self.trial.precision,
                    milestones=tuple(0.5**power for power in range(points - 1, 0, -1)),
                    at_milestone=lambda progress: self.curve_point(model, progress), report=self.report,
                )  # fmt: skip
            if cls.finish is not Model.finish:
                if model.role == "ceiling":
                    images, labels = self._on_device(dataset.heldout)
                model.finish(Batch(images.float().div_(127.5).sub_(1.0), labels))
        return model

    def report(self, progress: Progress) -> None:
        self.progress = progress
        self.emit(
            share=min(progress.share, 1.0), images=progress.images, seconds=progress.seconds, losses=progress.losses
        )

    def emit(self, **event: Any) -> None:
        try:
            print(json.dumps(event), file=self._events, flush=True)
        except BrokenPipeError:
            os._exit(1)  # the executor is gone: end without a record, so that the trial runs again

    def curve_point(self, model: Model, progress: Progress) -> None:
        n = self.trial.track.protocol.curve_samples
        with self.meter.phase("evaluate"):
            samples = self.draw(model, n)
            self.add_curve_point(progress, samples)

    def draw(self, model: Model, n: int) -> Tensor:
        labels = None if self.labels is None else self.labels[:n]
        return draw(model, n, labels, derive(self.trial.seed, "samples")).to(self.device)

    def add_curve_point(self, progress: Progress, samples: Tensor) -> None:
        losses = {f"loss_{name}": value for name, value in progress.losses.items()}
        point = {"images": progress.images, "steps": progress.steps, "seconds": progress.seconds, "n": len(samples)}
        self.curve.append({**point, **flat(self.judge.score(samples, final=False).scores), **losses})

    def evaluate(self, model: Model) -> None:
        track, trial = self.trial.track.protocol, self.trial
        self.emit(phase="scoring")
        with self.meter.phase("sample"):
            samples = self.draw(model, track.samples)
        labels = self.labels[: track.samples] if model.conditional and self.labels is not None else None
        with self.meter.phase("evaluate"):
            classifier = Classifier(track.classifier_steps, derive(trial.seed, "classifier"), track.classifier_seeds)
            self.verdict = self.judge.score(samples, labels, classifier=classifier)
            # The curve's last point is at the curve's n, so that it can be compared with those before it.
            self.add_curve_point(self.progress, samples[: track.curve_samples])
            order = labels[:GRID].argsort(stable=True) if labels is not None else slice(None)
            write_grid(self.folder / "samples.png", samples[:GRID][order].cpu())
            self.write_curve()
            state = {"model": model.state_dict(), "extra": model.extra_state(), "data": dataclasses.asdict(model.data)}
            write_whole(self.folder / "checkpoint.pt", lambda stream: torch.save(state, stream))

    def write_curve(self) -> None:
        names = list(dict.fromkeys(name for point in self.curve for name in point))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.curve)
        write_text(self.folder / "curve.csv", text.getvalue())

    def record(self, status: Status, reason: str) -> Record:
        seconds = self.meter.by_phase()
        if self.device.type == "cuda":
            peak = torch.cuda.max_memory_allocated(self.device)
        else:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        seconds["total"] = time.perf_counter() - _START
        seconds["load"] = seconds["total"] - sum(seconds.get(name, 0.0) for name in ("train", "sample", "evaluate"))
        trained = seconds.get("train", 0.0)
        return self.trial.ended(
            status,
            reason,
            metrics=self.verdict.scores if status is Status.OK else {},
            absent=self.verdict.absent if status is Status.OK else {},
            curve=self.curve,
            seconds=seconds,
            images=self.progress.images,
            steps=self.progress.steps,
            parameters=self.parameters,
            images_per_second=self.progress.images / trained if trained else 0.0,
            peak_memory_bytes=peak,
            provenance=self.provenance,
        )


def outcome(error: BaseException) -> tuple[Status, str]:
    """Name an exception's kind and reason; the traceback is in the log."""
    text = " ".join(str(error).split())
    if isinstance(error, DivergedError):
        return Status.DIVERGED, text
    # On a CPU torch has no error class of its own for memory that cannot be had.
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in text:
        return Status.OOM, text or "out of memory"
    if isinstance(error, SampleError | RequestError):
        return Status.FAILED, text
    return Status.FAILED, f"{type(error).__name__}: {text}"


@contextlib.contextmanager
def output_to(log: Path) -> Iterator[TextIO]:
    """Send what anybody prints, C code included, to a log; yield the real standard output."""
    with open(os.dup(1), "w") as events, open(log, "wb", buffering=0) as sink:
        os.dup2(sink.fileno(), 1)
        os.dup2(sink.fileno(), 2)
        yield events


def main() -> None:
    folder = Path(sys.argv[1])
    trial = Trial.model_validate_json((folder / "trial.json").read_bytes())
    setting = Setting.model_validate_json((folder / "setting.json").read_bytes())
    torch.set_num_threads(setting.threads)
    with output_to(folder / "log.txt") as events:
        run = Run(trial, setting, folder, events)
        status, reason = Status.OK, ""
        try:
            run()
        except Exception as error:
            traceback.print_exc()
            status, reason = outcome(error)
        run.record(status, reason).write(folder / "record.json")


if __name__ == "__main__":
    main()

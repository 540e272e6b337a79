"""A run on its way: load, train, sample; from the start, or from where a checkpoint says it was."""

from __future__ import annotations

import csv
import dataclasses
import io
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor

from ganbench.budget import Budget
from ganbench.data.dataset import Split, sample_labels
from ganbench.data.pixels import to_float
from ganbench.model import Batch, DataSpec, Model
from ganbench.registry.import_path import resolve
from ganbench.store.checkpoint_header import LATEST
from ganbench.store.run_record import CurvePoint
from ganbench.store.run_spec import TrainJob
from ganbench.store.samples import SampleFile, write_samples
from ganbench.store.seeds import derive
from ganbench.training.checkpoint import WRITER, CheckpointWriter, read_checkpoint, remove_checkpoints
from ganbench.training.data_file import read_training_data
from ganbench.training.finishing import finish
from ganbench.training.flops import training_flops
from ganbench.training.gradient_watch import GradientWatch
from ganbench.training.hyperparameters import make_config
from ganbench.training.loop import REPORT_EVERY, Loop, Progress
from ganbench.training.memory import peak_memory
from ganbench.training.phase_timer import PhaseTimer
from ganbench.training.process_guard import ProcessGuard
from ganbench.training.sampling import draw
from ganbench.training.seeding import seed_everything
from ganbench.training.state import UnsavableError, capture, made_in_init, random_states, restore, set_random_states
from ganbench.training.surface import surface
from ganbench.util.atomic_io import sha256_of, write_bytes, write_text

LEAST_SAMPLING_SECONDS = 60.0
"""Drawing one set of samples may take this long, or as long as training has taken where that is more."""
DARK_IMAGES, DARK_STEPS = 1000, 100
"""Training images that are looked at to tell whether values below 0 are to be expected of samples, and steps after
which they are."""
FILES = ("curve.csv", "surfaces.safetensors", "checkpoint.pt")


class Stopped(BaseException):
    """The run was asked to end, and can go on from its checkpoint."""


class TrainingRun:
    """What is known of a run so far, which goes into its record however it ends.

    `emit` tells the engine news, as keywords; `began` is when the process did, by ``time.perf_counter``.
    `stopping` asks training to end after the step at hand, with a checkpoint; `training` tells whether it is there to
    be asked.
    """

    def __init__(self, job: TrainJob, emit: Callable[..., None], began: float) -> None:
        self._began, self._before = began, 0.0
        self.job, self.spec, self.folder, self.emit = job, job.spec, job.folder, emit
        self.device = torch.device(job.runtime.device)
        self.timer = PhaseTimer(self.device)
        self.progress = Progress(0, 0, 0.0, 0.0)
        self.curve: list[CurvePoint] = []
        self.samples: SampleFile | None = None
        self.parameters = self.peak_memory = 0
        self.resumed: list[int] = []
        self.files: dict[str, str] = {}
        self.flags: list[str] = []
        self.stopping = self.training = False
        self._surfaces: dict[str, Tensor] = {}
        self._done: tuple[Model, Split] | None = None
        self._made: frozenset[str] | None = None
        self._writer = CheckpointWriter(self.folder, job.runtime.checkpoint_seconds)
        self._phase, self._told = "loading", perf_counter()

    def __call__(self) -> None:
        """Load, train, sample."""
        self.guard, self._threads = ProcessGuard(), set(threading.enumerate())
        data = read_training_data(self.job.data_file, self.spec.training.train_sha256)
        self.labels = None
        if data.labels is not None:
            n = max(self.job.samples, self.job.curve_samples)
            self.labels = torch.from_numpy(sample_labels(data.labels, n, derive(self.spec.seed, "labels")))
        model = self.trained(data)
        self.peak_memory = peak_memory(self.device)
        self.finish(model, dark=is_dark(data.images[:DARK_IMAGES]))
        self._done = model, data

    def trained(self, data: Split) -> Model:
        """Return the model at the end of its budget."""
        saved = self._saved()
        images, labels = self._on_device(data)
        with self.timer.phase("train"):
            model = self._build()
            if saved is not None and not self._restore(model, saved):
                self.timer.load({})
                saved, model = None, self._build()
            if saved is None or "loop" in saved:
                if type(model).step is not Model.step:
                    self._train(model, images, labels, saved)
                if type(model).finish is not Model.finish:
                    self._enter("finishing")
                    limit = Budget.parse(self.spec.training.budget).seconds
                    for sentence in finish(model, Batch(to_float(images), labels), self.timer, limit):
                        self._flag(sentence)
                    self.guard.check("finish")
        self._checkpoint(lambda: self._state(model))
        return model

    def _on_device(self, data: Split) -> tuple[Tensor, Tensor | None]:
        labels = None if data.labels is None else torch.from_numpy(data.labels).to(self.device)
        return torch.from_numpy(data.images).to(self.device), labels

    def _build(self) -> Model:
        training = self.spec.training
        data = DataSpec(training.shape, training.classes, training.dataset, training.n)
        model_class = resolve(self.spec.import_path)
        seed_everything(derive(self.spec.seed, "training"))
        self.guard.seeded()
        self._enter("building")
        with self.device:
            model = model_class(data, make_config(model_class, self.spec.config))
        model.to(self.device)
        self.guard.check("__init__")
        try:
            self._made = made_in_init(model)
        except UnsavableError:
            self._made = None  # taking a checkpoint says why there can be none
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        return model

    def _loop(self, model: Model, images: Tensor, labels: Tensor | None) -> Loop:
        return Loop(
            model, images, labels, Budget.parse(self.spec.training.budget), self.timer,
            seed=derive(self.spec.seed, "batches"), precision=self.spec.training.precision,
            milestones=tuple(0.5**power for power in range(self.job.curve_points - 1, 0, -1)),
        )  # fmt: skip

    def _train(self, model: Model, images: Tensor, labels: Tensor | None, saved: dict[str, Any] | None) -> None:
        loop = self._loop(model, images, labels)
        if saved is not None:
            loop.load(saved["loop"])

        def pause() -> None:
            self.guard.check("step")
            self.progress = loop.progress(self.progress.losses)
            with self.timer.phase("checkpoint"):
                self._checkpoint(lambda: self._state(model, loop))
            if self.stopping:
                self._writer.wait()
                raise Stopped

        self._enter("training")
        self.training = True
        self.progress = loop.run(
            at_milestone=lambda progress: self._curve_point(model, progress),
            report=self._report,
            due=lambda now: self.stopping or self._writer.due(now),
            pause=pause,
        )
        self.training = False
        self.guard.check("step")
        if type(model).finish is not Model.finish:
            self._checkpoint(lambda: self._state(model, loop))

    def seconds(self) -> dict[str, float]:
        """Return seconds by phase, ``load`` being what is no other, and their ``total``.

        Of processes before this one what stands in their last checkpoint counts.
        """
        phases = self.timer.by_phase()
        total = self._before + perf_counter() - self._began
        return phases | {"load": total - sum(phases.values()), "total": total}

    # What a checkpoint holds, and going on from it.

    def _state(self, model: Model, loop: Loop | None = None) -> dict[str, Any]:
        """Return everything that decides how the run goes on; without a loop, training is over."""
        state = {
            "model": capture(model, trained=loop is None, made=self._made), "data": dataclasses.asdict(model.data),
            "random": random_states(self.device), "seconds": self.seconds(),
            "curve": [point.model_dump(mode="json") for point in self.curve], "resumed": list(self.resumed),
            "progress": dataclasses.asdict(self.progress), "flags": list(self.flags),
            "surfaces": dict(self._surfaces),
        }  # fmt: skip
        return state if loop is None else state | {"loop": loop.state()}

    def _checkpoint(self, take: Callable[[], dict[str, Any]]) -> None:
        facts = {
            "key": self.spec.key,
            "images": self.progress.images,
            "share": round(min(self.progress.share, 1.0), 4),
        }
        try:
            self._writer.save(take, facts)
        except UnsavableError as error:
            # Going on from half a state would give another result without a word: such a run starts again.
            print(f"ganbench: no checkpoint: {error}", flush=True)
            self._writer.give_up()
            remove_checkpoints(self.folder)

    def _saved(self) -> dict[str, Any] | None:
        found = read_checkpoint(self.folder)
        for sentence in found.damaged:
            print(f"ganbench: ignored a damaged checkpoint: {sentence}", flush=True)
        return found.state

    def _restore(self, model: Model, saved: dict[str, Any]) -> bool:
        try:
            restore(model, saved["model"])
            set_random_states(saved["random"], self.device)
        except UnsavableError as error:
            print(f"ganbench: {error}", flush=True)
            return False
        self._before = saved["seconds"]["total"]
        self.timer.load({name: spent for name, spent in saved["seconds"].items() if name not in ("load", "total")})
        self.curve = [CurvePoint.model_validate(point) for point in saved["curve"]]
        self.flags, self._surfaces = list(saved["flags"]), dict(saved["surfaces"])
        self.progress = Progress(**saved["progress"])
        self.resumed = [*saved["resumed"], self.progress.images]
        return True

    # News.

    def _enter(self, phase: str, **more: Any) -> None:
        """Tell what the run is about to do: should it never come back, that is what it was at."""
        self._phase = phase
        self.emit(phase=phase, share=min(self.progress.share, 1.0), **more)

    def _report(self, progress: Progress) -> None:
        self.progress = progress
        self.emit(
            phase=self._phase, share=min(progress.share, 1.0), images=progress.images, seconds=progress.seconds,
            losses=progress.losses,
        )  # fmt: skip

    def _tick(self) -> None:
        """Show the engine that samples came."""
        now = perf_counter()
        if now - self._told > REPORT_EVERY:
            self._told = now
            self.emit(phase=self._phase)

    # Samples, and the curve.

    def _draw(self, model: Model, n: int) -> np.ndarray:
        """Draw samples in a phase of their own, with a limit, and see whether that changed the model."""
        limit = max(LEAST_SAMPLING_SECONDS, self.timer.seconds("train"))
        before = {name: value.detach().clone() for name, value in _tensors(model).items()}
        self._enter("sampling", limit_seconds=limit)
        watch = GradientWatch()
        with self.timer.phase("sample"), watch.on():
            labels = None if self.labels is None else self.labels[:n]
            samples = draw(model, n, labels, derive(self.spec.seed, "samples"), tick=self._tick).cpu().numpy()
        self.guard.check("sample")
        now = _tensors(model)
        if now.keys() != before.keys() or any(not _same(now[name], value) for name, value in before.items()):
            self._flag("its weights changed while it drew samples: it may have trained in `sample`")
        elif watch.seen:
            self._flag("it computed gradients while it drew samples: it may have trained in `sample`")
        if any(thread not in self._threads and thread.name != WRITER for thread in threading.enumerate()):
            self._flag("it has a thread running while it draws samples")
        return samples

    def _flag(self, sentence: str) -> None:
        if sentence not in self.flags:
            self.flags.append(sentence)

    def _curve_point(self, model: Model, progress: Progress) -> None:
        self.guard.check("step")
        self.progress = progress
        samples = self._draw(model, self.job.curve_samples)
        self._add_point(model, write_samples(self.folder, f"at-{progress.images}", samples))
        self._enter("training")

    def _add_point(self, model: Model, samples: SampleFile | None) -> None:
        progress = self.progress
        self.curve.append(
            CurvePoint(
                images=progress.images,
                steps=progress.steps,
                seconds=progress.seconds,
                losses=progress.losses,
                samples=samples,
            )  # fmt: skip
        )
        self.emit(phase=self._phase, curve=[point.model_dump(mode="json") for point in self.curve])
        if (level := surface(model)) is not None:
            self._surfaces[str(progress.images)] = level

    def finish(self, model: Model, *, dark: bool = False) -> None:
        """Draw the final samples, and write what lies beside the record; `dark` tells of the training images."""
        samples = self._draw(model, self.job.samples)
        learnt = self.progress.steps >= DARK_STEPS or type(model).step is Model.step
        if dark and learnt and not is_dark(samples, share=0):
            self._flag("none of its samples has a value below 0: a network that gives [0, 1] must return 2 * x - 1")
        self.samples = write_samples(self.folder, "final", samples)
        self._add_point(model, None)  # the curve's last point is scored on the first of the final samples
        self._write_curve()
        if self._surfaces:
            arrays = {name: level.numpy() for name, level in self._surfaces.items()}
            write_bytes(self.folder / "surfaces.safetensors", save(arrays))
        self._writer.wait()
        if (self.folder / LATEST).exists():  # the state at the end of training, before any sample was drawn
            (self.folder / LATEST).replace(self.folder / "checkpoint.pt")
        self.files = {name: sha256_of(self.folder / name) for name in FILES if (self.folder / name).exists()}

    def count_flops(self) -> float | None:
        """Return the FLOPs of all steps, see `training_flops`: the model learns on, so that this must come last."""
        if self._done is None or not self.progress.steps:
            return None
        model, data = self._done

        def make_loop() -> Loop:
            limit = max(LEAST_SAMPLING_SECONDS, self.timer.seconds("train"))
            self._enter("counting", limit_seconds=limit)
            return self._loop(model, *self._on_device(data))

        check = partial(self.guard.check, "counting")
        return training_flops(make_loop, self.progress.steps, tick=self._tick, check=check)

    def _write_curve(self) -> None:
        names = list(dict.fromkeys(name for point in self.curve for name in point.losses))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(["images", "steps", "seconds", *(f"loss_{name}" for name in names)])
        for point in self.curve:
            writer.writerow([point.images, point.steps, point.seconds, *(point.losses.get(name, "") for name in names)])
        write_text(Path(self.folder, "curve.csv"), text.getvalue())


def is_dark(images: np.ndarray, share: float = 0.1) -> bool:
    """Tell whether more than a share of the values are below 0, which as uint8 is below 127; points are never dark."""
    return bool(images.dtype == np.uint8 and (images < 127).mean() > share)


def _tensors(model: Model) -> dict[str, Tensor]:
    return dict(model.named_parameters()) | dict(model.named_buffers())


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one.detach(), other)

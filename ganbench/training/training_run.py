"""A trial on its way: load, train, sample, score; from the start, or from where a checkpoint says it was."""

from __future__ import annotations

import csv
import dataclasses
import io
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from ganbench.budget import Budget
from ganbench.data.dataset import Dataset, Split
from ganbench.errors import RequestError
from ganbench.experiment.plan import find_metrics, load_dataset
from ganbench.metric import flatten
from ganbench.model import Batch, DataSpec, Model
from ganbench.pictures.grid import write_pictures
from ganbench.pictures.scatter import snapshots
from ganbench.registry.builtins import built_in, discover
from ganbench.registry.import_path import resolve
from ganbench.scoring.evaluator import Evaluator, Verdict
from ganbench.scoring.metric_context import Classifier
from ganbench.store.checkpoint_header import LATEST
from ganbench.store.run_spec import Job
from ganbench.store.seeds import derive
from ganbench.training import likelihood
from ganbench.training.batches import to_float
from ganbench.training.checkpoint import CheckpointWriter, read_checkpoint, remove_checkpoints
from ganbench.training.hyperparameters import make_config
from ganbench.training.loop import REPORT_EVERY, Loop, Progress
from ganbench.training.phase_timer import PhaseTimer
from ganbench.training.sampling import draw
from ganbench.training.seeding import seed_everything
from ganbench.training.state import capture, random_states, restore, set_random_states
from ganbench.training.state_codec import UnsavableError
from ganbench.util.atomic_io import sha256_of, write_text

FILES = ("samples.png", "training.png", "curve.csv", "checkpoint.pt")


class Stopped(BaseException):
    """The trial was asked to end, and can go on from its checkpoint."""


class Run:
    """What is known of a trial so far, which goes into its record however it ends.

    `emit` tells the executor news, as keywords; `began` is when the process did, by ``time.perf_counter``.
    `stopping` asks training to end after the step at hand, with a checkpoint; `training` tells whether it is there to
    be asked.
    """

    def __init__(self, job: Job, emit: Callable[..., None], began: float) -> None:
        self._began, self._before = began, 0.0
        self.trial, self.setting, self.folder, self.emit = job.trial, job.setting, job.folder, emit
        self.device = torch.device(self.setting.device)
        self.meter = PhaseTimer(self.device)
        self.progress = Progress(0, 0, 0.0, 0.0)
        self.curve: list[dict[str, float]] = []
        self.verdict = Verdict({}, {})
        self.parameters = 0
        self.resumed: list[int] = []
        self.files: dict[str, str] = {}
        self.snapshots: list[dict[str, Any]] = []
        self.stopping = self.training = False
        self._keeper = CheckpointWriter(self.folder, self.setting.checkpoint_seconds)
        self._told = time.perf_counter()

    def __call__(self) -> None:
        """Load, train, sample, score."""
        track = self.trial.track.protocol
        registry = built_in()
        named = [("datasets", track.dataset), ("extractors", track.extractor)]
        named += [("metrics", name) for name in track.metrics]
        if not all(registry.has(kind, name) for kind, name in named):
            registry = discover()  # imports everybody's plugins: only where something of theirs is named
        dataset = load_dataset(track.dataset, registry, self.setting.data_dir)
        source = registry.get("extractors", track.extractor).thing
        info, weights = self.trial.track, self.setting.weights
        if (dataset.sha256, source.identity(weights)) != (info.dataset_sha256, info.extractor_sha256):
            raise RequestError(f"{track.dataset} or {track.extractor} has changed since the run began: run it again")
        extractor = source.load(self.device, weights)
        with self.meter.phase("evaluate"):
            self.judge = Evaluator(
                dataset, extractor, info.extractor_sha256, find_metrics(track.metrics, registry),
                oracle=0 < dataset.classes == source.classes_of(weights), device=self.device,
                headline=track.headline, tick=self.tick,
            )  # fmt: skip
        # Samples are asked for in the proportions of the held-out images, which are neither trained on nor reference.
        self.labels = self._on_device(dataset.validation)[1]
        self.evaluate(self.trained(dataset), dataset.test)

    def _on_device(self, split: Split) -> tuple[Tensor, Tensor | None]:
        labels = None if split.labels is None else torch.from_numpy(split.labels).to(self.device)
        return torch.from_numpy(split.images).to(self.device), labels

    def trained(self, dataset: Dataset) -> Model:
        """Return the model at the end of its budget."""
        saved = self._saved()
        images, labels = self._on_device(dataset.train)
        with self.meter.phase("train"):
            model = self._build(dataset)
            if saved is not None and not self._restore(model, saved):
                self.meter.load({})
                saved, model = None, self._build(dataset)
            if saved is None or "loop" in saved:
                if type(model).step is not Model.step:
                    self._train(model, images, labels, saved)
                if type(model).finish is not Model.finish:
                    self._enter("finishing")
                    if model.role == "ceiling":
                        images, labels = self._on_device(dataset.validation)
                    model.finish(Batch(to_float(images), labels))
        self._keep(lambda: self._state(model))
        return model

    def _build(self, dataset: Dataset) -> Model:
        spec = DataSpec(dataset.shape, dataset.classes, dataset.name, len(dataset.train))
        cls = resolve(self.trial.address)
        seed_everything(derive(self.trial.seed, "training"))
        self._enter("building")
        with self.device:
            model = cls(spec, make_config(cls, self.trial.config))
        model.to(self.device)
        self.parameters = sum(parameter.numel() for parameter in model.parameters())
        return model

    def _train(self, model: Model, images: Tensor, labels: Tensor | None, saved: dict[str, Any] | None) -> None:
        trial, track = self.trial, self.trial.track.protocol
        loop = Loop(
            model, images, labels, Budget.parse(track.budget), self.meter,
            seed=derive(trial.seed, "batches"), precision=trial.precision,
            milestones=tuple(0.5**power for power in range(track.curve_points - 1, 0, -1)),
        )  # fmt: skip
        if saved is not None:
            loop.load(saved["loop"])

        def pause() -> None:
            self.progress = loop.progress(self.progress.losses)
            with self.meter.phase("checkpoint"):
                self._keep(lambda: self._state(model, loop))
            if self.stopping:
                self._keeper.wait()
                raise Stopped

        self._enter("training")
        self.training = True
        self.progress = loop.run(
            at_milestone=lambda progress: self.curve_point(model, progress),
            report=self.report,
            due=lambda now: self.stopping or self._keeper.due(now),
            pause=pause,
        )
        self.training = False
        if type(model).finish is not Model.finish:
            self._keep(lambda: self._state(model, loop))

    def seconds(self) -> dict[str, float]:
        """Return seconds by phase, ``load`` being what is no other, and their ``total``.

        Of processes before this one what stands in their last checkpoint counts.
        """
        phases = self.meter.by_phase()
        total = self._before + time.perf_counter() - self._began
        return phases | {"load": total - sum(phases.values()), "total": total}

    # What a checkpoint holds, and going on from it.

    def _state(self, model: Model, loop: Loop | None = None) -> dict[str, Any]:
        """Return everything that decides how the trial goes on; without a loop, training is over."""
        state = {
            "model": capture(model, trained=loop is None), "data": dataclasses.asdict(model.data),
            "random": random_states(self.device), "seconds": self.seconds(), "curve": list(self.curve),
            "resumed": list(self.resumed), "progress": dataclasses.asdict(self.progress),
        }  # fmt: skip
        if self.snapshots:
            state["snapshots"] = list(self.snapshots)
        return state if loop is None else state | {"loop": loop.state()}

    def _keep(self, take: Callable[[], dict[str, Any]]) -> None:
        about = {
            "key": self.trial.key,
            "images": self.progress.images,
            "share": round(min(self.progress.share, 1.0), 4),
        }
        try:
            self._keeper.save(take, about)
        except UnsavableError as error:
            # Going on from half a state would give another result without a word: such a trial starts anew.
            print(f"ganbench: no checkpoint: {error}: hand it over in extra_state()", flush=True)
            self._keeper.give_up()
            remove_checkpoints(self.folder)

    def _saved(self) -> dict[str, Any] | None:
        found = read_checkpoint(self.folder)
        for sentence in found.damaged:
            print(f"ganbench: left out a damaged checkpoint: {sentence}", flush=True)
        return found.state

    def _restore(self, model: Model, saved: dict[str, Any]) -> bool:
        try:
            restore(model, saved["model"])
        except UnsavableError as error:
            print(f"ganbench: begun anew, its checkpoint cannot be gone on from: {error}", flush=True)
            return False
        set_random_states(saved["random"], self.device)
        self._before = saved["seconds"]["total"]
        self.meter.load({name: spent for name, spent in saved["seconds"].items() if name not in ("load", "total")})
        self.curve, self.snapshots = list(saved["curve"]), list(saved.get("snapshots", []))
        self.progress = Progress(**saved["progress"])
        self.resumed = [*saved["resumed"], self.progress.images]
        for point in self.curve:
            self.emit(point=point)
        return True

    # News, and the curve.

    def _enter(self, phase: str) -> None:
        """Tell what the trial is about to do: should it never come back, that is what it was at."""
        self.emit(phase=phase, share=min(self.progress.share, 1.0))

    def report(self, progress: Progress) -> None:
        self.progress = progress
        self.emit(
            share=min(progress.share, 1.0), images=progress.images, seconds=progress.seconds, losses=progress.losses
        )

    def tick(self) -> None:
        """Show the executor that something was done: samples, features, a metric."""
        now = time.perf_counter()
        if now - self._told > REPORT_EVERY:
            self._told = now
            self.emit()

    def curve_point(self, model: Model, progress: Progress) -> None:
        n = self.trial.track.protocol.curve_samples
        with self.meter.phase("evaluate"):
            samples = self.draw(model, n)
            self.add_curve_point(progress, samples)
            self.snapshots += snapshots(model, samples, progress.images)

    def draw(self, model: Model, n: int) -> Tensor:
        self._enter("sampling")
        labels = None if self.labels is None else self.labels[:n]
        return draw(model, n, labels, derive(self.trial.seed, "samples"), tick=self.tick).to(self.device)

    def add_curve_point(self, progress: Progress, samples: Tensor) -> None:
        losses = {f"loss_{name}": value for name, value in progress.losses.items()}
        point = {"images": progress.images, "steps": progress.steps, "seconds": progress.seconds, "n": len(samples)}
        self.curve.append({**point, **flatten(self.judge.score(samples, final=False).scores), **losses})
        self.emit(point=self.curve[-1])

    # The end.

    def evaluate(self, model: Model, test: Split) -> None:
        """Draw the samples, score them, and write what is to be seen of them; points beside those of `test`."""
        track, trial = self.trial.track.protocol, self.trial
        with self.meter.phase("sample"):
            samples = self.draw(model, track.samples)
        self._enter("scoring")
        labels = self.labels[: track.samples] if model.conditional and self.labels is not None else None
        with self.meter.phase("evaluate"):
            classifier = Classifier(track.classifier_steps, derive(trial.seed, "classifier"), track.classifier_seeds)
            bounds = None
            if self.judge.asks_for("likelihood") and likelihood.is_given(model):
                bounds = self._bounds(model, test)
            self.verdict = self.judge.score(samples, labels, classifier=classifier, log_likelihood=bounds)
            # The curve's last point is at the curve's n, so that it can be compared with those before it.
            self.add_curve_point(self.progress, samples[: track.curve_samples])
            self.snapshots += snapshots(model, samples, self.progress.images)
            write_pictures(self.folder, samples, labels, test.images, self.snapshots)
            self._write_curve()
        self._keeper.wait()
        if (self.folder / LATEST).exists():  # the state at the end of training, before any sample was drawn
            (self.folder / LATEST).replace(self.folder / "checkpoint.pt")
        self.files = {name: sha256_of(self.folder / name) for name in FILES if (self.folder / name).exists()}

    def _bounds(self, model: Model, test: Split) -> Tensor:
        """Return the model's lower bounds for the first test images, in bits per dimension."""
        images = to_float(self._on_device(test)[0][: likelihood.IMAGES])
        return likelihood.log_likelihood(model, images, derive(self.trial.seed, "likelihood"), tick=self.tick)

    def _write_curve(self) -> None:
        names = list(dict.fromkeys(name for point in self.curve for name in point))
        text = io.StringIO()
        writer = csv.DictWriter(text, names)
        writer.writeheader()
        writer.writerows(self.curve)
        write_text(self.folder / "curve.csv", text.getvalue())

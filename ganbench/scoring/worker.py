"""A scoring worker: scores samples that lie in a store, whoever made them. It imports no model plugin.

What is known of real images (features, neighbours, moments) is computed once for all runs of a job.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganbench.data.dataset import Dataset, sample_labels
from ganbench.errors import RequestError
from ganbench.metric import flatten
from ganbench.registry.loading import load_items
from ganbench.registry.lookup import find_metrics, load_dataset
from ganbench.scoring.baselines import draw_baseline
from ganbench.scoring.evaluator import Evaluator
from ganbench.scoring.job import ScoreJob
from ganbench.scoring.metric_context import Classifier
from ganbench.scoring.run_pictures import write_pictures
from ganbench.store.layout import answer_path
from ganbench.store.provenance import provenance
from ganbench.store.run_record import RunRecord
from ganbench.store.samples import array_sha256, read_samples
from ganbench.store.score_record import CurveScores, ScoreRecord
from ganbench.store.seeds import derive
from ganbench.store.store import Store
from ganbench.util.float32 import use_ieee_float32
from ganbench.util.text import error_line

ENTRY = f"{__name__}:work"
LIKELIHOOD_IMAGES = 1000
"""Reference images that likelihoods are taken on: the first so many."""


def work(payload: dict[str, Any], emit: Callable[..., None], began: float) -> int:
    """Do a `ScoreJob`, given as JSON values; emit ``scored=KEY`` or ``refused=KEY, reason=...`` for each run."""
    job = ScoreJob.model_validate(payload)
    torch.set_num_threads(job.threads)
    use_ieee_float32()
    emit(phase="loading")
    scorer = RunScorer(job, tick=lambda: emit(phase="scoring"))
    status = 0
    for key in job.keys:
        emit(phase="scoring", run=key)
        try:
            scorer.score(key)
        except (RequestError, ValueError) as error:
            print(f"ganbench: {key}: {error_line(error)}", flush=True)
            emit(phase="scoring", refused=key, reason=error_line(error))
            status = 1
        else:
            emit(phase="scoring", scored=key)
    return status


class RunScorer:
    """Scores runs of one store under one protocol."""

    def __init__(self, job: ScoreJob, *, tick: Callable[[], None] = lambda: None) -> None:
        self._job, self._store, self._device = job, Store(job.store), torch.device(job.device)
        registry = load_items(job.items)
        self.dataset: Dataset = load_dataset(job.protocol.dataset, registry, job.data_dir)
        source = registry.get("extractors", job.protocol.extractor).thing
        identity = source.identity(job.weights)
        found = (self.dataset.reference_sha256(job.protocol.split), self.dataset.train_sha256, identity)
        asked = (job.protocol.reference_sha256, job.protocol.train_sha256, job.protocol.extractor_sha256)
        if found != asked:
            raise RequestError(
                f"{self.dataset.name} or {source.name} has changed since the command began: run it again"
            )
        self._metrics = find_metrics(job.metrics, registry)
        self._evaluator = Evaluator(
            self.dataset, source.load(self._device, job.weights), identity, self._metrics,
            oracle=0 < self.dataset.classes == source.classes_of(job.weights), device=self._device,
            headline=job.headline, tick=tick, against=job.protocol.split,
        )  # fmt: skip
        self._provenance = provenance(self._device, "fp32", job.command)

    def score(self, key: str) -> ScoreRecord:
        """Score a run's samples and the points of its curve, and write what was found beside it.

        Raises `RequestError` where the samples are missing or not those of the record.
        """
        start = time.perf_counter()
        run, folder = self._store.read(key), self._store.folder(key)
        if run is None or run.samples is None:
            raise RequestError(f"{folder}: no run with samples")
        protocol, final = self._job.protocol, read_final(folder, run, self._job.protocol.samples)
        labels = self._labels(run, len(final))
        schedule = Classifier(
            protocol.classifier_steps, derive(run.spec.seed, "classifier"), protocol.classifier_seeds,
            random_labels=run.spec.model_info.role == "ceiling",
        )  # fmt: skip
        bounds = self._bounds(folder, run)
        try:
            result = self._evaluator.score(
                self._tensor(final), labels, classifier=schedule, log_likelihood=bounds,
            )  # fmt: skip
        except ValueError as error:  # the metric that ranks has no value: the run has no place, and its row says why
            raise RequestError(f"{folder}: {error_line(error)}") from error
        record = ScoreRecord(
            key=protocol.key, run=key, protocol=protocol, samples_sha256=run.samples.sha256, n=len(final),
            metrics=result.scores, metric_info={metric.name: metric.info for metric in self._metrics},
            skipped=result.skipped, curve=self._curve(run, folder, final), seconds=time.perf_counter() - start,
            provenance=self._provenance,
        )  # fmt: skip
        write_pictures(folder, run, final, labels, self.dataset)
        return self._store.write_score(record)

    def _tensor(self, samples: NDArray[Any]) -> Tensor:
        if samples.shape[1:] != self.dataset.shape or samples.dtype != self.dataset.test.images.dtype:
            raise RequestError(
                f"samples are {samples.dtype} of shape {samples.shape[1:]}, {self.dataset.name} has "
                f"{self.dataset.test.images.dtype} of shape {self.dataset.shape}"
            )
        return torch.from_numpy(samples).to(self._device)

    def _labels(self, run: RunRecord, n: int) -> Tensor | None:
        """Return the labels that the samples were made for: known from the run's seed, not taken from its files."""
        info, train = run.spec.model_info, self.dataset.train.labels
        if not info.conditional or train is None:
            return None
        if info.role != "model":
            labels = draw_baseline(info.name, self.dataset, n, against=self._job.protocol.split).labels
        else:
            labels = sample_labels(train, n, derive(run.spec.seed, "labels"))
        return None if labels is None else torch.from_numpy(labels).to(self._device)

    def _bounds(self, folder: Path, run: RunRecord) -> Tensor | None:
        """Return the model's bounds of the likelihood of reference images, where it was asked for them."""
        if not run.spec.model_info.log_likelihood or not self._evaluator.asks_for("likelihood"):
            return None
        images = likelihood_images(self.dataset, self._job.protocol.split)
        path = answer_path(folder, "log_likelihood", array_sha256(images))
        if not path.exists():
            return None
        answer: NDArray[Any] = np.load(path, allow_pickle=False)
        if answer.shape != (len(images),) or not np.isfinite(answer).all():
            raise RequestError(f"{path}: not one finite number for each of {len(images)} images")
        return torch.from_numpy(answer.astype(np.float32))

    def _curve(self, run: RunRecord, folder: Path, final: NDArray[Any]) -> list[CurveScores]:
        """Score the points of the curve; its last is scored on the first of the final samples."""
        points, n = [], self._job.protocol.curve_samples
        for point in run.curve:
            try:
                samples = final[:n] if point.samples is None else read_samples(folder, point.samples, n)
            except FileNotFoundError:  # cleaned away: the point has no scores but those it had
                continue
            result = self._evaluator.score(self._tensor(samples), final=False)
            sha256 = array_sha256(samples)
            points.append(
                CurveScores(images=point.images, samples_sha256=sha256, n=len(samples), metrics=flatten(result.scores))
            )
        return points


def likelihood_images(dataset: Dataset, split: str) -> NDArray[Any]:
    """Return the reference images that models are asked the likelihood of."""
    return np.ascontiguousarray(dataset.split(split).images[:LIKELIHOOD_IMAGES])


def read_final(folder: Path, run: RunRecord, n: int) -> NDArray[Any]:
    """Return the first `n` final samples of a run, fewer where it drew fewer; `RequestError` where they are gone."""
    assert run.samples is not None
    try:
        if n > run.samples.n and (more := folder / f"samples/final-{n}.npy").exists():
            samples: NDArray[Any] = np.load(more, allow_pickle=False)
            if array_sha256(samples[: run.samples.n]) != run.samples.sha256:
                raise RequestError(f"{more}: does not begin with the samples of the run's record")
            return samples
        return read_samples(folder, run.samples, n)
    except FileNotFoundError as error:
        raise RequestError(
            f"{folder}: its samples were removed: `ganbench score {run.key}` draws them again from the checkpoint"
        ) from error

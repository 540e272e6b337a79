"""Runs and scores for tests, as a training worker and a scorer would write them, without either."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ganbench.metric import HEADLINE, MetricInfo, Score
from ganbench.store.checkpoint_header import FORMAT, HEADER
from ganbench.store.run_record import CurvePoint, RunRecord, RunStatus
from ganbench.store.run_spec import ModelInfo, RunSpec, RuntimeConfig, TrainingProtocol
from ganbench.store.samples import SampleFile
from ganbench.store.score_record import CurveScores, ScoreRecord, ScoringProtocol
from ganbench.store.seeds import run_seed

TRAIN, REFERENCE, WEIGHTS = "d" * 64, "c" * 64, "e" * 64
PROVENANCE = {
    "started": "2026-11-01T10:00:00+00:00", "command": ["ganbench", "run", "--plugins", "tiny"], "git_commit": None,
    "git_dirty": None, "ganbench": "0.2.0", "python": "3.11.7", "torch": "2.15.0", "device": "cpu", "cpu": "AMD EPYC",
    "cores": 2, "threads": 1, "platform": "Linux", "precision": "fp32", "deterministic": False,
}  # fmt: skip
INFO = {
    info.name: info
    for info in (
        HEADLINE,
        MetricInfo(name="is", title="IS", direction="higher", low=1, digits=2, meaning="Inception Score", source="x"),
        MetricInfo(name="recall", title="R", direction="higher", low=0, high=1, meaning="recall", source="x"),
        MetricInfo(name="coverage", title="C", direction="higher", low=0, high=1, meaning="coverage", source="x"),
    )
}


def sha(*parts: object) -> str:
    """Return a made-up hash for what is to have one."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def training(**changes: Any) -> TrainingProtocol:
    return TrainingProtocol(
        **{"dataset": "digits", "train_sha256": TRAIN, "shape": (1, 8, 8), "classes": 10, "n": 1000, "budget": "8kimg"}
        | changes
    )


def spec(label: str = "tiny", seed_index: int = 0, *, config: Mapping[str, Any] | None = None, role: str = "model",
         source: str = "ab" * 32, model: Mapping[str, Any] | None = None, **protocol: Any) -> RunSpec:  # fmt: skip
    """Return what is asked for; `protocol` changes fields of the training protocol, `model` those of `ModelInfo`."""
    info = {
        "name": label.split("[")[0], "label": label, "family": "gan" if role == "model" else "baseline", "version": "1",
        "source": source, "role": role, "paper": "arXiv:1406.2661", "distribution": "ganbench 0.2.0",
    }  # fmt: skip
    trained_on = training(**protocol)
    return RunSpec(
        model_info=ModelInfo(**info | dict(model or {})), import_path="tiny:Tiny",
        config={"batch_size": 64, "label": label} if config is None else dict(config),
        training=trained_on, seed_index=seed_index, seed=run_seed(trained_on.train_sha256, seed_index),
    )  # fmt: skip


def run_record(of: RunSpec | str = "tiny", seed_index: int = 0, *, status: RunStatus | str = RunStatus.OK,
               points: int = 2, day: int = 1, **changes: Any) -> RunRecord:  # fmt: skip
    """Return how a run ended; `of` is what was asked for, or a model's label. `changes` are the record's fields."""
    asked = spec(of, seed_index) if isinstance(of, str) else of
    status = RunStatus(status)
    curve = [
        CurvePoint(
            images=1000 * 2**at, steps=16 * 2**at, seconds=1.5 * 2**at, losses={"d": 1.25, "g": 0.75 / (at + 1)},
            samples=SampleFile(file=f"samples/at-{1000 * 2**at}.npy", n=500, sha256=sha(asked.key, at)),
        )
        for at in range(points)
    ]  # fmt: skip
    found: dict[str, Any] = {
        "key": asked.key, "spec": asked, "status": status,
        "reason": "" if status is RunStatus.OK else f"it ended as {status}", "curve": curve,
        "samples": SampleFile(file="samples/final.npy", n=1000, sha256=sha(asked.key, "final")),
        "seconds": {"load": 0.5, "train": 12.0, "sample": 0.4, "total": 13.0}, "images": 8000, "steps": 125,
        "parameters": 1234, "images_per_second": 650.0, "peak_memory_bytes": 300 * 2**20,
        "files": {"checkpoint.pt": sha(asked.key, "checkpoint")},
        "provenance": PROVENANCE | {"started": f"2026-11-{day:02}T10:00:00+00:00"},
    }  # fmt: skip
    if status is not RunStatus.OK:
        found |= {"samples": None, "files": {}}
    return RunRecord(**found | changes)


def protocol(**changes: Any) -> ScoringProtocol:
    return ScoringProtocol(
        **{
            "dataset": "digits", "split": "test", "reference_sha256": REFERENCE, "train_sha256": TRAIN,
            "extractor": "lenet-mnist", "extractor_sha256": WEIGHTS, "samples": 1000, "curve_samples": 500,
            "classifier_steps": 300, "classifier_seeds": 2,
        }
        | changes
    )  # fmt: skip


def score_record(run: RunRecord, under: ScoringProtocol | None = None, *, versions: Mapping[str, int] | None = None,
                 skipped: Mapping[str, str] | None = None, curve: bool = True, changes: Mapping[str, Any] | None = None,
                 **values: float) -> ScoreRecord:  # fmt: skip
    """Return scores of a run's samples; `values` are metrics (FID 20 and IS 8 where none are given).

    `versions` are those of metrics, 1 where nothing is said; `changes` are the record's own fields.
    """
    under = under or protocol()
    scores = values or {"fid": 20.0, "is": 8.0}
    names = [*scores, *(skipped or {})]
    points = [
        CurveScores(
            images=point.images, samples_sha256=point.samples.sha256, n=point.samples.n,
            metrics={name: value * (1 + 1 / (at + 1)) for name, value in scores.items()},
        )
        for at, point in enumerate(run.curve)
        if curve and point.samples is not None
    ]  # fmt: skip
    found: dict[str, Any] = {
        "key": under.key, "run": run.key, "protocol": under,
        "samples_sha256": run.samples.sha256 if run.samples else "", "n": min(under.samples, 1000), "curve": points,
        "metrics": {name: Score(value=value, n=1000, se=value / 100) for name, value in scores.items()},
        "metric_info": {name: info(name, (versions or {}).get(name, 1)) for name in names},
        "skipped": dict(skipped or {}), "seconds": 1.5, "provenance": PROVENANCE,
    }  # fmt: skip
    return ScoreRecord(**found | dict(changes or {}))


def info(name: str, version: int = 1) -> MetricInfo:
    known = INFO.get(name) or MetricInfo(name=name, title=name.upper(), direction="higher", meaning=name, source="x")
    return known.model_copy(update={"version": version})


def begin(root: Path, asked: RunSpec) -> Path:
    """Write what a run that has just started leaves behind; return its folder."""
    folder = root / asked.key
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.json").write_text(asked.model_dump_json(indent=1))
    (folder / "runtime.json").write_text(RuntimeConfig(device="cpu", threads=1).model_dump_json())
    return folder


def put(root: Path, record: RunRecord, scores: Sequence[ScoreRecord] = ()) -> Path:
    """Write a finished run and its scores into a store; return its folder. Neither samples nor checkpoint are there."""
    folder = begin(root, record.spec)
    record.write(folder / "run.json")
    for score in scores:
        score.write(folder / "scores" / f"{score.key}.json")
    return folder


def checkpoint(folder: Path, share: object, name: str = "resume.pt") -> Path:
    """Write a checkpoint's header, without the state that would follow it."""
    header = {"ganbench_checkpoint": FORMAT, "sha256": sha(share), "key": folder.name, "share": share}
    path = folder / name
    path.write_bytes(json.dumps(header).encode().ljust(HEADER) + b"state")
    return path

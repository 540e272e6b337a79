"""Records for tests, as a trial would write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ganbench.metric import Score
from ganbench.registry.builtin_metrics import METRICS
from ganbench.store.run_record import ModelInfo, Record, Status, TrackInfo
from ganbench.tracks.track import Track

TRACK = Track(
    name="tiny-quick", version=1, summary="Small digits, soon done", dataset="digits", budget="8kimg", seeds=3,
    samples=1000, curve_points=4, curve_samples=500, extractor="lenet-mnist", classifier_steps=300,
)  # fmt: skip
FACTS = tuple(metric.info for metric in METRICS if metric.name in TRACK.metrics)
DATA, EXTRACTOR = "d" * 64, "e" * 64


def make(
    label: str = "tiny",
    repetition: int = 0,
    fid: float = 20.0,
    *,
    role: str = "model",
    status: Status = Status.OK,
    reason: str = "",
    track: Track = TRACK,
    extractor: str = EXTRACTOR,
    source: str = "ab" * 32,
    day: int = 1,
    n: int = 1000,
    key: str | None = None,
    curve: bool = False,
    provenance: dict[str, Any] | None = None,
    **scores: float,
) -> Record:
    """Return a record; `scores` are metrics beside FID, and a failed trial has none."""
    metrics = {"fid": fid, "is": 8.0, "authenticity": 0.9, **scores} if status is Status.OK else {}
    shares = [(1000 * 2**at, fid * (4 - at), 500) for at in range(4)] if curve else []
    return Record(
        key=key or f"{re.sub('[^a-z0-9]+', '-', label)}-{source[:4]}-{repetition}",
        model=label.split("[")[0],
        about=ModelInfo(
            name=label.split("[")[0], label=label, family="gan" if role == "model" else "baseline", role=role,
            version="1", source=source, conditional=False, paper="arXiv:1406.2661", distribution="ganbench 0.1.0",
            sampler=f"{label}'s latent",
        ),
        address="tiny:Tiny",
        precision="fp32",
        config={},
        track=TrackInfo(
            protocol=track, dataset_sha256=DATA, extractor_sha256=extractor, metrics=FACTS,
            fingerprint=track.fingerprint(DATA, extractor, FACTS),
        ),
        repetition=repetition,
        seed=1000 + repetition,
        status=status,
        reason=reason,
        metrics={name: Score(value=value, n=n) for name, value in metrics.items()},
        curve=[{"images": x, "steps": x / 64, "seconds": x / 700, "n": size, "fid": y} for x, y, size in shares],
        seconds={"load": 0.5, "train": 12.0 + repetition, "sample": 0.4, "evaluate": 2.0, "total": 16.0},
        images=8000,
        steps=125,
        parameters=1234,
        images_per_second=650.0 if role == "model" else 0.0,
        peak_memory_bytes=300 * 2**20,
        provenance=provenance or {
            "started": f"2026-11-{day:02}T10:0{repetition}:00+00:00", "git_commit": "c0ffee" * 7, "git_dirty": False,
            "python": "3.11.7", "torch": "2.15.0", "ganbench": "0.1.0", "device": "cpu", "cpu": "AMD EPYC", "cores": 2,
            "threads": 1, "precision": "bf16 autocast",
        },
    )  # fmt: skip


def seeds(label: str, fids: Sequence[float], **more: Any) -> list[Record]:
    """Return one record a seed."""
    return [make(label, repetition, fid, **more) for repetition, fid in enumerate(fids)]


def full() -> list[Record]:
    """Return what a board with everything on it is made from."""
    return [
        *seeds("real", (1.9, 2.0, 2.1), role="ceiling", acc=0.98, acc_oracle=0.97, authenticity=0.8),
        *seeds("dcgan", (19.0, 20.0, 21.5), curve=True, acc_oracle=0.95),
        *seeds("vae[latent_dim=64]", (20.0, 22.0, 23.0), curve=True, acc=0.9),
        *seeds("vanilla", (80.0, 85.0, 90.0), curve=True),
        make("lone", 0, 50.0, curve=True),
        make("vanilla", 3, status=Status.DIVERGED, reason="loss is NaN at step 70"),
        *seeds("replay", (1.5, 1.6, 1.7), role="memoriser", authenticity=0.0),
        *seeds("noise", (900.0, 905.0, 910.0), role="floor", authenticity=1.0),
        *(make("broken", at, status=Status.OOM, reason="out of memory at 9 GiB") for at in range(3)),
    ]


def write_runs(runs: Path, records: Sequence[Record], *, pictures: bool = True) -> None:
    """Write run folders, each with a small sample grid whose grey tells the repetition."""
    for record in records:
        record.write(runs / record.key / "record.json")
        if pictures and record.status is Status.OK:
            grey = 60 + 50 * record.repetition
            Image.effect_noise((280, 140), 60).point(lambda v, g=grey: (v + g) // 2).save(
                runs / record.key / "samples.png"
            )

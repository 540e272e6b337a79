"""A few seconds of real training: a first picture, and a first score beside noise and real images."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.experiment.session import Request, prepare_on
from ganbench.metric import HEADLINE
from ganbench.registry.lookup import find_track
from ganbench.store.run_record import RunStatus
from ganbench.testing.subjects import Subject

TRACK = "mnist5k-quick"
SAMPLES = 500


@dataclass(frozen=True)
class Trial:
    """What came of it: FIDs of the model's samples, of noise and of unseen real images; or why there are none."""

    seconds: float
    images: int = 0
    fid: float | None = None
    noise: float | None = None
    real: float | None = None
    picture: Path | None = None
    failure: str = ""
    notes: tuple[str, ...] = ()


def try_out(subject: Subject, seconds: float, picture: Path, *, device: str = "auto") -> Trial:
    """Train a model for so many seconds on mnist5k, in the usual worker processes, and score 500 samples.

    The store is a temporary one: nothing is left but the picture. Raises `RequestError` where the picture cannot be
    written.
    """
    track = find_track(TRACK, subject.registry).with_budget(f"{seconds:g}s").model_copy(
        update={"seeds": 1, "samples": SAMPLES, "curve_points": 1, "metrics": (HEADLINE.name,)}
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        request = Request(
            [subject.thing], device=device, runs=Path(folder, "runs"), jobs=1, command=("ganbench", "check")
        )
        session = prepare_on(track, request, subject.registry)
        (record,) = session.run()
        trained = record.seconds.get("train", 0.0)
        if record.status is not RunStatus.OK:
            return Trial(trained, record.images, failure=f"{record.status}: {record.reason}", notes=tuple(record.flags))
        fids = {}
        for key in (record.key, *session.baselines):
            score = session.store.read_score(key, session.protocols.scoring.key)
            known = session.store.read(key)
            if score is not None and known is not None:
                fids[known.spec.model_info.role] = score.metrics[HEADLINE.name].value
        try:
            shutil.copyfile(session.store.folder(record.key) / "samples.png", picture)
        except OSError as error:
            raise RequestError(f"--out {picture}: cannot be written ({error.strerror})") from error
    notes, fid, noise = list(record.flags), fids.get("model"), fids.get("floor")
    if fid is not None and noise is not None and fid >= noise:
        notes.append("no better than noise yet: look at the picture, and train for longer with --seconds")
    return Trial(
        trained, record.images, fid, noise, fids.get("ceiling"), picture,
        failure="" if fid is not None else f"not scored: {session.refused.get(record.key, 'no score')}",
        notes=tuple(notes),
    )  # fmt: skip

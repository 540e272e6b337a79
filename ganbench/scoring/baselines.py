"""The rows that calibrate every board: real images (ceiling), noise (floor), training images (memoriser).

No model makes them: the scoring side makes their samples, once for a data set, since seeds change nothing of `real`
and hardly anything of the others. Each becomes a run without a checkpoint.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ganbench.data.dataset import Dataset, Split
from ganbench.store.layout import RUN
from ganbench.store.provenance import provenance
from ganbench.store.run_record import RunRecord, RunStatus, ended
from ganbench.store.run_spec import ModelInfo, RunSpec, TrainingProtocol
from ganbench.store.samples import write_samples
from ganbench.store.seeds import derive, run_seed
from ganbench.store.store import Store

BASELINES: dict[str, Literal["ceiling", "floor", "memoriser"]] = {
    "real": "ceiling", "noise": "floor", "replay": "memoriser",
}  # fmt: skip
"""Names, which no model may have, and roles."""
VERSION = "2"
"""Raise when the samples of a baseline are made another way."""


class Drawn(NamedTuple):
    """A baseline's samples, as files hold them, and their labels, int64 (n,), or None where there are none."""

    samples: NDArray[Any]
    labels: NDArray[np.int64] | None


def draw_baseline(name: str, dataset: Dataset, n: int, *, against: str = "test") -> Drawn:
    """Return n samples of a baseline, in a random order that is always the same.

    ``real`` shows the held-out split that samples are not compared with; ``replay`` deals out training images, each
    once before any comes again; ``noise`` is uniform in every pixel, with labels that mean nothing.
    """
    seed = derive(dataset.train_sha256, name)
    rng = np.random.RandomState(seed % 2**32)  # its stream is the same in every version of NumPy
    if name == "noise":
        return _noise(dataset, n, rng)
    split = dataset.train if name == "replay" else dataset.split("validation" if against == "test" else "test")
    order = np.concatenate([rng.permutation(len(split)) for _ in range(-(-n // len(split)))])[:n]
    return _taken(split, order)


def _noise(dataset: Dataset, n: int, rng: np.random.RandomState) -> Drawn:
    labels = None if dataset.train.labels is None else dataset.train.labels[rng.randint(len(dataset.train), size=n)]
    if dataset.train.images.dtype == np.uint8:
        return Drawn(rng.randint(0, 256, size=(n, *dataset.shape), dtype=np.uint8), labels)
    return Drawn(rng.uniform(-1, 1, size=(n, *dataset.shape)).astype(np.float32), labels)


def _taken(split: Split, order: NDArray[np.intp]) -> Drawn:
    return Drawn(split.images[order], None if split.labels is None else split.labels[order])


def baseline_spec(name: str, dataset: Dataset, n: int, *, against: str = "test") -> RunSpec:
    """Return what stands for a baseline in a store: its key depends on its samples alone."""
    info = ModelInfo(
        name=name, label=name, family="baseline", version=VERSION, source="", conditional=dataset.classes > 0,
        distribution="ganbench", role=BASELINES[name],
    )  # fmt: skip
    training = TrainingProtocol(
        dataset=dataset.name, train_sha256=dataset.train_sha256, shape=dataset.shape, classes=dataset.classes,
        n=len(dataset.train), budget="",
    )  # fmt: skip
    # `real` shows another split where samples are compared with the validation split.
    config: dict[str, Any] = {"n": n} | ({"shown": "test"} if name == "real" and against != "test" else {})
    return RunSpec(
        model_info=info, import_path="", config=config, training=training, seed_index=0,
        seed=run_seed(dataset.train_sha256, 0),
    )  # fmt: skip


def write_baseline(
    name: str, dataset: Dataset, n: int, store: Store, *, against: str = "test", command: Sequence[str] = ()
) -> RunRecord:
    """Write a baseline's samples and record into a store, where they are not there already; return the record."""
    spec = baseline_spec(name, dataset, n, against=against)
    folder = store.folder(spec.key)
    drawn = draw_baseline(name, dataset, n, against=against)
    if (known := store.read(spec.key)) is not None and known.samples and (folder / known.samples.file).exists():
        return known
    record = ended(
        spec, RunStatus.OK, samples=write_samples(folder, "final", drawn.samples),
        provenance=provenance(None, "fp32", list(command)),
    )  # fmt: skip
    record.write(Path(folder) / RUN)
    return record


def write_baselines(
    dataset: Dataset, n: int, store: Store, *, against: str = "test", command: Sequence[str] = ()
) -> list[RunRecord]:
    """Do the same for every baseline."""
    return [write_baseline(name, dataset, n, store, against=against, command=command) for name in BASELINES]

"""ganbench from Python: the same session that the command line runs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench import scoring
from ganbench.model import Model
from ganbench.session import Request, prepare
from ganbench.shipped import discover
from ganbench.trials.finished import read_finished
from ganbench.trials.record import Record

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor


def run(
    models: str | Sequence[str | type[Model]],
    track: str = "mnist5k-quick",
    *,
    seeds: int | str | None = None,
    budget: str | None = None,
    metrics: str | None = None,
    device: str = "auto",
    out: str | Path = "runs",
) -> list[Record]:
    """Train and score models on a track; return one record for each trial, the baselines' included.

    `models` are names, variants such as ``"vae[latent_dim=64]"``, ``"./file.py:Class"``, or classes that an importable
    module defines. Trials that have a record in `out` are not trained again. Raises `RequestError` for a wrong
    request; a trial that fails is a record that says so. `metrics` as in `evaluate`; others than the track's make
    another track.
    """
    request = Request(
        plugins=models, track=track, seeds=seeds, budget=budget, metrics=metrics, device=device, out=Path(out)
    )  # fmt: skip
    return prepare(request, discover()).run()


def load(folder: str | Path) -> Model:
    """Return the trained model of a run folder, on the CPU, ready to sample; the data set is not needed.

    Raises `RequestError` where the folder holds no finished trial or its plugin's class is gone.
    """
    return read_finished(Path(folder)).model()


def evaluate(
    samples: str | Path | NDArray[Any] | Tensor,
    *,
    track: str | None = None,
    reference: str | Path | NDArray[Any] | Tensor | None = None,
    extractor: str | None = None,
    metrics: str | None = None,
    labels: str | Path | NDArray[Any] | Tensor | None = None,
    n: int | None = None,
    layout: str | None = None,
    value_range: str | None = None,
    device: str = "auto",
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
) -> dict[str, float]:
    """Score samples made anywhere as a trial's are; return metrics by name, those that apply.

    ``NAME_sd`` is the spread over what a metric averages, ``NAME_se`` its standard error over samples (not over
    training seeds).

    `samples` are an array or tensor (uint8, or floats in [0, 1] or [-1, 1]; (N, C, H, W), (N, H, W, C) or (N, H, W)),
    an ``.npy`` or ``.npz`` file, a folder of images, or the folder of a run, whose record's metrics come again.
    They are compared with the test images of the track's data set (``mnist5k-quick``, or the run's own), or with
    `reference`: a track, a data set, anything that `samples` may be but a run, or saved statistics (``.npz`` with mu
    and sigma). `labels` are class numbers (N,), a ``.npy`` file of them, or ``"folders"``, and give ``acc``. `n` of
    the samples are drawn at random, the same every time. `metrics` are names joined by commas, of which ``standard``
    stands for the track's own and ``all`` for all that are registered. `layout` (``nhwc``, ``nchw``) and
    `value_range` (``0-1``, ``-1-1``) say what an array does not.

    What a reader of the numbers must know, such as n that differs, is a `UserWarning`. Raises `RequestError` for a
    wrong request.
    """
    request = scoring.Request(
        samples, track, reference, extractor, metrics, labels, n, layout, value_range, device,
        None if data_dir is None else Path(data_dir), None if weights is None else Path(weights),
    )  # fmt: skip
    report = scoring.score(request, discover())
    for note in report.notes:
        warnings.warn(note, stacklevel=2)
    return report.scores

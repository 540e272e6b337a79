"""ganbench from Python: the same session that the command line runs."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.experiment.session import Request, prepare
from ganbench.model import Model
from ganbench.registry.builtins import discover
from ganbench.reproduction import reproduce as reproduction
from ganbench.reproduction.compare import Comparison
from ganbench.scoring.external import evaluate as scoring
from ganbench.store.lookup import find_folder
from ganbench.store.run_record import Record
from ganbench.training.trained_run import read_finished

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


def reproduce(
    record: str | Path,
    *,
    out: str | Path = "reproduced",
    runs: str | Path = "runs",
    boards: str | Path = "leaderboards",
    device: str | None = None,
    plugin: str | None = None,
) -> Comparison:
    """Train a trial again as its record says, into `out`, and return both sides, metric by metric, with a verdict.

    `record` is a key or its first letters, looked for under `runs` and among those published under `boards`, or the
    path of a record. `device` is by default of the recorded kind; `plugin`, ``"./file.py:Class"``, says where a model
    that came from a file lies now. Raises `RequestError` for what cannot be reproduced here, with all that differs.
    """
    request = reproduction.Request(
        str(record), out=Path(out), runs=Path(runs), boards=Path(boards), device=device, plugin=plugin
    )
    return reproduction.prepare(request, discover()).run()


def load(key: str | Path, *, out: str | Path = "runs") -> Model:
    """Return a trained model, on the CPU, ready to sample; the data set is not needed.

    `key` is a trial's key or its first letters, looked for in `out`, or its folder. Raises `RequestError` where there
    is no such trial, more than one, or none that ended well, where its checkpoint was damaged, or where its plugin's
    class is gone or has become another.
    """
    return read_finished(find_folder(str(key), Path(out))).model()


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

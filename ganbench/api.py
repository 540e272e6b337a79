"""ganbench from Python: what the command line does, with the same options."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.boards.board import Board, build_board
from ganbench.boards.compare import compare_on
from ganbench.boards.compare_json import as_json
from ganbench.boards.dataframe import dataframe
from ganbench.errors import RequestError
from ganbench.experiment import score as scoring
from ganbench.experiment.protocols import resolve
from ganbench.experiment.session import Request, prepare
from ganbench.model import Model
from ganbench.registry.builtins import discover
from ganbench.registry.known_sources import known_sources
from ganbench.registry.lookup import find_track
from ganbench.registry.without_models import discover_without_models
from ganbench.reproduction import reproduce as reproduction
from ganbench.reproduction.compare import Comparison
from ganbench.scoring.external import evaluate as external
from ganbench.scoring.external.compare_reports import compare_reports
from ganbench.scoring.external.report_file import SUFFIX, read_report
from ganbench.store.lookup import find_folder
from ganbench.store.run_record import RunRecord
from ganbench.store.store import Store
from ganbench.training.trained_run import read_trained
from ganbench.tuning import search as tuning

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray
    from torch import Tensor


def run(
    models: str | Sequence[str | type[Model]],
    track: str = "mnist5k-quick",
    *,
    seeds: int | str | None = None,
    budget: str | None = None,
    precision: str | None = None,
    extractor: str | None = None,
    metrics: str | None = None,
    against: str = "test",
    device: str = "auto",
    engine: str = "local",
    per_run: str | None = None,
    runs: str | Path = "runs",
    settings: dict[str, Any] | None = None,
    settings_file: str | Path | None = None,
    jobs: int | None = None,
    threads: int | None = None,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    baselines: bool = True,
    retry: str | None = None,
    rerun: bool = False,
    stall_timeout: str | None = None,
    memory_limit: str | None = None,
    deterministic: bool = False,
    checkpoint_every: float = 10.0,
) -> list[RunRecord]:
    """Train models on a track and score their samples; return one record for each run that was asked for.

    `models` are names, variants such as ``"vae[latent_dim=64]"``, ``"./file.py:Class"``, or classes that an importable
    module defines; `settings` are hyper-parameters such as ``{"dcgan.lr": 1e-4}``, beside those of a `settings_file`
    that `tune` wrote. Runs that are in `runs` are not trained again. `metrics` (``"standard,vendi"``) are computed
    beside the track's, `extractor` names more extractors.
    The other options are those of ``ganbench run``; `engine` has options in brackets, as in
    ``"slurm[partition=gpu,time=02:00:00]"``. Scores are stored beside the runs: `leaderboard` returns them as a
    table.

    Raises `RequestError` for a wrong request; a run that fails is a record that says so.
    """
    request = Request(
        plugins=models, track=track, seeds=seeds, budget=_text(budget), precision=precision, extractor=extractor,
        metrics=metrics, against=against, device=device, engine=engine, per_run=per_run, runs=Path(runs),
        settings=tuple(f"{name}={value}" for name, value in (settings or {}).items()),
        settings_file=_path(settings_file), jobs=jobs, threads=threads, data_dir=_path(data_dir),
        weights=_path(weights), baselines=baselines, retry=retry, rerun=rerun, stall_timeout=_text(stall_timeout),
        memory_limit=_text(memory_limit), deterministic=deterministic, checkpoint_seconds=checkpoint_every,
    )  # fmt: skip
    session = prepare(request, discover())
    records = session.run()
    _warn(session.refused)
    return records


def tune(
    models: str,
    track: str = "mnist5k-quick",
    *,
    runs_each: int = 20,
    seeds: str = "100-100",
    budget: str | None = None,
    precision: str | None = None,
    device: str = "auto",
    engine: str = "local",
    per_run: str | None = None,
    runs: str | Path = "tuning",
    out: str | Path | None = None,
    settings: dict[str, Any] | None = None,
    jobs: int | None = None,
    threads: int | None = None,
    data_dir: str | Path | None = None,
    stall_timeout: str | None = None,
) -> dict[str, dict[str, Any]]:
    """Try `runs_each` settings of every model on the validation split; return the best hyper-parameters by label.

    A model declares what to try beside the fields of its `Config` (`Uniform`, `LogUniform`, `Choice`); parameters that
    brackets or `settings` set stay fixed. The file `out` holds every trial; ``run(settings_file=...)`` reads it. An
    interrupted search continues. Raises `RequestError` for a wrong request.
    """
    request = tuning.Request(
        plugins=models, track=track, runs_each=runs_each, seeds=seeds, budget=_text(budget), precision=precision,
        device=device, engine=engine, per_run=per_run, runs=Path(runs),
        settings=tuple(f"{name}={value}" for name, value in (settings or {}).items()),
        out=_path(out), jobs=jobs, threads=threads, data_dir=_path(data_dir), stall_timeout=_text(stall_timeout),
    )  # fmt: skip
    search = tuning.prepare(request, discover())
    found = search.run()
    return {study.label: found.models[study.label].params for study in search.studies}


def score(
    keys: Sequence[str] = (),
    *,
    track: str | None = None,
    metrics: str | None = None,
    extractor: str | None = None,
    against: str = "test",
    device: str = "auto",
    engine: str = "local",
    per_run: str | None = None,
    runs: str | Path = "runs",
    jobs: int | None = None,
    threads: int | None = None,
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
) -> list[str]:
    """Score the samples of finished runs, all in `runs` or those named; return the keys of those that were scored.

    Nothing is trained. `metrics` and `extractor` as in `run`. A run that cannot be scored is a `UserWarning`.
    """
    request = scoring.Request(
        tuple(keys), track=track, metrics=metrics, extractor=extractor, against=against, device=device, engine=engine,
        per_run=per_run, runs=Path(runs), jobs=jobs, threads=threads, data_dir=_path(data_dir), weights=_path(weights),
    )  # fmt: skip
    scored = []
    for session in scoring.prepare(request, discover(), lambda sentence: warnings.warn(sentence, stacklevel=3)):
        session.run()
        _warn(session.refused)
        scored += [key for key in session.score if key not in session.refused]
    return scored


def leaderboard(
    runs: str | Path = "runs",
    *,
    track: str,
    budget: str | None = None,
    precision: str | None = None,
    against: str = "test",
    published: str | Path | None = "leaderboards",
    data_dir: str | Path | None = None,
) -> pd.DataFrame:
    """Return a track's board with the CSV's columns, one row a model, from runs and their scores; nothing is written.

    Published rows that compare are added below, unless `published` is None. Raises `RequestError` for a wrong request.
    """
    return dataframe(_board(track, budget, precision, against, runs, published, data_dir))


def compare(
    a: str | Path,
    b: str | Path,
    *,
    track: str = "mnist5k-quick",
    runs: str | Path = "runs",
    budget: str | None = None,
    precision: str | None = None,
    against: str = "test",
    published: str | Path | None = "leaderboards",
    data_dir: str | Path | None = None,
) -> dict[str, Any]:
    """Compare two rows of a board, by their labels; return what ``ganbench compare --json`` prints.

    A label that both the user and the published board have means the user's row; ``"vae (published)"`` means the
    published one. ``docs/compare.md`` describes the keys; ``sentence`` is the result in words. If both are files of
    ``ganbench evaluate --json``, these are compared, and the other options are ignored; ``comparable`` tells whether
    the two were made in the same way. Raises `RequestError` for a label or a file that does not exist.
    """
    reports = [str(each).endswith(SUFFIX) for each in (a, b)]
    if all(reports):
        return compare_reports(read_report(Path(a)), read_report(Path(b))).as_json()
    if any(reports):
        raise RequestError(f"{a} and {b}: compare two rows of a board, or two reports ({SUFFIX}), not one of each")
    board = _board(track, budget, precision, against, runs, published, data_dir)
    return as_json(compare_on(board, str(a), str(b)))


def reproduce(
    record: str | Path,
    *,
    out: str | Path = "reproduced",
    runs: str | Path = "runs",
    published: str | Path = "leaderboards",
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
    device: str | None = None,
    threads: int | None = None,
    plugin: str | None = None,
) -> Comparison:
    """Train a run again as its record says, into `out`, and return both sides, metric by metric, with a verdict.

    `record` is a key or its first letters, looked for under `runs` and among those under `published`, or the path of a
    ``run.json``. `device` is by default of the recorded kind; `plugin`, ``"./file.py:Class"``, is the present file of a
    model that came from a file. Raises `RequestError` for a run that cannot be reproduced here, naming all differences.
    """
    request = reproduction.Request(
        str(record), out=Path(out), runs=Path(runs), published=Path(published), data_dir=_path(data_dir),
        weights=_path(weights), device=device, threads=threads, plugin=plugin,
    )  # fmt: skip
    return reproduction.prepare(request, discover()).run()


def load(key: str | Path, *, runs: str | Path = "runs") -> Model:
    """Return a trained model, on the CPU, ready to sample; the data set is not needed.

    `key` is a run's key or its first letters, looked for in `runs`, or its folder. Raises `RequestError` if no
    run or several match, if the run did not end well, if its checkpoint is damaged, or if its plugin's class is not
    installed or has changed.
    """
    return read_trained(find_folder(str(key), Path(runs))).model()


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
    against: str = "test",
    device: str = "auto",
    data_dir: str | Path | None = None,
    weights: str | Path | None = None,
) -> dict[str, float]:
    """Score samples of any program as those of runs are scored; return the metrics that apply, by name.

    ``NAME_sd`` is the spread over what a metric averages, ``NAME_se`` its standard error over samples (not over
    training seeds).

    `samples` are an array or tensor (uint8, or floats in [0, 1] or [-1, 1]; (N, C, H, W), (N, H, W, C) or (N, H, W)),
    an ``.npy`` or ``.npz`` file, a folder of images, or the folder of a run, which is scored again.
    They are compared with the test images of the track's data set (``mnist5k-quick``, or the run's own), or with
    `reference`: a track, a data set, an array, file or folder as for `samples`, or saved statistics (``.npz`` with mu
    and sigma). `labels` are class numbers (N,), a ``.npy`` file of them, or ``"folders"``, and give ``cas``. `n` of
    the samples are drawn at random, the same every time. `metrics` are names joined by commas, of which ``standard``
    stands for the track's own and ``all`` for all that are registered. `layout` (``nhwc``, ``nchw``) and
    `value_range` (``0-1``, ``-1-1``) settle an ambiguous array.

    What affects how the numbers may be read, such as another n, is a `UserWarning`. Raises `RequestError` for a
    wrong request.
    """
    request = external.Request(
        samples, track=track, reference=reference, extractor=extractor, metrics=metrics, labels=labels, n=n,
        layout=layout, value_range=value_range, against=against, device=device, data_dir=_path(data_dir),
        weights=_path(weights),
    )  # fmt: skip
    report = external.score(request, discover_without_models())
    for note in report.notes:
        warnings.warn(note, stacklevel=2)
    return report.scores


def _board(
    track: str, budget: str | None, precision: str | None, against: str, runs: str | Path,
    published: str | Path | None, data_dir: str | Path | None,
) -> Board:  # fmt: skip
    registry = discover()
    chosen = find_track(track, registry).with_budget(budget).with_precision(precision)  # type: ignore[arg-type]
    request = resolve(chosen, registry, data_dir=_path(data_dir), against=against).board
    return build_board(request, [Store(Path(runs))], _path(published), known_sources=known_sources(registry))


def _path(path: str | Path | None) -> Path | None:
    return None if path is None else Path(path)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _warn(refused: dict[str, str]) -> None:
    for key, reason in refused.items():
        warnings.warn(f"{key}: not scored: {reason}", stacklevel=3)

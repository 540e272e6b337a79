"""What ``ganbench show`` prints of a run: its facts by line, its curve and its scores as tables."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ganbench.boards.formatting import metric_value
from ganbench.cli.table_printer import print_line, print_table
from ganbench.metric import MetricInfo
from ganbench.store.layout import CHECKPOINT, CURVE, LOG, SAMPLES_PICTURE, TRAINING_PICTURE
from ganbench.store.run_record import CurvePoint, RunRecord, RunStatus
from ganbench.store.run_spec import RunSpec
from ganbench.store.samples import SampleFile
from ganbench.store.score_record import ScoreRecord
from ganbench.store.status import DAMAGED, INTERRUPTED, Entry, age
from ganbench.util.log_tail import tail
from ganbench.util.text import human_flops

WIDTH = 11
HASH = 12
"""Letters of a hash that are shown."""
BESIDE = {"picture": SAMPLES_PICTURE, "training": TRAINING_PICTURE, "curve": CURVE, "weights": CHECKPOINT}
ON_THE_CURVE = ("fid", "is", "mode_kl", "modes", "high_quality", "recall", "coverage")


def show_run(path: Path, record: RunRecord, scores: Sequence[ScoreRecord], problems: Sequence[str] = ()) -> None:
    """Print a record, which lies at `path`, and its scores; `problems` say which score files could not be used."""
    _say(f"{record.key}  {record.spec.model_info.label}  seed {record.spec.seed_index}  {record.status}")
    if record.reason:
        _line("reason", record.reason)
    _show_spec(record.spec)
    _show_costs(record)
    _show_samples(path.parent, record.samples)
    for flag in record.flags:
        _line("note", flag)
    _show_provenance(record.provenance)
    _line("record", str(path))
    for name, file in BESIDE.items():
        if (beside := path.parent / file).exists():
            _line(name, str(beside))
    if record.curve:
        click.echo()
        print_table("curve", *_curve(record.curve), fold=(), drop=("samples", "steps", "seconds"))
    for score in scores:
        _show_score(score)
    if not scores and record.status is RunStatus.OK:
        click.echo(f"\nnot scored yet: `ganbench score {record.key}` scores its samples")
    for problem in problems:
        _say(f"not used: {problem}")
    if record.status is not RunStatus.OK and record.log.strip():
        _show_log(record.log)


def show_unfinished(entry: Entry, spec: RunSpec | None) -> None:
    """Print what is known of a run without a record."""
    started = age(entry.started, datetime.datetime.now(datetime.UTC))
    seed = "?" if entry.seed_index is None else entry.seed_index
    _say(f"{entry.key}  {entry.label}  seed {seed}  {entry.standing}")
    if entry.reason:
        _line("reason", entry.reason)
    if spec is not None:
        _show_spec(spec)
    if entry.status != DAMAGED:
        _line("started", "at an unknown time" if started == "?" else f"{started} ago")
        _line("checkpoint", "none" if entry.share is None else f"at {entry.share:.1%} of the budget".replace("%", " %"))
    _line("folder", str(entry.folder))
    if entry.status == INTERRUPTED:
        _line("continue", "the `ganbench run` that started it continues it")
    elif entry.status == DAMAGED:
        _line("continue", "the `ganbench run` that started it repeats it")
    if log := tail(entry.folder / LOG).strip():
        _show_log(log)


def _show_spec(spec: RunSpec) -> None:
    info, training = spec.model_info, spec.training
    origin = ", ".join(filter(None, (info.family, f"version {info.version}", info.distribution, info.paper)))
    _line("model", f"{info.label} ({origin}), source {info.source[:HASH]}")
    if info.role != "model":
        _line("role", f"baseline: {info.role}")
    _line("class", spec.import_path)
    if spec.config:
        _line("config", " ".join(f"{name}={value}" for name, value in spec.config.items()))
    if spec.tuning:
        _line("tuned", str(spec.tuning))
    size = "x".join(map(str, training.shape))
    classes = f", {training.classes} classes" if training.classes else ""
    _line("data set", f"{training.dataset}, {training.n:,} of {size}{classes}, sha256 {training.train_sha256[:HASH]}")
    device = f" on {training.device}" if training.device else ""
    _line("budget", f"{training.budget}{device}, {training.precision}")
    _line("seed", f"{spec.seed}, seed index {spec.seed_index}")


def _show_costs(record: RunRecord) -> None:
    spent = "  ".join(f"{phase} {seconds:.1f}" for phase, seconds in record.seconds.items())
    _line("seconds", spent or "not known")
    rate = f", {record.images_per_second:,.0f} a second" if record.images_per_second else ""
    _line("trained", f"{record.images:,} images in {record.steps:,} steps{rate}")
    if record.flops is not None:
        _line("FLOPs", f"{human_flops(record.flops)} of training")
    if record.resumed:
        _line("resumed", f"after {', '.join(f'{images:,}' for images in record.resumed)} images")
    memory = f"{record.peak_memory_bytes / 2**20:,.0f} MiB" if record.peak_memory_bytes else "not known"
    _line("size", f"{record.parameters:,} parameters, peak memory {memory}")


def _show_samples(folder: Path, samples: SampleFile | None) -> None:
    if samples is None:
        _line("samples", "none")
        return
    where = folder / samples.file
    again = (
        "they can be drawn again from the checkpoint"
        if (folder / CHECKPOINT).exists()
        else "and neither is the checkpoint"
    )
    gone = "" if where.exists() else f" (not there; {again})"
    _line("samples", f"{samples.n:,}, sha256 {samples.sha256[:HASH]}, {where}{gone}")


def _show_provenance(made: dict[str, Any]) -> None:
    if not made:
        return
    names = ("ganbench", "python", "torch", "cuda", "driver")
    versions = ", ".join(f"{name} {made[name]}" for name in names if made.get(name))
    if commit := made.get("git_commit"):
        versions += f", commit {str(commit)[:HASH]}{' with uncommitted changes' if made.get('git_dirty') else ''}"
    _line("made", f"{made.get('started') or 'at an unknown time'}, {versions}")
    flags = [f"{name} {made[name]}" for name in ("threads", "cores") if made.get(name)]
    machine = [made.get("device"), made.get("cpu"), *flags, "deterministic" if made.get("deterministic") else None]
    _line("on", ", ".join(dict.fromkeys(str(part) for part in (*machine, made.get("platform")) if part)))
    command = made.get("command")
    if command and isinstance(command, list):
        _line("command", shlex.join(map(str, command)))


def _curve(curve: Sequence[CurvePoint]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the columns and rows of a run's curve: where training stood, samples drawn there, and the losses."""
    losses = dict.fromkeys(name for point in curve for name in point.losses)
    rows = []
    for point in curve:
        samples = f"{point.samples.n:,}" if point.samples else "–"
        cells = [f"{point.losses[name]:.4g}" if name in point.losses else "–" for name in losses]
        rows.append((f"{point.images:,}", f"{point.steps:,}", f"{point.seconds:.1f}", samples, *cells))
    return ("images", "steps", "seconds", "samples", *(f"loss {name}" for name in losses)), rows


def _show_score(score: ScoreRecord) -> None:
    protocol = score.protocol
    click.echo()
    against = f"against the {protocol.split} split of {protocol.dataset}, sha256 {protocol.reference_sha256[:HASH]}"
    _say(f"scores {score.key}  {score.n:,} samples {against}")
    _line("extractor", f"{protocol.extractor}, sha256 {protocol.extractor_sha256[:HASH]}")
    _line("classifiers", f"{protocol.classifier_seeds} of {protocol.classifier_steps} steps")
    made = score.provenance.get("started")
    _line("scored", f"{f'{made}, ' if made else ''}in {score.seconds:.1f} s")
    if score.metrics:
        columns = ("metric", "value", "sd", "se", "n", "better", "what it means")
        drop = ("better", "n", "what it means", "sd", "se")
        print_table("metrics", columns, _metrics(score), fold=("what it means",), drop=drop)
    for reason, titles in _skipped(score).items():
        _say(f"no {', '.join(titles)}: {reason}")
    if score.curve:
        names, rows = _curve_scores(score)
        print_table("scores on the curve", names, rows, fold=(), drop=tuple(reversed(names[3:])))


def _metrics(score: ScoreRecord) -> Iterator[tuple[str, ...]]:
    for name, found in score.metrics.items():
        info = score.metric_info.get(name)
        better = {"lower": "↓ lower", "higher": "↑ higher", "neither": ""}[info.direction] if info else ""
        numbers = [_rounded(value, info) for value in (found.value, found.sd, found.se)]
        n = f"{found.n:,}" if found.n else ""
        yield info.title if info else name, *numbers, n, better, info.meaning if info else ""


def _rounded(value: float | None, info: MetricInfo | None) -> str:
    if value is None:
        return ""
    digits = max(info.digits, 3) if info else 3
    if 0 < abs(value) < 0.5 * 10**-digits:
        return f"{value:.1e}"
    return metric_value(value, info, digits) if info else f"{value:.{digits}f}"


def _title(name: str, score: ScoreRecord) -> str:
    return score.metric_info[name].title if name in score.metric_info else name


def _skipped(score: ScoreRecord) -> dict[str, list[str]]:
    """Return titles of metrics by the reason why they have no value."""
    reasons: dict[str, list[str]] = {}
    for name, reason in score.skipped.items():
        reasons.setdefault(reason, []).append(_title(name, score))
    return reasons


def _curve_scores(score: ScoreRecord) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    names = {name for point in score.curve for name in point.metrics}
    shown = [name for name in ON_THE_CURVE if name in names]
    rows = []
    for point in score.curve:
        cells = [_at(point.metrics[name], score.metric_info.get(name)) if name in point.metrics else "–"
                 for name in shown]  # fmt: skip
        rows.append((f"{point.images:,}", f"{point.n:,}", *cells))
    return ("images", "n", *(_title(name, score) for name in shown)), rows


def _at(value: float, info: MetricInfo | None) -> str:
    return metric_value(value, info) if info else f"{value:.3f}"


def _show_log(log: str) -> None:
    click.echo("\nthe end of its log:")
    for line in log.rstrip().splitlines():
        click.echo(f"  {_plain(line)}".rstrip())


def _line(name: str, text: str) -> None:
    print_line(" ".join(_plain(text).split()), f"  {name:{WIDTH}} ")


def _say(text: str) -> None:
    print_line(_plain(text))


def _plain(text: str) -> str:
    """Leave out what would steer a terminal: records and logs hold what other people's plugins print."""
    return "".join(char if char.isprintable() else " " for char in click.unstyle(text))

"""What ``ganbench show`` prints of a trial: its facts by line, its metrics and its curve as tables."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from ganbench.cli.table_printer import print_table
from ganbench.store.run_record import Record, Status
from ganbench.store.run_spec import Trial
from ganbench.store.status import DAMAGED, RUNNING, Entry, age
from ganbench.store.store import RECORD

WIDTH = 11
HASH = 12
"""Letters of a hash that are shown."""
BESIDE = {"picture": "samples.png", "training": "training.png", "curve": "curve.csv", "weights": "checkpoint.pt"}
ON_THE_CURVE = ("fid", "is", "mode_kl", "modes", "good", "recall", "coverage")


def tell_record(path: Path, record: Record) -> None:
    """Print a record, which lies at `path`."""
    click.echo(_plain(f"{record.key}  {record.about.label}  seed {record.repetition}  {record.status}"))
    if record.reason:
        _line("reason", record.reason)
    _asked(record)
    _tell_costs(record)
    _tell_provenance(record.provenance)
    _line("record", str(path))
    for name, file in BESIDE.items():
        if path.name == RECORD and (beside := path.parent / file).exists():
            _line(name, str(beside))
    if record.metrics:
        click.echo()
        print_table("metrics", ("metric", "value", "sd", "se", "n", "better", "what it means"), _metrics(record))
    for reason, titles in _absent(record).items():
        click.echo(f"no {', '.join(titles)}: {reason}")
    if record.curve:
        click.echo()
        print_table("curve", *_curve(record))
    if record.status is not Status.OK and record.log.strip():
        _tell_log(record.log)


def tell_unfinished(entry: Entry) -> None:
    """Print what is known of a trial without a record."""
    from ganbench.training.failures import tail  # imports torch

    begun = age(entry.started, datetime.datetime.now(datetime.UTC))
    seed = "?" if entry.seed is None else entry.seed
    click.echo(_plain(f"{entry.key}  {entry.label}  seed {seed}  {entry.standing}"))
    if entry.reason:
        _line("reason", entry.reason)
    if entry.asked is not None:
        _asked(entry.asked)
    if entry.status != DAMAGED:
        _line("begun", "at an unknown time" if begun == "?" else f"{begun} ago")
        _line("checkpoint", "none" if entry.share is None else f"at {entry.share:.1%} of the budget".replace("%", " %"))
    _line("folder", str(entry.folder))
    if entry.status != RUNNING:
        _line("go on", "the `ganbench run` that began it goes on with it")
    if log := tail(entry.folder / "log.txt").strip():
        _tell_log(log)


def _asked(asked: Record | Trial) -> None:
    about, track, protocol = asked.about, asked.track, asked.track.protocol
    origin = ", ".join(filter(None, (about.family, f"version {about.version}", about.distribution, about.paper)))
    _line("model", f"{about.label} ({origin}), source {about.source[:HASH]}")
    _line("class", asked.address)
    if asked.config:
        _line("config", " ".join(f"{name}={value}" for name, value in asked.config.items()))
    _line("track", f"{protocol.name} version {protocol.version}, budget {protocol.budget}, {protocol.samples} samples")
    _line("data set", f"{protocol.dataset}, sha256 {track.dataset_sha256[:HASH]}")
    _line("extractor", f"{protocol.extractor}, sha256 {track.extractor_sha256[:HASH]}")
    _line("seed", f"{asked.seed}, of repetition {asked.repetition}; {asked.precision}")


def _tell_costs(record: Record) -> None:
    spent = "  ".join(f"{phase} {seconds:.1f}" for phase, seconds in record.seconds.items())
    _line("seconds", spent or "not known")
    rate = f", {record.images_per_second:,.0f} a second" if record.images_per_second else ""
    _line("trained", f"{record.images:,} images in {record.steps:,} steps{rate}")
    if record.resumed:
        _line("resumed", f"after {', '.join(f'{images:,}' for images in record.resumed)} images")
    memory = f"{record.peak_memory_bytes / 2**20:,.0f} MiB" if record.peak_memory_bytes else "not known"
    _line("size", f"{record.parameters:,} parameters, peak memory {memory}")


def _tell_provenance(made: dict[str, Any]) -> None:
    if not made:
        return
    names = ("ganbench", "python", "torch", "cuda", "driver")
    versions = ", ".join(f"{name} {made[name]}" for name in names if made.get(name))
    if commit := made.get("git_commit"):
        versions += f", commit {str(commit)[:HASH]}{' and changes to it' if made.get('git_dirty') else ''}"
    _line("made", f"{made.get('started') or 'at an unknown time'}, {versions}")
    flags = [f"{name} {made[name]}" for name in ("threads", "cores") if made.get(name)]
    machine = [made.get("device"), made.get("cpu"), *flags, "deterministic" if made.get("deterministic") else None]
    _line("on", ", ".join(dict.fromkeys(str(part) for part in (*machine, made.get("platform")) if part)))
    if command := made.get("command"):
        _line("command", shlex.join(map(str, command)))


def _metrics(record: Record) -> Iterable[tuple[str, ...]]:
    for metric in record.track.metrics:
        if (score := record.metrics.get(metric.name)) is not None:
            digits = max(metric.digits, 3)
            better = {"lower": "↓ lower", "higher": "↑ higher", "neither": ""}[metric.direction]
            numbers = [_rounded(value, digits) for value in (score.value, score.sd, score.se)]
            yield metric.title, *numbers, f"{score.n:,}" if score.n else "", better, metric.meaning


def _rounded(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    return f"{value:.1e}" if 0 < abs(value) < 0.5 * 10**-digits else f"{value:.{digits}f}"


def _absent(record: Record) -> dict[str, list[str]]:
    """Return titles of metrics by the reason why they have no value."""
    titles = {metric.name: metric.title for metric in record.track.metrics}
    reasons: dict[str, list[str]] = {}
    for name, reason in record.absent.items():
        reasons.setdefault(reason, []).append(titles.get(name, name))
    return reasons


def _curve(record: Record) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the columns and rows of a curve: where training stood, what ranks boards, and the losses."""
    facts = {metric.name: metric for metric in record.track.metrics}
    names = dict.fromkeys(name for point in record.curve for name in point)
    shown = [name for name in ON_THE_CURVE if name in names]
    losses = [name for name in names if name.startswith("loss_")]
    rows = []
    for point in record.curve:
        cells = [f"{point.get('images', 0):,.0f}", f"{point.get('seconds', 0):.1f}", f"{point.get('n', 0):,.0f}"]
        cells += [f"{point[name]:.{facts[name].digits}f}" if name in point else "–" for name in shown]
        cells += [f"{point[name]:.4g}" if name in point else "–" for name in losses]
        rows.append(tuple(cells))
    titles = [facts[name].title for name in shown] + [name.replace("_", " ", 1) for name in losses]
    return ("images", "seconds", "n", *titles), rows


def _tell_log(log: str) -> None:
    click.echo("\nthe end of its log:")
    for line in log.rstrip().splitlines():
        click.echo(f"  {_plain(line)}".rstrip())


def _line(name: str, text: str) -> None:
    click.echo(f"  {name:{WIDTH}} {' '.join(_plain(text).split())}")


def _plain(text: str) -> str:
    """Leave out what would steer a terminal: records and logs hold what strangers' plugins say."""
    return "".join(char if char.isprintable() else " " for char in click.unstyle(text))

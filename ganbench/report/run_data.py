"""What a report says of one run: its losses, its curve, its scores, its cost, how it was made, how to make it again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ganbench.boards.aggregate import Row
from ganbench.boards.checks import score_refusal
from ganbench.boards.entries import Entry
from ganbench.boards.formatting import BLANK, metric_value
from ganbench.metric import MetricInfo
from ganbench.report import charts
from ganbench.report.charts import Loss
from ganbench.report.links import run_anchor
from ganbench.report.pictures import Picture
from ganbench.store.run_record import RunRecord
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import read_scores
from ganbench.util.text import human_flops, one_line

HASH = 12
ON_THE_CURVE = 6
"""Metrics of a curve's points that the table of a run shows."""


@dataclass(frozen=True)
class Table:
    """A table of words; the first column names its line."""

    title: str
    headings: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class RunSection:
    """One run."""

    anchor: str
    key: str
    seed: int
    status: str
    reason: str
    value: str
    losses: Markup | None
    legend: tuple[Loss, ...]
    curve: Table | None
    scores: Table | None
    by_class: Table | None
    skipped: tuple[str, ...]
    nearest: Picture | None
    samples: Picture | None
    training: Picture | None
    log: str
    facts: tuple[tuple[str, str], ...]
    files: tuple[tuple[str, str], ...]
    reproduce: str


def run_section(
    row: Row,
    entry: Entry,
    headline: MetricInfo,
    pictures: Mapping[str, Picture],
    class_names: Sequence[str] = (),
) -> RunSection:
    """Return what is known of a run; `pictures` are ``samples``, ``nearest`` and ``training`` where there are any."""
    run = entry.run
    scores = [entry.score] if entry.score else []
    read = read_scores(entry.folder, run).records
    scores += [
        each for each in read if all(each.key != known.key for known in scores) and not score_refusal(each, run, {})
    ]  # noqa: E501
    drawn = charts.losses(run)
    found = entry.metrics.get(headline.name)
    return RunSection(
        anchor=run_anchor(row, run.key),
        key=run.key,
        seed=entry.seed_index,
        status=run.status.value if run.status != "ok" or entry.score else "not scored",
        reason=one_line(run.reason, 600),
        value=f"{headline.title} {metric_value(found.value, headline)}" if found else "",
        losses=drawn[0] if drawn else None,
        legend=tuple(drawn[1]) if drawn else (),
        curve=_curve(run, entry.score),
        scores=_scores(scores),
        by_class=_by_class(entry.score, class_names),
        skipped=tuple(_skipped(entry)),
        nearest=pictures.get("nearest"),
        samples=pictures.get("samples"),
        training=pictures.get("training"),
        log=_printable(run.log),
        facts=tuple(_facts(run)),
        files=tuple(_files(run)),
        reproduce=f"ganbench reproduce {run.key}",
    )


def _skipped(entry: Entry) -> list[str]:
    reasons: dict[str, list[str]] = {}
    for what, why in entry.skipped.items():
        reasons.setdefault(one_line(why, 300), []).append(one_line(what, 60))
    return [f"no {', '.join(names)}: {why}" for why, names in reasons.items()]


def _printable(log: str) -> str:
    """Leave out control characters: logs hold what other people's plugins print."""
    return "\n".join("".join(char if char.isprintable() else " " for char in line) for line in log.strip().splitlines())


def _curve(run: RunRecord, score: ScoreRecord | None) -> Table | None:
    if not run.curve:
        return None
    losses = list(dict.fromkeys(loss for point in run.curve for loss in point.losses))
    scores = {at.images: at for at in score.curve} if score else {}
    infos = score.metric_info if score else {}
    names = {metric for at in scores.values() for metric in at.metrics}
    metrics = [each for each in infos if each in names][:ON_THE_CURVE]
    lines = []
    for point in run.curve:
        cells = [f"{point.images:,}", f"{point.steps:,}", f"{point.seconds:,.1f}"]
        cells += [f"{point.losses[loss]:.4g}" if loss in point.losses else BLANK for loss in losses]
        known = scores[point.images].metrics if point.images in scores else {}
        cells += [metric_value(known[each], infos[each]) if each in known else BLANK for each in metrics]
        lines.append(tuple(cells))
    sizes = sorted({at.n for at in scores.values()})
    n = f", scored on n = {', '.join(f'{size:,}' for size in sizes)}" if sizes else ""
    headings = ["images", "steps", "seconds", *(f"loss {one_line(loss, 40)}" for loss in losses)]
    return Table(f"Curve{n}", (*headings, *(infos[each].title for each in metrics)), tuple(lines))


def _scores(scores: Sequence[ScoreRecord]) -> Table | None:
    """Return every score of the run: a line a metric, a column a scoring protocol."""
    if not scores:
        return None
    headings = ["metric"]
    infos: dict[str, MetricInfo] = {}
    for score in scores:
        protocol = score.protocol
        headings.append(f"{one_line(protocol.extractor, 40)}, {protocol.split} split, n = {score.n:,} ({score.key})")
        infos |= {name: info for name, info in score.metric_info.items() if name not in infos}
    lines = []
    for name, info in infos.items():
        cells = []
        for score in scores:
            found = score.metrics.get(name)
            error = f" ± {metric_value(found.se, info)}" if found and found.se else ""
            cells.append(metric_value(found.value, info) + error if found else BLANK)
        if any(cell != BLANK for cell in cells):
            lines.append((info.title + info.arrow, *cells))
    return (
        Table(
            "Scores, with the standard error that other samples of the same model bring", tuple(headings), tuple(lines)
        )
        if lines
        else None
    )  # noqa: E501


def _by_class(score: ScoreRecord | None, class_names: Sequence[str]) -> Table | None:
    """Return what metrics say class by class, where their details hold it."""
    lines = []
    for name, found in (score.metrics if score else {}).items():
        values = found.details.get("by_class")
        if isinstance(values, list) and values and all(isinstance(each, int | float) for each in values):
            assert score is not None
            info = score.metric_info[name]
            lines.append((info.title, *(metric_value(float(each), info) for each in values)))
    if not lines:
        return None
    most = max(map(len, lines)) - 1
    named = [one_line(class_names[at], 30) if at < len(class_names) else str(at) for at in range(most)]
    padded = tuple((*line, *[BLANK] * (most + 1 - len(line))) for line in lines)
    return Table("Class by class", ("class", *named), padded)


def _facts(run: RunRecord) -> list[tuple[str, str]]:
    spec, made, training = run.spec, run.provenance, run.spec.training
    spent = ", ".join(f"{phase} {seconds:,.1f}" for phase, seconds in run.seconds.items())
    memory = f"{run.peak_memory_bytes / 2**20:,.0f} MiB" if run.peak_memory_bytes else ""
    rate = f", {run.images_per_second:,.0f} a second" if run.images_per_second else ""
    versions = ", ".join(f"{name} {made[name]}" for name in ("ganbench", "python", "torch", "cuda") if made.get(name))
    machine = [
        made.get("device"),
        made.get("cpu"),
        *(f"{each} {made[each]}" for each in ("cores", "threads") if made.get(each)),
        made.get("platform"),
    ]  # noqa: E501
    commit = str(made.get("git_commit") or "")[:HASH]
    command = made.get("command")
    found = [
        ("seed", f"{spec.seed}, index {spec.seed_index}"),
        ("budget", f"{training.budget}{f' on {training.device}' if training.device else ''}, {training.precision}"),
        ("trained on", f"{training.dataset}, {training.n:,} images, sha256 {training.train_sha256[:HASH]}"),
        ("trained", f"{run.images:,} images in {run.steps:,} steps{rate}" if run.steps else ""),
        ("seconds", spent),
        ("training FLOPs", human_flops(run.flops) if run.flops is not None else ""),
        ("peak memory", memory),
        ("resumed after", ", ".join(f"{images:,} images" for images in run.resumed)),
        ("notes", "; ".join(run.flags)),
        ("started", str(made.get("started") or "")),
        ("versions", versions),
        ("commit", commit + (", with uncommitted changes" if commit and made.get("git_dirty") else "")),
        ("machine", ", ".join(dict.fromkeys(str(each) for each in machine if each))),
        ("command", shlex.join(map(str, command)) if isinstance(command, list) else ""),
    ]
    return [(what, one_line(said, 1000)) for what, said in found if said]


def _files(run: RunRecord) -> list[tuple[str, str]]:
    found = [("key", run.key), ("code of the model", run.spec.model_info.source)]
    if run.samples is not None:
        found.append((f"{run.samples.n:,} samples", run.samples.sha256))
    return [(one_line(what, 80), one_line(said, 80)) for what, said in (*found, *run.files.items()) if said]

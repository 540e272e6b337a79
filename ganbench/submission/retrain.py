"""The last step of verification: the submitted code trained anew, and both sides compared.

Seeds that the bundle does not have say whether its own were picked among many: fresh ones were picked by nobody who
trained them. They are trained under the same protocol, scored here, and compared with Welch's t-test on the scale of
the board (log FID), as rows of a board are; a side of one seed with the prediction interval of the other. A seed that
the bundle has is compared as `ganbench reproduce` does.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from ganbench.boards.estimate import estimate, is_logarithmic
from ganbench.boards.welch import ALPHA, Sample, detectable_gap, probability_less
from ganbench.errors import RequestError
from ganbench.experiment.execution import Execution
from ganbench.metric import Score
from ganbench.reproduction.compare import Comparison, Result, Verdict, compare
from ganbench.store.layout import RUN
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import TrainJob
from ganbench.store.score_record import ScoreRecord
from ganbench.store.seeds import derive, run_seed
from ganbench.store.store import Store
from ganbench.submission.bundle import Bundle
from ganbench.submission.rescore import rescored_store
from ganbench.submission.workplace import Workplace, scored_with
from ganbench.training.data_file import write_training_data

MOST_SEEDS = 100
FIRST, LAST = 1000, 999_999
"""Where fresh seed indices are drawn from: beyond those of boards, and of searches for hyper-parameters."""


class FreshRun(BaseModel):
    """A training done here: of a seed that the bundle does not have, or of one that it has (`contained`)."""

    model_config = ConfigDict(frozen=True)

    label: str
    seed_index: int
    contained: bool
    status: str
    value: float | None
    said: str


class Plausibility(BaseModel):
    """Whether submitted seeds are such as fresh ones: means on the metric's scale, with how surely they differ.

    `p_value` is two-sided; None where neither side has two seeds. `detectable` is the ratio (of a distance; else the
    difference) of submitted to fresh that would have been found in 8 cases of 10.
    """

    model_config = ConfigDict(frozen=True)

    label: str
    metric: str
    submitted: list[float]
    fresh: list[float]
    p_value: float | None
    detectable: float | None
    plausible: bool
    said: str


class Retrained(BaseModel):
    """What was found."""

    model_config = ConfigDict(frozen=True)

    runs: list[FreshRun] = []
    plausibility: list[Plausibility] = []
    reproduced: list[Comparison] = []
    problems: list[str] = []
    notes: list[str] = []


@dataclass(frozen=True)
class _Done:
    """A training that is over, beside the submitted run whose settings it has."""

    template: RunRecord
    record: RunRecord
    score: ScoreRecord | None
    submitted: RunRecord | None


def check_seeds(text: str, bundle: Bundle) -> list[int]:
    """Read ``--seeds``: a count of fresh seeds, drawn from the bundle's hash, or indices (``100-102``, ``0,7,1001``).

    The hash is none that an author can choose without training for it, and the same command goes on with the same.
    """
    parts = [part.strip() for part in text.split(",")]
    ranges = [part.partition("-") for part in parts]
    words = [word for first, dash, last in ranges for word in ((first, last) if dash else (first,))]
    if not all(word.isascii() and word.isdecimal() and len(word) < 10 for word in words):
        raise RequestError(f"--seeds {text[:40]!r}: write a count such as 3, or indices such as 100-102 or 0,7,1001")
    if len(parts) == 1 and "-" not in text:
        count = int(text)
        if not 1 <= count <= MOST_SEEDS:
            raise RequestError(f"--seeds {text}: from 1 to {MOST_SEEDS} seeds; {text}-{text} is that seed alone")
        taken = {run.seed_index for run in bundle.manifest.runs}
        drawn = (FIRST + derive(bundle.sha256, "fresh", at) % (LAST - FIRST + 1) for at in range(10 * count + 10))
        return [index for index in dict.fromkeys(drawn) if index not in taken][:count]
    spans = [range(int(first), int(last if dash else first) + 1) for first, dash, last in ranges]
    if not all(spans) or sum(map(len, spans)) > MOST_SEEDS:
        raise RequestError(f"--seeds {text}: from 1 to {MOST_SEEDS} seeds, the first of a range before its last")
    return list(dict.fromkeys(itertools.chain.from_iterable(spans)))


def retrain(work: Workplace, seeds: list[int]) -> Retrained:
    """Train every label of the bundle on seeds, score what comes of it, and compare."""
    labels: dict[str, list[RunRecord]] = {}
    for record in work.records:
        labels.setdefault(record.spec.model_info.label, []).append(record)
    store = Store(work.folder / "fresh")
    done = {label: _train(work, records, seeds, store) for label, records in labels.items()}
    runs, plausibility, reproduced = list[FreshRun](), list[Plausibility](), list[Comparison]()
    problems, headline = list[str](), work.protocols.track.headline
    for label, records in labels.items():
        for each in done[label]:
            comparison = _compare(work, each, records, store) if each.submitted is not None else None
            runs.append(_said(each, comparison, headline))
            if comparison is not None:
                reproduced.append(comparison)
        problems += _failures(label, records, done[label])
        problems += [f"{label}, seed {each.seed_index} of the bundle, trained again: {each.sentence}"
                     for each in reproduced if each.label == label and each.verdict is Verdict.DIFFERENT]  # fmt: skip
        fresh = [each for each in done[label] if each.submitted is None]
        if fresh:
            found = _plausibility(work, label, records, fresh)
            plausibility.append(found)
            problems += [] if found.plausible else [found.said]
    notes = [f"{each.label}, seed {each.seed_index}: {each.said}" for each in runs]
    return Retrained(
        runs=runs, plausibility=plausibility, reproduced=reproduced, problems=problems,
        notes=[*notes, *(each.said for each in plausibility if each.plausible)],
    )  # fmt: skip


def _train(work: Workplace, records: list[RunRecord], seeds: list[int], store: Store) -> list[_Done]:
    template, track, dataset = records[0], work.protocols.track, work.protocols.dataset
    runtime, known = work.runtime(template), {record.spec.seed_index: record for record in records}
    jobs = []
    for index in seeds:
        spec = template.spec.model_copy(
            update={
                "seed_index": index, "seed": run_seed(dataset.train_sha256, index), "import_path": work.place(template)
            }
        )  # fmt: skip
        jobs.append(
            TrainJob(
                spec=spec, runtime=runtime, folder=store.folder(spec.key).absolute(),
                data_file=write_training_data(dataset), samples=track.samples, curve_points=track.curve_points,
                curve_samples=track.curve_samples,
            )
        )  # fmt: skip
    missing = [job for job in jobs if store.read(job.spec.key) is None]
    execution = Execution(work.contestant(runtime), store, dataset, [], track.headline, runtime, command=work.command)
    for news in execution.run(missing, []):
        if news.event is not None and news.spec is not None:
            work.on_progress(f"{news.spec.model_info.label} seed {news.spec.seed_index}: {news.event.phase} "
                             f"{news.event.share:.0%}")  # fmt: skip
    ended = [store.read(job.spec.key) for job in jobs]
    plan = work.protocols.plans[0]
    keys = [record.key for record in ended if record is not None and record.status is RunStatus.OK]
    scores = [
        score for record in records for score in work.store.scores(record.key).records if score.key == plan.protocol.key
    ]
    threads, device = scored_with(scores[0].provenance if scores else {})
    todo = [key for key in keys if store.read_score(key, plan.protocol.key) is None]
    if todo:
        work.score(store, todo, plan, threads, device)
    return [
        _Done(template, record, store.read_score(record.key, plan.protocol.key), known.get(record.spec.seed_index))
        for record in ended
        if record is not None
    ]


def _value(score: ScoreRecord | None, metric: str) -> Score | None:
    return score.metrics.get(metric) if score is not None else None


def _said(done: _Done, comparison: Comparison | None, headline: str) -> FreshRun:
    found, record = _value(done.score, headline), done.record
    title = done.score.metric_info[headline].title if done.score and found else headline
    what = "fresh" if comparison is None else "of the bundle, trained again"
    if record.status is not RunStatus.OK:
        said = f"{what}: {record.status}: {' '.join(record.reason.split())[:200]}"
    elif found is None:
        said = f"{what}: it could not be scored"
    else:
        said = f"{what}: {title} {found.value:.4g}" + (f"; {comparison.verdict}" if comparison else "")
    return FreshRun(
        label=record.spec.model_info.label, seed_index=record.spec.seed_index, contained=comparison is not None,
        status=record.status.value, value=found.value if found else None, said=said,
    )  # fmt: skip


def _failures(label: str, records: list[RunRecord], done: list[_Done]) -> list[str]:
    """Name fresh seeds that failed; where the bundle has failed runs, too, they are no difference."""
    if any(record.status is not RunStatus.OK for record in records):
        return []
    return [
        f"{label}, seed {each.record.spec.seed_index}: ended as {each.record.status} "
        f"({' '.join(each.record.reason.split())[:200]}), and no run of the bundle did"
        for each in done
        if each.record.status is not RunStatus.OK
    ]


def _compare(work: Workplace, done: _Done, records: list[RunRecord], store: Store) -> Comparison:
    assert done.submitted is not None
    protocol, key = work.protocols.scoring.key, done.submitted.key
    here = rescored_store(work)

    def result(record: RunRecord) -> Result:
        return Result(record, here.read_score(record.key, protocol))

    # The path of the class is where it is run here, and no part of what is compared.
    spec = done.record.spec.model_copy(update={"import_path": done.submitted.spec.import_path})
    again = Result(done.record.model_copy(update={"spec": spec}), done.score)
    return compare(
        result(done.submitted), work.store.folder(key) / RUN, again, store.folder(key) / RUN,
        [result(record) for record in records], work.protocols.track.headline,
    )  # fmt: skip


def _plausibility(work: Workplace, label: str, records: list[RunRecord], fresh: list[_Done]) -> Plausibility:
    headline, protocol, here = work.protocols.track.headline, work.protocols.scoring.key, rescored_store(work)
    info = next(metric.info for metric in work.protocols.plans[0].metrics if metric.name == headline)
    sides = [
        [score for record in records if (score := _value(here.read_score(record.key, protocol), headline)) is not None],
        [score for each in fresh if (score := _value(each.score, headline)) is not None],
    ]
    submitted, drawn = (estimate(side, info) for side in sides)
    values = [[score.value for score in side] for side in sides]
    said = f"{info.title} of {label}"
    if submitted is None or drawn is None:
        return Plausibility(label=label, metric=headline, submitted=values[0], fresh=values[1], p_value=None,
                            detectable=None, plausible=False, said=f"{said}: nothing to compare")  # fmt: skip
    p, gap = no_difference(submitted.sample, drawn.sample)
    logarithmic = is_logarithmic(info)
    counts = f"{submitted.n} submitted seed{'' if submitted.n == 1 else 's'} and {drawn.n} fresh"
    said += f": {submitted.mean:.4g} submitted, {drawn.mean:.4g} fresh"
    if p is None:
        plausible, said = False, f"{said}; {counts} cannot be told apart from anything: train more, with --seeds"
    else:
        plausible = p >= ALPHA
        said += f"; {'no difference' if plausible else 'they differ'} beyond chance (two-sided p = {p:.2g}, {counts})"
    detectable = None
    if gap is not None:
        detectable = math.exp(-gap) if logarithmic else gap
        least = f"{detectable:.2f} times the fresh one" if logarithmic else f"{gap:.3g} from the fresh one"
        said += f"; a submitted {info.title} of {least} would be found in 8 cases of 10"
    return Plausibility(
        label=label, metric=headline, submitted=values[0], fresh=values[1], p_value=p, detectable=detectable,
        plausible=plausible, said=said,
    )  # fmt: skip


def no_difference(submitted: Sample, fresh: Sample) -> tuple[float | None, float | None]:
    """Return the two-sided p-value of no difference, and the gap that would be found with a power of 0.8.

    A side of one seed is compared with the next seed that the other side lets expect: its spread is taken for both.
    """
    if max(submitted.n, fresh.n) < 2:
        return None, None
    if min(submitted.n, fresh.n) < 2:
        known, single = (fresh, submitted) if submitted.n < 2 else (submitted, fresh)
        variance = max(known.variance, single.variance)
        # Of the known side's degrees of freedom alone: v (1 + 1/n), as `Sample.squared_prediction_error`.
        wide = Sample(known.mean, variance * (known.n + 1), known.n)
        point = Sample(single.mean, 0.0, 2)
        pair = (point, wide) if submitted.n < 2 else (wide, point)
    else:
        pair = (submitted, fresh)
    less = probability_less(*pair)
    return None if less is None else 2 * min(less, 1 - less), detectable_gap(*pair)

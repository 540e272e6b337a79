"""Whether a run that was trained again agrees with its record: samples, then metric by metric, and one verdict.

- equal: status, images, steps and the samples are the same to the last bit, and so is every metric;
- within noise: |difference| <= t(0.975, n - 1) * sd * sqrt(2) for the metric that ranks, where sd is the sample
  standard deviation over the row's n ok seeds: the prediction interval for the difference of two draws from one
  population of seeds. The same must hold for the other seeds alone, where there are two or more: a record far from them
  would widen its own excuse. At n = 3 the bound is six standard deviations wide, so it is printed;
- different: anything else; so also where fewer than two seeds give a spread, unless the metric itself is the same.

On the same kind of device the same run should be equal: "within noise" says that the row stands, not that nothing has
changed.
"""

from __future__ import annotations

import enum
import json
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from ganbench.budget import Budget
from ganbench.metric import MetricInfo
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.score_record import ScoreRecord
from ganbench.util.text import one_line

LEVEL = 0.975
RULE = (
    f"within noise is |difference| of {{headline}} <= t({LEVEL}, n - 1) x sd x sqrt(2), "
    "sd being over the n ok seeds of the row, and over those without the record itself"
)
UNKNOWN = "nothing that is known differs"
_NO_CAUSE = ("started", "command")
"""Parts of provenance that cannot change a result."""
_LIMITS = ("--memory-limit", "--stall-timeout")
"""Options of ``ganbench run`` that decide how a run ends, and that its provenance holds in its command alone."""


@dataclass(frozen=True)
class Result:
    """A run with what one scoring protocol says of it, None where it was not scored."""

    run: RunRecord
    score: ScoreRecord | None

    def value(self, metric: str) -> float | None:
        known = self.score.metrics if self.score else {}
        return known[metric].value if metric in known else None


class Verdict(enum.StrEnum):
    EQUAL = "equal"
    NOISE = "within noise"
    DIFFERENT = "different"


class Compared(BaseModel):
    """One metric on both sides; None where a side has no value.

    `sd` is over the row's `n` ok seeds that have one; a difference of more than `bound` is `beyond` what is noise.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    title: str
    digits: int
    info: MetricInfo = Field(exclude=True, repr=False)
    recorded: float | None
    reproduced: float | None
    difference: float | None
    n: int
    sd: float | None
    in_sds: float | None
    bound: float | None
    beyond: bool

    @property
    def same(self) -> bool:
        return self.recorded == self.reproduced


class Side(BaseModel):
    """What one of both records says beside its metrics."""

    model_config = ConfigDict(frozen=True)

    path: str
    status: RunStatus
    reason: str
    samples_sha256: str
    images: int
    steps: int
    resumed: list[int]
    seconds: dict[str, float]
    provenance: dict[str, Any]


class Comparison(BaseModel):
    """The whole comparison; ``--json`` writes it. `sentence` says the verdict and its ground in one line."""

    model_config = ConfigDict(frozen=True)

    key: str
    model: str
    label: str
    seed_index: int
    seed: int
    dataset: str
    budget: str
    verdict: Verdict
    sentence: str
    rule: str
    metrics: list[Compared]
    why: list[str]
    recorded: Side
    reproduced: Side


def compare(
    recorded: Result, path: Path, again: Result, where: Path, row: Sequence[Result], headline: str
) -> Comparison:
    """Compare a run with the same run trained again; `row` are the results of the row, this one among them."""
    spec, infos = recorded.run.spec, recorded.score.metric_info if recorded.score else {}
    ok = [each for each in row if each.run.status is RunStatus.OK]
    metrics = [_compared(info, recorded, again, ok) for info in infos.values()]
    metrics = [each for each in metrics if each.recorded is not None or each.reproduced is not None]
    verdict, sentence = _decide(recorded, again, metrics, headline)
    return Comparison(
        key=recorded.run.key,
        model=spec.model_info.name,
        label=spec.model_info.label,
        seed_index=spec.seed_index,
        seed=spec.seed,
        dataset=spec.training.dataset,
        budget=spec.training.budget,
        verdict=verdict,
        sentence=sentence,
        rule=RULE.format(headline=infos[headline].title if headline in infos else headline),
        metrics=metrics,
        why=[] if verdict is Verdict.EQUAL else list(_why(recorded, again)) or [UNKNOWN],
        recorded=_side(recorded.run, path),
        reproduced=_side(again.run, where),
    )


def bound(sd: float, n: int) -> float:
    """Return how far two draws from one population of seeds may lie apart, at 95 %, where `n` seeds gave `sd`."""
    from scipy.special import stdtrit  # scipy.stats is slow to import

    return float(stdtrit(n - 1, LEVEL)) * sd * math.sqrt(2)


def _compared(info: MetricInfo, recorded: Result, again: Result, ok: Sequence[Result]) -> Compared:
    name = info.name
    old, new = (each.value(name) for each in (recorded, again))
    values = [value for each in ok if (value := each.value(name)) is not None]
    others = [value for each in ok if each.run.key != recorded.run.key and (value := each.value(name)) is not None]
    spreads = [(statistics.stdev(some), len(some)) for some in (values, others) if len(some) > 1]
    sd = spreads[0][0] if spreads else None
    difference = None if old is None or new is None else new - old
    most = min((bound(*spread) for spread in spreads), default=None)
    return Compared(
        name=name,
        title=info.title,
        digits=info.digits,
        info=info,
        recorded=old,
        reproduced=new,
        difference=difference,
        n=len(values),
        sd=sd,
        in_sds=None if difference is None or not sd else difference / sd,
        bound=most,
        beyond=difference is not None and most is not None and abs(difference) > most,
    )


def _decide(recorded: Result, again: Result, metrics: list[Compared], headline: str) -> tuple[Verdict, str]:
    old, new = recorded.run, again.run
    if old.status is not RunStatus.OK or new.status is not RunStatus.OK:
        return _decide_failure(old, new)
    assert old.samples is not None and new.samples is not None
    same = (old.images, old.steps, old.samples.sha256) == (new.images, new.steps, new.samples.sha256)
    if same and all(each.same for each in metrics):
        scores = f", and so are all {len(metrics)} metrics" if metrics else "; it was not scored"
        return Verdict.EQUAL, f"all {old.samples.n:,} samples are the same to the last bit{scores}"
    found = next((each for each in metrics if each.name == headline), None)
    if found is None or found.difference is None:
        return Verdict.DIFFERENT, f"the samples differ, and there is no {headline} on both sides to compare"
    apart = f"{found.title} is {abs(found.difference):.3g} from what was recorded"
    if found.difference == 0:
        return Verdict.NOISE, f"{found.title} is the same to the last digit, other things are not"
    if found.bound is None:
        seeds = f"{found.n} ok seed{'' if found.n == 1 else 's'}"
        return Verdict.DIFFERENT, f"{apart}, and there is no spread to compare it with: {seeds} of the row"
    most = f"over {found.n} seeds up to {found.bound:.3g} is noise"
    return (Verdict.NOISE if abs(found.difference) <= found.bound else Verdict.DIFFERENT), f"{apart}; {most}"


def _decide_failure(old: RunRecord, new: RunRecord) -> tuple[Verdict, str]:
    then, now = _ending(old), _ending(new)
    if (old.status, old.reason) == (new.status, new.reason):
        return Verdict.EQUAL, f"it fails again as recorded ({now})"
    return Verdict.DIFFERENT, f"recorded was {then}; now it is {now}"


def _ending(record: RunRecord) -> str:
    return f"{record.status}: {one_line(record.reason, 300)}" if record.reason else record.status.value


def _why(recorded: Result, again: Result) -> Iterator[str]:
    """Yield what is known to differ, each in one line."""
    old, new = recorded.run, again.run
    if Budget.parse(old.spec.training.budget).seconds is not None:
        yield (
            f"the budget {old.spec.training.budget} has seconds, which no two runs spend alike: "
            f"{old.steps:,} steps then, {new.steps:,} now"
        )
    elif (old.images, old.steps) != (new.images, new.steps):
        yield f"images and steps: {old.images:,} and {old.steps:,} then, {new.images:,} and {new.steps:,} now"
    mine, theirs = old.provenance, new.provenance
    for name in dict.fromkeys((*mine, *theirs)):
        if name not in _NO_CAUSE and mine.get(name) != theirs.get(name):
            yield f"{name}: {_said(mine.get(name))} then, {_said(theirs.get(name))} now"
    if mine.get("git_dirty") and theirs.get("git_dirty"):
        yield "both ran from a checkout with changes that were not committed"
    infos = (old.spec.model_info, new.spec.model_info)
    if infos[0].distribution != infos[1].distribution:
        yield f"model: {one_line(infos[0].distribution, 120)} then, {infos[1].distribution} now"
    for each, when in ((old, "then"), (new, "now")):
        if each.resumed:
            yield f"trained in {len(each.resumed) + 1} pieces {when}"
    if old.status is not new.status:
        words = mine.get("command")
        for word in words if isinstance(words, list) else ():
            if str(word).startswith(_LIMITS):
                yield f"then it ran under {one_line(str(word), 60)}, which decides how a run ends"


def _said(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "none" if value is None else one_line(text, 120)


def _side(record: RunRecord, path: Path) -> Side:
    return Side(
        path=str(path), status=record.status, reason=record.reason, images=record.images, steps=record.steps,
        samples_sha256=record.samples.sha256 if record.samples else "", resumed=record.resumed,
        seconds=record.seconds, provenance=record.provenance,
    )  # fmt: skip

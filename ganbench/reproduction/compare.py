"""Whether a trial that was done again agrees with its record: metric by metric, one verdict, what may explain it.

The verdict is that of the headline metric, from the spread of the row's own seeds:

- equal: status, images, steps and the value of every metric are the same to the last digit;
- within noise: |difference| <= t(0.975, n - 1) * sd * sqrt(2), where sd is the sample standard deviation over the row's
  n ok seeds: the prediction interval for the difference of two draws from one population of seeds. The same must hold
  for the other seeds alone, where there are two or more: a record far from them would widen its own excuse;
- different: anything else; so also where fewer than two seeds give a spread, unless the headline itself is the same.

The same trial on the same machine should differ by far less than two seeds do: "within noise" says that the row stands,
not that nothing has changed.
"""

from __future__ import annotations

import enum
import json
import math
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from ganbench.budget import Budget
from ganbench.metric import MetricInfo
from ganbench.store.run_record import Record, Status
from ganbench.util.text import one_line

LEVEL = 0.975
RULE = (
    f"within noise is |difference| of {{headline}} <= t({LEVEL}, n - 1) x sd x sqrt(2), "
    "sd being over the n ok seeds of the row, and over those without the record itself"
)
NOTHING = "nothing that is known"
_NO_CAUSE = ("started", "command")
"""What provenance tells of a trial that cannot change its result."""
_ENDS = ("--memory", "--timeout")
"""Options of ``ganbench run`` that decide how a trial ends, and that its provenance holds in its command alone."""


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
    status: Status
    reason: str
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
    repetition: int
    seed: int
    track: str
    fingerprint: str
    verdict: Verdict
    sentence: str
    rule: str
    metrics: list[Compared]
    why: list[str]
    recorded: Side
    reproduced: Side


def compare(record: Record, path: Path, again: Record, where: Path, row: Sequence[Record]) -> Comparison:
    """Compare a record with that of its trial done again; `row` are the records of the row, this one among them."""
    ok = [each for each in row if each.status is Status.OK]
    metrics = [_compared(facts, record, again, ok) for facts in record.track.metrics]
    metrics = [each for each in metrics if each.recorded is not None or each.reproduced is not None]
    verdict, sentence = _judge(record, again, metrics)
    return Comparison(
        key=record.key,
        model=record.model,
        label=record.about.label,
        repetition=record.repetition,
        seed=record.seed,
        track=record.track.protocol.name,
        fingerprint=record.track.fingerprint,
        verdict=verdict,
        sentence=sentence,
        rule=RULE.format(headline=record.track.headline.title),
        metrics=metrics,
        why=[] if verdict is Verdict.EQUAL else list(_why(record, again)) or [NOTHING],
        recorded=_side(record, path),
        reproduced=_side(again, where),
    )


def bound(sd: float, n: int) -> float:
    """Return how far two draws from one population of seeds may lie apart, at 95 %, where `n` seeds gave `sd`."""
    from scipy.special import stdtrit  # scipy.stats is slow to import

    return float(stdtrit(n - 1, LEVEL)) * sd * math.sqrt(2)


def _compared(facts: MetricInfo, record: Record, again: Record, ok: Sequence[Record]) -> Compared:
    name = facts.name
    old, new = (each.metrics[name].value if name in each.metrics else None for each in (record, again))
    values = [each.metrics[name].value for each in ok if name in each.metrics]
    others = [each.metrics[name].value for each in ok if name in each.metrics and each.key != record.key]
    spreads = [(statistics.stdev(some), len(some)) for some in (values, others) if len(some) > 1]
    sd = spreads[0][0] if spreads else None
    difference = None if old is None or new is None else new - old
    most = min((bound(*spread) for spread in spreads), default=None)
    return Compared(
        name=name,
        title=facts.title,
        digits=facts.digits,
        recorded=old,
        reproduced=new,
        difference=difference,
        n=len(values),
        sd=sd,
        in_sds=None if difference is None or not sd else difference / sd,
        bound=most,
        beyond=difference is not None and most is not None and abs(difference) > most,
    )


def _judge(record: Record, again: Record, metrics: list[Compared]) -> tuple[Verdict, str]:
    if record.status is not Status.OK or again.status is not Status.OK:
        return _judge_failure(record, again)
    counts = (record.images, record.steps) == (again.images, again.steps)
    if counts and all(each.same for each in metrics):
        return Verdict.EQUAL, f"all {len(metrics)} metrics, images and steps are the same to the last digit"
    headline = next((each for each in metrics if each.name == record.track.headline.name), None)
    if headline is None or headline.difference is None:
        missing = "neither has" if headline is None else "only one of both has"
        return Verdict.DIFFERENT, f"{missing} a value of {record.track.headline.title}, which would decide"
    apart = f"{headline.title} is {abs(headline.difference):.3g} from what was recorded"
    if headline.difference == 0:
        return Verdict.NOISE, f"{headline.title} is the same to the last digit, other things are not"
    if headline.bound is None:
        seeds = f"{headline.n} ok seed{'' if headline.n == 1 else 's'}"
        return Verdict.DIFFERENT, f"{apart}, and there is no spread to judge by: {seeds} of the row"
    most = f"over {headline.n} seeds {headline.bound:.3g} is noise"
    if abs(headline.difference) <= headline.bound:
        return Verdict.NOISE, f"{apart}; {most}"
    return Verdict.DIFFERENT, f"{apart}; only {most}"


def _judge_failure(record: Record, again: Record) -> tuple[Verdict, str]:
    then, now = _ending(record), _ending(again)
    if (record.status, record.reason) == (again.status, again.reason):
        return Verdict.EQUAL, f"it fails again as recorded ({now})"
    return Verdict.DIFFERENT, f"recorded was {then}; now it is {now}"


def _ending(record: Record) -> str:
    return f"{record.status}: {one_line(record.reason, 300)}" if record.reason else record.status.value


def _why(record: Record, again: Record) -> Iterator[str]:
    """Yield what is known to differ, each in one line."""
    if Budget.parse(record.track.protocol.budget).seconds is not None:
        yield (
            f"the budget {record.track.protocol.budget} has seconds, which no two runs spend alike: "
            f"{record.steps:,} steps then, {again.steps:,} now"
        )
    elif (record.images, record.steps) != (again.images, again.steps):
        yield f"images and steps: {record.images:,} and {record.steps:,} then, {again.images:,} and {again.steps:,} now"
    mine, theirs = record.provenance, again.provenance
    for name in dict.fromkeys((*mine, *theirs)):
        if name not in _NO_CAUSE and mine.get(name) != theirs.get(name):
            yield f"{name}: {_said(mine.get(name))} then, {_said(theirs.get(name))} now"
    if mine.get("git_dirty") and theirs.get("git_dirty"):
        yield "both ran from a checkout with changes that were not committed"
    if record.about.distribution != again.about.distribution:
        yield f"model: {one_line(record.about.distribution, 120)} then, {again.about.distribution} now"
    for name in sorted(record.absent.keys() ^ again.absent.keys()):
        side, when = (record, "then") if name in record.absent else (again, "now")
        yield f"no {name} {when}: {one_line(side.absent[name], 200)}"
    for each, when in ((record, "then"), (again, "now")):
        if each.resumed:
            yield f"trained in {len(each.resumed) + 1} pieces {when}"
    if record.status is not again.status:
        words = mine.get("command")
        for word in words if isinstance(words, list) else ():
            if str(word).startswith(_ENDS):
                yield f"then it ran under {one_line(str(word), 60)}, which decides how a trial ends"


def _said(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "none" if value is None else one_line(text, 120)


def _side(record: Record, path: Path) -> Side:
    return Side(
        path=str(path), status=record.status, reason=record.reason, images=record.images, steps=record.steps,
        resumed=record.resumed, seconds=record.seconds, provenance=record.provenance,
    )  # fmt: skip

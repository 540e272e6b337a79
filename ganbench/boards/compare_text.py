"""A comparison of two rows in plain words."""

from __future__ import annotations

from ganbench.boards.aggregate import Row
from ganbench.boards.compare import MetricComparison, RowComparison, Verdict
from ganbench.boards.estimate import Estimate, is_logarithmic
from ganbench.boards.formatting import BLANK, interval, metric_value, name, plus_minus
from ganbench.metric import HEADLINE, MetricInfo

MOST_SEEDS = 1000
"""Where `welch.seeds_to_tell_apart` gives up."""
UNCORRECTED = "not corrected for the number of metrics: of 20 that do not differ, one seems to"


def sentence(found: RowComparison) -> str:
    """Return in one line which is better, by how much, and how sure that is."""
    a, b = name(found.a), name(found.b)
    headline = found.headline
    title = headline.column.title
    if headline.a is None or headline.b is None:
        lacking = [row for row, value in zip(found.sides, (headline.a, headline.b), strict=True) if value is None]
        return "; ".join(f"{name(row)} has no {title}: {row.note or 'it was not computed'}" for row in lacking)
    info = headline.column.info
    values = f"{title} {metric_value(headline.a.mean, info)} against {metric_value(headline.b.mean, info)}"
    values += f", a {'ratio' if headline.ratio else 'difference'} of {change(headline)}"
    if found.a.samples != found.b.samples:
        values += f" (scored on {found.a.samples:,} and {found.b.samples:,} samples, which changes {title})"
    chance = headline.probability_better
    if chance is None:
        once = [name(row) for row in found.sides if row.role != "model"]
        if once:
            return f"{once[0]} is made once, and no seeds of it can be tested: {values}"
        lone = [name(row) for row, value in zip(found.sides, (headline.a, headline.b), strict=True) if value.n < 2]
        who = f"{a} and {b} have one seed each" if len(lone) > 1 else f"{lone[0]} has one seed"
        return f"{who}, which says nothing of the next: {values}"
    if found.verdict is Verdict.BETTER:
        return f"{a} is better than {b}: {values}; sure by {percent(chance)}"
    if found.verdict is Verdict.WORSE:
        return f"{a} is worse than {b}: {values}; sure by {percent(1 - chance)}"
    leads = f"that {a if chance > 0.5 else b} is better is sure by {percent(max(chance, 1 - chance))} only"
    return f"{a} and {b} are not told apart by these seeds: {values}; {leads if chance != 0.5 else 'neither leads'}"


def advice(found: RowComparison) -> str:
    """Return how many more seeds would tell the two apart."""
    if found.verdict in (Verdict.BETTER, Verdict.WORSE):
        return "none are needed: these seeds tell the two apart"
    if found.verdict is Verdict.NO_VALUE:
        return f"not known: a side has no {found.headline.column.title}"
    if found.verdict is Verdict.ONE_SEED:
        return "not known: an estimate takes two seeds of each"
    more = more_seeds(found)
    if more is None:
        return f"more than {MOST_SEEDS:,} of each, if the two are as they seem"
    a, b = more
    asked = f"{a} more of {'each' if a == b else 'A'}" + ("" if a == b else f" and {b} more of B")
    return f"about {asked} would do in 8 cases of 10, if the two are as they seem"


def more_seeds(found: RowComparison) -> tuple[int, int] | None:
    """Return how many more seeds of A and of B would tell them apart; None where that is not known or needs too many.

    At least one of each where they are not told apart: the estimate is a seed off where few suffice.
    """
    if found.verdict in (Verdict.BETTER, Verdict.WORSE):
        return 0, 0
    headline = found.headline
    if found.seeds_needed is None or headline.a is None or headline.b is None:
        return None
    a, b = (max(0, found.seeds_needed - each.n) for each in (headline.a, headline.b))
    return (a, b) if a or b else (1, 1)


def change(metric: MetricComparison) -> str:
    """Return A / B or A - B: ``0.098 [0.080, 0.120]``, ``+0.118 ± 0.022``, or a dash."""
    if metric.change is None:
        return BLANK
    if metric.ratio:
        text = ratio(metric.change)
        return (
            text if metric.low is None or metric.high is None else f"{text} [{ratio(metric.low)}, {ratio(metric.high)}]"
        )
    digits = metric.column.info.digits
    half = "" if metric.high is None else f" ± {metric.high - metric.change:.{digits}f}"
    return f"{metric.change:+.{digits}f}{half}"


def value(found: Estimate | None, info: MetricInfo) -> str:
    """Return a mean with its interval as short as it can be said: half a width where it is symmetric."""
    if found is None or found.n < 2 or is_logarithmic(info):
        return interval(found, info)
    return plus_minus(found, info)


def ratio(value: float) -> str:
    """Return a ratio with three significant digits."""
    return metric_value(value, HEADLINE)


def percent(chance: float) -> str:
    """Return a probability: ``82.1 %``, ``more than 99.9 %``."""
    if chance > 0.999:
        return "more than 99.9 %"
    return "less than 0.1 %" if chance < 0.001 else f"{100 * chance:.1f} %"


def short_percent(chance: float | None) -> str:
    """Return a probability for a table."""
    return BLANK if chance is None else percent(chance).replace("more than ", ">").replace("less than ", "<")


def describe(row: Row) -> str:
    """Return whose row it is, with its seeds."""
    failed = f", {row.failed} of them failed or not scored" if row.failed else ""
    runs = len(row.entries)
    return f"{name(row)}, {runs} {'run' if runs == 1 else 'runs'}{failed}"

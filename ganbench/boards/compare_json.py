"""A comparison of two rows as plain JSON values; ``docs/compare.md`` describes the keys."""

from __future__ import annotations

from typing import Any

from ganbench.boards.aggregate import Row
from ganbench.boards.compare import MetricComparison, RowComparison, Wins
from ganbench.boards.compare_curves import EqualPoint
from ganbench.boards.compare_text import advice, more_seeds, sentence
from ganbench.boards.costs import COSTS
from ganbench.boards.estimate import Estimate

SCHEMA = 1


def as_json(found: RowComparison) -> dict[str, Any]:
    """Return the whole comparison; what is not known is None, and no key is ever left out."""
    request, more = found.request, more_seeds(found)
    return {
        "schema": SCHEMA,
        "kind": "rows",
        "board": request.name,
        "budget": request.training.budget,
        "precision": request.training.precision,
        "split": request.scoring.split,
        "headline": found.headline.column.name,
        "sentence": sentence(found),
        "verdict": found.verdict.value,
        "probability_better": found.headline.probability_better,
        "probability_next_better": found.probability_next_better,
        "wins": {"same_seed": _wins(found.same_seed), "all_pairs": _wins(found.all_pairs)},
        "seeds": {
            "needed": found.seeds_needed, "more_a": more and more[0], "more_b": more and more[1],
            "advice": advice(found),
        },
        "a": _side(found.a),
        "b": _side(found.b),
        "metrics": [_metric(each) for each in found.metrics],
        "curves": {
            "n": request.scoring.curve_samples,
            "same_machine": found.same_machine,
            "images": [_point(each) for each in found.at_images],
            "seconds": [_point(each) for each in found.at_seconds],
        },
    }  # fmt: skip


def _side(row: Row) -> dict[str, Any]:
    return {
        "label": row.label, "family": row.family, "role": row.role, "published": row.published,
        "runs": len(row.entries), "seeds": [entry.seed_index for entry in row.ok], "samples": row.samples,
        **{cost.name: getattr(row, cost.name) for cost in COSTS},
        "flags": list(row.flags),
        "failures": [
            {"status": each.status, "reason": each.reason, "count": each.count, "total": each.total}
            for each in row.failures
        ],
    }  # fmt: skip


def _metric(each: MetricComparison) -> dict[str, Any]:
    return {
        "name": each.column.name, "title": each.column.title, "direction": each.column.info.direction,
        "a": _estimate(each.a), "b": _estimate(each.b), "scale": "ratio" if each.ratio else "difference",
        "change": each.change, "low": each.low, "high": each.high, "probability_better": each.probability_better,
    }  # fmt: skip


def _estimate(found: Estimate | None) -> dict[str, Any] | None:
    return None if found is None else {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def _wins(wins: Wins) -> dict[str, int]:
    return {"a": wins.a, "b": wins.b, "ties": wins.ties}


def _point(point: EqualPoint) -> dict[str, Any]:
    return {
        "at": point.at, "a": point.a, "b": point.b, "ratio": point.ratio, "a_measured": point.a_measured,
        "b_measured": point.b_measured,
    }  # fmt: skip

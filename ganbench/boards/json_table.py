"""The board as JSON: every value at full precision, intervals, seeds, and the protocols that made them."""

from __future__ import annotations

import json
import math
from typing import Any

from ganbench.boards.board import Board
from ganbench.boards.costs import COSTS
from ganbench.boards.entries import Entry
from ganbench.boards.estimate import is_logarithmic
from ganbench.boards.formatting import first_place
from ganbench.boards.table import Table, TableRow

SCHEMA = "ganbench-board-1"


def json_table(table: Table) -> str:
    """Return the board as JSON; a value that does not exist, or is no finite number, is null."""
    return json.dumps(_finite(_content(table)), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _content(table: Table) -> dict[str, Any]:
    board = table.board
    request = board.request
    return {
        "schema": SCHEMA,
        "board": board.name,
        "track": board.track.model_dump(mode="json"),
        "training_protocol": request.training.model_dump(mode="json"),
        "scoring_protocol": {"key": request.scoring.key, **request.scoring.model_dump(mode="json")},
        "headline": board.headline.name,
        "interval": "95 %, over training seeds; of a single seed over the scored images",
        "first_place": {
            "said": first_place(board),
            "models": [ranked.row.label for ranked in board.possible_firsts],
            "joint_confidence": 0.95,
        },
        "columns": [
            {
                **column.info.model_dump(mode="json"),
                "name": column.name,
                "title": column.title,
                "mean": "geometric" if is_logarithmic(column.info) else "arithmetic",
            }
            for column in board.columns
        ],
        "rows": [_row(row, board) for row in table.rows],
        "refused": [{"what": refusal.what, "reason": refusal.reason} for refusal in board.refused],
        "not_shown": [str(each) for each in (*board.superseded, *board.left_out)],
    }


def _row(row: TableRow, board: Board) -> dict[str, Any]:
    ranked, found, info = row.ranked, row.ranked.row, row.ranked.row.info
    estimates = {column.name: row.cells[column.name].estimate for column in board.columns}
    return {
        "rank": ranked.rank or None,
        "best_place": ranked.best,
        "worst_place": ranked.worst,
        "may_be_first": ranked.may_be_first,
        "model": found.label,
        "family": found.family,
        "role": found.role,
        "published": found.published,
        "checked": found.checked,
        "version": info.version,
        "source": info.source,
        "distribution": info.distribution,
        "sampler": info.sampler,
        "samples": found.samples,
        "tuning": found.tuning.model_dump(mode="json") if found.tuning else None,
        "metrics": {
            name: {"mean": each.mean, "low": each.low, "high": each.high, "n": each.n}
            for name, each in estimates.items()
            if each is not None
        },
        "costs": {cost.name: row.cells[cost.name].value for cost in COSTS},
        "runs": found.runs,
        "failed": found.failed,
        "notes": [*found.flags, *map(str, found.failures)],
        "seeds": [_seed(entry) for entry in found.entries],
    }


def _seed(entry: Entry) -> dict[str, Any]:
    """Return one run: its seed, how it ended, and its values with their standard errors over samples."""
    return {
        "seed_index": entry.seed_index,
        "seed": entry.run.spec.seed,
        "key": entry.run.key,
        "status": entry.run.status.value,
        "reason": entry.run.reason,
        "metrics": {name: score.value for name, score in entry.metrics.items()},
        "standard_errors": {name: score.se for name, score in entry.metrics.items() if score.se is not None},
    }


def _finite(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _finite(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content

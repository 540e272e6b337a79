"""Which columns a board shows where there is no room for all."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.boards.board import Board
from ganbench.boards.costs import COSTS
from ganbench.boards.table import COMPANIONS, IMPORTANCE, MAIN, Table, board_table
from ganbench.metric import STANDARD
from tests.store.factory import protocol, score_record, sha

from .factory import Made, board, full, make, seeds

SHARES = dict.fromkeys(("precision", "recall", "coverage", "cas", "cas_oracle"), 0.5)


def table(tmp_path: Path, made: list[Made]) -> Table:
    return board_table(board(tmp_path / "runs", made))


def names(columns: object) -> list[str]:
    return [column.name for column in columns]  # type: ignore[attr-defined]


def test_the_order_of_importance_knows_every_standard_column_and_puts_companions_first() -> None:
    assert not set(STANDARD) - set(IMPORTANCE)
    for name, companions in COMPANIONS.items():
        assert all(IMPORTANCE.index(each) < IMPORTANCE.index(name) for each in companions)


def test_the_main_table_has_nine_columns_and_the_rest_is_what_is_left(tmp_path: Path) -> None:
    found = table(tmp_path, [*seeds("a", (9.0, 9.5), **SHARES), make("real", role="ceiling", **SHARES)])
    assert names(found.main) == [
        "rank", "model", "fid", "is", "precision", "recall", "authenticity", "coverage", "runs",
    ]  # fmt: skip
    assert len(found.main) == MAIN
    assert set(names(found.main)) & set(names(found.rest)) == set()
    assert {"cas", "cas_oracle", "train_seconds", "family"} <= set(names(found.rest))
    assert not {"failed", "role", "published", "note", "samples"} & set(names((*found.main, *found.rest)))


def test_precision_is_never_shown_without_recall_and_coverage(tmp_path: Path) -> None:
    order = names(table(tmp_path / "all", seeds("a", (9.0, 9.5), **SHARES)).by_importance)
    for count in range(1, len(order) + 1):
        shown = set(order[:count])
        assert "precision" not in shown or {"recall", "coverage"} <= shown
    without = SHARES | {"coverage": 0.5}
    without.pop("recall")
    found = table(tmp_path / "without", seeds("a", (9.0, 9.5), **without))
    assert "precision" not in names(found.by_importance)
    assert "precision" in names(found.rest)


def test_metrics_that_were_asked_for_come_before_standard_ones(tmp_path: Path) -> None:
    made = seeds("a", (9.0, 9.5), vendi=3.0, **SHARES)
    under = protocol(extractor="other", extractor_sha256=sha("other"))
    for each in made:
        each.scores.append(score_record(each.record, under, fid=4.0, recall=0.2))
    found = table(tmp_path, made)
    assert names(found.by_importance)[:5] == ["rank", "model", "fid", "fid@other", "vendi"]
    assert "recall@other" in names(found.rest)
    assert found.columns[names(found.columns).index("fid@other")].title == "FID@other"


def test_columns_without_any_value_are_not_shown(tmp_path: Path) -> None:
    found = table(tmp_path, seeds("a", (9.0, 9.5)))
    assert "density" not in names((*found.main, *found.rest))
    assert "density" in names(found.columns), "the CSV has it"


def test_cells_hold_full_precision_and_two_texts(tmp_path: Path) -> None:
    found = table(tmp_path, seeds("a", (10 / 3, 11 / 3), precision=1 / 3))
    cells = found.rows[0].cells
    assert cells["precision"].value == pytest.approx(1 / 3, rel=1e-15)
    assert (cells["precision"].text, cells["precision"].short) == ("0.333 ± 0.030", "0.33")
    assert cells["fid"].text.startswith("3.50 [")
    assert cells["train_seconds"].value == 12.5
    assert {cost.name for cost in COSTS} <= set(cells)


def test_failures_show_in_the_column_of_runs(tmp_path: Path) -> None:
    cells = {row.ranked.row.label: row.cells for row in table(tmp_path, full()).rows}
    assert (cells["vanilla"]["runs"].text, cells["vanilla"]["runs"].short) == ("3 ok, 1 failed", "3/4")
    assert cells["dcgan"]["runs"].short == "3"


@pytest.mark.parametrize(("b", "best"), [((90.0, 91.0, 92.0), "a"), ((9.1, 9.6, 9.2), None)])
def test_best_is_the_only_possible_first(tmp_path: Path, b: tuple[float, ...], best: str | None) -> None:
    found = table(tmp_path, [*seeds("a", (9.0, 9.5, 9.2)), *seeds("b", b)])
    assert (found.best and found.best.ranked.row.label) == best


def test_rows_can_be_chosen(tmp_path: Path) -> None:
    shown: Board = board(tmp_path / "runs", full())
    assert len(board_table(shown, shown.rows[:2]).rows) == 2

"""A board as LaTeX, HTML, JSON, Markdown and CSV: one table, five ways to write it."""

from __future__ import annotations

import json
import math
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ganbench.boards.board import Board
from ganbench.boards.csv_table import board_csv
from ganbench.boards.export import export
from ganbench.boards.latex import escape
from ganbench.boards.markdown import markdown
from ganbench.boards.table import board_table
from ganbench.store.run_record import RunStatus

from .factory import REQUEST, board, full, make, seeds

HOSTILE = "a&b%$#_{x}~^\\|<script>\"'`"


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return board(tmp_path_factory.mktemp("full") / "runs", [*full(), *seeds(HOSTILE, (300.0, 310.0))])


def latex_rows(text: str) -> list[list[str]]:
    return [
        [cell.strip() for cell in re.split(r"(?<!\\)&", line.removesuffix(r" \\"))]
        for line in text.splitlines()
        if line.endswith(r" \\")
    ]


def test_latex_is_a_tabular_with_a_cell_for_every_column(everything: Board) -> None:
    text = export(everything, "latex")
    rows = latex_rows(text)
    main = board_table(everything).main
    spec = re.search(r"\\begin\{tabular\}\{([lr]+)\}", text)
    assert spec
    assert spec[1] == "".join("r" if column.numeric else "l" for column in main)
    assert {len(row) for row in rows} == {len(main)}
    assert len(rows) == 1 + len(everything.rows)
    lines = [line for line in text.splitlines() if not line.startswith("%")]
    assert (lines[0][:15], lines[1], lines[-2:]) == (
        r"\begin{tabular}",
        r"\toprule",
        [r"\bottomrule", r"\end{tabular}"],
    )
    assert text.count(r"\midrule") == 4, "after the heading, the ceiling, the models and the baselines"
    assert re.sub(r"[ -~\n]", "", "\n".join(lines)) == "", "ASCII alone, as all labels here are"


def test_latex_escapes_whatever_a_label_holds() -> None:
    said = escape(HOSTILE)
    assert said.startswith(r"a\&b\%\$\#\_\{x\}\textasciitilde{}\textasciicircum{}\textbackslash{}\textbar{}")
    bare = re.sub(r"\\text[a-z]+\{\}|\\[&%$#_{}]", "", said)
    assert not set(bare) & set('&%$#_{}~^\\|<>"')
    assert escape("a\nb") == "a b"


def test_latex_has_a_true_minus(tmp_path: Path) -> None:
    text = export(board(tmp_path, seeds("a", (9.0, 9.1), density=-0.25)), "latex")
    assert "$-$0.250" in text


@pytest.mark.parametrize(("b", "bold"), [((90.0, 91.0, 92.0), ["a"]), ((9.1, 9.6, 9.2), [])])
def test_bold_is_what_the_joint_statement_names_alone(tmp_path: Path, b: tuple[float, ...], bold: list[str]) -> None:
    shown = board(tmp_path, [make("real", role="ceiling"), *seeds("a", (9.0, 9.5, 9.2)), *seeds("b", b)])
    rows = latex_rows(export(shown, "latex"))
    assert [row[1] for row in rows if any(r"\textbf" in cell for cell in row)] == bold
    assert sum(cell.startswith(r"\textbf{9.") for row in rows for cell in row) == len(bold)
    assert export(shown, "html").count("<strong>") == len(bold)


class Page(HTMLParser):
    """Rows of cells, and every tag that was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1] and data.strip():
            self.rows[-1][-1] += data


def test_html_is_one_table_in_which_labels_are_text(everything: Board) -> None:
    page = Page(export(everything, "html"))
    assert page.tags.count("table") == 1
    assert set(page.tags) <= {"table", "caption", "thead", "tbody", "tr", "th", "td", "strong"}
    assert {len(row) for row in page.rows} == {len(page.rows[0])}
    assert len(page.rows) == 1 + len(everything.rows)
    assert HOSTILE in [row[1] for row in page.rows]
    broken = next(row for row in page.rows if row[1] == "broken")
    assert "oom: out of memory at 9 GiB (3 of 3 runs)" in broken[-1]


def test_json_has_every_value_its_interval_its_seeds_and_the_protocols(tmp_path: Path) -> None:
    values = (10 / 3, 11 / 3, 13 / 3)
    shown = board(tmp_path, [*seeds("a", values), make("b", status=RunStatus.FAILED, reason="it fell")])
    found = json.loads(export(shown, "json"))
    row = next(row for row in found["rows"] if row["model"] == "a")
    estimate = shown.models[0].row.headline
    assert estimate
    assert row["metrics"]["fid"] == {"mean": estimate.mean, "low": estimate.low, "high": estimate.high, "n": 3}
    assert [seed["metrics"]["fid"] for seed in row["seeds"]] == list(values)
    assert [seed["seed_index"] for seed in row["seeds"]] == [0, 1, 2]
    assert all(seed["standard_errors"]["fid"] == pytest.approx(seed["metrics"]["fid"] / 100) for seed in row["seeds"])
    assert (row["best_place"], row["worst_place"], row["costs"]["train_seconds"]) == (1, 1, 13.0)
    failed = next(row for row in found["rows"] if row["model"] == "b")
    assert (failed["rank"], failed["metrics"], failed["seeds"][0]["reason"]) == (None, {}, "it fell")
    assert found["scoring_protocol"]["key"] == REQUEST.scoring.key
    assert found["training_protocol"]["train_sha256"] == REQUEST.training.train_sha256
    fid = next(column for column in found["columns"] if column["name"] == "fid")
    assert (fid["direction"], fid["mean"], fid["title"]) == ("lower", "geometric", "FID")


def test_json_is_strict_where_a_number_is_not_finite(everything: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    from ganbench.boards import json_table

    monkeypatch.setattr(json_table, "_content", lambda table: {"rows": [{"high": math.inf, "low": math.nan, "n": 1}]})
    assert json.loads(export(everything, "json")) == {"rows": [{"high": None, "low": None, "n": 1}]}


def test_md_is_the_first_table_of_the_page_and_csv_is_the_file(everything: Board) -> None:
    page = markdown(everything, {}, {}, curves=False, overview=False)
    table = export(everything, "md")
    assert f"\n\n{table}\n" in page
    assert page.index(table) < page.index("<details>")
    assert all(line.startswith("| ") for line in table.splitlines())
    assert export(everything, "csv") == board_csv(everything)


def test_the_page_folds_the_other_columns_and_says_which(everything: Board) -> None:
    page = markdown(everything, {}, {}, curves=False, overview=False)
    summary = re.search(r"<summary>(\d+) more columns: (.*)</summary>\n\n\| model \|", page)
    assert summary
    rest = board_table(everything).rest
    assert int(summary[1]) == len(rest)
    assert "parameters" in summary[2]


def test_a_range_without_an_end_is_said_in_words(tmp_path: Path) -> None:
    from .factory import METRICS

    endless = METRICS["density"].model_copy(update={"low": -math.inf, "high": math.inf})
    request = REQUEST.__class__(
        REQUEST.track, REQUEST.training, REQUEST.scoring, REQUEST.headline, (METRICS["fid"], endless)
    )
    page = markdown(board(tmp_path, seeds("a", (1.0, 2.0)), request=request), {}, {}, curves=False, overview=False)
    assert not re.search(r"\binf(inity)?\b", page)

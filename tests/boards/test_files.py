from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable
from math import exp
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from ganbench.boards.board import Board
from ganbench.boards.csv_table import board_csv, columns, run_columns, runs_csv
from ganbench.boards.dataframe import dataframe
from ganbench.boards.formatting import slug
from ganbench.boards.markdown import escape, markdown
from ganbench.boards.terminal import table
from ganbench.metric import Score
from ganbench.store.run_record import RunStatus
from tests.store.factory import protocol, score_record, sha

from .factory import METRICS, PROVENANCE, TRACK, Made, board, full, make, seeds, write

HOSTILE = [
    "=1+1",
    "+a",
    "-a",
    "@a",
    "\t=a",
    "a|b",
    "a\nb",
    "a\\|b",
    "<script>x</script>",
    "`a|`",
    "[x](http://y)",
    "a\r=b",
]

BoardOf = Callable[[Iterable[Made]], Board]


@pytest.fixture
def board_of(tmp_path: Path) -> BoardOf:
    return lambda made: board(tmp_path / "runs", made)


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return board(tmp_path_factory.mktemp("full") / "runs", full())


def page(shown: Board) -> str:
    return markdown(shown, {}, {}, curves=False, overview=False)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def table_of(text: str) -> list[list[str]]:
    """Split the first Markdown table as GitHub does: at every pipe that no backslash precedes."""
    return tables_of(text)[0]


def tables_of(text: str) -> list[list[list[str]]]:
    """Split every Markdown table; the second of a board's page holds the columns that the first has no room for."""
    tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
    return [_rows(table.splitlines()) for table in tables]


def _rows(lines: list[str]) -> list[list[str]]:
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def terminal(shown: Board, only: set[str] | None = None) -> str:
    console = Console(width=100, record=True, file=io.StringIO(), force_terminal=False)
    console.print(table(shown, only))
    return console.export_text()


def test_csv_begins_with_the_promised_columns_and_holds_every_metric(everything: Board) -> None:
    names = columns(everything)
    head = "rank,model,family,runs,failed,fid,fid_low,fid_high,is,is_low,is_high,precision,precision_low"
    assert ",".join(names).startswith(head)
    assert set(METRICS) <= set(names)
    assert "cas_oracle_high,parameters,images_per_second,train_seconds" in ",".join(names)
    assert names[-5:] == ("tuned", "role", "published", "sampler", "note")


def test_csv_holds_full_precision_and_failures(board_of: BoardOf) -> None:
    shown = board_of([*full(), *(make("thirds", at, 10 + at / 3) for at in range(3))])
    rows = {row["model"]: row for row in rows_of(board_csv(shown))}
    mean = next(each.row.headline.mean for each in shown.rows if each.row.label == "thirds" and each.row.headline)
    assert float(rows["thirds"]["fid"]) == mean
    assert rows["broken"]["fid"] == rows["broken"]["rank"] == rows["real"]["rank"] == ""
    assert rows["broken"]["note"] == "oom: out of memory at 9 GiB (3 of 3 runs)"
    assert (rows["vanilla"]["runs"], rows["vanilla"]["failed"]) == ("3", "1")
    assert rows["dcgan"]["cas"] == rows["replay"]["cas"] == ""
    assert rows["lone"]["fid"] == "50.0"
    assert float(rows["lone"]["fid_low"]) == pytest.approx(50 * exp(-0.0196), rel=1e-4), "of the scored images alone"
    assert float(rows["thirds"]["fid_low"]) > 0


def test_csv_has_flops_and_is_blank_where_they_are_unknown(board_of: BoardOf) -> None:
    shown = board_of([make("counted", record={"flops": 1.25e12}), make("fitted")])
    for text in (board_csv(shown), runs_csv(shown)):
        assert {row["model"]: row["flops"] for row in rows_of(text)} == {"counted": "1250000000000.0", "fitted": ""}


def test_runs_csv_has_every_run(everything: Board) -> None:
    rows = rows_of(runs_csv(everything))
    assert list(rows[0]) == list(run_columns(everything))
    assert not everything.refused
    assert len(rows) == len(full())
    diverged = next(row for row in rows if row["status"] == "diverged")
    assert (diverged["model"], diverged["fid"], diverged["reason"]) == ("vanilla", "", "loss is NaN at step 70")
    assert {row["key"] for row in rows} == {made.key for made in full()}


def test_published_rows_are_marked_wherever_a_board_is_shown(tmp_path: Path) -> None:
    write(tmp_path / "published" / TRACK.name / "runs", seeds("theirs", (1.0, 1.1, 1.2)))
    shown = board(tmp_path / "runs", seeds("mine", (9.0, 9.1, 9.2)), published=tmp_path / "published")
    rows = rows_of(board_csv(shown))
    assert [(row["model"], row["published"], row["rank"]) for row in rows] == [
        ("mine", "", "2"),
        ("theirs", "yes", "1"),
    ]
    assert [row[1] for row in table_of(page(shown))[2:]] == ["mine", "theirs (published)"]
    text = terminal(shown)
    assert "theirs (published)" in text
    assert text.index("mine") < text.index("theirs")
    assert "trained and scored in the same way" in " ".join(text.split())


def test_hostile_text_cannot_hurt_the_csv(board_of: BoardOf) -> None:
    made = [make(label, at) for label in HOSTILE for at in (0, 1)]
    made.append(make("quiet", 0, status=RunStatus.FAILED, reason="=cmd|' /C calc'!A0\n@x"))
    shown = board_of(made)
    assert not shown.refused
    for text in (board_csv(shown), runs_csv(shown)):
        rows = rows_of(text)
        assert len(text.splitlines()) == len(rows) + 1
        for row in rows:
            assert None not in row
            for column in ("model", "family", "note", "reason", "role", "sampler"):
                assert not row.get(column, "").startswith(("=", "+", "-", "@", "\t", "\r")), row
    assert "'=1+1" in board_csv(shown)


def test_negative_numbers_stay_numbers(board_of: BoardOf) -> None:
    text = runs_csv(board_of([make("a", density=-0.5)]))
    assert float(rows_of(text)[0]["density"]) == -0.5


def test_hostile_text_cannot_break_the_markdown_table(board_of: BoardOf) -> None:
    made = [make(label) for label in HOSTILE]
    made.append(make("quiet", 0, status=RunStatus.FAILED, reason="a | b\n| c | `|` <b>\\|"))
    under = protocol(extractor="x`|<b>\ny", extractor_sha256=sha("x"))
    made[0].scores.append(score_record(made[0].record, under, fid=1.0))
    shown = board_of(made)
    text = page(shown)
    assert len(tables_of(text)) == 2
    for cells in tables_of(text):
        assert {len(row) for row in cells} == {len(cells[0])}
        assert len(cells) == 2 + len(shown.rows)
    assert "<script>" not in text
    assert "](http://y)" not in text.replace("\\]", "")
    assert "`fid@x'|<b> y`" in text, "in code nothing is HTML"
    assert "<b>" not in text.replace("`fid@x'|<b> y`", "")


def test_escape_leaves_plain_names_readable() -> None:
    assert escape("vae[latent_dim=64]") == "vae\\[latent_dim=64\\]"
    assert escape("__init__") == "\\_\\_init\\_\\_"


def test_markdown_says_what_a_reader_must_know(everything: Board) -> None:
    text = page(everything)
    rows = {row[1]: row for row in table_of(text)}
    for column in ("FID ↓", "IS ↑", "CAS ↑", "CAS\\* ↑"):
        assert column in table_of(text)[0]
    assert rows["dcgan"][0] == "1-3"
    assert rows["*real* (ceiling)"][0] == rows["*noise* (floor)"][0] == rows["*replay* (memoriser)"][0] == "–"
    assert rows["dcgan"][2] == "20.1 [17.3, 23.5]"
    assert "- broken: oom: out of memory at 9 GiB (3 of 3 runs)\n" in text
    assert rows["vanilla"][-1] == "3 ok, 1 failed"
    others = {row[0]: row for row in tables_of(text)[1]}
    assert others["dcgan"][others["model"].index("sampler")] == "dcgan's latent"
    for said in (
        "reaches 0.980", "version 1", "1,000 samples", "test split of digits, never trained on", f"sha256 {'e' * 12}",
        f"sha256 {'d' * 12}", "8kimg a run, fp32", "AMD EPYC, cores 2, threads 1", "torch 2.15.0", "2026-11-01",
        "`ganbench board --track tiny-quick`", "- seeds: 0, 1, 2, 3", f"key {protocol().key}",
        "[arXiv:2002.09797](https://arxiv.org/abs/2002.09797)",
    ):  # fmt: skip
        assert said in text, said


def test_what_is_not_on_a_board_is_named_with_its_reason(tmp_path: Path) -> None:
    old = seeds("a", (1.0, 1.1), source="99" * 32)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "run.json").write_text("{")
    shown = board(tmp_path, [*old, make("a", day=2), make("c", asked={"precision": "bf16"})])
    text = page(shown).split("## Not on this board")[1]
    for said in (
        "2 older runs of a superseded by",
        "left out 1 run in bf16",
        "- refused: bad: record run.json: damaged",
    ):
        assert said in text, said
    assert str(tmp_path) not in text


def test_random_labels_stand_beside_the_accuracy_of_real_images(board_of: BoardOf) -> None:
    made = make("real", role="ceiling", cas=0.9)
    score = made.scores[0]
    told = score.metrics | {"cas": Score(value=0.9, n=1000, details={"random_labels": 0.125})}
    made = made._replace(scores=[score.model_copy(update={"metrics": told})])
    assert "reaches 0.900, with random labels 0.125." in page(board_of([made, make("a")]))


def test_no_row_of_real_images_no_sentence_about_it(board_of: BoardOf) -> None:
    assert "Beside CAS" not in page(board_of(seeds("a", (1.0, 2.0))))


def test_bare_provenance_is_no_obstacle(board_of: BoardOf) -> None:
    text = page(board_of([make("a", record={"provenance": {"started": None}})]))
    assert "- machine: unknown" in text
    assert "- date: unknown" in text


def test_commits_and_days_of_all_runs_are_told(board_of: BoardOf) -> None:
    told = PROVENANCE | {"git_commit": "c0ffee" * 7, "git_dirty": True, "started": "2026-11-09T10:00:00+00:00"}
    text = page(board_of([make("a"), make("a", 1, record={"provenance": told})]))
    assert "c0ffeec0ffee, uncommitted changes" in text
    assert "2026-11-01 to 2026-11-09" in text


def test_slugs_are_safe_and_never_shared() -> None:
    labels = ["vae", "VAE", "vae[a=1]", "vae[a,1]", "../x", "curves", "grids", "", "é", "x" * 300, *HOSTILE]
    slugs = [slug(label) for label in labels]
    assert slugs[0] == "vae"
    assert len({each.lower() for each in slugs}) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*", each) and len(each) < 80 for each in slugs)
    assert not {"curves", "grids"} & set(slugs)


def test_terminal_fits_100_columns_and_shows_labels_failures_and_refusals(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir(parents=True)
    (tmp_path / "bad" / "run.json").write_text("{")
    text = terminal(board(tmp_path, full()))
    assert max(map(len, text.splitlines())) <= 100
    for said in ("vae[latent_dim=64]", "1-3", "20.1 [17.3, 23.5]", "905", "0.95", "CAS*", "3/4"):
        assert said in text, said
    flat = " ".join(text.split())
    assert "broken: oom: out of memory at 9 GiB (3 of 3 runs)" in flat
    assert "refused" in flat
    assert "one seed separates nothing" in flat


def test_terminal_shows_the_rows_that_were_asked_for_and_counts_the_others(everything: Board) -> None:
    text = terminal(everything, {"dcgan", "real"})
    assert "dcgan" in text
    assert "vanilla" not in text
    assert "6 more rows of earlier commands: `ganbench board --track tiny-quick`" in " ".join(text.split())


def test_frame_equals_the_csv(everything: Board) -> None:
    frame = dataframe(everything)
    read = pd.read_csv(
        io.StringIO(board_csv(everything)), keep_default_na=False, na_values={name: [""] for name in ("fid", "cas")}
    )
    assert list(frame.columns) == list(read.columns)
    assert frame["model"].tolist() == read["model"].tolist()
    assert frame["rank"].tolist() == read["rank"].tolist()
    pd.testing.assert_series_equal(frame["fid"], read["fid"], rtol=1e-15, atol=0)  # pandas 2 errs in the last digit


@pytest.mark.parametrize(
    ("shares", "threads", "said"),
    [
        ((0.99, 1.0), 1, "runs had 99 % to 100 % of a core: nothing else ran at the same time, so seconds"),
        ((0.71, 1.0), 1, "runs had 71 % to 100 % of a core: other programs ran at the same time, so seconds"),
        ((1.7, 1.8), 2, "not known whether other programs ran at the same time"),
        ((None, None), 1, "not known whether other programs ran at the same time"),
    ],
)
def test_the_caption_says_whether_runs_had_their_cores_for_themselves(
    board_of: BoardOf, shares: tuple[float | None, ...], threads: int, said: str
) -> None:
    runs = [
        make("dcgan", at, 20.0 + at, record={"processor_share": share, "provenance": {"threads": threads}})
        for at, share in enumerate(shares)
    ]
    assert f"- costs: {said}" in page(board_of(runs))

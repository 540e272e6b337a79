from __future__ import annotations

import csv
import io
import re

import pandas as pd
import pytest
from rich.console import Console

from ganbench.boards.board import assemble
from ganbench.boards.csv_table import board_csv, columns, trials_csv
from ganbench.boards.dataframe import leaderboard
from ganbench.boards.formatting import slug
from ganbench.boards.markdown import escape, markdown
from ganbench.boards.terminal import table
from ganbench.metric import STANDARD
from ganbench.store.run_record import Status

from .factory import TRACK, full, make, seeds, write_runs

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


@pytest.fixture
def board_of(tmp_path):
    def make_board(records):
        write_runs(tmp_path / "runs", records, pictures=False)
        return assemble(TRACK.name, tmp_path / "runs", tmp_path / "boards")

    return make_board


def rows_of(text):
    return list(csv.DictReader(io.StringIO(text)))


def table_of(text):
    """Split the first Markdown table as GitHub does: at every pipe that no backslash precedes."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_csv_begins_with_the_promised_columns_and_holds_every_metric(board_of):
    names = columns(board_of(full()))
    head = "rank,model,family,trials,failed,fid,fid_low,fid_high,is,is_low,is_high,precision,precision_low"
    assert ",".join(names).startswith(head)
    assert set(STANDARD) <= set(names)
    assert "acc_oracle_high,parameters,images_per_second,train_seconds" in ",".join(names)


def test_csv_holds_full_precision_and_failures(board_of):
    thirds = [make("thirds", at, 10 + at / 3) for at in range(3)]
    board = board_of([*full(), *thirds])
    rows = {row["model"]: row for row in rows_of(board_csv(board))}
    mean = next(each.row.headline.mean for each in board.rows if each.row.label == "thirds")
    assert float(rows["thirds"]["fid"]) == mean
    assert rows["broken"]["fid"] == rows["broken"]["rank"] == rows["real"]["rank"] == ""
    assert rows["broken"]["note"] == "oom: out of memory at 9 GiB (3 of 3 trials)"
    assert (rows["vanilla"]["trials"], rows["vanilla"]["failed"]) == ("3", "1")
    assert (rows["lone"]["fid_low"], rows["dcgan"]["acc"]) == ("", "")


def test_trials_csv_has_every_trial(board_of):
    rows = rows_of(trials_csv(board_of(full())))
    assert len(rows) == len(full())
    diverged = next(row for row in rows if row["status"] == "diverged")
    assert (diverged["model"], diverged["fid"], diverged["reason"]) == ("vanilla", "", "loss is NaN at step 70")
    assert {row["key"] for row in rows} == {record.key for record in full()}


def test_hostile_text_cannot_hurt_the_csv(board_of):
    records = [make(label, at, key=f"k{index}-{at}") for index, label in enumerate(HOSTILE) for at in (0, 1)]
    records += [make("quiet", 0, status=Status.FAILED, reason="=cmd|' /C calc'!A0\n@x", key="quiet")]
    board = board_of(records)
    for text in (board_csv(board), trials_csv(board)):
        rows = rows_of(text)
        assert len(text.splitlines()) == len(rows) + 1
        for row in rows:
            assert None not in row
            for column in ("model", "family", "note", "reason", "role", "sampler"):
                assert not row.get(column, "").startswith(("=", "+", "-", "@", "\t", "\r")), row
    assert "'=1+1" in board_csv(board)


def test_negative_numbers_stay_numbers(board_of):
    text = trials_csv(board_of([make("a", density=-0.5)]))
    assert float(rows_of(text)[0]["density"]) == -0.5


def test_hostile_text_cannot_break_the_markdown_table(board_of):
    records = [make(label, 0, key=f"k{index}") for index, label in enumerate(HOSTILE)]
    records += [make("quiet", 0, status=Status.FAILED, reason="a | b\n| c | `|` <b>\\|", key="quiet")]
    board = board_of(records)
    text = markdown(board, {}, {}, curves=False, overview=False)
    cells = table_of(text)
    assert {len(row) for row in cells} == {len(cells[0])}
    assert len(cells) == 2 + len(board.rows)
    assert "<script>" not in text
    assert "<b>" not in text
    assert "](http://y)" not in text.replace("\\]", "")


def test_escape_leaves_plain_names_readable():
    assert escape("vae[latent_dim=64]") == "vae\\[latent_dim=64\\]"
    assert escape("__init__") == "\\_\\_init\\_\\_"


def test_markdown_says_what_a_reader_must_know(board_of):
    board = board_of(full())
    text = markdown(board, {}, {}, curves=False, overview=False)
    rows = {row[1]: row for row in table_of(text)}
    for column in ("FID ↓", "IS ↑", "acc ↑", "acc\\*"):
        assert column in table_of(text)[0]
    assert rows["dcgan"][0] == "1-3"
    assert rows["*real* (ceiling)"][0] == rows["*noise* (floor)"][0] == rows["*replay* (memoriser)"][0] == "–"
    assert rows["dcgan"][3:5] == ["dcgan's latent", "20.2 [17.0, 23.3]"]
    assert "oom: out of memory at 9 GiB (3 of 3 trials)" in rows["broken"][-1]
    assert rows["vanilla"][-2] == "3 ok, 1 failed"
    for said in (
        "reaches 0.980", "version 1", "1,000 samples", "test split of digits, never trained on", f"sha256 {'e' * 12}",
        f"sha256 {'d' * 12}", "8kimg", "AMD EPYC, cores 2, threads 1", "torch 2.15.0", "2026-11-01",
        "`ganbench leaderboard --track tiny-quick`",
    ):  # fmt: skip
        assert said in text, said


def test_no_row_of_real_images_no_sentence_about_it(board_of):
    assert "Beside acc" not in markdown(board_of(seeds("a", (1.0, 2.0))), {}, {}, curves=False, overview=False)


def test_bare_provenance_is_no_obstacle(board_of):
    text = markdown(board_of([make("a", provenance={"started": None})]), {}, {}, curves=False, overview=False)
    assert "- machine: unknown" in text


def test_slugs_are_safe_and_never_shared():
    labels = ["vae", "VAE", "vae[a=1]", "vae[a,1]", "../x", "curves", "grids", "", "é", "x" * 300, *HOSTILE]
    slugs = [slug(label) for label in labels]
    assert slugs[0] == "vae"
    assert len({each.lower() for each in slugs}) == len(labels)
    assert all(re.fullmatch(r"[a-z0-9][a-z0-9._-]*", each) and len(each) < 80 for each in slugs)
    assert not {"curves", "grids"} & set(slugs)


def test_terminal_fits_100_columns_and_shows_labels_failures_and_refusals(board_of, tmp_path):
    (tmp_path / "runs" / "bad").mkdir(parents=True)
    (tmp_path / "runs" / "bad" / "record.json").write_text("{")
    board = board_of(full())
    console = Console(width=100, record=True, file=io.StringIO(), force_terminal=False)
    console.print(table(board))
    text = console.export_text()
    assert max(map(len, text.splitlines())) <= 100
    for said in ("vae[latent_dim=64]", "1-3", "20.2 [17.0, 23.3]", "905 [893, 917]", "0.95", "acc*", "1/4"):
        assert said in text, said
    flat = " ".join(text.split())
    assert "broken: oom: out of memory at 9 GiB (3 of 3 trials)" in flat
    assert "refused" in flat
    assert "one seed separates nothing" in flat


def test_frame_equals_the_csv(board_of, tmp_path):
    board = board_of(full())
    frame = leaderboard(tmp_path / "runs", track=TRACK.name, boards=tmp_path / "boards")
    read = pd.read_csv(
        io.StringIO(board_csv(board)), keep_default_na=False, na_values={c: [""] for c in ("fid", "acc")}
    )
    assert list(frame.columns) == list(read.columns)
    assert frame["model"].tolist() == read["model"].tolist()
    assert frame["rank"].tolist() == read["rank"].tolist()
    pd.testing.assert_series_equal(frame["fid"], read["fid"], rtol=1e-15, atol=0)  # pandas 2 errs in the last digit
    assert not (tmp_path / "boards").exists()

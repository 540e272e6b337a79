"""Tables are whole on a pipe, and on a narrow terminal drop columns before they fold words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ganbench.cli.table_printer import format_table
from ganbench.registry.registry import Registry
from ganbench.tracks.track import read_track

from ..conftest import Answer

COLUMNS = ("key", "model", "FID", "age")
ROWS = [("01234567", "vae[latent_dim=64] of two words", "12.3", "3 d"), ("89abcdef", "gan", "4.5", "–")]


def test_a_pipe_gets_everything() -> None:
    assert format_table("2 runs", COLUMNS, ROWS) == [
        "2 runs",
        "key       model                            FID   age",
        "────────  ───────────────────────────────  ────  ───",
        "01234567  vae[latent_dim=64] of two words  12.3  3 d",
        "89abcdef  gan                              4.5   –",
    ]
    assert format_table("none", COLUMNS, []) == ["none", "key  model  FID  age", "───  ─────  ───  ───"]


def test_columns_are_dropped_first_and_said() -> None:
    lines = format_table("2 runs", COLUMNS, ROWS, width=50, fold=("model",), drop=("age", "FID"))
    assert lines[1:3] == [
        "key       model                            FID",
        "────────  ───────────────────────────────  ────",
    ]
    assert lines[-1] == "not shown here, the terminal is too narrow: age"


def test_words_are_folded_and_none_is_cut_by_letters() -> None:
    for width, words in ((40, "vae[latent_dim=64] of two words"), (20, "vae[l…m=64] of two words")):
        lines = format_table("2 runs", COLUMNS, ROWS, width=width, fold=("model",), drop=("age", "FID"))
        assert all(len(line) <= max(width, 21) for line in lines), lines
        column, first = lines[1].index("model"), next(at for at, line in enumerate(lines) if line.startswith("0123"))
        second = next(at for at, line in enumerate(lines) if line.startswith("89ab"))
        assert " ".join(line[column:].split("  ")[0].strip() for line in lines[first:second]) == words
    wide = format_table("2 runs", COLUMNS, ROWS, width=40)
    assert max(map(len, wide)) <= 40
    assert not any("…" in line for line in wide), "all words fit"


def test_titles_and_what_is_left_out_fold_too() -> None:
    lines = format_table("2 of 2 runs in a/folder", COLUMNS, ROWS, width=20, fold=("model",), drop=("age", "FID"))
    assert lines[:2] == ["2 of 2 runs in", "a/folder"]
    assert " ".join(lines[lines.index("not shown here, the") :]).endswith("too narrow: age, FID")


def test_control_characters_do_not_steer_a_terminal_and_wide_ones_take_two_cells() -> None:
    lines = format_table("x", ("a", "b"), [("\x1b[31mred\n", "1"), ("画像", "2")])
    assert lines[3:] == ["[31mred  1", "画像     2"]


def test_a_track_that_is_shown_reads_back(command: Callable[..., Answer], tmp_path: Path, registry: Registry) -> None:
    for entry in registry.all("tracks"):
        path = tmp_path / f"{entry.name}.toml"
        path.write_text(command("tracks", "show", entry.name).out)
        assert read_track(path) == entry.thing

"""Tables are whole on a pipe, and on a narrow terminal drop columns before they fold words."""

from __future__ import annotations

from ganbench.cli.table_printer import format_table

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
    assert lines[-1] == "(not shown here, the terminal is too narrow: age)"


def test_words_are_folded_and_no_letter_is_lost() -> None:
    for width in (20, 30, 40):
        lines = format_table("2 runs", COLUMNS, ROWS, width=width, fold=("model",), drop=("age",))
        assert all(len(line) <= max(width, 27) for line in lines[:-1])
        column = lines[1].index("model")
        text = "".join(line[column:].split("  ")[0] for line in lines[3:-2] if len(line) > column)
        assert text.replace(" ", "") == "vae[latent_dim=64]oftwowords"
    wide = format_table("2 runs", COLUMNS, ROWS, width=40)
    assert max(map(len, wide)) <= 40


def test_control_characters_do_not_steer_a_terminal_and_wide_ones_take_two_cells() -> None:
    lines = format_table("x", ("a", "b"), [("\x1b[31mred\n", "1"), ("画像", "2")])
    assert lines[3:] == ["[31mred  1", "画像     2"]

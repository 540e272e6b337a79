"""A table of text gives way column by column, never inside a number or a word."""

from __future__ import annotations

import random

import pytest

from ganbench.util.text import cells, shorten
from ganbench.util.text_table import Heading, fold, lay_out

COLUMNS = [Heading("rank"), Heading("model", gives_way="shorten"), Heading("FID ↓", True), Heading("train\ns", True)]
ROWS = [
    ["1-2", "dcgan[batch_norm=false,lr=0.0002]", "29.1 [23.9, 34.3]", "78"],
    ["1-2", "vae", "2.95 [2.90, 3.01]", "1,022"],
]


def test_without_a_width_nothing_gives_way() -> None:
    table = lay_out(COLUMNS, ROWS)
    assert [line.split() for line in table.heading] == [["train"], ["rank", "model", "FID", "↓", "s"]]
    assert [lines[0].split() for lines in table.rows] == [" ".join(row).split() for row in ROWS]
    assert table.dropped == []
    assert {cells(line) for line in (table.rule, *table.rows[0], *table.rows[1])} == {sum(table.widths) + 6}


@pytest.mark.parametrize("width", range(38, 80))
def test_what_is_shown_fits_and_numbers_stay_whole(width: int) -> None:
    table = lay_out(COLUMNS, ROWS, width, drop=[3])
    lines = [*table.heading, table.rule, *(line for row in table.rows for line in row)]
    assert max(map(cells, lines)) <= width
    for row, shown in zip(ROWS, table.rows, strict=True):
        assert len(shown) == 1
        assert row[2] in shown[0]
        assert (row[3] in shown[0]) is (table.dropped == [])


def test_the_first_to_go_goes_first_and_no_more_than_needed() -> None:
    columns, row = [Heading(letter * 4) for letter in "abcd"], [["1234"] * 4]
    assert lay_out(columns, row, 22, drop=[1, 3]).dropped == []
    assert lay_out(columns, row, 21, drop=[1, 3]).dropped == [1]
    assert lay_out(columns, row, 15, drop=[1, 3]).dropped == [1, 3]
    assert lay_out(columns, row, 3, drop=[1, 3]).dropped == [1, 3], "the others cannot give way"


def test_labels_are_shortened_in_their_middle() -> None:
    assert shorten("vae[latent_dim=64]", 18) == "vae[latent_dim=64]"
    assert shorten("vae[latent_dim=64]", 11) == "vae[l…m=64]"
    letters = random.Random(0)
    for limit in range(1, 30):
        text = "".join(letters.choice("ab画é\u0301") for _ in range(40))
        short = shorten(text, limit)
        assert cells(short) <= limit
        head, _, tail = short.partition("…")
        assert text.startswith(head)
        assert text.endswith(tail)


def test_words_fold_and_a_word_that_is_too_long_is_shortened() -> None:
    assert fold("one two three", 7) == ["one two", "three"]
    assert fold("a distribution-of-models b", 9) == ["a", "dist…dels", "b"]
    assert fold("", 5) == [""]

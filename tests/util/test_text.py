"""Text for one line, and the ends of logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.util.log_tail import BYTES, LINES, tail
from ganbench.util.text import error_line, human_bytes, human_flops, one_line


def test_what_would_break_a_line_becomes_a_space() -> None:
    assert one_line("a\n\tb\x1b[31m  c\u2028d\x00") == "a b [31m c d"
    assert one_line("abcdef", 4) == "abc…"
    assert one_line("ab  cdef", 4) == "ab…"
    assert one_line("abcd", 4) == "abcd"


def test_an_error_is_its_class_and_message_and_a_request_only_its_message() -> None:
    assert error_line(ValueError("two\nlines")) == "ValueError: two lines"
    assert error_line(RequestError("--x 3: no\nsuch")) == "--x 3: no such"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (1536, "1.5 KiB"), (10_240, "10 KiB"), (2**20 - 1, "1.0 MiB"),
        (300 * 2**20, "300 MiB"), (3 * 2**40, "3.0 TiB"), (5000 * 2**40, "5000 TiB"),
    ],
)  # fmt: skip
def test_bytes_are_said_in_units_that_people_read(count: int, text: str) -> None:
    assert human_bytes(count) == text


def test_the_end_of_a_log(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    assert tail(log) == ""
    log.write_bytes(b"\xff\n" + b"".join(b"line %d\n" % number for number in range(10_000)))
    lines = tail(log).splitlines()
    assert (len(lines), lines[-1]) == (LINES, "line 9999")
    log.write_bytes(b"x" * 10**6)
    assert len(tail(log)) == BYTES


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 FLOPs"), (999, "999 FLOPs"), (999.6, "1.0 kFLOPs"), (9_940, "9.9 kFLOPs"), (9_960, "10 kFLOPs"),
        (999.6e6, "1.0 GFLOPs"), (1.2e12, "1.2 TFLOPs"), (34.4e15, "34 PFLOPs"),
    ],
)  # fmt: skip
def test_operations_have_three_digits_at_the_most(count: float, text: str) -> None:
    assert human_flops(count) == text

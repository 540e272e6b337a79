"""Text made safe and short for one line of a terminal, a table or a message."""

from __future__ import annotations

import unicodedata


def one_line(text: str, limit: int | None = None) -> str:
    """Fold white space, line ends and control characters into single spaces, and cut at `limit` characters."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def cells(text: str) -> int:
    """Return the cells of a terminal that a text takes: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def shorten(text: str, limit: int) -> str:
    """Return a text of at most `limit` cells, with an ellipsis in its middle: variants differ at their ends."""
    if cells(text) <= limit:
        return text
    head, tail = text, text
    while head and cells(head) > limit // 2:
        head = head[:-1]
    while tail and cells(head) + 1 + cells(tail) > limit:
        tail = tail[1:]
    return f"{head}…{tail}"


def error_line(error: BaseException) -> str:
    """Return an exception's class and message in one line; of a `RequestError` the message alone."""
    from ganbench.errors import RequestError

    text = " ".join(str(error).split())
    return text if isinstance(error, RequestError) else f"{type(error).__name__}: {text}"


def human_bytes(count: int) -> str:
    """Return a number of bytes as ``0 B``, ``512 B``, ``1.5 KiB``, ``300 MiB``: three digits at the most."""
    size, unit = float(count), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if size < 1023.5:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 9.95 else f"{size:.1f} {unit}"


def human_flops(count: float) -> str:
    """Return a number of floating-point operations as ``950 FLOPs``, ``1.2 TFLOPs``, ``34 PFLOPs``: three digits."""
    unit = ""
    for larger in ("k", "M", "G", "T", "P", "E", "Z"):
        if count < 999.5:
            break
        count, unit = count / 1000, larger
    return f"{count:.0f} {unit}FLOPs" if not unit or count >= 9.95 else f"{count:.1f} {unit}FLOPs"

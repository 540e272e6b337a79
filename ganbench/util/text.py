"""Text made safe and short for one line of a terminal, a table or a message."""

from __future__ import annotations

import os
from pathlib import Path


def one_line(text: str, limit: int | None = None) -> str:
    """Fold white space, line ends and control characters into single spaces, and cut at `limit` characters."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return text if limit is None or len(text) <= limit else text[: limit - 1].rstrip() + "…"


def error_line(error: BaseException) -> str:
    """Return an exception's class and message in one line; of a `RequestError` the message alone."""
    from ganbench.errors import RequestError

    text = " ".join(str(error).split())
    return text if isinstance(error, RequestError) else f"{type(error).__name__}: {text}"


TAIL_LINES, TAIL_BYTES = 30, 4096


def tail(log: Path) -> str:
    """Return the last lines of a log; nothing where it cannot be read."""
    try:
        with open(log, "rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - TAIL_BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-TAIL_LINES:])

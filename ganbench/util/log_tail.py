"""The end of a log."""

from __future__ import annotations

import os
from pathlib import Path

LINES, BYTES = 20, 4000
"""What is shown of a log, at the most."""


def tail(log: Path) -> str:
    """Return the last lines of a log, empty where it cannot be read; what is not UTF-8 is replaced."""
    try:
        with open(log, "rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - BYTES))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-LINES:])

"""Where tables are printed: as wide as the terminal, and wide enough on a pipe."""

from __future__ import annotations

from rich.console import Console

WIDTH_OF_A_PIPE = 100


def console() -> Console:
    """Return a console that does not cut tables on a pipe."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH_OF_A_PIPE)

"""What a verification found, as Markdown for a comment: its steps, its numbers, and the rows that it would stand among.

Whatever a bundle says is escaped: its author is a stranger.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from ganbench.boards.board import build_board
from ganbench.boards.markdown import escape, markdown_table
from ganbench.boards.table import board_table
from ganbench.store.store import Store
from ganbench.submission.accept import accept
from ganbench.submission.verify import MOST_SAID, Verified
from ganbench.submission.workplace import Workplace
from ganbench.util.text import human_bytes

_LINE = 400


def comparison_page(result: Verified, work: Workplace, published: Path) -> str:
    """Return the page; the table of the board is left out where something differs."""
    return "\n\n".join(_parts(result, work, published)) + "\n"


def _parts(result: Verified, work: Workplace, published: Path) -> Iterator[str]:
    verdict = "verified" if result.verified else "**not verified**"
    yield f"## {escape(result.bundle, 80)}: {verdict} at level {result.level}"
    yield (
        f"{len(result.runs)} runs of {escape(result.track.name, 80)}, {escape(result.track.budget, 40)}; "
        f"{human_bytes(result.size)}, sha256 `{result.sha256[:16]}`; ganbench {result.ganbench}; network while "
        f"submitted code ran: {escape(result.network, 200)}."
    )
    lines = []
    for step in result.steps:
        lines.append(f"- {'✓' if step.ok else '✗'} **{step.level}**: {step.what} ({step.seconds:.0f} s)")
        lines += [f"  - {escape(line, _LINE)}" for line in step.said]
        lines += [f"  - ✗ {escape(line, _LINE)}" for line in step.problems[:MOST_SAID]]
    yield "\n".join(lines)
    if result.verified:
        with tempfile.TemporaryDirectory() as folder:
            store = Store(Path(folder))
            accept(work, result, store)
            table = board_table(build_board(work.protocols.board, [store], published))
            yield "### Beside the published rows"
            yield markdown_table(table, table.main)

"""The blocks of code that the documentation shows, page by page, and what becomes of each when it is tested.

``sh`` blocks are commands, ``python`` blocks are code; a block of ``python`` or ``toml`` whose first line is a comment
that begins with a file's name is that file. An HTML comment ``<!-- not run: REASON -->`` before a block leaves it out.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
WRITTEN_BY_COMMANDS = {
    ROOT / "docs" / f"{name}.md" for name in ("models", "claims", "tuning", "peers", "faults", "cheats")
}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]

_BLOCK = re.compile(r"^(?:<!-- not run: (?P<why>.+?) -->\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)
_FILE = re.compile(r"# (?P<name>[\w-]+\.(?:py|toml))\b")


class Block(NamedTuple):
    """A fenced block: its language and text, the file that it is ("" for none), why it is not run ("" if it is)."""

    language: str
    text: str
    file: str
    not_run: str


def blocks(page: Path) -> list[Block]:
    """Return the blocks of a page that name a language, in order."""
    return [_block(found) for found in _BLOCK.finditer(page.read_text())]


def _block(found: re.Match[str]) -> Block:
    named = _FILE.match(found["text"]) if found["language"] in ("python", "toml") else None
    return Block(found["language"], found["text"], named["name"] if named else "", found["why"] or "")


def commands(text: str) -> list[str]:
    """Return the commands of an ``sh`` block, without comments."""
    lines = text.replace("\\\n", " ").splitlines()
    return [part.strip() for line in lines if not line.startswith("#") for part in line.split("&&") if part.strip()]

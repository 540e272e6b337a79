"""A hook of mkdocs: links of a page that lead out of ``docs/`` reach a copy of the file in the site.

Pages are read in the repository as well as on the site, so they link to ``../plugins/dcgan.py`` and
``../leaderboards/mnist5k-quick.md``. The site has such files, and the pictures that they show, under ``repository/``:
Markdown and source code as pages, all others as they are.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
COPIES = "repository"
SOURCES = {".py": "python", ".toml": "toml"}
LINK = re.compile(r"(\]\()([^)\s#]+)(#[^)\s]*)?(?=\))")
FENCE = re.compile(r"^```.*?^```", re.M | re.S)


def on_files(files: Files, config: Any) -> Files:
    """Add every file outside ``docs/`` that a page links to, and those that these link to in turn."""
    waiting = list(DOCS.rglob("*.md"))
    seen = set(waiting)
    while waiting:
        page = waiting.pop()
        for target in linked(page):
            if target in seen or target.is_relative_to(DOCS) or not target.is_file():
                continue
            seen.add(target)
            if target.suffix in SOURCES:
                files.append(File.generated(config, source_of(target), content=as_page(target)))
            else:
                files.append(File.generated(config, source_of(target), abs_src_path=str(target)))
            if target.suffix == ".md":
                waiting.append(target)
    return files


def on_page_markdown(markdown: str, page: Page, config: Any, files: Files) -> str:
    """Lead links out of ``docs/`` to the copies, and links of copies back into ``docs/``."""
    if page.file.abs_src_path is None:  # a file of source code, which has no links
        return markdown
    path = Path(page.file.abs_src_path)
    here = Path(page.file.src_uri).parent

    def led(match: re.Match[str]) -> str:
        target = (path.parent / match[2]).resolve()
        if "://" in match[2] or not target.is_relative_to(ROOT) or not target.exists():
            return match[0]
        if target.is_dir():
            target = target / "README.md"
        return f"{match[1]}{os.path.relpath(source_of(target), here)}{match[3] or ''}"

    return LINK.sub(led, markdown)


def linked(page: Path) -> list[Path]:
    """Return the files that a page links to, but for what stands in its code blocks."""
    return [(page.parent / match[2]).resolve() for match in LINK.finditer(FENCE.sub("", page.read_text()))]


def source_of(path: Path) -> str:
    """Return the place of a file of the repository in the site's sources."""
    if path.is_relative_to(DOCS):
        return path.relative_to(DOCS).as_posix()
    return f"{COPIES}/{path.relative_to(ROOT).as_posix()}{'.md' if path.suffix in SOURCES else ''}"


def as_page(path: Path) -> str:
    """Return a page that shows a file of source code, and is not searched."""
    title, language = path.relative_to(ROOT).as_posix(), SOURCES[path.suffix]
    return f"---\nsearch: {{exclude: true}}\n---\n\n# {title}\n\n````{language}\n{path.read_text()}````\n"

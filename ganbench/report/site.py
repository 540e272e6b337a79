"""A report as files by their paths: an index, a page a board, a page a model; or one file a board."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import ganbench
from ganbench.boards.board import Board
from ganbench.boards.formatting import first_place
from ganbench.data.dataset import Dataset
from ganbench.report.board_data import board_page, csv_files
from ganbench.report.board_page import BoardPage
from ganbench.report.links import Links
from ganbench.report.model_data import ModelPage, arxiv, model_page, run_picture
from ganbench.report.pictures import Picture, Shelf
from ganbench.store.layout import TRAINING_PICTURE


@dataclass(frozen=True)
class Shown:
    """A board, and its data set where that is at hand: nearest training images are looked for there."""

    board: Board
    dataset: Dataset | None = None


@dataclass(frozen=True)
class IndexLine:
    """A board on the index."""

    name: str
    href: str
    summary: str
    models: int
    best: str


def build_site(shown: Sequence[Shown], *, single_file: bool = False) -> dict[str, bytes]:
    """Return the files of a report by their paths. `single_file` makes one a board, which holds all there is."""
    links = Links(single=single_file)
    site: dict[str, bytes] = {}
    for each in shown:
        folder = links.folder(each.board)
        if single_file:
            site[f"{folder}.html"] = _single(each, links).encode()
        else:
            site |= {f"{folder}/{path}": content for path, content in _pages(each, links).items()}
    if not single_file:
        lines = [_line(each.board, links) for each in shown]
        site["index.html"] = _render("index.html.j2", title="Leaderboards", root="", lines=lines).encode()
    return site


def _line(board: Board, links: Links) -> IndexLine:
    href = f"{links.folder(board)}/index.html"
    return IndexLine(board.name, href, board.track.summary, len(board.models), first_place(board))


def _pages(each: Shown, links: Links) -> dict[str, bytes]:
    shelf = Shelf()
    page = _board_page(each.board, links, shelf)
    found = {"index.html": _render("board.html.j2", title=page.name, root="../", page=page, links=links)}
    for ranked in each.board.rows:
        model = model_page(each.board, ranked, each.dataset, shelf)
        title = f"{model.label} on {page.name}"
        found[links.model(ranked.row)] = _render(
            "model.html.j2", title=title, root="../../", page=page, model=model, links=links
        )
    found |= csv_files(each.board)
    return {path: text.encode() for path, text in found.items()} | shelf.files


def _single(each: Shown, links: Links) -> str:
    shelf = Shelf(inline=True)
    page = _board_page(each.board, links, shelf)
    models = [model_page(each.board, ranked, each.dataset, shelf) for ranked in each.board.rows]
    return _render("single.html.j2", title=page.name, root="", page=page, models=models, links=links)


def _board_page(board: Board, links: Links, shelf: Shelf) -> BoardPage:
    pictures: dict[int, Picture] = {}
    trainings: dict[int, Picture] = {}
    for index, ranked in enumerate(board.rows):
        first = next(iter(ranked.row.ok), None)
        if first is None:
            continue
        if (picture := run_picture(shelf, first)) is not None:
            pictures[index] = picture
        if (training := run_picture(shelf, first, TRAINING_PICTURE)) is not None:
            trainings[index] = training
    return board_page(board, links, pictures, trainings)


def _render(template: str, **content: object) -> str:
    return _environment().get_template(template).render(**content)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ganbench.report"),
        autoescape=True,  # for every template: it would else go by their names
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = files("ganbench.report") / "templates"
    css, js, early = ((folder / name).read_text() for name in ("report.css", "report.js", "early.js"))
    environment.globals |= {
        "css": Markup(css), "js": Markup(js), "early": Markup(early), "policy": _policy(css, js, early),
        "version": ganbench.__version__,
    }  # fmt: skip
    environment.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    environment.filters |= {"arxiv": arxiv, "breakable": breakable}
    return environment


def breakable(label: str) -> Markup:
    """Return a label that breaks after a bracket or a comma where it does not fit: ``vae[latent_dim=64,beta=4]``."""
    parts = re.split(r"(?<=[\[,])", label)
    return Markup("<wbr>").join(parts)


def _policy(css: str, *scripts: str) -> str:
    """Return a Content-Security-Policy under which nothing runs and nothing is loaded but what is part of the report.

    Pages hold their style and script, known by their hashes, for what ``self`` means of a file is left to browsers.
    """
    said = " ".join(f"'{_hash(script)}'" for script in scripts)
    return (
        f"default-src 'none'; img-src 'self' file: data:; style-src '{_hash(css)}'; script-src {said}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


__all__ = ["ModelPage", "Shown", "build_site"]

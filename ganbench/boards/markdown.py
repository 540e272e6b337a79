"""The board as Markdown: what was asked, the table, how to read it, how it was made."""

from __future__ import annotations

import html
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import fmean
from urllib.parse import quote

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.caption import READING, absent, caption
from ganbench.boards.curves import chosen as curve_rows
from ganbench.boards.entries import Column
from ganbench.boards.formatting import BLANK, first_place, plus_minus
from ganbench.boards.rank import Ranked
from ganbench.boards.sample_grids import chosen as grid_rows
from ganbench.boards.table import Table, TableColumn, TableRow, board_table
from ganbench.util.text import one_line, shorten

_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")
_REASON = 240


def escape(text: str, limit: int | None = None) -> str:
    """Return text that stays itself in a table cell, a list item or a sentence of Markdown.

    Entities replace whatever a table or HTML would read, for a backslash before a pipe is read in two ways.
    """
    text = html.escape(one_line(text, limit), quote=False)
    for char in "\\|`":
        text = text.replace(char, f"&#{ord(char)};")
    text = re.sub(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])", r"\\_", text)
    return re.sub(r"([\[\]*~])", r"\\\1", text)


def markdown(
    board: Board,
    samples: Mapping[str, Path],
    trainings: Mapping[str, Path],
    *,
    curves: bool,
    overview: bool,
    curves_as: str = "png",
) -> str:
    """Return ``<track>.md``. Paths of pictures are taken relative to the folder that it will lie in.

    `curves_as` is the format in which curves lie beside their PNG.
    """
    track, table = board.track, board_table(board)
    parts = [
        f"# {board.name}",
        f"Which generative model is better on **{escape(track.dataset)}** when each may spend {track.budget}, by how "
        f"much, and how sure are we? {_sentence(track.summary)}",
        markdown_table(table, table.main),
        *_other_columns(table),
        *_notes(table),
        "\n".join(_reading_ranks(board)),
        *_pictures(board, samples, curves, overview, curves_as),
        *_trainings(board, trainings),
        "## How to read the columns",
        "\n".join(_legend(board.columns)),
        "## Models",
        "\n".join(map(_about, board.rows)),
        "## How it was made",
        "\n".join(f"- {escape(what)}: {escape(said)}" for what, said in caption(board)),
        *_absent(board),
        f"Rebuilt from its runs by `ganbench board --track {track.name}`; "
        f"full precision in [{board.name}.csv]({board.name}.csv), every run in "
        f"[{board.name}-runs.csv]({board.name}-runs.csv).",
    ]
    return "\n\n".join(parts) + "\n"


def _sentence(text: str) -> str:
    text = escape(text)
    return text if text.endswith((".", "!", "?")) or not text else f"{text}."


def markdown_table(table: Table, columns: Sequence[TableColumn]) -> str:
    """Return these columns of a board as a table of GitHub's kind."""
    titles = [escape(column.heading) for column in columns]
    aligned = ["---:" if column.numeric else "---" for column in columns]
    rows = [[_cell(row, column) for column in columns] for row in table.rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (titles, aligned, *rows))


def _cell(row: TableRow, column: TableColumn) -> str:
    if column.name == "model":
        return _model(row.ranked.row)
    text = row.cells[column.name].text
    return text if column.numeric else escape(text, 60)


def _model(row: Row) -> str:
    label = escape(shorten(one_line(row.label), 60))
    shown = label if row.role == "model" else f"*{label}* ({escape(row.role, 20)})"
    return f"{shown} ({'claimed' if row.claimed else 'published'})" if row.claimed or row.published else shown


def _notes(table: Table) -> Iterable[str]:
    """Say what happened to rows: a failure is never left out."""
    lines = [
        f"- {_model(row.ranked.row)}: {'; '.join(escape(note, _REASON) for note in notes)}"
        for row in table.rows
        if (notes := (*row.ranked.row.flags, *map(str, row.ranked.row.failures)))
    ]
    if lines:
        yield "\n".join(["**Notes on rows**", "", *lines])


def _other_columns(table: Table) -> Iterable[str]:
    """Fold the columns that the page has no room for; GitHub reads a table in ``<details>`` after a blank line."""
    if not table.rest:
        return
    model = next(column for column in table.columns if column.name == "model")
    titles = escape(", ".join(column.title for column in table.rest))
    yield (
        f"<details>\n<summary>{len(table.rest)} more columns: {titles}</summary>\n\n"
        f"{markdown_table(table, [model, *table.rest])}\n\n</details>"
    )


def _reading_ranks(board: Board) -> Iterable[str]:
    jointly = " (jointly at 95 %)" if board.possible_firsts else ""
    yield (
        f"Ranked by {board.headline.title}, less is better; {escape(first_place(board))}{jointly}. {READING} Rows in "
        f"*italics* calibrate the board and are not ranked; {BLANK} means that there is no value."
    )
    real = board.ceiling.row if board.ceiling else None
    column = next((each for each in board.columns if real and each.name in ("cas", "cas_oracle")
                   and each.name in real.metrics), None)  # fmt: skip
    if real and column:
        yield ""
        floor, reached = _random_labels(real), plus_minus(real.metrics[column.name], column.info)
        yield (
            f"**Beside CAS and CAS\\*:** the same classifier trained on real images (the row *{escape(real.label)}*) "
            f"reaches {reached}{f', with random labels {floor:.3f}' if floor is not None else ''}."
        )


def _random_labels(row: Row) -> float | None:
    """Return the mean accuracy that real images with the labels of others teach."""
    scores = [entry.metrics["cas"].details for entry in row.ok if "cas" in entry.metrics]
    values = [details["random_labels"] for details in scores if "random_labels" in details]
    return fmean(values) if values else None


def _pictures(board: Board, samples: Mapping[str, Path], curves: bool, overview: bool, curves_as: str) -> Iterable[str]:
    folder, title = quote(board.name), board.headline.title
    if curves:
        shown, others = curve_rows(board)
        beside = "" if curves_as == "png" else f" As [{curves_as.upper()}]({folder}/curves.{curves_as})."
        yield "## Quality over budget"
        yield f"![{title} over images seen and over training seconds]({folder}/curves.png)"
        yield (
            "The line is the mean over seeds, the band reaches from the least to the most of them. Points on the way "
            f"are scored on n = {board.request.scoring.curve_samples:,}, dashed lines as in the table: {title} on "
            f"fewer samples is larger for the same model.{_not_drawn(shown, others)}{beside}"
        )
    if overview:
        shown, others = grid_rows(board, samples)
        links = (f"[{escape(shorten(one_line(label), 60))}]({folder}/{quote(path.name)})"
                 for label, path in samples.items())  # fmt: skip
        yield "## Samples"
        yield f"![Samples of {'the best models' if others else 'every model'}, side by side]({folder}/grids.png)"
        more = f" The picture shows {len(shown)} rows; {len(others)} more are among the links." if others else ""
        yield f"Not chosen by hand: the first seed that ended well.{more} One by one: {', '.join(links)}."


def _not_drawn(shown: Sequence[Row], others: Sequence[Row]) -> str:
    """Name the models whose curves were left out of the picture."""
    if not others:
        return ""
    return f" Drawn are the best {len(shown)} models; not drawn: {', '.join(map(_model, others))}."


def _trainings(board: Board, trainings: Mapping[str, Path]) -> Iterable[str]:
    if trainings:
        yield "## While they learned"
        yield (
            "Samples over real points; bright areas are those that the model's discriminator, if it has one, takes for "
            "real. The same runs as above."
        )
    for label, path in trainings.items():
        title = escape(label, 60)
        yield f"{title}\n\n![How the samples of {title} moved]({quote(board.name)}/training/{quote(path.name)})"


def _legend(columns: Iterable[Column]) -> Iterable[str]:
    for column in columns:
        info = column.info
        yield (
            f"- **{escape(column.title)}**{info.arrow} (`{_code(column.name)}`{_range(info.low, info.high)}): "
            f"{escape(info.meaning)}; {_source(info.source)}"
        )
    yield (
        "- **tuned**: how many settings `ganbench tune` tried to choose the row's hyper-parameters; blank where that "
        "is not recorded."
    )
    yield "- **sampler**: what a model's samples are decoded from, and with which weights."
    yield (
        "- **img/s**, **train s**, **sample s**, **peak MiB**: means over runs, of training and of drawing samples; "
        "they compare only on one machine."
    )
    yield "- **FLOPs**: floating-point operations of all training steps, a multiply-add counted as 2."


def _code(text: str) -> str:
    """Return what can stand between backticks: an extractor's name is whatever a record says."""
    return one_line(text).replace("`", "'")


def _range(low: float | None, high: float | None) -> str:
    low, high = (None if bound is None or not math.isfinite(bound) else bound for bound in (low, high))
    if low is None and high is None:
        return ""
    if high is None:
        return f", at least {low:g}"
    return f", at most {high:g}" if low is None else f", {low:g} to {high:g}"


def _about(ranked: Ranked) -> str:
    info = ranked.row.info
    said = [f"version {escape(info.version, 30)}"]
    if info.paper:
        said.append(_source(info.paper))
    said.append(f"from {escape(info.distribution, 80)}")
    if info.source:
        said.append(f"source `{re.sub('[^0-9a-f]', '', info.source)[:12]}`")
    return f"- **{escape(ranked.row.label, 60)}** ({escape(info.family, 30)}): {', '.join(said)}"


def _source(text: str) -> str:
    match = _ARXIV.fullmatch(text)
    return f"[{text}](https://arxiv.org/abs/{match[1]})" if match else escape(text, 120)


def _absent(board: Board) -> Iterable[str]:
    if lines := absent(board):
        yield "## Not on this board"
        yield "\n".join(f"- {escape(line)}" for line in lines)

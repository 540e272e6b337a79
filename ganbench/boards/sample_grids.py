"""The pictures of a board: sample grids, one a model, and all of them side by side; what trainings looked like."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.boards.aggregate import Row
from ganbench.boards.board import Board
from ganbench.boards.formatting import interval, name, slug
from ganbench.metric import MetricInfo
from ganbench.util.atomic_io import atomic_write
from ganbench.util.text import shorten

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

RUN = "Run"
"""The text chunk of a grid that holds the key of the run it shows."""
_MOST = 50_000_000
"""Pixels; half of what Pillow warns of."""
MOST = 12
"""Rows that the overview shows: three lines of four."""
_SIDE, _GAP, _LINE, _COLUMNS = 320, 16, 20, 4


def update_pictures(board: Board, folder: Path, picture: str = "samples.png") -> dict[str, Path]:
    """Copy one picture a row, such as its sample grid, and return them by label, in the order of rows.

    It is that of the first seed that ended well. Pictures of runs that are no longer on the board are removed; what
    somebody else put there stays.
    """
    shown: dict[str, Path] = {}
    for ranked in board.rows:
        row, path = ranked.row, folder / f"{slug(ranked.row.label)}.png"
        if row.label in shown:  # a published row of a model that the user trained, too
            continue
        if row.claimed:  # whoever sent it drew it
            continue
        fresh = _open(row.ok[0].folder / picture) if row.ok else None
        if fresh is not None:
            _save(fresh, path, {RUN: row.ok[0].run.key})
            shown[row.label] = path
    for path in set(folder.glob("*.png")) - set(shown.values()):
        if _is_of_a_run(path):
            path.unlink()
    return shown


def _is_of_a_run(path: Path) -> bool:
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as image:
            return RUN in image.info
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False


def chosen(board: Board, samples: Mapping[str, Path]) -> tuple[list[Row], list[Row]]:
    """Return the rows that the overview shows, and the others that have a picture.

    Real images come first, then the best models in the order of the board; memorisers and floors only where there is
    room after all models.
    """
    first: dict[str, Row] = {}
    for ranked in board.rows:
        if ranked.row.label in samples:
            first.setdefault(ranked.row.label, ranked.row)  # a published row of the same label has no picture here
    places = {"ceiling": 0, "model": 1}
    rows = sorted(first.values(), key=lambda row: places.get(row.role, 2))
    return rows[:MOST], rows[MOST:]


def draw_overview(board: Board, samples: Mapping[str, Path], path: Path) -> bool:
    """Draw the grids of the best models side by side under their names; False, and no picture, where there is none."""
    tiles = [(row, tile) for row in chosen(board, samples)[0] if (tile := _open(samples[row.label])) is not None]
    if not tiles:
        path.unlink(missing_ok=True)
        return False
    from PIL import Image, ImageDraw

    fitted = [(row, _fit(tile)) for row, tile in tiles]
    columns = min(_COLUMNS, len(fitted))
    lines = -(-len(fitted) // columns)
    height = max(tile.height for _, tile in fitted)
    stride = height + 2 * _LINE + _GAP
    canvas = Image.new("RGB", (_GAP + columns * (_SIDE + _GAP), _GAP + lines * stride), "white")
    draw = ImageDraw.Draw(canvas)
    large, small = _font(15), _font(12)
    for index, (row, tile) in enumerate(fitted):
        x, y = _GAP + index % columns * (_SIDE + _GAP), _GAP + index // columns * stride
        draw.text((x, y), _elide(name(row), large), fill="#111111", font=large)
        draw.text((x, y + _LINE), _score(row, board.headline), fill="#555555", font=small)
        canvas.paste(tile, (x, y + 2 * _LINE))
    _save(canvas, path, {})
    return True


def _score(row: Row, headline: MetricInfo) -> str:
    return f"{headline.title} {interval(row.headline, headline)}" if row.headline else ""


def _fit(tile: Image) -> Image:
    """Bring a grid to one width, pixels kept crisp, and cut whatever makes it taller than wide."""
    from PIL import Image

    rgb = tile.convert("RGB")
    height = max(1, round(rgb.height * _SIDE / rgb.width))
    resample = Image.Resampling.NEAREST if _SIDE % rgb.width == 0 else Image.Resampling.LANCZOS
    return rgb.resize((_SIDE, height), resample).crop((0, 0, _SIDE, min(height, _SIDE)))


def _font(size: int) -> FreeTypeFont:
    """Return the font that matplotlib ships, so that both pictures speak with one voice on every machine."""
    import matplotlib
    from PIL import ImageFont

    return ImageFont.truetype(Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), size)


def _elide(text: str, font: FreeTypeFont) -> str:
    """Return a text that fits over a grid, with an ellipsis in its middle."""
    shown, limit = text, len(text)
    while limit and font.getlength(shown) > _SIDE:
        limit -= 1
        shown = shorten(text, limit)
    return shown


def _open(path: Path) -> Image | None:
    """Return a PNG read whole, None where there is none, it is damaged, or larger than a grid can be.

    Pillow is to try no other format: some (EPS) are programs, and a run's folder may be a stranger's.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG",)) as image:
            if image.width * image.height > _MOST:
                return None
            image.load()
            return image.copy()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None


def _save(image: Image, path: Path, text: Mapping[str, str]) -> None:
    from PIL.PngImagePlugin import PngInfo

    chunks, stream = PngInfo(), io.BytesIO()
    for keyword, value in text.items():
        chunks.add_text(keyword, value)
    plain = image if image.mode in ("L", "RGB") else image.convert("RGB")
    plain.info = {}
    plain.save(stream, "PNG", pnginfo=chunks, optimize=True)
    atomic_write(path, lambda file: file.write(stream.getvalue()))

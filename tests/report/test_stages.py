"""What a model drew while it learnt: a frame of points for every point of the curve, and the range that flips them."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.numpy import save_file

from ganbench.boards.board import Board
from ganbench.boards.entries import Entry
from ganbench.data.dataset import Dataset
from ganbench.data.gaussian_mixtures import RING8
from ganbench.report.output import write_files
from ganbench.report.pictures import Shelf
from ganbench.report.site import Shown, build_site
from ganbench.report.stages import frame_of, stages
from ganbench.store.run_record import CurvePoint
from ganbench.store.samples import SampleFile, write_samples
from tests.boards import factory
from tests.boards.factory import HEADLINE, REQUEST, make
from tests.report.conftest import Open
from tests.report.html_page import Page
from tests.store.factory import put, training

PAGE = "tiny-quick/models/tiny.html"
AT = (1000, 2000, 4000, 8000)
CAPTIONS = ["1,000 images, FID 40.0", "2,000 images, FID 30.0", "4,000 images, FID 26.7", "8,000 images"]
WHERE = "each => [each.offsetLeft, each.offsetTop, each.offsetWidth, each.offsetHeight]"
ORANGE, GREY, BLACK = (213, 94, 0), (119, 119, 119), (0, 0, 0)


@pytest.fixture(scope="module")
def ring() -> Dataset:
    return RING8.load(None)


def at(x: float, y: float) -> NDArray[np.float32]:
    return np.random.default_rng(0).normal((x, y), 0.05, (600, 2)).astype(np.float32)


@pytest.fixture
def board(tmp_path: Path, ring: Dataset) -> Board:
    """Return the board of a run on points whose samples go from the left to the right, and lie in its folder."""
    protocol = training(dataset="ring8", train_sha256=ring.train_sha256, shape=(2,), classes=8)
    asked = protocol.model_dump()
    folder = tmp_path / "runs" / make("tiny", asked=asked).key
    middles = zip(AT, (-0.5, -0.2, 0.2, 0.5), strict=True)
    files = [write_samples(folder, f"at-{images}", at(x, 0.0)) for images, x in middles]
    curve = [
        CurvePoint(images=images, steps=1, seconds=1.0, samples=None if file is files[-1] else file)
        for images, file in zip(AT, files, strict=True)
    ]
    run = make("tiny", curve=True, asked=asked, record={"curve": curve, "samples": files[-1]})
    scores = [each.model_copy(update={"samples_sha256": files[-1].sha256, "n": 600}) for each in run.scores]
    put(tmp_path / "runs", run.record, scores)
    request = REQUEST.__class__(REQUEST.track, protocol, REQUEST.scoring, REQUEST.headline, REQUEST.metrics)
    return factory.board(tmp_path / "runs", request=request)


def entry(board: Board) -> Entry:
    return board.rows[0].row.entries[0]


def pixels(png: bytes) -> NDArray[np.int64]:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def near(png: bytes, colour: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return the columns of pixels that are about of a colour."""
    return np.nonzero((np.abs(pixels(png) - colour) < 40).all(2))[1]


def test_a_point_of_the_curve_is_a_frame_with_its_caption(board: Board, ring: Dataset) -> None:
    shelf = Shelf()
    found = stages(entry(board), HEADLINE, ring, "tiny", shelf)
    assert [each.caption for each in found] == CAPTIONS
    assert [(each.picture.width, each.picture.height) for each in found] == [(320, 320)] * 4
    frames = [shelf.files[each.picture.src] for each in found]
    middles = [np.median(near(frame, ORANGE)) for frame in frames]  # all lie far from the modes
    assert middles == pytest.approx([80, 128, 192, 240], abs=5)  # samples from left to right
    assert all(len(frame) < 20_000 for frame in frames)


def test_modes_or_real_points_and_the_surface_lie_behind(board: Board, ring: Dataset) -> None:
    found, unknown = entry(board), replace(ring, modes=None)
    bare, circles, full = (frame_of(found, found.run.samples, data, None) for data in (None, ring, unknown))
    assert bare is not None and circles is not None and full is not None
    assert len(near(bare, GREY)) == len(near(bare, BLACK)) == 0
    for png, colour in ((full, GREY), (circles, BLACK)):
        assert near(png, colour).min() < 40 and near(png, colour).max() > 280  # a ring of radius 0.8
    axis = np.linspace(-1, 1, 81, dtype=np.float32)
    rising = np.broadcast_to(axis, (81, 81)).copy()
    save_file({"1000": rising, "2000": rising * np.nan, "4000": axis}, found.folder / "surfaces.safetensors")
    shelf = Shelf()
    corners = [
        pixels(shelf.files[each.picture.src])[5, [5, 314]].tolist()
        for each in stages(found, HEADLINE, ring, "tiny", shelf)
    ]
    assert corners[0][0][2] < 200 < 250 < corners[0][1][2]  # grey where the discriminator takes nothing for real
    assert corners[1:] == [[[255] * 3] * 2] * 3  # no surface, or none that can be drawn


def test_points_that_are_not_those_recorded_are_no_frame(board: Board) -> None:
    found = entry(board)
    images = write_samples(found.folder, "images", np.zeros((20, 1, 8, 8), np.uint8))
    solid = write_samples(found.folder, "solid", np.zeros((20, 3), np.float32))
    wrong = SampleFile(file="samples/final.npy", n=600, sha256="0" * 64)
    gone = SampleFile(file="samples/gone.npy", n=600, sha256="0" * 64)
    for file in (None, images, solid, wrong, gone):
        assert frame_of(found, file, None, None) is None


def test_frames_take_the_place_of_the_picture_of_the_training(board: Board, ring: Dataset) -> None:
    folder = entry(board).folder
    Image.new("RGB", (900, 648)).save(folder / "training.png")
    site = build_site([Shown(board, ring)])
    page = Page(site[PAGE].decode())
    assert [each.words for each in page.of("figcaption") if "images" in each.words] == CAPTIONS
    assert [each.words for each in page.of("h2")].count("As it learnt") == 1
    shown = [each.attributes["src"] for each in page.of("img")]
    assert [src.rpartition("/")[2] for src in shown if "/curve/" in src] == [f"{images}.png" for images in AT]
    assert not any("/training/" in src for src in shown)
    (slider,) = (each.attributes for each in page.of("input"))
    assert (slider["min"], slider["max"], slider["value"]) == ("0", "3", "3")
    single = Page(build_site([Shown(board, ring)], single_file=True)["tiny-quick.html"].decode())
    assert len([each for each in single.of("img") if each.attributes["alt"].startswith("Samples after")]) == 4
    for path in (folder / "samples").iterdir():
        path.unlink()
    cleaned = Page(build_site([Shown(board, ring)])[PAGE].decode())
    assert cleaned.of("input") == []
    assert any("/training/" in each.attributes["src"] for each in cleaned.of("img"))


def test_the_range_flips_through_the_frames_by_keyboard(
    show: Open, board: Board, ring: Dataset, tmp_path: Path
) -> None:
    write_files(tmp_path / "site", build_site([Shown(board, ring)]))
    page = show(tmp_path / "site" / PAGE)
    slider, said = page.get_by_label("Images seen"), page.locator(".scrubber output")
    frames = page.locator(".scrubber img:visible")
    assert (frames.count(), said.inner_text()) == (1, CAPTIONS[3])
    place = frames.evaluate(WHERE)
    slider.focus()
    for key, expected in (("ArrowLeft", 2), ("Home", 0), ("ArrowRight", 1), ("End", 3), ("ArrowRight", 3)):
        page.keyboard.press(key)
        assert frames.count() == 1
        assert frames.get_attribute("src").endswith(f"/{AT[expected]}.png")
        assert said.inner_text() == slider.get_attribute("aria-valuetext") == CAPTIONS[expected]
        assert frames.evaluate("each => each.decode().then(() => each.naturalWidth)") == 320
        assert frames.evaluate(WHERE) == place


def test_without_a_script_all_frames_stand_side_by_side(
    show: Open, board: Board, ring: Dataset, tmp_path: Path
) -> None:
    write_files(tmp_path / "site", build_site([Shown(board, ring)]))
    page = show(tmp_path / "site" / PAGE, java_script_enabled=False)
    captions = page.locator(".scrubber figcaption:visible")
    assert captions.all_inner_texts() == CAPTIONS
    assert len({round(each.bounding_box()["y"]) for each in captions.all()}) == 1
    assert page.locator(".scrubber input:visible").count() == 0

"""Pictures: nearest training images, samples on the way, and files that are not what they seem."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.boards.entries import Entry
from ganbench.data.dataset import Dataset
from ganbench.report.model_data import model_page
from ganbench.report.pictures import Shelf, beside_nearest, grid_of, nearest, read_picture, samples_of
from ganbench.report.site import Shown, build_site
from ganbench.store.run_record import CurvePoint
from ganbench.store.samples import SampleFile, write_samples
from tests.boards import factory
from tests.boards.factory import REQUEST, Made, make
from tests.store.factory import put, training


@pytest.fixture
def learnt(tmp_path: Path, digits: Dataset) -> Made:
    """Return a run on real digits whose samples are training images with a little noise; they lie in its folder."""
    rng = np.random.default_rng(0)
    protocol = training(train_sha256=digits.train_sha256)
    plain = make("tiny", record={"curve": []}, asked=protocol.model_dump())
    folder = tmp_path / "runs" / plain.key
    picked = digits.train.images[[700, 3, 1100, *range(20, 57)]].astype(int)
    noisy = np.clip(picked + rng.integers(-20, 21, picked.shape), 0, 255).astype(np.uint8)
    files = [write_samples(folder, f"at-{images}", noisy[:25]) for images in (1000, 2000)]
    curve = [
        CurvePoint(images=at, steps=1, seconds=1.0, samples=file) for at, file in zip((1000, 2000), files, strict=True)
    ]  # noqa: E501
    curve.append(CurvePoint(images=8000, steps=8, seconds=8.0))
    final = write_samples(folder, "final", noisy)
    run = make("tiny", record={"curve": curve, "samples": final}, asked=protocol.model_dump())
    scores = [each.model_copy(update={"samples_sha256": final.sha256, "n": len(noisy)}) for each in run.scores]
    put(tmp_path / "runs", run.record, scores)
    return Made(run.record, scores)


def entry(made: Made, root: Path) -> Entry:
    return Entry(made.record, root / "runs" / made.key, made.scores[0])


def test_the_nearest_training_image_is_found(digits: Dataset) -> None:
    train = digits.train.images
    rng = np.random.default_rng(1)
    samples = rng.integers(0, 256, (7, *digits.shape)).astype(np.uint8)
    differences = samples[:, None].astype(int) - train[None].astype(int)
    expected = (differences.reshape(7, len(train), -1) ** 2).sum(2).argmin(1)
    assert nearest(samples, train).tolist() == expected.tolist()
    assert nearest(train[[5, 900]], train).tolist() == [5, 900]
    repeated = np.concatenate([train] * 8)  # more than one batch
    assert nearest(train[[5]], repeated)[0] == 5


def test_samples_stand_above_their_nearest_training_images(tmp_path: Path, learnt: Made, digits: Dataset) -> None:
    png = beside_nearest(entry(learnt, tmp_path), digits)
    assert png is not None
    with Image.open(io.BytesIO(png)) as image:
        sheet = np.asarray(image)[::2, ::2]
    tile = sheet[12:20, 2:10]  # below the first sample; gaps are two pixels
    assert np.array_equal(tile, digits.train.images[700][0])
    other = factory.make("tiny")
    assert beside_nearest(entry(other, tmp_path), digits) is None  # another data set
    assert beside_nearest(entry(learnt, tmp_path), None) is None


def test_a_model_page_shows_what_it_learnt(tmp_path: Path, learnt: Made, digits: Dataset) -> None:
    request = REQUEST.__class__(
        REQUEST.track, training(train_sha256=digits.train_sha256), REQUEST.scoring, REQUEST.headline, REQUEST.metrics
    )
    board = factory.board(tmp_path / "runs", request=request)
    shelf = Shelf()
    page = model_page(board, board.rows[0], digits, shelf)
    assert [stage.images for stage in page.stages] == ["1,000 images", "2,000 images", "8,000 images"]
    assert page.runs[0].nearest is not None and page.nearest_said == ""
    assert all(path.startswith("pictures/") for path in shelf.files)
    site = build_site([Shown(board, digits)])
    assert "below each the training image" in site["tiny-quick/models/tiny.html"].decode()
    for path in (tmp_path / "runs" / learnt.key / "samples").iterdir():
        path.unlink()
    cleaned = model_page(board, board.rows[0], digits, Shelf())
    assert cleaned.stages == () and cleaned.runs[0].nearest is None
    assert "no longer in the runs' folders" in cleaned.nearest_said


def test_samples_that_are_not_those_recorded_are_not_shown(tmp_path: Path, learnt: Made) -> None:
    found = entry(learnt, tmp_path)
    assert samples_of(found, learnt.record.samples, 5) is not None
    for file in (
        None,
        SampleFile(file="samples/final.npy", n=40, sha256="0" * 64),
        SampleFile(file="../../secret.npy", n=40, sha256="0" * 64),
        SampleFile(file="samples/gone.npy", n=40, sha256="0" * 64),
    ):
        assert grid_of(found, file) is None
    points = write_samples(found.folder, "points", np.zeros((20, 2), np.float32))
    assert grid_of(found, points) is None


def test_pictures_of_strangers_are_written_anew_or_left_out(tmp_path: Path) -> None:
    path = tmp_path / "samples.png"
    assert read_picture(path) is None
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")
    assert read_picture(path) is None
    path.write_bytes(b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>")
    assert read_picture(path) is None
    from PIL.PngImagePlugin import PngInfo

    chunks = PngInfo()
    chunks.add_text("Comment", "/home/somebody/secret")
    Image.new("RGBA", (12, 9), (10, 20, 30, 40)).save(path, pnginfo=chunks)
    assert b"somebody" in path.read_bytes()
    png = read_picture(path)
    assert png is not None and b"somebody" not in png
    picture = Shelf().put("a.png", lambda: png)
    assert picture is not None and (picture.width, picture.height) == (12, 9)
    Image.new("L", (8000, 7000)).save(path)
    assert read_picture(path) is None

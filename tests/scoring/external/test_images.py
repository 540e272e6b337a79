"""Samples made anywhere: one form whatever they came in, and one line where they cannot be read."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganbench.data.image_files import natural_key
from ganbench.errors import RequestError
from ganbench.scoring.external.array_layout import as_uint8
from ganbench.scoring.external.image_folder import read_files
from ganbench.scoring.external.images import read_images

GREY = np.random.default_rng(0).integers(0, 256, (30, 1, 6, 5), dtype=np.uint8)
GREY[0, 0, 0, :2] = 0, 255  # both ends of the range
RGB = np.random.default_rng(1).integers(0, 256, (30, 3, 6, 5), dtype=np.uint8)
BOTH = pytest.mark.parametrize("pixels", [GREY, RGB], ids=["grey", "rgb"])


def write_folder(folder: Path, pixels: np.ndarray, suffix: str = ".png", **options: object) -> Path:
    folder.mkdir(parents=True)
    for index, image in enumerate(pixels.transpose(0, 2, 3, 1)):
        Image.fromarray(image[..., 0] if image.shape[-1] == 1 else image).save(
            folder / f"{index:03d}{suffix}", **options
        )
    return folder


def refusal(read: Callable[[], object]) -> str:
    with pytest.raises(RequestError) as refused:
        read()
    text = str(refused.value)
    assert "\n" not in text
    return text


@BOTH
def test_every_form_gives_the_same_images(tmp_path: Path, pixels: np.ndarray) -> None:
    unit = (pixels / 255).astype(np.float32)
    np.save(tmp_path / "nchw.npy", pixels)
    np.save(tmp_path / "nhwc.npy", pixels.transpose(0, 2, 3, 1))
    np.savez(tmp_path / "images.npz", images=unit, labels=np.arange(30))
    np.savez_compressed(tmp_path / "unnamed.npz", unit * 2 - 1)
    np.savez(tmp_path / "only.npz", mine=pixels)
    forms = [
        write_folder(tmp_path / "png", pixels), str(tmp_path / "nchw.npy"), tmp_path / "nhwc.npy",
        tmp_path / "images.npz", tmp_path / "unnamed.npz",
        tmp_path / "only.npz", pixels, unit, unit.astype(np.float64) * 2 - 1, torch.from_numpy(unit),
        torch.from_numpy(pixels), torch.from_numpy(unit * 2 - 1).requires_grad_(),
    ]  # fmt: skip
    if pixels is RGB:  # WebP knows no grey
        forms.append(write_folder(tmp_path / "webp", pixels, ".webp", lossless=True))
    for form in forms:
        found = read_images(form)
        assert found.pixels.dtype == np.uint8
        assert np.array_equal(found.pixels, pixels), form
        assert found.pixels.strides == pixels.strides  # torch takes other strides for another memory format
        assert found.sha256 == read_images(pixels).sha256
        assert found.notes == ()
        assert (found.labels is None) == ("images.npz" not in str(form))
    assert read_images(np.roll(pixels, 1)).sha256 != read_images(pixels).sha256


def test_half_precision_and_grey_without_a_channel_axis_are_read() -> None:
    assert np.array_equal(read_images(GREY[:, 0]).pixels, GREY)
    levels = torch.tensor([0.0, 0.25, 0.5, 1.0]).view(4, 1, 1, 1).expand(4, 1, 6, 5)
    for dtype in (torch.bfloat16, torch.float16):
        assert read_images(levels.to(dtype)).pixels[:, 0, 0, 0].tolist() == [0, 64, 128, 255]


def test_labels_belong_to_files_in_the_order_of_the_numbers_in_their_names(tmp_path: Path) -> None:
    labels = np.arange(30)
    for index, image in enumerate(GREY[:, 0]):
        (tmp_path / "set" / f"part{index // 12}").mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(tmp_path / "set" / f"part{index // 12}" / f"digit {index}.png")
    found = read_images(tmp_path / "set", labels=labels)
    assert np.array_equal(found.pixels, GREY)
    assert found.labels.tolist() == labels.tolist()
    (note,) = found.notes
    assert "digit 2.png before digit 10.png" in note
    assert read_images(tmp_path / "set").notes == ()
    assert read_images(write_folder(tmp_path / "padded", GREY), labels=labels).notes == ()
    part = read_images(tmp_path / "set", labels=labels, n=9)
    assert np.array_equal(part.pixels, GREY[part.labels])


def test_names_are_sorted_by_their_numbers_part_by_part() -> None:
    names = ["a", "a/1", "a/01", "a/2", "a/b", "a2", "a2b3", "a2b10", "a10", "b", "2", "10", "٣", "010/x"]
    found = sorted(map(Path, reversed(names)), key=natural_key)
    wanted = ["2", "10", "010/x", "a", "a/01", "a/1", "a/2", "a/b", "a2", "a2b3", "a2b10", "a10", "b", "٣"]
    assert [str(each) for each in found] == wanted


def test_files_are_sorted_by_path_and_only_images_are_read(tmp_path: Path) -> None:
    write_folder(tmp_path / "set" / "b", GREY[:10])
    write_folder(tmp_path / "set" / "a" / "deep", GREY[10:20], ".PNG")
    (tmp_path / "set" / ".hidden.png").write_bytes(b"")
    assert np.array_equal(read_images(tmp_path / "set").pixels, np.concatenate([GREY[10:20], GREY[:10]]))
    (tmp_path / "set" / "readme.txt").write_text("")
    (note,) = read_images(tmp_path / "set").notes
    assert "1 files" in note and "readme.txt" in note


def test_lossy_files_are_told(tmp_path: Path) -> None:
    for suffix in (".jpg", ".webp"):
        folder = write_folder(tmp_path / suffix[1:], RGB, suffix)
        Image.fromarray(RGB[0].transpose(1, 2, 0)).save(folder / "z.png")
        (note,) = read_images(folder).notes
        assert "30 of 31 files are compressed with loss" in note


def test_labels_come_from_folders_files_and_arrays(tmp_path: Path) -> None:
    for name in ("10", "2"):
        write_folder(tmp_path / "set" / name, GREY[:3])
    assert read_images(tmp_path / "set").labels is None
    assert read_images(tmp_path / "set", labels="folders").labels.tolist() == [2] * 3 + [10] * 3
    wanted = np.arange(30, dtype=np.uint8)
    np.save(tmp_path / "labels.npy", wanted)
    for labels in (wanted, torch.from_numpy(wanted), list(range(30)), tmp_path / "labels.npy"):
        found = read_images(GREY, labels=labels).labels
        assert found is not None and found.dtype == np.int64 and found.tolist() == list(range(30))
    np.savez(tmp_path / "adm.npz", GREY, wanted)
    assert read_images(tmp_path / "adm.npz").labels.tolist() == list(range(30))
    write_folder(tmp_path / "named" / "cat", GREY[:3])
    named = tmp_path / "named"
    assert "named by a class number" in refusal(lambda: read_images(named, labels="folders"))
    write_folder(named / "ant", GREY[:2])
    assert read_images(named, labels="folders", class_names=("ant", "bee", "cat")).labels.tolist() == [0] * 2 + [2] * 3
    wrong_name = refusal(lambda: read_images(named, labels="folders", class_names=("ants", "cat")))
    assert "lies in 'ant', which is not a class of the reference (did you mean 'ants'?)" in wrong_name
    for wrong in (np.arange(29), np.arange(30.0), np.zeros((30, 10), np.int64)):
        assert "give 30 class numbers" in refusal(lambda wrong=wrong: read_images(GREY, labels=wrong))
    assert "labels.txt" in refusal(lambda: read_images(GREY, labels="labels.txt"))
    assert "needs a folder" in refusal(lambda: read_images(GREY, labels="folders"))


def test_a_part_is_the_same_part_of_every_form(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", GREY)
    part = read_images(GREY, n=12, labels=np.arange(30))
    assert (len(part), part.available) == (12, 30)
    assert np.array_equal(part.pixels, GREY[part.labels])
    assert part.labels.tolist() != list(range(12))  # a folder lies sorted by class: the first n are of one class
    assert np.array_equal(read_images(folder, n=12).pixels, part.pixels)
    for n in (0, -1, 31):
        assert "take 1 to 30" in refusal(lambda n=n: read_images(GREY, n=n))


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.0, 1.0, "0-1"), (0.05, 0.8, "0-1"), (-0.0005, 1.0005, "0-1"), (-1.0, 1.0, "-1-1"), (-0.9, 0.2, "-1-1"),
        (-0.1, 1.0, None), (0.2, 1.0, None), (0.0, 0.4, None), (-0.3, 0.3, None), (0.0, 0.0, None),
    ],
)  # fmt: skip
def test_ranges_are_told_apart_only_where_it_is_safe(low: float, high: float, found: str | None) -> None:
    array = np.linspace(low, high, 20 * 25).reshape(20, 1, 5, 5)
    if found is None:
        assert "pass --range 0-1 or --range -1-1" in refusal(lambda: as_uint8(array, "x"))
    else:
        assert as_uint8(array, "x")[1]["range"] == found
    pixels, how = as_uint8(array, "x", value_range="-1-1")
    assert how["range"] == "-1-1"
    assert pixels.flat[0] == np.rint((np.clip(np.float32(low), -1, 1) + 1) * np.float32(127.5))


def test_layouts_are_told_apart_only_where_it_is_safe() -> None:
    square = np.zeros((20, 3, 8, 3), np.uint8)
    assert "pass --layout nchw or --layout nhwc" in refusal(lambda: as_uint8(square, "x"))
    assert as_uint8(square, "x", layout="nchw")[0].shape == (20, 3, 8, 3)
    assert as_uint8(square, "x", layout="nhwc")[0].shape == (20, 3, 3, 8)
    assert as_uint8(RGB, "x")[1]["layout"] == "nchw"
    assert "has 5 channels" in refusal(lambda: as_uint8(RGB, "x", layout="nhwc"))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.full((20, 1, 5, 5), np.nan), "20 of 20 images hold NaN or inf, the first is number 0"),
        (np.zeros((20, 1, 5, 5), np.int64), "int64: give uint8"),
        (np.zeros((20, 1, 5, 5), object), "object: give uint8"),
        (np.zeros((20, 4, 5, 5), np.uint8), "neither 1 nor 3 channels"),
        (np.zeros((20, 25), np.uint8), "give (N, C, H, W)"),
        (np.zeros((28, 28, 3), np.uint8), "give (N, C, H, W)"),
        (np.zeros((0, 1, 5, 5), np.uint8), "holds no images"),
        (np.linspace(0, 255, 500).reshape(20, 1, 5, 5), "go beyond [0, 1] or [-1, 1]"),
    ],
)
def test_arrays_are_refused(array: np.ndarray, said: str) -> None:
    text = refusal(lambda: as_uint8(array, "mine"))
    assert said in text and text.startswith("mine: ")


def test_what_is_asked_for_must_hold() -> None:
    assert "beyond [0, 1]" in refusal(lambda: as_uint8(np.full((20, 1, 5, 5), -0.5), "x", value_range="0-1"))
    assert "list: give a path" in refusal(lambda: read_images([[0]]))


def test_damaged_and_foreign_files_are_named(tmp_path: Path) -> None:
    def written(name: str, content: bytes) -> Path:
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    np.save(tmp_path / "whole.npy", GREY)
    np.savez(tmp_path / "whole.npz", GREY)
    np.save(tmp_path / "pickled.npy", np.array([{"a": 1}] * 20), allow_pickle=True)
    np.savez(tmp_path / "pickled.npz", images=np.array([None] * 20))
    np.savez(tmp_path / "two.npz", a=GREY, b=GREY)
    np.savez(tmp_path / "both.npz", images=GREY, x=GREY)
    np.savez(tmp_path / "none.npz")
    whole = {kind: (tmp_path / f"whole.{kind}").read_bytes() for kind in ("npy", "npz")}
    flipped = bytearray(whole["npz"])
    flipped[len(flipped) // 2] ^= 255
    cases = {
        written("cut.npy", whole["npy"][:-9]): "cut off?", written("cut.npz", whole["npz"][:-99]): "cut off?",
        written("flipped.npz", bytes(flipped)): "cannot be read", written("empty.npy", b""): "not a .npy file",
        written("text.npz", b"hello"): "not a .npz file", tmp_path / "pickled.npy": "never loaded",
        tmp_path / "pickled.npz": "never loaded", tmp_path / "two.npz": "holds a, b: name the array",
        tmp_path / "both.npz": "holds images and x", tmp_path / "none.npz": "holds nothing",
        written("picture.tiff", b""): "give a folder of images", tmp_path / "nowhere": "no such file or folder",
    }  # fmt: skip
    for path, said in cases.items():
        text = refusal(lambda path=path: read_images(path))
        assert text.startswith(f"{path}: ") and said in text, text


def test_folders_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert refusal(lambda: read_images(tmp_path / "empty")).startswith(f"{tmp_path / 'empty'}: holds no PNG")
    folder = write_folder(tmp_path / "set", GREY)
    picture = Image.fromarray(GREY[0, 0])
    wide = Image.fromarray(np.zeros((6, 7), np.uint8))
    clear = picture.convert("RGBA")
    clear.putalpha(7)
    frames = {"save_all": True, "append_images": [Image.fromarray(GREY[1, 0])]}
    cases: dict[str, tuple[Image.Image, dict[str, object], str]] = {
        "000.png": (wide, {}, "is 7x6, 29 of 30 are 5x6"),  # the first of the folder is no more right than others
        "003.png": (clear, {}, "has transparent pixels"), "004.png": (picture.convert("I;16"), {}, "mode is I;16"),
        "005.png": (picture, frames, "holds 2 frames"),
    }  # fmt: skip
    for name, (odd, options, said) in cases.items():
        before = (folder / name).read_bytes()
        odd.save(folder / name, **options)
        text = refusal(lambda: read_images(folder))
        assert text.startswith(f"{folder / name}: ") and said in text, text
        (folder / name).write_bytes(before)
    before = (folder / "020.png").read_bytes()
    for content in (b"", b"no picture", before[: len(before) // 2], b"GIF89a" + before):
        (folder / "020.png").write_bytes(content)
        assert re.match(rf"{folder / '020.png'}: cannot be read", refusal(lambda: read_images(folder)))


def test_all_files_that_cannot_be_read_are_counted(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", GREY)
    for name in ("012.png", "007.png"):
        (folder / name).write_bytes(b"")
    text = refusal(lambda: read_images(folder))
    assert text.startswith(f"{folder / '007.png'}: ") and "2 of 30 files, this is the first" in text


def test_grey_is_told_by_the_pixels_whatever_the_mode(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", GREY)
    for number, mode in ((0, "P"), (5, "RGB"), (7, "RGBA"), (9, "LA")):
        Image.fromarray(GREY[number, 0]).convert(mode).save(folder / f"{number:03d}.png")
        found = read_images(folder)
        assert np.array_equal(found.pixels, GREY), mode
        assert (found.notes, found.pixels.strides) == ((), GREY.strides)
    for index in range(30):
        Image.fromarray(GREY[index, 0]).convert("P").save(folder / f"{index:03d}.png")
    assert np.array_equal(read_images(folder).pixels, GREY)


def test_grey_among_colours_is_read_as_rgb_and_said(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "grey", GREY)
    Image.fromarray(RGB[4].transpose(1, 2, 0)).quantize(16).save(folder / "004.png")
    found = read_images(folder)
    assert found.shape == (3, 6, 5)
    assert np.array_equal(found.pixels[5:], GREY[5:].repeat(3, axis=1))
    (note,) = found.notes
    assert note == f"{folder / '004.png'}: has colours, and 29 of 30 images are grey: grey ones were read as RGB"
    folder = write_folder(tmp_path / "rgb", RGB)
    Image.fromarray(GREY[0, 0]).save(folder / "000.png")
    found = read_images(folder)
    assert np.array_equal(found.pixels, np.concatenate([GREY[:1].repeat(3, axis=1), RGB[1:]]))
    (note,) = found.notes
    assert note.startswith(f"{folder / '000.png'}: is grey, and 29 of 30 images have colours")


def test_progress_counts_every_file_once(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "set", np.repeat(GREY, 5, axis=0))
    seen = list[tuple[int, int]]()
    read_images(folder, watch=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (150, 150)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert read_files(sorted(folder.iterdir()))[0].shape == (150, 1, 6, 5)

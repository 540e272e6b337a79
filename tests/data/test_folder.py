"""A folder of images as a data set: what it becomes, what is refused, what is cached."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.data import folder as folders
from ganbench.data.dataset import Dataset, DataSource, proportional_split
from ganbench.data.folder import folder_source
from ganbench.errors import RequestError
from ganbench.experiment.protocols import resolve
from ganbench.registry.lookup import find_track, load_dataset
from ganbench.registry.registry import Registry

PIXELS = np.random.default_rng(0).integers(0, 256, (120, 8, 8, 3), dtype=np.uint8)


def write(folder: Path, pixels: np.ndarray, start: int = 0, suffix: str = ".png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(pixels, start):
        Image.fromarray(image).save(folder / f"{index:03d}{suffix}")
    return folder


def load(folder: Path, option: str = "?size=8") -> Dataset:
    return folder_source(f"folder:{folder}{option}").load(None)


def refusal(wanted: Callable[[], object]) -> str:
    with pytest.raises(RequestError) as refused:
        wanted()
    assert "\n" not in str(refused.value)
    return str(refused.value)


def rows(*parts: np.ndarray) -> set[bytes]:
    return {image.tobytes() for part in parts for image in part}


def test_every_image_is_in_one_split(tmp_path: Path) -> None:
    dataset = load(write(tmp_path / "set", PIXELS))
    splits = [dataset.train, dataset.test, dataset.validation]
    assert [len(split) for split in splits] == [72, 24, 24]
    assert (dataset.classes, dataset.shape) == (0, (3, 8, 8))
    assert all(split.labels is None for split in splits)
    assert rows(*(split.images for split in splits)) == rows(PIXELS.transpose(0, 3, 1, 2))


def test_sub_folders_are_classes_and_each_split_has_its_share(tmp_path: Path) -> None:
    write(tmp_path / "set" / "dog", PIXELS[:100])
    write(tmp_path / "set" / "cat" / "black", PIXELS[100:], suffix=".BMP")
    dataset = load(tmp_path / "set")
    assert dataset.class_names == load(tmp_path / "set").class_names == ("cat", "dog")  # read, and cached
    shares = [np.bincount(split.labels).tolist() for split in (dataset.train, dataset.test, dataset.validation)]
    assert shares == [[12, 60], [4, 20], [4, 20]]
    assert dataset.classes == 2
    cats = rows(dataset.train.images[dataset.train.labels == 0])
    assert cats <= rows(PIXELS[100:].transpose(0, 3, 1, 2))


def test_numbers_are_sorted_as_numbers_and_one_sub_folder_is_no_class(tmp_path: Path) -> None:
    for label in (2, 10):
        write(tmp_path / "set" / str(label), PIXELS[label * 5 :][:60])
    dataset = load(tmp_path / "set")
    assert dataset.class_names == ("2", "10")
    assert rows(dataset.test.images[dataset.test.labels == 0]) <= rows(PIXELS[10:70].transpose(0, 3, 1, 2))
    write(tmp_path / "one" / "images", PIXELS)
    assert load(tmp_path / "one").classes == 0


def test_the_same_images_elsewhere_are_the_same_data_set(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a" / "set", PIXELS))
    other = load(write(tmp_path / "b", PIXELS[::-1], start=500, suffix=".bmp"))
    assert other.sha256 == first.sha256
    assert other.name != first.name


def test_equal_images_count_once(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a", PIXELS))
    write(tmp_path / "b", PIXELS)
    assert load(write(tmp_path / "b", PIXELS[:50], start=700)).sha256 == first.sha256


def test_grey_stays_grey_only_where_all_files_are(tmp_path: Path) -> None:
    grey = PIXELS[..., 0]
    dataset = load(write(tmp_path / "grey", grey))
    assert dataset.shape == (1, 8, 8)
    assert rows(dataset.train.images) <= rows(grey)
    for number, mode in enumerate(("P", "RGB", "RGBA", "LA")):
        Image.fromarray(grey[number]).convert(mode).save(tmp_path / "grey" / f"{number:03d}.png")
        again = load(tmp_path / "grey")
        assert (again.shape, again.sha256) == ((1, 8, 8), dataset.sha256), mode


def test_a_few_grey_images_among_others_are_named_and_the_name_says_what_is_meant(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", PIXELS[..., 0])
    Image.fromarray(PIXELS[7]).quantize(16).save(folder / "007.png")
    text = refusal(lambda: load(folder))
    assert text.startswith(f"{folder / '007.png'}: has colours, and 119 of 120 images are grey: save all alike, or ")
    colour = load(folder, "?size=8&channels=3")
    assert colour.shape == (3, 8, 8)
    assert rows(colour.train.images) & rows(np.repeat(PIXELS[..., :1], 3, axis=3).transpose(0, 3, 1, 2))
    assert load(folder, "?channels=1&size=8").shape == (1, 8, 8)
    folder = write(tmp_path / "photographs", PIXELS)
    Image.fromarray(PIXELS[2, ..., 0]).save(folder / "002.png")
    assert f"{folder / '002.png'}: is grey, and 119 of 120 images have colours" in refusal(lambda: load(folder))


def test_the_middle_is_taken_and_resized_once(tmp_path: Path) -> None:
    wide = np.zeros((120, 16, 40), np.uint8)
    wide[:, :, 12:28] = PIXELS[..., 0].repeat(2, axis=1).repeat(2, axis=2)
    image = Image.fromarray(wide[5, :, 12:28]).resize((8, 8), Image.Resampling.LANCZOS)
    dataset = load(write(tmp_path / "set", wide))
    assert np.asarray(image).tobytes() in rows(*(s.images for s in (dataset.train, dataset.test, dataset.validation)))
    assert load(tmp_path / "set", "").shape == (1, 32, 32)


def test_plain_palettes_and_opaque_alpha_are_read(tmp_path: Path) -> None:
    first = load(write(tmp_path / "a", PIXELS))
    folder = write(tmp_path / "b", PIXELS)
    Image.fromarray(PIXELS[3]).convert("RGBA").save(folder / "003.png")
    assert load(folder).sha256 == first.sha256
    Image.fromarray(PIXELS[4]).convert("P").save(folder / "004.png")
    assert load(folder).shape == (3, 8, 8)


def test_a_picture_is_turned_as_its_camera_says(tmp_path: Path) -> None:
    turned = Image.Exif()
    turned[0x0112] = 3
    folder = write(tmp_path / "a", PIXELS)
    first = load(folder).sha256
    Image.fromarray(PIXELS[3]).save(folder / "003.png", exif=turned)
    assert load(folder).sha256 != first
    Image.fromarray(PIXELS[3, ::-1, ::-1]).save(folder / "003.png", exif=turned)
    assert load(folder).sha256 == first


def test_what_cannot_be_read_is_counted_and_named(tmp_path: Path) -> None:
    folder = write(tmp_path / "set", PIXELS)
    (folder / ".hidden.txt").write_text("is nobody's business")
    (folder / "Thumbs.db").write_text("is Windows' own")
    load(folder)
    clear = Image.fromarray(PIXELS[0]).convert("RGBA")
    clear.putalpha(7)
    cases: dict[str, tuple[Callable[[Path], object], str]] = {
        "005.png": (lambda path: path.write_bytes(path.read_bytes()[:60]), "cannot be read"),
        "004.png": (lambda path: path.write_bytes(b""), "cannot be read (no image)"),
        "003.png": (clear.save, "transparent"),
        "002.jpg": (Image.fromarray(PIXELS[0]).convert("CMYK").save, "its mode is CMYK"),
        "001.txt": (lambda path: path.write_text("labels"), "is not a PNG, JPEG, WebP or BMP file"),
    }
    for count, (name, (spoil, said)) in enumerate(cases.items(), 1):
        spoil(folder / name)
        text = refusal(lambda: load(folder))
        assert f"{folder / name}: " in text and said in text and f"{count} of 12" in text, text


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("?size=7", "8 to 512"),
        ("?size=big", "8 to 512"),
        ("?side=8", "?size="),
        ("?size=", "?size="),
        ("?size=8&size=9", "cannot read 'size=9'"),
        ("?channels=2", "?channels= and 1 or 3"),
        ("?size=8&", "''"),
    ],
)
def test_a_name_that_cannot_be_read_is_refused(option: str, said: str) -> None:
    assert said in refusal(lambda: folder_source(f"folder:x{option}"))


def test_folders_that_make_no_data_set_are_refused(tmp_path: Path) -> None:
    assert "no such folder" in refusal(lambda: load(tmp_path / "nowhere"))
    assert "names no folder" in refusal(lambda: folder_source("folder:"))
    assert "names no folder" in refusal(lambda: folders.FOLDER.load(None))
    (tmp_path / "empty").mkdir()
    assert "holds no PNG" in refusal(lambda: load(tmp_path / "empty"))
    assert "99 different images" in refusal(lambda: load(write(tmp_path / "few", PIXELS[:99])))
    write(tmp_path / "mixed" / "a", PIXELS[:100])
    assert "1 images lie beside sub-folders" in refusal(lambda: load(write(tmp_path / "mixed", PIXELS[100:101])))
    write(tmp_path / "rare" / "a", PIXELS[:100])
    write(tmp_path / "rare" / "b", PIXELS[100:104])
    assert "class 'b' has 4" in refusal(lambda: load(tmp_path / "rare"))


def test_files_are_read_once_and_again_when_one_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    folder = write(tmp_path / "set", PIXELS)
    first = load(folder).sha256
    (cached,) = (tmp_path / "cache" / "folders").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(folders, "_read", None)
        assert load(folder).sha256 == first
    status = (folder / "000.png").stat()
    write(folder, PIXELS[:1] ^ 1)
    os.utime(folder / "000.png", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load(folder).sha256 != first
    (again,) = (tmp_path / "cache" / "folders").iterdir()
    assert again != cached
    again.write_bytes(b"damaged")
    assert load(folder).sha256 != first


def test_a_relative_folder_lies_under_the_data_folder_or_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "data" / "set", PIXELS)
    source: DataSource = folder_source("folder:set?size=8")
    first = source.load(tmp_path / "data").sha256
    monkeypatch.chdir(tmp_path)
    assert "no such folder" in refusal(lambda: source.load(tmp_path))
    shutil.move(tmp_path / "data" / "set", tmp_path / "set")
    assert source.load(tmp_path / "data").sha256 == first


TRACK = """
name = "mine"
version = 1
summary = "my own images"
dataset = "folder:PATH?size=8"
budget = "1kimg"
seeds = 1
samples = 24
curve_points = 1
curve_samples = 20
extractor = "lenet-mnist"
classifier_steps = 5
"""


def test_a_track_names_a_folder_and_where_it_lies_does_not_count(tmp_path: Path, registry: Registry) -> None:
    found = []
    for place in ("a", "b"):
        write(tmp_path / place, PIXELS)
        (tmp_path / f"{place}.toml").write_text(TRACK.replace("PATH", str(tmp_path / place)))
        found.append(resolve(find_track(str(tmp_path / f"{place}.toml"), registry), registry))
    assert found[0].scoring.key == found[1].scoring.key
    assert found[0].training.train_sha256 == found[1].training.train_sha256
    assert found[0].track.content == found[1].track.content
    assert found[0].track.dataset != found[1].track.dataset
    write(tmp_path / "b", PIXELS[:1] ^ 1)
    other = resolve(found[1].track, registry)
    assert other.scoring.key != found[0].scoring.key


def test_only_folders_are_named_by_a_path(registry: Registry) -> None:
    assert registry.has("datasets", "folder:x")
    assert not registry.has("datasets", "mnist5k:x")
    assert not registry.has("extractors", "folder:x")
    assert "unknown data set 'mnist5k:x'" in refusal(lambda: load_dataset("mnist5k:x", registry, None))


def test_a_split_has_its_share_of_every_class() -> None:
    labels = np.array([0] * 900 + [1] * 90 + [2] * 10)
    parts = proportional_split(labels, 200, 200)
    assert [np.bincount(labels[part]).tolist() for part in parts] == [[540, 54, 6], [180, 18, 2], [180, 18, 2]]
    assert sorted(np.concatenate(parts)) == list(range(1000))
    assert np.bincount(labels[parts[1][:100]], minlength=3).tolist() == [90, 9, 1]

"""CIFAR-10's binary version: read, found, unpacked, damaged, missing."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest

from ganbench.data import cifar
from ganbench.data.cifar import ARCHIVE, CIFAR10, FILES, FOLDER, RECORD, load_cifar10, parse
from ganbench.errors import RequestError
from ganbench.util.atomic_io import sha256_of


def made_up(seed: int, n: int = 20) -> bytes:
    """Return a file of n images whose labels are 0 to 9 in turn."""
    records = np.random.default_rng(seed).integers(0, 256, (n, RECORD), dtype=np.uint8)
    records[:, 0] = np.arange(n) % 10
    return records.tobytes()


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds made-up files, whose hashes are the known ones."""
    (tmp_path / FOLDER).mkdir()
    for seed, file in enumerate(FILES):
        path = tmp_path / FOLDER / file
        path.write_bytes(made_up(seed))
        monkeypatch.setitem(FILES, file, sha256_of(path))

    def no_internet(url: str, **options: object) -> None:
        raise URLError("no\nroute")

    monkeypatch.setattr("urllib.request.urlopen", no_internet)
    return tmp_path


def pack(root: Path, under: str = FOLDER, *names: str) -> Path:
    """Move the files into the archive."""
    with tarfile.open(root / ARCHIVE, "w:gz") as tar:
        for name in names or (*FILES, "readme.html"):
            path = root / FOLDER / name
            content = path.read_bytes() if path.exists() else b"more"
            member = tarfile.TarInfo(f"{under}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    for file in FILES:
        (root / FOLDER / file).unlink()
    (root / FOLDER).rmdir()
    return root / ARCHIVE


def refusal(root: Path) -> str:
    with pytest.raises(RequestError) as refused:
        load_cifar10(root)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_record_is_a_label_and_then_red_green_and_blue_row_by_row() -> None:
    content = bytes([7]) + bytes(range(256)) * 12 + bytes([9]) + bytes(3072)
    split = parse(content, "x")
    assert split.labels is not None and split.labels.tolist() == [7, 9]
    assert (split.images.shape, split.images.dtype) == ((2, 3, 32, 32), np.uint8)
    assert split.images[0, 0, 1, 3] == 35
    assert split.images[0, 1, 0, 0] == 0
    assert split.images[0, 2, 31, 31] == 255


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "0 bytes"), (bytes(RECORD + 1), "3,074 bytes"), (b"\x0a" + bytes(3072), "label 10")]
)
def test_what_is_no_such_file_is_named(content: bytes, said: str) -> None:
    with pytest.raises(RequestError, match=f"^x.bin: .*{said}"):
        parse(content, "x.bin")


def test_the_last_training_file_is_held_out(root: Path) -> None:
    dataset = load_cifar10(root)
    assert [len(split) for split in (dataset.train, dataset.test, dataset.validation)] == [80, 20, 20]
    assert (dataset.validation.images == parse(made_up(4), "").images).all()
    assert (dataset.test.images == parse(made_up(5), "").images).all()
    assert (dataset.train.images[20:40] == parse(made_up(1), "").images).all()
    assert (dataset.classes, dataset.shape) == (10, (3, 32, 32))


def test_the_archive_is_unpacked_once_and_nothing_else_of_it(root: Path) -> None:
    before = load_cifar10(root).sha256
    archive = pack(root)
    assert load_cifar10(root).sha256 == before
    assert sorted(path.name for path in (root / FOLDER).iterdir()) == sorted(FILES)
    archive.unlink()
    assert load_cifar10(root).sha256 == before


def test_paths_in_an_archive_are_not_followed(root: Path) -> None:
    before = load_cifar10(root).sha256
    pack(root, "../../elsewhere")
    assert load_cifar10(root).sha256 == before
    assert {path.name for path in root.iterdir()} == {ARCHIVE, FOLDER}
    assert not any((place / "elsewhere").exists() for place in root.parents)


@pytest.mark.parametrize("damaged", sorted(FILES))
def test_a_damaged_file_is_named(root: Path, damaged: str) -> None:
    path = root / FOLDER / damaged
    path.write_bytes(made_up(99))
    assert f"{path} is damaged" in refusal(root)


def test_a_damaged_archive_is_named(root: Path) -> None:
    archive = pack(root, FOLDER, *[file for file in FILES if file != "test_batch.bin"])
    assert f"{archive}: test_batch.bin in it is damaged or missing" in refusal(root)
    content = archive.read_bytes()
    for broken in (content[: len(content) // 2], b"no archive", b"", content[:9000] + bytes(50) + content[9050:]):
        for file in (root / FOLDER).glob("*"):
            file.unlink()
        archive.write_bytes(broken)
        said = refusal(root)
        assert f"{archive}" in said and "damaged" in said and "delete" in said


def test_a_failed_download_is_one_line_that_says_what_to_do(root: Path) -> None:
    (root / FOLDER / "data_batch_3.bin").unlink()
    message = refusal(root)
    assert all(part in message for part in ("data_batch_3.bin", "no", str(root), cifar.URL, "--data-dir"))
    assert not (root / ARCHIVE).exists()


def test_what_was_downloaded_is_kept_only_if_it_is_the_published_archive(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = load_cifar10(root).sha256
    content = pack(root).read_bytes()
    (root / ARCHIVE).unlink()
    monkeypatch.setattr("urllib.request.urlopen", lambda url, **options: io.BytesIO(content))
    assert "not the published archive" in refusal(root)
    assert list(root.iterdir()) == []
    monkeypatch.setattr(cifar, "ARCHIVE_MD5", cifar.hashlib.md5(content, usedforsecurity=False).hexdigest())
    assert load_cifar10(root).sha256 == before


def test_the_real_files() -> None:
    data = os.environ.get("GANBENCH_DATA")
    if not data or not all((Path(data) / FOLDER / file).exists() for file in FILES):
        pytest.skip("GANBENCH_DATA names no folder that holds CIFAR-10's binary version")
    dataset = CIFAR10.load(None)
    assert [len(split) for split in (dataset.train, dataset.test, dataset.validation)] == [40_000, 10_000, 10_000]
    assert dataset.sha256 == CIFAR10.sha256
    assert dataset.test.labels is not None and np.bincount(dataset.test.labels).tolist() == [1000] * 10

"""MNIST and Fashion-MNIST: found, damaged, missing; MNIST in black and white."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.error import URLError

import pytest

from ganbench.data.mnist import FASHION_MNIST, FILES, MNIST, MNIST_BINARY, official_splits
from ganbench.errors import RequestError
from ganbench.util.atomic_io import sha256_of


@pytest.mark.parametrize("damaged", sorted(FILES["MNIST"]))
def test_a_damaged_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damaged: str) -> None:
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for file in FILES["MNIST"]:
        (raw / file).write_bytes(file.encode())
        if file != damaged:
            monkeypatch.setitem(FILES["MNIST"], file, sha256_of(raw / file))
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    with pytest.raises(RequestError) as refusal:
        MNIST.load(None)
    assert f"{raw / damaged} is damaged" in str(refusal.value)


@pytest.mark.parametrize("source", [MNIST, MNIST_BINARY, FASHION_MNIST], ids=["mnist", "mnist-binary", "fashion-mnist"])
def test_a_failed_download_is_one_line_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source
) -> None:
    def no_internet(self: object) -> None:
        raise URLError("no\nroute")

    monkeypatch.setattr("torchvision.datasets.MNIST.download", no_internet)  # FashionMNIST is a subclass
    with pytest.raises(RequestError) as refusal:
        source.load(tmp_path)
    message = str(refusal.value)
    assert "\n" not in message
    assert all(part in message for part in (f"'{source.name}'", "no", str(tmp_path), "--data-dir", "GANBENCH_DATA"))


def under_ganbench_data(folder: str) -> bool:
    root = os.environ.get("GANBENCH_DATA")
    return bool(root) and all((Path(root) / folder / "raw" / file).exists() for file in FILES[folder])


@pytest.mark.parametrize(
    ("source", "folder"), [(MNIST, "MNIST"), (MNIST_BINARY, "MNIST"), (FASHION_MNIST, "FashionMNIST")]
)
def test_the_real_files(source, folder: str) -> None:
    if not under_ganbench_data(folder):
        pytest.skip(f"GANBENCH_DATA names no folder that holds {folder}")
    dataset = source.load(None)
    assert [len(split) for split in (dataset.train, dataset.test, dataset.validation)] == [50_000, 10_000, 10_000]
    assert dataset.sha256 == source.sha256
    train, test = official_splits(source.name, folder, None)
    assert (len(train), len(test), test.images.shape[1:]) == (60_000, 10_000, (1, 28, 28))

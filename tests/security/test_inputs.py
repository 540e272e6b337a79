"""Samples, statistics, weights and data from a stranger: read, not run."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Tuple  # noqa: UP035

import numpy as np
import pytest
import torch

from ganbench.data.mnist import FILES, official_splits
from ganbench.errors import RequestError
from ganbench.extractors import torch_fidelity as fidelity
from ganbench.util.atomic_io import sha256_of

from ..conftest import Answer
from .attacks import FORMS, Code, as_pickle, refused

Command = Callable[..., Answer]


def npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("place", ["samples", "--reference", "--labels"])
def test_arrays_of_objects_are_not_unpickled(
    command: Command, good: Path, tmp_path: Path, code: Code, place: str
) -> None:
    objects = np.empty(30, dtype=object)
    objects[0] = code
    files = [tmp_path / name for name in ("array.npy", "raw.npy", "raw.npz", "images.npz", "statistics.npz", "x.npz")]
    np.save(files[0], objects, allow_pickle=True)
    for file in files[1:3]:
        file.write_bytes(as_pickle(code))
    np.savez(files[3], images=objects, labels=objects, allow_pickle=True)
    np.savez(files[4], mu=objects, sigma=objects, allow_pickle=True)
    npz(files[5], images=as_pickle(code), mu=as_pickle(code), sigma=as_pickle(code))
    for file in files:
        words = {"samples": [file], "--reference": [good, "--reference", file], "--labels": [good, "--labels", file]}
        assert file.name in refused(command("evaluate", *words[place], "--track", "digits-smoke"))


def test_what_is_no_array_in_an_npz_is_one_line(command: Command, good: Path, tmp_path: Path) -> None:
    array = good.read_bytes()
    for members in ({"images": b"no array"}, {"images.npy": array, "labels": b"no array"}, {"images.npy": array[:99]}):
        file = npz(tmp_path / "odd.npz", **members)
        assert "odd.npz: cannot be read" in refused(command("evaluate", file, "--track", "digits-smoke"))


def test_damaged_statistics_are_one_line(command: Command, good: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", mu=np.zeros(128), sigma=np.eye(128), extractor=np.array("x" * 5000))
    content = bytearray((tmp_path / "whole.npz").read_bytes())
    content[content.rindex(b"x\0\0\0")] ^= 1
    (tmp_path / "odd.npz").write_bytes(bytes(content))
    words = ("evaluate", good, "--reference", tmp_path / "odd.npz", "--track", "digits-smoke")
    assert "odd.npz: is damaged" in refused(command(*words))


@FORMS
def test_weights_are_not_unpickled(
    command: Command, good: Path, tmp_path: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    for file in (tmp_path / "weights.pth", tmp_path / "weights.safetensors"):
        file.write_bytes(form(code))
        for name in ("inception-v3-compat", "vgg16", "clip-rn50", "dinov2-vit-s-14", "lenet-mnist", "classifier"):
            said = refused(command("evaluate", good, "--track", "digits-smoke", "--extractor", name, "--weights", file))
            assert f"extractor {name!r}" in said
    assert file.name in refused(command("evaluate", good, "--track", "digits-smoke", "--extractor", file))
    assert file.name in refused(command("extractors", file))


@FORMS
@pytest.mark.parametrize("name", ["inception-v3-compat", "vgg16", "clip-rn50"])
def test_weights_in_the_download_folder_are_not_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code, form: Callable[[Code], bytes], name: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub._hub_dir", None)
    file = tmp_path / "hub" / fidelity.NETWORKS[name].files[0]
    file.parent.mkdir(parents=True)
    file.write_bytes(form(code))
    source = next(source for source in fidelity.FIDELITY if source.name == name)
    fidelity._network.cache_clear()
    with pytest.raises(RequestError, match=name):
        source.load(torch.device("cpu"), None)


class Program(torch.nn.Module):
    """A TorchScript archive is a program: this one writes a file as it is loaded."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    @torch.jit.export
    def __getstate__(self):  # type: ignore[no-untyped-def]
        return self.path, self.training

    @torch.jit.export
    def __setstate__(self, state: Tuple[str, bool]) -> None:  # noqa: UP006  # TorchScript knows no other
        self.path, self.training = state
        torch.save(torch.zeros(1), self.path)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_program_is_not_run_as_weights(command: Command, good: Path, tmp_path: Path, marker: Path) -> None:
    file, path = tmp_path / "clip.pt", str(marker)
    torch.jit.script(Program(path)).save(file)
    torch.jit.load(file)
    marker.unlink()  # the attack itself works
    for name in ("clip-vit-b-32", "vgg16", "inception-v3-compat"):
        refused(command("evaluate", good, "--track", "digits-smoke", "--extractor", name, "--weights", file))


def test_data_beside_the_known_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code) -> None:
    """torchvision would rather read `processed/*.pt`, which have no hash."""
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir(parents=True)
    poisoned = (torch.ones(5, 28, 28, dtype=torch.uint8), torch.zeros(5, dtype=torch.int64))
    torch.save(poisoned, processed / "training.pt")
    (processed / "test.pt").write_bytes(as_pickle(code))

    def download(self: object) -> None:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir()
        for part, n in (("train", 3), ("t10k", 2)):
            (raw / f"{part}-images-idx3-ubyte").write_bytes(bytes(16) + bytes([7]) * n * 784)
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(bytes(8) + bytes(range(n)))
        for file in FILES["MNIST"]:
            monkeypatch.setitem(FILES["MNIST"], file, sha256_of(raw / file))

    monkeypatch.setattr("torchvision.datasets.MNIST.download", download)
    for _ in ("downloaded", "found"):
        train, test = official_splits("mnist", "MNIST", tmp_path)
        assert (train.images.shape, test.images.shape) == ((3, 1, 28, 28), (2, 1, 28, 28))
        assert (train.images == 7).all()
        assert test.labels is not None
        assert test.labels.tolist() == [0, 1]

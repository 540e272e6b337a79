"""``ganbench load``, ``ganbench.load`` and ``ganbench sample``: trained models by key, and damaged ones refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

import ganbench
from ganbench.model import DataSpec, Model
from ganbench.store.checkpoint_header import HEADER
from ganbench.store.run_record import RunStatus, read_run
from ganbench.training.export import write_weights

from ..conftest import Answer, Smoke, stored

Command = Callable[..., Answer]


def folder_of(smoke: Smoke, label: str) -> Path:
    return stored(smoke.runs)[label].folder


@pytest.mark.parametrize("label", ["vae", "dcgan"])
def test_the_lines_it_prints_load_and_sample(smoke: Smoke, command: Command, label: str) -> None:
    folder = folder_of(smoke, label)
    answer = command("load", folder.name[:10], "--runs", smoke.runs)
    assert (answer.status, answer.err) == (0, "")
    first, *lines = answer.out.splitlines()
    record = read_run(folder / "run.json")
    for said in (label, record.spec.import_path, f"{record.parameters:,} parameters", "(n, 1, 8, 8)", str(folder)):
        assert said in first
    made: dict[str, Any] = {}
    exec("\n".join(line.strip() for line in lines), made)
    assert made["images"].shape == (64, 1, 8, 8)
    assert len(lines) == 3


def test_load_takes_a_key_and_its_first_letters(smoke: Smoke, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = folder_of(smoke, "vae")
    monkeypatch.chdir(smoke.runs.parent)
    states = [
        ganbench.load(key, **more).state_dict()
        for key, more in ((folder, {}), (folder.name, {}), (folder.name[:9], {"runs": smoke.runs}))
    ]
    for state in states[1:]:
        assert all(torch.equal(tensor, states[0][name]) for name, tensor in state.items())
    with pytest.raises(ganbench.RequestError, match="no run of that key"):
        ganbench.load("nope")


def test_weights_are_those_of_the_model(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    folder, file = folder_of(smoke, "dcgan"), tmp_path / "new" / "dcgan.safetensors"
    answer = command("load", folder, "--export", file)
    assert (answer.status, answer.out.splitlines()[-1]) == (0, str(file))
    model, weights = ganbench.load(folder), load_file(file)
    assert weights.keys() == model.state_dict().keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())
    model.load_state_dict(weights)
    with safe_open(file, "pt") as content:
        assert content.metadata() == {"format": "pt", "key": folder.name, "model": "dcgan"}


class Tied(Model):
    """Shares a tensor, turns one round, and keeps something that is none."""

    name = "tied"

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.a, self.b = nn.Linear(3, 3), nn.Linear(3, 3)
        self.b.weight = self.a.weight
        self.turned = nn.Parameter(torch.rand(2, 3).T)

    def get_extra_state(self) -> dict[str, int]:
        return {"seen": 3}

    def set_extra_state(self, state: dict[str, int]) -> None:
        pass

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.zeros(n, *self.data.shape)


def test_shared_and_turned_tensors_are_written_under_every_name(tmp_path: Path) -> None:
    model = Tied(DataSpec((1, 8, 8), 0, "none", 1), Tied.Config())
    file = tmp_path / "tied.safetensors"
    assert write_weights(file, model, {}) == 5
    weights = load_file(file)
    assert torch.equal(weights["a.weight"], weights["b.weight"])
    assert torch.equal(weights["turned"], model.turned)
    model.a.weight = nn.Parameter(torch.rand(3, 3, dtype=torch.complex128))
    with pytest.raises(ganbench.RequestError, match="--export"):
        write_weights(tmp_path / "complex.safetensors", model, {})
    model.state_dict = dict  # type: ignore[method-assign, assignment]
    with pytest.raises(ganbench.RequestError, match="has no weights"):
        write_weights(tmp_path / "none.safetensors", model, {})


def test_a_wrong_request_is_one_line(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    vae, noise = folder_of(smoke, "vae"), folder_of(smoke, "noise")
    (tmp_path / "file").touch()
    for words, said in (
        (["nope", "--runs", smoke.runs], "no run of that key"),
        ([vae, "--export", tmp_path / "vae.pt"], "ends in .safetensors"),
        ([vae, "--export", tmp_path / "file" / "vae.safetensors"], "cannot be written"),
        ([noise, "--export", tmp_path / "noise.safetensors"], "is a baseline, which is not trained"),
    ):
        answer = command("load", *words)
        assert (answer.status, answer.err.count("\n")) == (2, 1)
        assert said in answer.err
    assert not list(tmp_path.glob("*.safetensors"))


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda raw: raw[:-1], "truncated, or changed"),
        (lambda raw: raw[: HEADER // 2], "truncated, or changed"),
        (lambda raw: raw[:20], "no checkpoint of ganbench"),
        (lambda raw: b"", "no checkpoint of ganbench"),
        (lambda raw: flipped(raw, len(raw) // 2), "truncated, or changed"),
        (lambda raw: flipped(raw, raw.index(b"sha256") + 1), "no checkpoint of ganbench"),
        (lambda raw: flipped(raw, raw.index(b"sha256") + 20), "truncated, or changed"),
    ],
)
def test_a_damaged_checkpoint_is_one_line(
    smoke: Smoke, command: Command, tmp_path: Path, damage: Callable[[bytes], bytes], said: str
) -> None:
    folder = shutil.copytree(folder_of(smoke, "vae"), tmp_path / "copy")
    file = folder / "checkpoint.pt"
    file.write_bytes(damage(file.read_bytes()))
    for words in (["sample", folder, "--export", tmp_path / "grid.png"], ["load", folder]):
        answer = command(*words)
        assert (answer.status, answer.out, answer.err.count("\n")) == (2, "", 1)
        assert str(file) in answer.err
        assert said in answer.err
        assert "--rerun" in answer.err
    assert not (tmp_path / "grid.png").exists()


def test_without_a_trained_model_the_reason_is_said(smoke: Smoke, command: Command, tmp_path: Path) -> None:
    folder = shutil.copytree(folder_of(smoke, "vae"), tmp_path / "copy")
    (folder / "checkpoint.pt").unlink()
    record = read_run(folder / "run.json")

    def said() -> str:
        answer = command("sample", folder, "--export", tmp_path / "grid.png")
        assert (answer.status, answer.err.count("\n")) == (2, 1)
        return answer.err

    assert "checkpoint.pt is missing" in said()
    record.model_copy(update={"status": RunStatus.TIMEOUT, "reason": "too slow"}).write(folder / "run.json")
    assert "it ended as timeout: too slow" in said()
    (folder / "run.json").unlink()
    assert "the same `ganbench run` continues it" in said()

"""Where downloaded weights lie, told without torch, and the hash that is remembered of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch
from torch_fidelity import feature_extractor_clip as clip
from torch_fidelity import feature_extractor_dinov2 as dinov2
from torch_fidelity import feature_extractor_inceptionv3 as inception
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY
from torchvision.models import VGG16_Weights

from ganbench.extractors import hub
from ganbench.extractors import torch_fidelity as fidelity
from ganbench.extractors.torch_fidelity import NETWORKS


@pytest.mark.parametrize("home", [{}, {"XDG_CACHE_HOME": "/x"}, {"TORCH_HOME": "~/y"}, {"TORCH_HOME": ""}])
def test_the_folder_is_torchs(monkeypatch: pytest.MonkeyPatch, home: dict[str, str]) -> None:
    for variable in ("XDG_CACHE_HOME", "TORCH_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in home.items():
        monkeypatch.setenv(variable, value)
    assert hub.hub_folder() == Path(torch.hub.get_dir())


def test_files_are_those_that_torch_fidelity_downloads() -> None:
    files = {name: [str(file) for file in network.files] for name, network in NETWORKS.items()}
    assert files["inception-v3-compat"] == [f"checkpoints/{os.path.basename(inception.URL_INCEPTION_V3)}"]  # noqa: PTH119
    assert files["vgg16"] == [f"checkpoints/{VGG16_Weights.IMAGENET1K_V1.url.rpartition('/')[2]}"]
    for name, known in clip.MODEL_METADATA.items():
        assert files[name] == [f"checkpoints/{name}-{known['hash']}.pt"]
    for name, model in dinov2.MODEL_METADATA.items():
        assert files[name][-1] == f"checkpoints/{model}_pretrain.pth"


def test_sizes_are_those_that_torch_fidelity_names() -> None:
    kind = FEATURE_EXTRACTORS_REGISTRY["inception-v3-compat"]
    assert kind.get_default_feature_layer_for_metric("fid") == str(NETWORKS["inception-v3-compat"].feature_dim)
    source = Path(dinov2.__file__).read_text()
    for name, model in dinov2.MODEL_METADATA.items():
        assert f'"{model}",  # dim={NETWORKS[name].feature_dim}' in source


def test_a_hash_is_remembered_until_a_file_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    files = (Path("checkpoints", "weights.pth"),)
    hub.remember("network", files, "ab" * 32)
    assert hub.recall("network", files) is None
    path = tmp_path / "hub" / files[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(b"weights")
    assert hub.are_here(files)
    assert hub.recall("network", files) is None
    hub.remember("network", files, "ab" * 32)
    assert hub.recall("network", files) == "ab" * 32
    path.write_bytes(b"other weights")
    assert hub.recall("network", files) is None


def test_a_downloaded_networks_hash_is_remembered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    path = tmp_path / "hub" / NETWORKS["vgg16"].files[0]
    path.parent.mkdir(parents=True)
    path.touch()
    monkeypatch.setattr(fidelity, "_network", lambda name, weights: torch.nn.Linear(2, 1))
    source = next(source for source in fidelity.FIDELITY if source.name == "vgg16")
    assert source.files is not None
    assert hub.recall("vgg16", source.files) is None
    assert source.sha256(path) and hub.recall("vgg16", source.files) is None, "a file of --weights is another's"
    assert hub.recall("vgg16", source.files) != source.sha256(None) == hub.recall("vgg16", source.files)

"""torch-fidelity's networks without internet: from a file, refused, or missing in one line."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from urllib.error import URLError

import pytest
import torch
from torch_fidelity import feature_extractor_inceptionv3 as inception

from ganbench.errors import RequestError
from ganbench.extractors import torch_fidelity as fidelity
from ganbench.registry.registry import Registry

CPU = torch.device("cpu")
NAME = "inception-v3-compat"
SOURCE = next(source for source in fidelity.FIDELITY if source.name == NAME)


def test_all_of_torch_fidelitys_networks_have_their_names(registry: Registry) -> None:
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

    theirs = {name for name in FEATURE_EXTRACTORS_REGISTRY if not name.startswith("lenet-")}
    assert theirs <= {entry.name for entry in registry.all("extractors")}


def test_a_failed_download_is_one_line_that_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_internet(*words: object, **options: object) -> None:
        raise URLError("no\nroute")

    monkeypatch.setattr(inception, "load_state_dict_from_url", no_internet)
    fidelity._network.cache_clear()
    with pytest.raises(RequestError, match=f"'{NAME}'.*--weights") as refusal:
        SOURCE.load(CPU, None)
    assert "\n" not in str(refusal.value)


@pytest.fixture(scope="module", params=["zip", "legacy"])
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Random weights of Inception's shapes; published files are of either format (2020's were legacy)."""
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    kind = inception.FeatureExtractorInceptionV3
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "load_state_dict", lambda self, state: None)
        patch.setattr(inception, "load_state_dict_from_url", lambda *words, **options: {})
        torch.manual_seed(0)
        state = kind(NAME, ["2048"]).state_dict()
    torch.save(state, path, _use_new_zipfile_serialization=request.param == "zip")
    yield path
    fidelity._network.cache_clear()
    path.unlink()


def test_weights_come_from_a_file(weights: Path) -> None:
    extractor = SOURCE.load(CPU, weights)
    images = torch.randint(0, 256, (2, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = extractor(images)
    assert found.features.shape == (2, 2048)
    assert found.probabilities.shape == (2, 1008)
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(2))
    torch.testing.assert_close(extractor(images.expand(-1, 3, -1, -1)).features, found.features)
    with pytest.raises(RequestError, match="images have 2 channels"):
        extractor(torch.zeros(1, 2, 28, 28, dtype=torch.uint8))
    assert len(SOURCE.sha256(weights)) == 64
    HASHES.add(SOURCE.identity(weights))
    assert len(HASHES) == 1, "the same network has another name in another file format"


HASHES: set[str] = set()


class Code:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.mark.parametrize("form", ["pickle", "zip", "legacy"])
@pytest.mark.parametrize("name", [NAME, "vgg16", "clip-vit-b-32", "dinov2-vit-s-14"])
def test_a_file_with_code_in_it_is_refused_unopened(tmp_path: Path, form: str, name: str) -> None:
    path, marker = tmp_path / "weights.pth", tmp_path / "executed"
    if form == "pickle":
        path.write_bytes(pickle.dumps(Code(marker)))
    else:
        torch.save(Code(marker), path, _use_new_zipfile_serialization=form == "zip")
    source = next(source for source in fidelity.FIDELITY if source.name == name)
    with pytest.raises(RequestError, match=f"'{name}'") as refusal:
        source.load(CPU, path)
    assert not marker.exists()
    assert "\n" not in str(refusal.value)

"""torch-fidelity's own networks under their names, and our LeNets under theirs in torch-fidelity.

torch-fidelity fetches weights where there is internet; a file named by ``--weights`` serves where there is none. None
is unpickled without restraint, downloaded or not. CLIP's are programs (TorchScript): the published ones alone are run.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ganbench.errors import RequestError
from ganbench.extractors import hub
from ganbench.extractors.base import ExtractorSource, Features
from ganbench.extractors.bundled import LENETS
from ganbench.util.atomic_io import sha256_of

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Network(NamedTuple):
    """How many features torch-fidelity's default layer for FID has, and the files that its downloads leave."""

    feature_dim: int
    files: tuple[Path, ...]


def _checkpoint(feature_dim: int, file: str) -> Network:
    return Network(feature_dim, (Path("checkpoints", file),))


def _dinov2(feature_dim: int, model: str) -> Network:
    code = Path("facebookresearch_dinov2_main", "hubconf.py")
    return Network(feature_dim, (code, Path("checkpoints", f"{model}_pretrain.pth")))


# Sizes and file names are those of torch-fidelity 0.4.0, torchvision and dinov2's hubconf.py; a test compares.
NETWORKS = {
    "inception-v3-compat": _checkpoint(2048, "weights-inception-2015-12-05-6726825d.pth"),
    "vgg16": _checkpoint(4096, "vgg16-397923af.pth"),
    **{
        f"clip-{name}": _checkpoint(feature_dim, f"clip-{name}-{sha256}.pt")
        for name, feature_dim, sha256 in (
            ("rn50", 1024, "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"),
            ("rn101", 512, "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599"),
            ("rn50x4", 640, "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd"),
            ("rn50x16", 768, "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa"),
            ("rn50x64", 1024, "be1cfb55d75a9666199fb2206c106743da0f6468c9d327f3e0d0a543a9919d9c"),
            ("vit-b-32", 512, "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"),
            ("vit-b-16", 512, "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"),
            ("vit-l-14", 768, "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"),
            ("vit-l-14-336px", 768, "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"),
        )
    },
    "dinov2-vit-s-14": _dinov2(384, "dinov2_vits14"),
    "dinov2-vit-b-14": _dinov2(768, "dinov2_vitb14"),
    "dinov2-vit-l-14": _dinov2(1024, "dinov2_vitl14"),
    "dinov2-vit-g-14": _dinov2(1536, "dinov2_vitg14"),
}
# Only Inception has a class head; IS takes its logits without the bias, as OpenAI's code did.
LOGITS = {"inception-v3-compat": "logits_unbiased"}


class FidelityExtractor:
    """One of torch-fidelity's networks; grey images are tiled to RGB, every network resizes by its own rule."""

    def __init__(self, network: Any, features: str, logits: str | None) -> None:
        self._network, self._features, self._logits = network, features, logits

    def __call__(self, images: Tensor) -> Features:
        import torch

        if images.shape[1] == 1:
            images = images.expand(-1, 3, -1, -1)
        elif images.shape[1] != 3:
            raise RequestError(
                f"extractor {self._network.name}: images have {images.shape[1]} channels, it takes 1 or 3"
            )
        with torch.no_grad():
            found = self._network.convert_features_tuple_to_dict(self._network(images))
        probabilities = found[self._logits].float().softmax(1) if self._logits else None
        return Features(found[self._features].float(), probabilities)


@functools.cache
def _network(name: str, weights: Path | None) -> Any:
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

    kind = FEATURE_EXTRACTORS_REGISTRY[name]
    layers = [kind.get_default_feature_layer_for_metric("fid")]
    if name in LOGITS:
        layers.append(LOGITS[name])
    try:
        with warnings.catch_warnings(), _published(name, weights) if name.startswith("clip-") else _restrained():
            warnings.simplefilter("ignore")
            path = str(weights) if weights else None
            return kind(name, layers, feature_extractor_weights_path=path, verbose=False)
    except NotImplementedError as error:
        raise RequestError(
            f"extractor {name!r}: torch-fidelity cannot read its weights from a file: leave out --weights"
        ) from error
    except RequestError:
        raise
    except Exception as error:
        advice = "check the file" if weights else "it is downloaded on first use: name a file with --weights"
        raise RequestError(f"extractor {name!r}: no weights ({_line(error)}): {advice}") from error


@contextlib.contextmanager
def _restrained() -> Iterator[None]:
    """Let torch.load take nothing but plain weights, whatever its caller (torch-fidelity, torch.hub) asks for."""
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(key)
    os.environ[key] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


@contextlib.contextmanager
def _published(name: str, weights: Path | None) -> Iterator[None]:
    """Refuse a file of CLIP's that is not the published one; one that is not there yet torch.hub checks itself."""
    file = NETWORKS[name].files[0]
    path = weights or hub.hub_folder() / file
    if (weights or path.is_file()) and sha256_of(path) != file.stem.removeprefix(f"{name}-"):
        raise RequestError(
            f"extractor {name!r}: {path} is not the published file, and only that is run: fetch it again"
        )
    yield


def _line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def _load(name: str, device: torch.device, weights: Path | None) -> FidelityExtractor:
    network = _network(name, weights).to(device).eval()
    return FidelityExtractor(network, network.get_default_feature_layer_for_metric("fid"), LOGITS.get(name))


def _sha256(name: str, weights: Path | None) -> str:
    """Hash the weights tensor by tensor: the same network has the same name however its file was packed."""
    digest = hashlib.sha256()
    for key, value in sorted(_network(name, weights).state_dict().items()):
        digest.update(key.encode())
        digest.update(value.cpu().contiguous().flatten().view(-1).numpy().tobytes())
    if weights is None:
        hub.remember(name, NETWORKS[name].files, digest.hexdigest())
    return digest.hexdigest()


def _source(name: str, network: Network) -> ExtractorSource:
    return ExtractorSource(
        name,
        "torch-fidelity's network",
        load=partial(_load, name),
        sha256=partial(_sha256, name),
        feature_dim=network.feature_dim,
        files=network.files,
        resize="to the network's size: bilinear as in TensorFlow 1, not antialiased",
    )


FIDELITY = tuple(_source(name, network) for name, network in NETWORKS.items())


def register_with_torch_fidelity() -> None:
    """Make our LeNets known to torch-fidelity's `calculate_metrics` as ``feature_extractor="lenet-mnist"``.

    Safe to call again. Layers: ``features`` (128) for FID, KID and precision / recall, ``logits`` for IS.
    """
    import torch
    from torch_fidelity.feature_extractor_base import FeatureExtractorBase
    from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY, register_feature_extractor

    class Bridge(FeatureExtractorBase):  # type: ignore[misc]
        def __init__(
            self, name: str, features_list: list[str], feature_extractor_weights_path: str | None = None, **_: Any
        ) -> None:
            super().__init__(name, features_list)
            source = next(source for source in LENETS if source.name == name)
            weights = Path(feature_extractor_weights_path) if feature_extractor_weights_path else None
            self._extract = source.load(torch.device("cpu"), weights)

        @staticmethod
        def get_provided_features_list() -> tuple[str, ...]:
            return "features", "logits"

        @staticmethod
        def get_default_feature_layer_for_metric(metric: str) -> str:
            return "logits" if metric == "isc" else "features"

        @staticmethod
        def can_be_compiled() -> bool:
            return False

        def forward(self, images: Tensor) -> tuple[Tensor, ...]:
            features, probabilities = self._extract(images.cpu())
            assert probabilities is not None
            # Logits are known up to a constant a row, which softmax takes away.
            found = {"features": features, "logits": probabilities.clamp_min(1e-38).log()}
            return tuple(found[layer] for layer in self.features_list)

    for source in LENETS:
        if source.name not in FEATURE_EXTRACTORS_REGISTRY:
            register_feature_extractor(source.name, Bridge)

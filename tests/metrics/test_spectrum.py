"""Known answers of the distance of spectra."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from ganbench.data.dataset import Dataset
from ganbench.metrics import spectral_distance
from ganbench.metrics.spectrum import log_spectrum


def noise(n: int, *shape: int, scale: float = 1.0) -> Tensor:
    made = 127 + scale * 20 * torch.randn(n, *shape, generator=torch.Generator().manual_seed(0))
    return made.round().clamp(0, 255).to(torch.uint8)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 9, 9), (1, 8, 9), (1, 13, 8)])
def test_equals_the_whole_transform_ring_by_ring(shape: tuple[int, ...]) -> None:
    images = noise(20, *shape)
    height, width = shape[1:]
    power = torch.fft.fft2(images.double() / 255).abs().square().mean(dim=(0, 1)) / (height * width)
    least = min(height, width)
    down, across = torch.meshgrid(torch.fft.fftfreq(height), torch.fft.fftfreq(width), indexing="ij")
    rings = (torch.hypot(down, across) * least).round()
    expected = [math.log10(power[rings == ring].mean()) for ring in range(1, least // 2 + 1)]
    assert log_spectrum(images).tolist() == pytest.approx(expected, abs=1e-5)


def test_white_noise_is_flat_and_its_power_its_variance() -> None:
    found = log_spectrum(noise(400, 1, 16, 16))
    # 400 images of 256 pixels: the fewest waves of a ring are 8 x 400.
    assert found.tolist() == pytest.approx([2 * math.log10(20 / 255)] * 8, abs=0.04)
    assert spectral_distance(noise(400, 1, 16, 16), noise(400, 1, 16, 16, scale=2)) == pytest.approx(0.602, abs=0.05)


def test_real_digits_are_near_each_other_and_blur_and_noise_are_not(mnist5k: Dataset) -> None:
    real, other = (torch.from_numpy(split.images) for split in (mnist5k.test, mnist5k.validation))
    assert spectral_distance(real, real) == 0
    assert spectral_distance(real, other) < 0.03
    blurred = torch.nn.functional.avg_pool2d(other.float(), 3, 1, 1).round().to(torch.uint8)
    grainy = (other + 60 * torch.randn(other.shape)).clamp(0, 255).round().to(torch.uint8)
    assert spectral_distance(real, blurred) > 1
    assert spectral_distance(real, grainy) > 0.4


def test_brightness_does_not_count_and_images_of_one_value_are_far(mnist5k: Dataset) -> None:
    real = torch.from_numpy(mnist5k.test.images[:100] // 2)
    assert spectral_distance(real, real + 100) < 1e-5
    assert spectral_distance(real, torch.full_like(real, 9)) > 5


def test_nonsense_is_a_named_error() -> None:
    images = torch.zeros(3, 1, 8, 8, dtype=torch.uint8)
    with pytest.raises(ValueError, match=r"fake has images of shape \(1, 8, 7\)"):
        spectral_distance(images, images[..., :7])
    with pytest.raises(ValueError, match="got 0 rows"):
        spectral_distance(images, images[:0])
    with pytest.raises(ValueError, match="expected images"):
        log_spectrum(torch.from_numpy(np.zeros((3, 2))))

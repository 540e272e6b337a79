"""The penalty of DRAGAN: slopes around real images, against those of known discriminators."""

from __future__ import annotations

import math

import pytest
import torch

from ganbench.model import DataSpec
from ganbench_plugins.dcgan import DCGAN
from ganbench_plugins.dragan import DRAGAN
from tests.plugins.critics import Linear, Quadratic

SPEC = DataSpec((4,), 0, "toy", 64)


@pytest.mark.parametrize(("penalty", "k"), [(10.0, 1.0), (3.0, 0.2)])
def test_the_penalty_is_added_to_the_usual_loss(penalty: float, k: float) -> None:
    real, fake = torch.rand(6, 4), torch.rand(6, 4)
    model, usual = DRAGAN(SPEC, DRAGAN.Config(penalty=penalty, k=k)), DCGAN(SPEC, DCGAN.Config())
    model.discriminator = usual.discriminator = Linear(0.3)
    found = model.discriminator_loss(real, fake, None) - usual.discriminator_loss(real, fake, None)
    assert float(found.detach()) == pytest.approx(penalty * (0.3 * math.sqrt(4) - k) ** 2, rel=1e-4)


def test_slopes_are_taken_around_real_images_alone() -> None:
    """Far from the generated images: a quadratic's slope says where it was taken."""
    real, fake = torch.full((500, 4), 0.5), torch.full((500, 4), 10.0)
    real[::2] *= -1
    model = DRAGAN(SPEC, DRAGAN.Config(penalty=10.0))
    model.discriminator = Quadratic(1.0)
    usual = DCGAN.discriminator_loss(model, real, fake, None)
    torch.manual_seed(5)
    found = model.discriminator_loss(real, fake, None) - usual
    torch.manual_seed(5)
    expected = 10 * (model.around(real).norm(dim=1) - 1).square().mean()
    assert float(found.detach()) == pytest.approx(float(expected), rel=1e-3)


def test_perturbations_are_uniform_noise_times_a_share_of_each_image() -> None:
    images = torch.randn(4000, 200) * 3 + 1
    moved = DRAGAN(SPEC, DRAGAN.Config()).around(images) - images
    reach = 0.5 * float(images.std())
    assert float(moved.min()) >= -1e-5 and float(moved.max()) <= reach + 1e-5
    share = moved.amax(1) / reach  # the largest of 200 uniform numbers is nearly one
    assert float(share.mean()) == pytest.approx(0.5, rel=0.03), "each image has a share of its own"
    assert float(share.std()) == pytest.approx(1 / math.sqrt(12), rel=0.03)
    within = moved / moved.amax(1, keepdim=True)
    assert float(within.mean()) == pytest.approx(0.5, rel=0.03)
    assert float(within.std()) == pytest.approx(1 / math.sqrt(12), rel=0.03)

"""GANs that are told the class: where the label goes, and each one's losses on fixed numbers."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ganbench.model import Batch, DataSpec
from ganbench_plugins.acgan import ACGAN
from ganbench_plugins.cgan import CGAN
from ganbench_plugins.projection_gan import ProjectionGAN

SPEC = DataSpec((1, 8, 8), 3, "toy", 64)
SMALL = {"width": 4, "hidden": 8, "translation": 0, "ema": 0.0}
KINDS = [CGAN, ACGAN, ProjectionGAN]
LABELS = torch.tensor([0, 1, 2, 0, 1])


def made(kind: type[CGAN], **settings: object) -> CGAN:
    torch.manual_seed(0)
    return kind(SPEC, kind.Config(**{**SMALL, **settings}))


def images(seed: int) -> Tensor:
    return torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Replies(nn.Module):
    """A discriminator that answers by rote: by the grey of an image, whatever the label."""

    def __init__(self, real: Tensor, fake: Tensor) -> None:
        super().__init__()
        self.real, self.fake = real, fake
        self.asked: list[Tensor] = []

    def forward(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        if labels is not None:
            self.asked.append(labels)
        return self.real if bool(images.mean() > 0) else self.fake


REAL, FAKE = torch.full((5, 1, 8, 8), 0.5), torch.full((5, 1, 8, 8), -0.5)
ON_REAL = torch.tensor([[0.3], [-1.2], [2.0], [0.9], [-0.1]])
ON_FAKE = torch.tensor([[-0.4], [1.5], [-2.5], [0.2], [0.0]])


@pytest.mark.parametrize("kind", KINDS)
def test_another_label_gives_another_image_of_the_same_latent(kind: type[CGAN]) -> None:
    model, latent = made(kind), torch.randn(5, 10)
    first, again, other = (model.generate(model.generator, latent, y) for y in (LABELS, LABELS, (LABELS + 1) % 3))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    one_hot = torch.eye(3)[LABELS]
    assert torch.equal(first, model.generator(torch.cat([latent, one_hot], 1)))


@pytest.mark.parametrize("kind", KINDS)
def test_without_labels_classes_are_drawn_uniformly(kind: type[CGAN]) -> None:
    model = made(kind)
    model.generator = nn.Identity()
    drawn = model.sample(6000)[:, 10:]
    assert torch.equal(drawn.sum(1), torch.ones(6000))
    assert (drawn.mean(0) - 1 / 3).abs().max() < 0.03


@pytest.mark.parametrize("kind", KINDS)
def test_data_without_labels_are_refused(kind: type[CGAN]) -> None:
    with pytest.raises(ValueError, match=f"{kind.name} learns from labels, and bare has none"):
        kind(DataSpec((1, 8, 8), 0, "bare", 64), kind.Config())


@pytest.mark.parametrize("kind", [CGAN, ProjectionGAN])
def test_the_discriminator_sees_the_label(kind: type[CGAN]) -> None:
    model = made(kind).eval()
    given, other = (model.score(images(1), y) for y in (LABELS, (LABELS + 1) % 3))
    assert given.shape == (5, 1)
    assert not torch.isclose(given, other).any()


def test_cgans_losses() -> None:
    model = made(CGAN)
    model.discriminator = Replies(ON_REAL, ON_FAKE)
    expected = -(ON_REAL.sigmoid().log() + (1 - ON_FAKE.sigmoid()).log()).mean()
    torch.testing.assert_close(model.discriminator_loss(REAL, FAKE, LABELS), expected)
    torch.testing.assert_close(model.generator_loss(REAL, FAKE, LABELS), -ON_FAKE.sigmoid().log().mean())
    assert all(torch.equal(labels, LABELS) for labels in model.discriminator.asked)
    assert len(model.discriminator.asked) == 3


def test_cgan_joins_label_and_features_in_a_hidden_layer() -> None:
    model = made(CGAN).eval()
    joint = model.discriminator
    inputs = torch.cat([joint.features(images(1)), torch.eye(3)[LABELS]], 1)
    first, last = joint.joint[0], joint.joint[-1]
    hidden = F.leaky_relu(inputs @ first.weight.T + first.bias, 0.2)
    torch.testing.assert_close(model.score(images(1), LABELS), hidden @ last.weight.T + last.bias)


@pytest.mark.parametrize("weight", [1.0, 0.3])
def test_acgans_losses_are_source_and_class(weight: float) -> None:
    model = made(ACGAN, class_weight=weight)
    generator = torch.Generator().manual_seed(1)
    on_real, on_fake = (torch.randn(5, 3, generator=generator) for _ in range(2))
    model.discriminator = Replies(torch.cat([ON_REAL, on_real], 1), torch.cat([ON_FAKE, on_fake], 1))
    rows = torch.arange(5)
    class_real, class_fake = (-logits.softmax(1)[rows, LABELS].log().mean() for logits in (on_real, on_fake))
    source = -(ON_REAL.sigmoid().log() + (1 - ON_FAKE.sigmoid()).log()).mean()
    expected = source + weight * (class_real + class_fake)
    torch.testing.assert_close(model.discriminator_loss(REAL, FAKE, LABELS), expected)
    expected = -ON_FAKE.sigmoid().log().mean() + weight * class_fake
    torch.testing.assert_close(model.generator_loss(REAL, FAKE, LABELS), expected)
    assert not model.discriminator.asked  # it must guess the class


def test_projections_score_is_the_papers_formula() -> None:
    model = made(ProjectionGAN, spectral=False).eval()
    network = model.discriminator
    phi = network.phi(images(1))
    for row, label in enumerate(LABELS.tolist()):
        by_hand = (network.psi.weight[0] + network.embedding.weight[label]) @ phi[row] + network.psi.bias[0]
        torch.testing.assert_close(network(images(1), LABELS)[row, 0], by_hand)


def test_projections_losses_are_hinges() -> None:
    model = made(ProjectionGAN)
    model.discriminator = Replies(ON_REAL, ON_FAKE)
    on_real = (0.7 + 2.2 + 0.0 + 0.1 + 1.1) / 5
    on_fake = (0.6 + 2.5 + 0.0 + 1.2 + 1.0) / 5
    loss = model.discriminator_loss(REAL, FAKE, LABELS)
    assert float(loss) == pytest.approx(on_real + on_fake, rel=1e-5)
    assert float(model.generator_loss(REAL, FAKE, LABELS)) == pytest.approx(1.2 / 5, rel=1e-5)


def test_projections_layers_are_spectrally_normalised() -> None:
    model = made(ProjectionGAN)
    for _ in range(3):
        model.step(Batch(images(1), LABELS))
    for _ in range(60):  # power iterations
        model.score(images(1), LABELS)
    weights = [
        part.weight for part in model.discriminator.modules() if isinstance(getattr(part, "weight", None), Tensor)
    ]
    norms = [float(torch.linalg.matrix_norm(weight.flatten(1), 2).detach()) for weight in weights]
    assert norms == pytest.approx([1.0] * 5, abs=0.02)  # two convolutions, hidden layer, psi, embedding

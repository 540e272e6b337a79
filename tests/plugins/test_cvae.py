"""The conditional bound: who is told the label, and its terms against torch.distributions."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, distributions, nn

from ganbench.model import Batch, DataSpec
from ganbench_plugins.cvae import CVAE

LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
OTHERS = (LABELS + 1) % 3


def made(shape: tuple[int, ...] = (1, 8, 8), lr: float = 1e-3) -> CVAE:
    torch.manual_seed(0)
    return CVAE(DataSpec(shape, 3, "toy", 64), CVAE.Config(latent_dim=4, width=4, hidden=16, lr=lr)).eval()


def images(*shape: int) -> Tensor:
    return torch.rand(6, *(shape or (1, 8, 8)), generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_the_label_is_told_as_further_channels() -> None:
    for shape in ((1, 8, 8), (2,)):
        told = made().tell(images(*shape), LABELS)
        assert told.shape == (6, shape[0] + 3, *shape[1:])
        assert torch.equal(told[:, : shape[0]], images(*shape))
        planes = told[:, shape[0] :].flatten(2) if len(shape) == 3 else told[:, shape[0] :, None]
        assert torch.equal(planes, torch.eye(3)[LABELS][:, :, None].expand_as(planes))


def test_encoder_and_decoder_both_see_the_label() -> None:
    model, latent = made(), torch.randn(6, 4)
    given, other = (model.posterior(model.tell(images(), y))[0] for y in (LABELS, OTHERS))
    assert not torch.isclose(given, other).all(1).any()
    given, other = (model.decoder(model.tell(latent, y)) for y in (LABELS, OTHERS))
    assert not torch.isclose(given, other).flatten(1).all(1).any()


def test_the_bounds_terms() -> None:
    model = made()
    mean, log_variance = model.posterior(model.tell(images(), LABELS))
    posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
    torch.manual_seed(1)
    latent = mean + torch.randn_like(mean) * posterior.scale
    logits = model.decoder(torch.cat([latent, torch.eye(3)[LABELS]], 1)).flatten(1)
    bernoulli = distributions.Bernoulli(logits=logits, validate_args=False)
    torch.manual_seed(1)
    found = model.bound(images(), LABELS)
    kl = distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(found["kl"], kl, rtol=1e-4, atol=1e-5)
    nats = -bernoulli.log_prob((images().flatten(1) + 1) / 2).sum(1).mean()
    torch.testing.assert_close(found["reconstruction"], nats)
    torch.manual_seed(1)
    assert float(model.bound(images(), OTHERS)["reconstruction"].detach()) != pytest.approx(float(nats.detach()))


def test_samples_are_decoded_with_the_label_asked_for() -> None:
    model = made()
    torch.manual_seed(2)
    samples = model.sample(6, LABELS)
    torch.manual_seed(2)
    latent = torch.randn(6, 4)
    torch.testing.assert_close(samples, 2 * model.decoder(model.tell(latent, LABELS)).sigmoid() - 1)


def test_without_labels_classes_are_drawn_uniformly() -> None:
    model = made((2,))
    model.decoder = nn.Identity()
    model.images = lambda output: output
    drawn = model.sample(6000)[:, 4:]
    assert torch.equal(drawn.sum(1), torch.ones(6000))
    assert (drawn.mean(0) - 1 / 3).abs().max() < 0.03


def test_it_learns_what_a_label_means() -> None:
    model = made(lr=1e-2).train()
    grey = torch.tensor([-0.8, 0.0, 0.8])[LABELS].view(6, 1, 1, 1).expand(6, 1, 8, 8)
    for _ in range(60):
        model.step(Batch(grey, LABELS))
    means = model.eval().sample(6, LABELS).mean((1, 2, 3))
    torch.testing.assert_close(means, grey[:, 0, 0, 0], atol=0.25, rtol=0)


def test_the_likelihood_of_images_without_labels_is_the_classes_mean() -> None:
    model = made((2,))
    data = images(2)
    torch.manual_seed(3)
    found = model.log_weights(data, 5)
    torch.manual_seed(3)
    by_class = [model.log_weights_of(data, torch.full((6,), label), 5).exp() for label in range(3)]
    torch.testing.assert_close(found.exp(), sum(by_class) / 3, rtol=1e-4, atol=1e-6)
    # Where q(z | x, y) is the prior and the decoder ignores z, each weight is p(x | y) itself.
    with torch.no_grad():
        model.encoder[-1].weight.zero_()
        model.encoder[-1].bias.zero_()
        model.decoder[0].weight[:, :4] = 0
    exact = -model.nats(data, model.decoder(model.tell(torch.zeros(6, 4), LABELS)))
    torch.testing.assert_close(model.log_weights_of(data, LABELS, 2), exact.expand(2, 6), rtol=1e-4, atol=1e-4)


def test_data_without_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="cvae learns from labels, and bare has none"):
        CVAE(DataSpec((2,), 0, "bare", 64), CVAE.Config())

"""Which loss reaches which of the three networks, and the error that is measured in the discriminator's features."""

from __future__ import annotations

import math

import torch
from torch import Tensor, distributions

from ganbench.model import Batch, DataSpec
from ganbench_plugins.vae_gan import VAEGAN

SPEC = DataSpec((1, 8, 8), 0, "toy", 64)


def built(gamma: float = 1e-2) -> VAEGAN:
    torch.manual_seed(0)
    return VAEGAN(SPEC, VAEGAN.Config(width=4, hidden=8, latent_dim=3, gamma=gamma))


def images() -> Tensor:
    return torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1


def wanted(model: VAEGAN, network: str, loss: Tensor) -> list[Tensor]:
    return list(torch.autograd.grad(loss, list(getattr(model, network).parameters()), retain_graph=True))


def test_each_network_learns_from_its_own_losses_alone() -> None:
    model = built(gamma=0.3)
    torch.manual_seed(2)
    kl, likelihood, generator, discriminator = model.losses(images()).values()
    expected = {
        "encoder": wanted(model, "encoder", kl + likelihood),
        "decoder": wanted(model, "decoder", 0.3 * likelihood + generator),
        "discriminator": wanted(model, "discriminator", discriminator),
    }
    torch.manual_seed(2)
    model.step(Batch(images(), None))
    for name, gradients in expected.items():
        for weight, gradient in zip(getattr(model, name).parameters(), gradients, strict=True):
            torch.testing.assert_close(weight.grad, gradient)
        assert any(gradient.any() for gradient in gradients)


def test_each_optimiser_moves_its_own_network() -> None:
    names = ("encoder", "decoder", "discriminator")
    for learner in names:
        model = built()
        for name in names:
            getattr(model, f"{name}_optimizer").param_groups[0]["lr"] = 1e-2 if name == learner else 0.0
        before = {name: value.clone() for name, value in model.named_parameters()}
        model.step(Batch(images(), None))
        moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
        assert moved == {learner}


def test_the_losses_are_those_of_the_paper() -> None:
    model = built().eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(8)  # as drawn they are so small that all images look alike
    torch.manual_seed(3)
    found = {name: float(loss.detach()) for name, loss in model.losses(images()).items()}
    torch.manual_seed(3)
    with torch.no_grad():
        mean, log_variance = model.encoder(images()).chunk(2, dim=1)
        posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
        again = model.decoder(mean + posterior.scale * torch.randn_like(mean))
        fake = model.decoder(torch.randn_like(mean))
        layers = model.discriminator[: len(model.discriminator) - 3]
        unit = distributions.Normal(layers(again), 1.0)
        features = layers(images())
        constant = 0.5 * math.log(2 * math.pi) * features[0].numel()
        real, on_again, on_fake = (model.discriminator(x).double().sigmoid() for x in (images(), again, fake))
        expected = {
            "kl": distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(1).mean(),
            "likelihood": -unit.log_prob(features).sum(1).mean() - constant,
            "generator": -on_again.log().mean() - on_fake.log().mean(),
            "discriminator": -real.log().mean() - (1 - on_again).log().mean() - (1 - on_fake).log().mean(),
        }
    for name, value in expected.items():
        assert math.isclose(found[name], float(value), rel_tol=1e-3), name

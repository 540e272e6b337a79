"""pythae's models beside ours: the same networks and the same first weights give the same losses and gradients."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench.model import Batch, DataSpec, Model
from ganbench_plugins import diffusers_ddpm, pythae_autoencoders, pythae_peer, pythae_vaes
from ganbench_plugins.iwae import IWAE
from ganbench_plugins.pythae_autoencoders import PythaeAutoencoder, PythaeRAEGP, PythaeRAEL2, PythaeWAEMMD
from ganbench_plugins.pythae_peer import Peer
from ganbench_plugins.pythae_vaes import PythaeBetaVAE, PythaeDisentangledBetaVAE, PythaeIWAE, PythaeVAE, PythaeVAMP
from ganbench_plugins.rae_l2 import RAEL2
from ganbench_plugins.vamp import Vamp

needs_pythae = pytest.mark.usefixtures("pythae")
SPEC = DataSpec((1, 8, 8), 0, "toy", 64)
IMAGES = torch.rand(12, 1, 8, 8, generator=torch.Generator().manual_seed(2)) * 2 - 1
SMALL = {"hidden": 32, "width": 8}


@pytest.fixture
def pythae() -> Any:
    return pytest.importorskip("pythae", reason="its models need an extra: pip install 'ganbench[peers]'")


def made(kind: type[Model], **settings: Any) -> Model:
    torch.manual_seed(0)
    fields = kind.Config.__dataclass_fields__
    return kind(SPEC, kind.Config(**{name: value for name, value in (SMALL | settings).items() if name in fields}))


def after_a_step(kind: type[Model], **settings: Any) -> tuple[dict[str, Tensor], list[Tensor]]:
    """Return a model's losses, and the gradients of its networks."""
    model = made(kind, **settings)
    networks = model.peer if isinstance(model, Peer) else model
    torch.manual_seed(1)
    losses = model.step(Batch(IMAGES.clone(), None))
    gradients = [*networks.encoder.parameters(), *networks.decoder.parameters()]
    return losses, [parameter.grad for parameter in gradients]


PAIRS = [PythaeVAE, PythaeBetaVAE, PythaeIWAE, PythaeVAMP, PythaeAutoencoder]
PAIRS += [PythaeWAEMMD, PythaeRAEL2, PythaeRAEGP]


@pytest.mark.parametrize("kind", PAIRS)
def test_hyper_parameters_are_ours(kind: type[Peer]) -> None:
    theirs, ours = (
        {field.name: field.default for field in dataclasses.fields(each.Config)} for each in (kind, kind.counterpart)
    )
    assert {name: ours[name] for name in theirs if name in ours} == {n: theirs[n] for n in theirs if n in ours}


@needs_pythae
@pytest.mark.parametrize("kind", [PythaeVAE, PythaeBetaVAE, PythaeWAEMMD, PythaeAutoencoder])
def test_losses_and_gradients_are_ours(kind: type[Peer]) -> None:
    losses, gradients = after_a_step(kind, beta=3.0, latent_dim=6)
    ours, expected = after_a_step(kind.counterpart, beta=3.0 if kind is PythaeBetaVAE else 1.0, latent_dim=6)
    scale = 2.0 if kind is PythaeAutoencoder else 1.0  # over [0, 1] and whole, ours over [-1, 1] and halved
    torch.testing.assert_close(scale * losses["loss"], total(ours, kind), rtol=1e-5, atol=1e-5)
    for found, wanted in zip(gradients, expected, strict=True):
        torch.testing.assert_close(scale * found, wanted, rtol=1e-3, atol=1e-4)


def total(losses: dict[str, Tensor], kind: type[Peer]) -> Tensor:
    return torch.stack(
        [(3.0 if name == "kl" and kind is PythaeBetaVAE else 1.0) * losses[name] for name in losses]
    ).sum()


@needs_pythae
def test_training_from_the_same_seed_makes_the_same_samples() -> None:
    made_of = []
    for kind in PythaeVAE, PythaeVAE.counterpart:
        model = made(kind)
        torch.manual_seed(1)
        for _ in range(20):
            model.step(Batch(IMAGES.clone(), None))
        torch.manual_seed(2)
        made_of.append(model.eval().sample(5).detach())
    torch.testing.assert_close(*made_of, rtol=0, atol=1e-4)


@needs_pythae
def test_iwae_has_our_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    noise = torch.randn(5, 12, 10, generator=torch.Generator().manual_seed(1))  # (samples, images, latent_dim)
    gradients = []
    for kind, drawn in (IWAE, noise), (PythaeIWAE, noise.transpose(0, 1)):
        model = made(kind)
        monkeypatch.setattr(torch, "randn_like", lambda like, drawn=drawn: drawn)
        loss = model.loss(IMAGES).loss if isinstance(model, Peer) else model.bound(IMAGES)["bound"]
        loss.backward()
        networks = model.peer if isinstance(model, Peer) else model
        gradients.append([each.grad for each in (*networks.encoder.parameters(), *networks.decoder.parameters())])
    for wanted, found in zip(*gradients, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-3, atol=1e-4)


@needs_pythae
def test_rae_l2_takes_our_step() -> None:
    stepped = []
    for kind in RAEL2, PythaeRAEL2:
        model = made(kind, code_weight=0.3, decoder_weight=0.02)
        model.step(Batch(IMAGES.clone(), None))
        networks = model.peer if isinstance(model, Peer) else model
        stepped.append([*networks.encoder.parameters(), *networks.decoder.parameters()])
    for wanted, found in zip(*stepped, strict=True):  # Adam's step has no scale, so that half a loss is as good
        torch.testing.assert_close(found, wanted, rtol=0, atol=1e-4)


@needs_pythae
def test_vamp_has_our_loss_where_pseudo_inputs_are_ours() -> None:
    ours, peer = made(Vamp, components=7, warmup=0), made(PythaeVAMP, components=7)
    pseudo = torch.rand(7, 64) * 2 - 1
    with torch.no_grad():
        ours.pseudo.copy_(pseudo.view(7, 1, 8, 8))
        peer.peer.pseudo_inputs[0].weight.copy_((pseudo.T + 1) / 2)
        peer.peer.pseudo_inputs[0].bias.zero_()
    torch.manual_seed(1)
    expected = ours.objective(ours.bound(IMAGES))
    torch.manual_seed(1)
    torch.testing.assert_close(peer.loss(IMAGES).loss, expected, rtol=1e-4, atol=1e-3)


@needs_pythae
def test_vamp_draws_from_its_prior_as_trained() -> None:
    model = made(PythaeVAMP, components=2, prior="as-trained").eval()
    with torch.no_grad():
        network = model.peer.encoder.network[-1]
        network.weight.zero_()
        network.bias.copy_(torch.tensor([3.0] * 10 + [-30.0] * 10))  # every posterior is a point at 3
        expected = 2 * model.peer.decoder(torch.full((4, 10), 3.0)).reconstruction - 1
        torch.testing.assert_close(model.sample(4), expected, atol=1e-4, rtol=0)
        squashed = made(PythaeVAMP, components=2).eval()
        squashed.load_state_dict(model.state_dict())
        assert float((squashed.sample(4) - expected).abs().max()) > 5e-3


@needs_pythae
def test_samples_are_decoded_from_a_standard_normal() -> None:
    model = made(PythaeVAE).eval()
    torch.manual_seed(1)
    found = model.sample(5)
    torch.manual_seed(1)
    expected = 2 * model.peer.decoder(torch.randn(5, 20)).reconstruction - 1
    torch.testing.assert_close(found, expected)


@needs_pythae
def test_capacity_rises_with_epochs() -> None:
    model = made(PythaeDisentangledBetaVAE, beta=1.0, capacity=70.0, warmup=6)
    for seen, capacity in (0, 10), (64, 20):  # a seventh in the first epoch, and so on
        model.seen = seen
        with torch.no_grad():
            found = model.loss(IMAGES)
        distance = float(found.loss - found.recon_loss)
        assert distance == pytest.approx(capacity - float(found.reg_loss), abs=1e-3)


@pytest.mark.parametrize("module", [pythae_peer, pythae_vaes, pythae_autoencoders, diffusers_ddpm])
def test_nothing_of_theirs_is_imported_before_a_model_is_made(module: ModuleType) -> None:
    statements = ast.parse(Path(str(module.__file__)).read_text()).body
    imports = [ast.unparse(each) for each in statements if isinstance(each, ast.Import | ast.ImportFrom)]
    theirs = (
        "from pythae",
        "import pythae",
        "from diffusers",
        "import diffusers",
        "from ganbench_plugins.pythae_networks",
    )
    assert imports and not [line for line in imports if line.startswith(theirs)]

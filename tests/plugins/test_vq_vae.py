"""The nearest code, the gradient that passes straight through, codes that follow, and a prior that looks back only."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganbench.model import Batch, DataSpec
from ganbench_plugins.code_prior import Prior
from ganbench_plugins.vq_vae import VQVAE, Codebook, straight_through

SPEC = DataSpec((1, 16, 16), 0, "toy", 64)


def built(codes: int = 5, prior_width: int = 12, commitment: float = 0.25) -> VQVAE:
    torch.manual_seed(0)
    config = VQVAE.Config(codes=codes, code_dim=3, width=4, prior_width=prior_width, commitment=commitment)
    return VQVAE(SPEC, config)


def images() -> Tensor:
    return torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_each_vector_takes_its_nearest_code() -> None:
    book = Codebook(7, 3, 0.99)
    vectors = torch.randn(2, 3, 4, 5)
    chosen = book.nearest(vectors)
    for n, i, j in ((0, 0, 0), (0, 3, 4), (1, 2, 1), (1, 3, 0)):
        distances = [float((vectors[n, :, i, j] - code).norm()) for code in book.vectors]
        assert int(chosen[n, i, j]) == distances.index(min(distances))
        assert torch.equal(book(chosen)[n, :, i, j], book.vectors[chosen[n, i, j]])


def test_the_gradient_passes_straight_through() -> None:
    vectors, quantised = torch.randn(2, 3, 4, 4, requires_grad=True), torch.randn(2, 3, 4, 4)
    output = straight_through(vectors, quantised)
    torch.testing.assert_close(output, quantised)
    weight = torch.randn(2, 3, 4, 4)
    (output * weight).sum().backward()
    assert vectors.grad is not None
    torch.testing.assert_close(vectors.grad, weight)


def test_the_commitment_ties_vectors_to_their_codes() -> None:
    model = built()
    with torch.no_grad():
        vectors = model.encoder(images())
        distances = (vectors - model.codebook(model.codebook.nearest(vectors))).square().sum((1, 2, 3))
    found = model.step(Batch(images(), None))["commitment"]
    torch.testing.assert_close(found.detach(), 0.25 * distances.mean())


def test_a_code_follows_the_mean_of_what_chose_it() -> None:
    book = Codebook(2, 1, 0.9)
    book.vectors.copy_(torch.tensor([[0.0], [10.0]]))
    book.counts.copy_(torch.tensor([4.0, 4.0]))
    book.sums.copy_(torch.tensor([[0.0], [40.0]]))
    vectors = torch.tensor([1.0, 2.0, 3.0, 9.0]).reshape(1, 1, 2, 2)
    book.follow(vectors, book.nearest(vectors))
    counts, sums = (0.9 * 4 + 0.1 * 3, 0.9 * 4 + 0.1 * 1), (0.1 * 6, 0.9 * 40 + 0.1 * 9)
    torch.testing.assert_close(book.vectors[:, 0], torch.tensor([s / c for s, c in zip(sums, counts, strict=True)]))


def test_a_code_that_none_chooses_starts_again_in_the_batch() -> None:
    book = Codebook(3, 1, 0.5)
    book.vectors.copy_(torch.tensor([[0.0], [100.0], [200.0]]))
    book.counts.copy_(torch.tensor([1.0, 0.15, 1.0]))
    book.sums.copy_(book.counts[:, None] * book.vectors)
    vectors = torch.tensor([0.5, 0.25, -0.5, -0.25]).reshape(1, 1, 2, 2)
    book.follow(vectors, book.nearest(vectors))
    assert float(book.vectors[1]) in (0.5, 0.25, -0.5, -0.25)
    assert float(book.vectors[2]) == 200.0


@pytest.mark.parametrize("reach", [1, 3])
def test_a_later_code_never_changes_what_an_earlier_one_is_told(reach: int) -> None:
    torch.manual_seed(0)
    prior = Prior(5, (4, 5), 12, reach)
    codes = torch.randint(0, 5, (1, 4, 5))
    before = prior(codes)[0].detach()
    for i in range(4):
        for j in range(5):
            other = codes.clone()
            other[0, i, j] = (other[0, i, j] + 1) % 5
            changed = (prior(other)[0].detach() != before).any(0)
            expected = torch.zeros(4, 5, dtype=torch.bool)
            expected[i, j + 1 : j + 1 + reach] = True
            expected[i + 1 : i + 1 + reach, max(j - reach, 0) : j + reach + 1] = True
            assert torch.equal(changed, expected)


def test_the_priors_loss_is_the_chain_rules() -> None:
    torch.manual_seed(0)
    prior = Prior(3, (2, 2), 8, 1)
    grids = torch.cartesian_prod(*[torch.arange(3)] * 4).reshape(-1, 2, 2)
    probabilities = (-prior.nats(grids).detach().double()).exp()
    assert float(probabilities.sum()) == pytest.approx(1, abs=1e-5)


def test_draws_follow_the_prior() -> None:
    torch.manual_seed(0)
    prior = Prior(2, (2, 2), 8, 1)
    with torch.no_grad():
        for weight in prior.parameters():
            weight.mul_(2)
        prior.place.normal_()  # it begins at zero
    grids = torch.cartesian_prod(*[torch.arange(2)] * 4).reshape(-1, 2, 2)
    expected = (-prior.nats(grids).detach()).exp()
    with torch.no_grad():
        drawn = prior.sample(20000).flatten(1) @ torch.tensor([8, 4, 2, 1])
    found = torch.bincount(drawn, minlength=16) / 20000
    torch.testing.assert_close(found, expected, rtol=0, atol=0.015)
    assert float((expected - 1 / 16).abs().max()) > 0.05


def test_the_prior_learns_in_the_same_step_and_moves_no_other_network() -> None:
    model = built(prior_width=32)
    for name in ("optimizer", "prior_optimizer"):
        getattr(model, name).param_groups[0]["lr"] = 0.0 if name == "optimizer" else 1e-2
    before = {name: value.clone() for name, value in model.named_parameters()}
    losses = [float(model.step(Batch(images(), None))["prior"].detach()) for _ in range(30)]
    assert losses[-1] < 0.6 * losses[0]
    moved = {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}
    assert moved == {"prior"}


def test_points_have_no_grid() -> None:
    with pytest.raises(ValueError, match=r"vq-vae quantises a grid of places in an image, and toy holds points"):
        VQVAE(DataSpec((2,), 0, "toy", 64), VQVAE.Config())

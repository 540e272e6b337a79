"""DRAW's filters against the paper's formulas (eqs 19 to 29), its canvas, and its KL terms summed over steps."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, distributions

from ganbench.model import DataSpec
from ganbench_plugins.draw import DRAW, Filters

SPEC = DataSpec((1, 8, 12), 0, "toy", 64)
PLACED = torch.tensor([[0.2, -0.3, -0.5, -0.7, 0.4], [-0.1, 0.5, 0.3, -0.2, -0.6]])


def small(**settings: object) -> DRAW:
    torch.manual_seed(0)
    return DRAW(SPEC, DRAW.Config(latent_dim=2, hidden=6, steps=3, read_size=2, write_size=3, **settings))


def images(n: int = 4) -> Tensor:
    return torch.rand(n, 1, 8, 12, generator=torch.Generator().manual_seed(0)) * 2 - 1


def by_the_paper(placed: list[float], size: int, b: int, a: int) -> tuple[list[list[float]], list[list[float]]]:
    """Return F_X (size, a) and F_Y (size, b) as in eqs 19 to 26, number by number."""
    g_x, g_y = (a + 1) / 2 * (placed[0] + 1), (b + 1) / 2 * (placed[1] + 1)
    variance, stride = math.exp(placed[2]), (max(a, b) - 1) / (size - 1) * math.exp(placed[3])
    banks = []
    for centre, length in ((g_x, a), (g_y, b)):
        bank = []
        for i in range(1, size + 1):
            mean = centre + (i - size / 2 - 0.5) * stride
            row = [math.exp(-((p - mean) ** 2) / (2 * variance)) for p in range(1, length + 1)]
            bank.append([value / sum(row) for value in row])
        banks.append(bank)
    return banks[0], banks[1]


@pytest.mark.parametrize("size", [2, 3])
def test_filters_are_those_of_the_paper(size: int) -> None:
    filters = Filters(PLACED, size, 8, 12)
    glimpses, patches = filters.read(images(2)), torch.randn(2, 1, size, size)
    written = filters.write(patches)
    for i, placed in enumerate(PLACED.tolist()):
        f_x, f_y = (torch.tensor(bank) for bank in by_the_paper(placed, size, 8, 12))
        torch.testing.assert_close(filters.columns[i], f_x)
        torch.testing.assert_close(filters.rows[i], f_y)
        gamma = math.exp(placed[4])
        torch.testing.assert_close(glimpses[i, 0], gamma * f_y @ images(2)[i, 0] @ f_x.T)
        torch.testing.assert_close(written[i, 0], f_y.T @ patches[i, 0] @ f_x / gamma)


@torch.no_grad()
@pytest.mark.parametrize("attention", [True, False])
def test_a_step_reads_the_error_and_the_canvas_adds_up(monkeypatch: pytest.MonkeyPatch, attention: bool) -> None:
    model = small(attention=attention)
    read, write = model.read, model.write
    written, seen = list[tuple[Tensor, Tensor]](), list[tuple[Tensor, Tensor]]()

    def reading(x: Tensor, error: Tensor, hidden: Tensor) -> Tensor:
        seen.append((error, hidden))
        return read(x, error, hidden)

    def writing(hidden: Tensor) -> Tensor:
        written.append((write(hidden), hidden))
        return written[-1][0]

    monkeypatch.setattr(model, "read", reading)
    monkeypatch.setattr(model, "write", writing)
    canvas, _, _ = model.unroll(images())
    canvases = [model.canvas.expand(4, 1, 8, 12)]
    for patch, _ in written:
        canvases.append(canvases[-1] + patch)
    assert len(written) == len(seen) == 3
    torch.testing.assert_close(canvas, canvases[-1])
    states = [torch.zeros(4, 6), *(hidden for _, hidden in written)]
    for (error, hidden), before, previous in zip(seen, canvases, states, strict=False):
        torch.testing.assert_close(error / 2, (images() + 1) / 2 - before.sigmoid())
        torch.testing.assert_close(hidden, previous)

    written.clear()
    samples = model.sample(5)
    total = model.canvas + torch.stack([patch for patch, _ in written]).sum(0)
    torch.testing.assert_close(samples, 2 * total.sigmoid() - 1)


@torch.no_grad()
def test_kl_terms_of_all_steps_are_summed() -> None:
    model, posteriors = small(), list[Tensor]()
    model.code.register_forward_hook(lambda _, __, output: posteriors.append(output))
    _, kl, ratio = model.unroll(images())
    assert len(posteriors) == 3
    expected = torch.zeros(4)
    for mean, log_variance in (output.chunk(2, dim=1) for output in posteriors):
        posterior = distributions.Normal(mean, (0.5 * log_variance).exp())
        expected += distributions.kl_divergence(posterior, distributions.Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(kl, expected)
    many = images().repeat(500, 1, 1, 1)
    _, kl, ratio = model.unroll(many)
    error = float((kl + ratio).std()) / len(many) ** 0.5
    assert abs(float((kl + ratio).mean())) < 5 * error + 1e-4, "log q - log p has the KL terms as its expectation"


@torch.no_grad()
def test_log_weights_hold_all_steps() -> None:
    model = small()
    torch.manual_seed(1)
    canvas, _, ratio = model.unroll(images().repeat(5, 1, 1, 1))
    torch.manual_seed(1)
    expected = (ratio - model.nats(images().repeat(5, 1, 1, 1), canvas)).view(5, 4)
    torch.testing.assert_close(model.log_weights(images(), 5), expected)
    with pytest.raises(ValueError, match="paints images"):
        DRAW(DataSpec((2,), 0, "points", 64), DRAW.Config())

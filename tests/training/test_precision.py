"""Which number format training uses."""

from __future__ import annotations

import pytest
import torch

from ganbench.training.precision import autocast

CPU = torch.device("cpu")


def test_the_context_can_be_entered_again_and_again() -> None:
    for precision, dtype in (("bf16", torch.bfloat16), ("fp32", torch.float32)):
        context = autocast(CPU, precision)
        for _ in range(2):
            with context:
                assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype is dtype


def two_forwards(precision: str) -> list[float]:
    """Return the losses of three steps that use a network before and after its own update, as every GAN does."""
    torch.manual_seed(0)
    network, x = torch.nn.Linear(16, 16), torch.randn(32, 16)
    optimizer, losses = torch.optim.SGD(network.parameters(), 1.0), []
    context = autocast(CPU, precision)
    for _ in range(3):
        with context:
            before = (network(x) - x).square().mean()
            optimizer.zero_grad()
            before.backward()
            optimizer.step()
            after = (network(x) - x).square().mean()
        losses += [float(before.detach()), float(after.detach())]
    return losses


def test_a_forward_after_an_update_sees_the_new_weights() -> None:
    expected = two_forwards("fp32")
    assert expected[1] < 0.9 * expected[0]
    assert two_forwards("bf16") == pytest.approx(expected, rel=2e-2)  # bfloat16 has 8 bits of mantissa

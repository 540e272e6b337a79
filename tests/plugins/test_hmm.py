"""The hidden Markov model: what is fitted, that sampling follows it, and what is said where it cannot be."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ganbench.model import Batch, DataSpec
from ganbench_plugins.hmm import HMM

SPEC = DataSpec((1, 8, 4), 0, "toy", 200)


def alternating(n: int = 200) -> Tensor:
    """Return images whose rows are dark and bright by turns; one in four begins with a bright one."""
    bright_first = torch.arange(n) % 4 == 0
    bright = (torch.arange(8)[None] % 2 == 0) == bright_first[:, None]
    grey = torch.where(bright, 0.6, -0.7)[:, None, :, None]
    return (grey + 0.05 * torch.randn(n, 1, 8, 4, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


def made(**settings: int) -> HMM:
    torch.manual_seed(0)
    return HMM(SPEC, HMM.Config(**settings))


def test_states_and_rows_are_found() -> None:
    pytest.importorskip("hmmlearn", reason="hmm needs its extra: pip install 'ganbench[hmm]'")
    model = made(states=2)
    model.finish(Batch(alternating(), None))
    bright = int(model.pca.decode(model.means).mean((1, 2)).argmax())
    torch.testing.assert_close(model.start[bright], torch.tensor(0.25), atol=0.01, rtol=0)
    torch.testing.assert_close(model.transitions, 1 - torch.eye(2), atol=0.01, rtol=0)
    rows = model.pca.decode(model.means)[[1 - bright, bright], 0]
    torch.testing.assert_close(rows, torch.tensor([[-0.7], [0.6]]).expand(2, 4), atol=0.02, rtol=0)
    samples = model.sample(400)[:, 0].mean(2)
    assert float((samples[:, 0] > 0).float().mean()) == pytest.approx(0.25, abs=0.06)
    assert bool(((samples[:, 1:] > 0) != (samples[:, :-1] > 0)).all())


def test_images_of_one_row_have_no_transitions_and_are_sampled() -> None:
    pytest.importorskip("hmmlearn", reason="hmm needs its extra: pip install 'ganbench[hmm]'")
    model = HMM(DataSpec((1, 1, 4), 0, "row", 200), HMM.Config(states=2))
    model.finish(Batch(alternating()[:, :, :1], None))
    assert float((model.sample(400).mean((1, 2, 3)) > 0).float().mean()) == pytest.approx(0.25, abs=0.06)
    torch.testing.assert_close(model.transitions.sum(1), torch.ones(2))


def test_rows_are_sampled_from_start_transitions_and_emissions() -> None:
    model = made(states=3, dimensions=4)
    with torch.no_grad():
        model.pca.basis.copy_(torch.eye(4))
        model.pca.mean.zero_()
        model.start.copy_(torch.tensor([0.2, 0.8, 0.0]))
        model.transitions.copy_(torch.tensor([[0.5, 0.0, 0.5], [0.0, 0.1, 0.9], [1.0, 0.0, 0.0]]))
        model.means.copy_(torch.tensor([[-0.6], [0.0], [0.6]]).expand(3, 4))
        model.deviations.copy_(torch.tensor([[0.01], [0.02], [0.04]]).expand(3, 4))
    rows = model.sample(20_000)[:, 0]
    states = rows.mean(2).div(0.6).round().long() + 1
    expected = model.start
    for row in range(8):
        found = torch.bincount(states[:, row], minlength=3) / len(states)
        torch.testing.assert_close(found, expected, atol=0.02, rtol=0)
        expected = expected @ model.transitions
    for state, deviation in enumerate((0.01, 0.02, 0.04)):
        assert float(rows[states == state].std(0).mean()) == pytest.approx(deviation, rel=0.05)


def test_it_says_what_it_needs() -> None:
    assert HMM.requires == ("hmmlearn",)


def test_points_have_no_rows() -> None:
    with pytest.raises(ValueError, match="hmm needs images, whose rows it reads: ring has points"):
        HMM(DataSpec((2,), 0, "ring", 64), HMM.Config())

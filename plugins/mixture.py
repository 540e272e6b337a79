"""A mixture of Gaussians that is fitted to latent codes once training is over (arXiv:1903.12436)."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Mixture(nn.Module):
    """Full covariances; before it is fitted each component is N(0, I). Its state is in buffers, so checkpoints hold it.

    It is fitted by scikit-learn's expectation maximisation from k-means, in float64; the start is drawn from torch's
    random state, so that a trial's seed decides it.
    """

    weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(self, dimensions: int, components: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((components,), 1 / max(components, 1)))
        self.register_buffer("means", torch.zeros(components, dimensions))
        self.register_buffer("factors", torch.eye(dimensions).repeat(components, 1, 1))

    def fit(self, codes: Tensor) -> None:
        """Fit to codes (n, dimensions), n of at least the number of components."""
        from sklearn.mixture import GaussianMixture  # takes a second to import

        seed = int(torch.randint(2**31 - 1, ()))
        found = GaussianMixture(len(self.weights), reg_covar=1e-5, max_iter=200, random_state=seed)
        found.fit(codes.detach().double().cpu().numpy())
        for buffer, value in (
            (self.weights, torch.from_numpy(found.weights_)),
            (self.means, torch.from_numpy(found.means_)),
            (self.factors, torch.linalg.cholesky(torch.from_numpy(found.covariances_))),
        ):
            buffer.copy_(value)

    def sample(self, n: int) -> Tensor:
        """Return draws, (n, dimensions)."""
        chosen = torch.multinomial(self.weights, n, replacement=True)
        noise = torch.randn(n, self.means.shape[1], 1, device=self.means.device)
        return self.means[chosen] + (self.factors[chosen] @ noise)[:, :, 0]

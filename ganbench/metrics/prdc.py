"""Are samples like the data, and is all of the data there? Two pairs of answers from nearest neighbours.

In a classifier's feature space pure noise can reach precision 1, so neither precision nor density is to be read
without its partner. Both pairs of answers at once cost as much as one: see `PairReference`.
"""

from __future__ import annotations

from ganbench.metrics._pairwise.api import PairReference
from ganbench.metrics.validation import Array


def precision_recall(real: Array, fake: Array, *, k: int = 3) -> tuple[float, float]:
    """Return the share of fakes inside the real manifold, and the share of reals inside the fake one.

    `real` is (n, d), `fake` (m, d); a manifold is the union of balls around its samples that reach their k-th
    nearest other sample. Both are in [0, 1], higher is better. Balls are closed (`<=`), as in the paper: a sample on
    a ball's edge is inside, so identical sets give (1, 1) even where all rows are one point. (prdc has open balls
    and gives 0 there.) A generator that repeats one plausible sample has precision 1 and recall near 0.

    Raises ValueError where k < 1, either set has k rows or fewer, widths differ, or a value is not finite.
    Source: Kynkaanniemi et al. 2019, arXiv 1904.06991.
    """
    scores = PairReference(real, k_manifold=k, k_density=k).compare(fake, density=False)
    assert scores.precision is not None and scores.recall is not None
    return scores.precision, scores.recall


def density_coverage(real: Array, fake: Array, *, k: int = 5) -> tuple[float, float]:
    """Return how many real balls hold a fake, in units of what is expected, and the share of balls that hold any.

    `real` is (n, d), `fake` (m, d); a ball reaches from a real sample to its k-th nearest other. Density is the
    number of balls around a fake over k, averaged over fakes: >= 0, 1 expected for equal distributions, above 1
    where fakes crowd in dense regions. Coverage is in [0, 1]; for equal distributions it is expected to be
    1 - prod_{i=1..k} (n - i) / (m + n - i), near 1 - 2^-k for n = m. Higher is better.

    Balls are open (`<`), as in prdc: a fake on a ball's edge is outside, so a copy of the real set has density
    exactly 1 where no two distances tie, and a real sample with k duplicates or more has an empty ball. Where
    all rows are one point both are 0, while `precision_recall` gives 1.

    Raises ValueError where k < 1, `real` has k rows or fewer, `fake` fewer than 2, widths differ, or a value is
    not finite. Source: Naeem et al. 2020, arXiv 2002.09797.
    """
    scores = PairReference(real, k_manifold=k, k_density=k).compare(fake, manifold=False)
    assert scores.density is not None and scores.coverage is not None
    return scores.density, scores.coverage

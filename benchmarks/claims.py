"""What papers claim, beside what our published boards say: ``python benchmarks/claims.py`` writes docs/claims.md.

Nothing is trained here: every figure is read from the records under `leaderboards/`. What made them stands in the page.
A claim is one or more comparisons of two rows, each by Welch's t-test between training seeds, adjusted by Holm for
their number; see `Comparison.verdict` for the five verdicts.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from points import row
from scipy.stats import spearmanr

from ganbench.boards.aggregate import Row
from ganbench.boards.board import build_board, published_store
from ganbench.boards.estimate import Estimate, is_logarithmic
from ganbench.boards.formatting import interval
from ganbench.boards.publish import read_request
from ganbench.boards.welch import ALPHA, Sample, detectable_gap, holm, probability_less
from ganbench.errors import RequestError
from ganbench.metric import MetricInfo

ROOT = Path(__file__).parents[1]
BOARDS = ROOT / "leaderboards"
PAGE = ROOT / "docs" / "claims.md"
QUICK, BINARY, RING, GRID = "mnist5k-quick", "mnist-binary-standard", "ring8-quick", "grid25-quick"
LEANING = 0.8
"""The confidence in one direction from which on a comparison that is not decided is said to lean."""
SURVIVORS = ("vanilla", "unrolled-gan", "pacgan", "r3gan", "wgan-gp")
"""Models with a slow discriminator on the ring, the plain GAN first."""
GOOD = 0.5
"""The share of good samples from which on a row's modes count: noise near every mode has caught none."""
HEAD = """# The papers' claims, with our figures

Written by `python benchmarks/claims.py` from the records under `leaderboards/`: nothing here is typed by hand. Means
over training seeds, as many as the boards say, with their 95 % intervals; FID in LeNet's features.

Two rows are compared by Welch's t-test between seeds, two-sided at 5 %, adjusted by Holm for the number of comparisons
of a claim. **Holds** and **refuted** are decided by that test, for the claim and against it. Where it decides nothing,
a comparison **leans so** or **leans against** where one direction has a confidence of 80 %, and is **tied** otherwise.
**Power** is the least difference that the seeds at hand would decide in 80 % of repetitions: a claim of a smaller one
could not have been seen. Papers trained larger networks for longer; what is refuted here is refuted at this budget.

"""


class Verdict(enum.StrEnum):
    HOLDS = "holds"
    LEANS_SO = "leans so"
    TIED = "tied"
    LEANS_AGAINST = "leans against"
    REFUTED = "refuted"


@dataclass(frozen=True)
class Comparison:
    """One claimed order: `better` is claimed to be better than `worse`, by a metric of a direction."""

    better: str
    worse: str
    a: Estimate
    b: Estimate
    info: MetricInfo

    @property
    def confidence(self) -> float:
        """The confidence that the claimed order is true; one half where a row has a single seed."""
        lower, higher = (self.a, self.b) if self.info.direction == "lower" else (self.b, self.a)
        found = probability_less(lower.sample, higher.sample)
        return 0.5 if found is None else found

    @property
    def p_value(self) -> float:
        """Two-sided."""
        return 2 * min(self.confidence, 1 - self.confidence)

    def verdict(self, adjusted: float) -> Verdict:
        """Return the verdict, given the p-value as adjusted for the other comparisons of the claim."""
        if adjusted < ALPHA:
            return Verdict.HOLDS if self.confidence > 0.5 else Verdict.REFUTED
        if self.confidence >= LEANING:
            return Verdict.LEANS_SO
        return Verdict.LEANS_AGAINST if self.confidence <= 1 - LEANING else Verdict.TIED

    def power(self, comparisons: int) -> str:
        """Say which difference would have been decided, at the level of the first of Holm's steps."""
        gap = detectable_gap(self.a.sample, self.b.sample, alpha=ALPHA / comparisons)
        if gap is None:
            return "none: one seed"
        return f"{math.exp(min(gap, 99)):.2f} times" if is_logarithmic(self.info) else f"{gap:.3g}"


@dataclass(frozen=True)
class Found:
    """What a board says of a claim: its figures, verdict and power, as text."""

    figures: str
    verdict: str
    power: str


Rows = dict[str, Row]


@dataclass(frozen=True)
class Claim:
    """What is claimed, by whom, where we look, and how what is seen there is read. `labels` are the rows it needs."""

    text: str
    source: str
    track: str
    labels: tuple[str, ...]
    read: Callable[[Rows, tuple[str, ...]], Found]


def find(rows: Rows, label: str) -> Row:
    """Return a row of a label; a name alone stands for the only row of it, whatever its hyper-parameters."""
    if label in rows:
        return rows[label]
    found = [row for row in rows.values() if row.info.name == label]
    if len(found) != 1:
        raise KeyError(label)
    return found[0]


def estimate(rows: Rows, label: str, metric: str) -> Estimate:
    found = find(rows, label).metrics
    if metric not in found:
        raise KeyError(f"{label} with {metric}")
    return found[metric]


def info(rows: Rows, label: str, metric: str) -> MetricInfo:
    return next(
        entry.score.metric_info[metric] for entry in find(rows, label).ok if entry.score and metric in entry.metrics
    )


def shown(rows: Rows, labels: Iterable[str], metric: str) -> str:
    each = (f"`{label}` {interval(estimate(rows, label, metric), info(rows, label, metric))}" for label in labels)
    return f"{info(rows, next(iter(labels)), metric).title} {', '.join(each)}"


def decide(comparisons: list[Comparison]) -> tuple[str, str]:
    """Return verdicts, alike ones together, and the power of each comparison."""
    adjusted = holm([each.p_value for each in comparisons])
    verdicts: dict[Verdict, list[str]] = {}
    for each, p in zip(comparisons, adjusted, strict=True):
        verdicts.setdefault(each.verdict(p), []).append(f"`{each.better}` over `{each.worse}`")
    told = [
        verdict if len(comparisons) == 1 else f"{verdict}: {', '.join(verdicts[verdict])}"
        for verdict in Verdict
        if verdict in verdicts
    ]
    powers = dict.fromkeys(each.power(len(comparisons)) for each in comparisons)
    return "; ".join(told), ", ".join(powers)


def compared(rows: Rows, pairs: Iterable[tuple[str, str]], metric: str) -> list[Comparison]:
    return [
        Comparison(a, b, estimate(rows, a, metric), estimate(rows, b, metric), info(rows, a, metric)) for a, b in pairs
    ]


# How claims are read.

Read = Callable[[Rows, tuple[str, ...]], Found]
Pairs = Callable[[tuple[str, ...]], Iterable[tuple[str, str]]]
"""Which of some labels is claimed to be better than which."""


def ordered(metric: str, pairs: Pairs) -> Read:
    def read(rows: Rows, labels: tuple[str, ...]) -> Found:
        return Found(shown(rows, labels, metric), *decide(compared(rows, pairs(labels), metric)))

    return read


def better(metric: str) -> Read:
    """The first label is better than every other."""
    return ordered(metric, lambda labels: [(labels[0], other) for other in labels[1:]])


def worse(metric: str) -> Read:
    """Every other label is better than the first."""
    return ordered(metric, lambda labels: [(other, labels[0]) for other in labels[1:]])


def chain(metric: str) -> Read:
    """Each label is better than the next."""
    return ordered(metric, lambda labels: zip(labels, labels[1:], strict=False))


def alike(metric: str) -> Read:
    """No label is better than another: refuted where any two are told apart."""

    def read(rows: Rows, labels: tuple[str, ...]) -> Found:
        pairs = [(a, b) for at, a in enumerate(labels) for b in labels[at + 1 :]]
        comparisons = compared(rows, pairs, metric)
        adjusted = holm([each.p_value for each in comparisons])
        apart = [
            f"`{each.better}` and `{each.worse}`" for each, p in zip(comparisons, adjusted, strict=True) if p < ALPHA
        ]
        verdict = f"refuted: told apart are {', '.join(apart)}" if apart else "tied: no two are told apart"
        gaps = [each.power(len(comparisons)) for each in comparisons]
        return Found(shown(rows, labels, metric), verdict, f"{min(gaps)} to {max(gaps)}")

    return read


def uncorrelated(x: str, y: str) -> Read:
    """Over all models that have both, one metric does not predict the other (Spearman's rank correlation)."""

    def read(rows: Rows, labels: tuple[str, ...]) -> Found:
        both = [row for row in rows.values() if row.role == "model" and x in row.metrics and y in row.metrics]
        if len(both) < 5:
            raise KeyError(f"five models with {x} and {y}")
        found = spearmanr([row.metrics[x].mean for row in both], [row.metrics[y].mean for row in both])
        rho, p, n = float(found.statistic), float(found.pvalue), len(both)
        titles = " and ".join(info(rows, both[0].label, metric).title for metric in (x, y))
        names = ", ".join(f"`{row.label}`" for row in both)
        verdict = "refuted: they are correlated" if p < ALPHA else Verdict.TIED + ": no correlation is shown"
        least = math.tanh((1.96 + 0.84) * math.sqrt(1.06 / (n - 3)))
        return Found(
            f"rank correlation of {titles} over {n} models ({names}): {rho:.2f}, p = {p:.2g}", verdict,
            f"correlations of {least:.2f}",
        )  # fmt: skip

    return read


def modes(rows: Rows, labels: tuple[str, ...]) -> Found:
    """Every other label catches more modes than the first; modes of a row with few good samples count as none."""
    counted = {}
    for label in labels:
        found = estimate(rows, label, "modes")
        if estimate(rows, label, "high_quality").mean < GOOD:
            found = Estimate(0.0, 0.0, 0.0, found.n, Sample(0.0, 0.0, found.n))
        counted[label] = found
    of = info(rows, labels[0], "modes")
    comparisons = [Comparison(each, labels[0], counted[each], counted[labels[0]], of) for each in labels[1:]]
    figures = f"{shown(rows, labels, 'modes')}; {shown(rows, labels, 'high_quality')}"
    return Found(figures, *decide(comparisons))


CLAIMS = (
    Claim("a mixture of 10 Gaussians fitted to its codes improves a plain autoencoder's FID over one Gaussian",
          "arXiv:1903.12436", QUICK, ("ae-gmm", "ae-gmm[components=1]"), better("fid")),
    Claim("regularised autoencoders, or WAE, with a fitted mixture beat a VAE that samples from its prior",
          "arXiv:1903.12436, arXiv:2206.08309", QUICK,
          ("conv-vae", "rae-l2", "rae-gp", "vae-gmm", "wae-mmd[components=10]"), worse("fid")),
    Claim("WGAN-GP trains where a plain GAN without batch normalisation is worse", "arXiv:1704.00028", QUICK,
          ("wgan-gp[batch_norm=false]", "dcgan[batch_norm=false]"), better("fid")),
    Claim("GANs teach a classifier less than real images do", "arXiv:1905.10887", QUICK,
          ("real", "cgan", "acgan", "projection-gan", "biggan"), better("cas")),
    Claim("FID does not predict what a classifier learns from samples", "arXiv:1905.10887", QUICK, (),
          uncorrelated("fid", "cas")),
    Claim("no loss of a GAN is better than the others", "arXiv:1711.10337", QUICK,
          ("dcgan", "lsgan", "dragan", "wgan-gp", "sngan"), alike("fid")),
    Claim("augmentation of what the discriminator sees helps where images are few", "arXiv:2006.10738", QUICK,
          ("dcgan", "dcgan[translation=0]"), better("fid")),
    Claim("penalties on real and generated images (R1 and R2) are better than R1 alone", "arXiv:2501.05441", QUICK,
          ("r3gan", "r3gan[fake_penalty=false]"), better("fid")),
    Claim("clusters in place of labels improve a GAN without labels", "arXiv:2006.10728", QUICK,
          ("self-conditioned-gan", "dcgan"), better("fid")),
    Claim("clusters close the gap to a GAN with labels", "arXiv:2006.10728", QUICK,
          ("self-conditioned-gan", "cgan"), alike("fid")),
    Claim("a second VAE over the codes improves the first", "arXiv:1903.05789", QUICK,
          ("two-stage-vae", "two-stage-vae[second_stage=false]"), better("fid")),
    Claim("more importance samples give a better bound", "arXiv:1509.00519", BINARY,
          ("iwae[samples=50]", "iwae", "iwae[samples=1]"), chain("nats")),
    Claim("a VampPrior gives a better bound than N(0, I)", "arXiv:1705.07120", BINARY,
          ("vamp", "conv-vae"), better("nats")),
    Claim("a ladder of latents gives a better bound than one layer", "arXiv:1602.02282", BINARY,
          ("ladder-vae", "conv-vae"), better("nats")),
    Claim("autoregressive models and flows have better likelihoods than VAEs", "arXiv:1606.05328", BINARY,
          ("vae", "pixelcnn", "realnvp"), worse("nats")),
    Claim("a GAN whose discriminator is slow drops modes of a ring that others keep", "arXiv:1611.02163", RING,
          tuple(row(RING, name, slow=True) for name in SURVIVORS), modes),
    Claim("a GAN drops modes of a grid of Gaussians that packing keeps", "arXiv:1712.04086", GRID,
          tuple(row(GRID, name) for name in ("vanilla", "pacgan")), modes),
)  # fmt: skip


def rows_of(track: str) -> Rows:
    """Return a published board's rows by label, none where it is not published yet."""
    try:
        board = build_board(read_request(BOARDS / track), [published_store(BOARDS, track)])
    except RequestError:
        return {}
    return {each.row.label: each.row for each in board.rows}


def commands(boards: dict[str, Rows]) -> Iterator[str]:
    """Yield the commands that the rows of the claims were made with, as their records tell."""
    for rows in boards.values():
        told = {
            " ".join(map(str, entry.run.provenance.get("command", [])))
            for row in rows.values()
            for entry in row.entries
            if row.role == "model"
        }
        yield from sorted(told - {""})


def main() -> None:
    boards = {claim.track: rows_of(claim.track) for claim in CLAIMS}
    lines = ["| claim | source | our figures | verdict | power |", "|---|---|---|---|---|"]
    for claim in CLAIMS:
        try:
            found = claim.read(boards[claim.track], claim.labels)
        except KeyError as missing:
            found = Found(f"not published yet: {missing.args[0]}", "not measured", "")
        sources = ", ".join(f"[{name}](https://arxiv.org/abs/{name[6:]})" for name in claim.source.split(", "))
        board = f"[{claim.track}](../leaderboards/{claim.track}.md)" if boards[claim.track] else claim.track
        lines.append(f"| {claim.text} | {sources} | {board}: {found.figures} | {found.verdict} | {found.power} |")
    lines += ["", "What made the records:", ""]
    lines += [f"    {command}" for command in commands(boards)]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n")
    print(PAGE)


if __name__ == "__main__":
    main()

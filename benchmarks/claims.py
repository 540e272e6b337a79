"""What papers claim, beside what our published boards say: ``python benchmarks/claims.py`` writes docs/claims.md.

Nothing is trained here: every figure is read from the records under `leaderboards/`. What made them stands in the page.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import fisher_exact

from ganbench.boards.aggregate import Row
from ganbench.boards.board import build_board, published_store
from ganbench.boards.estimate import Estimate
from ganbench.boards.formatting import interval
from ganbench.boards.publish import read_request
from ganbench.boards.welch import ALPHA, probability_less
from ganbench.errors import RequestError
from ganbench.metric import MetricInfo

ROOT = Path(__file__).parents[1]
BOARDS = ROOT / "leaderboards"
PAGE = ROOT / "docs" / "claims.md"
QUICK, BINARY, GRID, RING = "mnist5k-quick", "mnist5k-binary-quick", "grid25-quick", "ring8-quick"
OF_POINTS = "vanilla,r3gan,wgan-gp,lsgan,conv-vae,ae-gmm,gmm"
COMMANDS = {
    QUICK: (
        "ganbench run --plugins all",
        'ganbench run --plugins "ae-gmm[components=0],wae-mmd[components=10]"',
        'ganbench run --plugins "dcgan[batch_norm=false],wgan-gp[batch_norm=false]" --seeds 5',
    ),
    BINARY: (f'ganbench run --plugins "vae,iwae,draw,draw[steps=4],draw[steps=2]" --track {BINARY}',),
    GRID: (f"ganbench run --plugins {OF_POINTS} --track {GRID}",),
    RING: (f"ganbench run --plugins {OF_POINTS} --track {RING}",),
}
HEAD = """# The papers' claims, with our figures

Written by `python benchmarks/claims.py` from the records under `leaderboards/`: nothing here is typed by hand. Means
over training seeds, as many as the boards say, with their 95 % intervals; FID in LeNet's features. "Yes" needs Welch's
test at 5 %, as ranks do ([statistics](statistics.md)). Papers trained larger networks for longer: where a claim does
not hold here, that is what this budget shows and no more.

"""


@dataclass(frozen=True)
class Claim:
    """What is claimed, by whom, where we look, and how what is seen there is read: figures, and a verdict."""

    text: str
    source: str
    track: str
    read: Callable[[dict[str, Row]], tuple[str, str]]


def value(row: Row, metric: str) -> Estimate:
    return row.metrics[metric]


def info(row: Row, metric: str) -> MetricInfo:
    return next(entry.score.metric_info[metric] for entry in row.ok if entry.score and metric in entry.metrics)


def shown(rows: dict[str, Row], labels: tuple[str, ...], metric: str) -> str:
    return ", ".join(f"`{label}` {interval(value(rows[label], metric), info(rows[label], metric))}" for label in labels)


def told_apart(lower: Estimate, higher: Estimate) -> bool:
    chance = probability_less(lower.sample, higher.sample)
    return chance is not None and chance > 1 - ALPHA / 2


def holds(pairs: dict[str, tuple[Estimate, Estimate]]) -> str:
    """Say of which names the first estimate lies below the second: surely, in the mean, or not at all."""
    sure = [name for name, (lower, higher) in pairs.items() if told_apart(lower, higher)]
    mean = [name for name, (lower, higher) in pairs.items() if lower.mean < higher.mean and name not in sure]
    said = [f"yes: {', '.join(sure)}"] * bool(sure)
    said += [f"in the mean, not told apart: {', '.join(mean)}"] * bool(mean)
    return "; ".join(said) or "no"


def mixture(rows: dict[str, Row]) -> tuple[str, str]:
    labels = ("ae-gmm[components=0]", "ae-gmm")
    without, fitted = (value(rows[label], "fid") for label in labels)
    return f"FID {shown(rows, labels, 'fid')}", holds({f"{without.mean / fitted.mean:.1f} times": (fitted, without)})


def beyond_the_prior(rows: dict[str, Row]) -> tuple[str, str]:
    labels = tuple(label for label in ("rae-l2", "rae-gp", "vae-gmm", "wae-mmd[components=10]") if label in rows)
    prior = value(rows["conv-vae"], "fid")
    verdict = holds({f"`{label}`": (value(rows[label], "fid"), prior) for label in labels})
    return f"FID {shown(rows, ('conv-vae', *labels), 'fid')}", verdict


def failures(rows: dict[str, Row], label: str) -> tuple[int, int]:
    """Return how many of a row's runs failed, or ended less than five times better than noise, and of how many."""
    floor, row = value(rows["noise"], "fid").mean, rows[label]
    bad = sum(not entry.ok or entry.metrics["fid"].value > floor / 5 for entry in row.entries)
    return bad, len(row.entries)


def fragile(rows: dict[str, Row]) -> tuple[str, str]:
    plain, held = labels = ("dcgan[batch_norm=false]", "wgan-gp[batch_norm=false]")
    counts = {label: failures(rows, label) for label in (*labels, "vanilla", "dcgan", "wgan-gp")}
    told = ", ".join(f"`{label}` {bad} of {count}" for label, (bad, count) in counts.items())
    (bad, count), (held_bad, held_count) = counts[plain], counts[held]
    chance = float(fisher_exact([[bad, count - bad], [held_bad, held_count - held_bad]], "greater").pvalue)
    verdict = "yes" if chance < 0.05 else f"in their numbers, which may be chance (Fisher's exact test: {chance:.2f})"
    figures = f"runs that fail or stay above a fifth of noise's FID: {told}; FID {shown(rows, labels, 'fid')}"
    return figures, verdict if bad * held_count > held_bad * count else "no"


def conditional(rows: dict[str, Row]) -> tuple[str, str]:
    labels = ("cvae", "cgan", "acgan", "projection-gan")
    simple = value(rows["class-gaussian"], "cas")
    verdict = holds({f"`{label}`": (simple, value(rows[label], "cas")) for label in labels})
    return f"accuracy of a classifier trained on samples {shown(rows, ('class-gaussian', *labels), 'cas')}", verdict


def glimpses(rows: dict[str, Row]) -> tuple[str, str]:
    labels = ("draw[steps=2]", "draw[steps=4]", "draw")
    two, four, eight = (value(rows[label], "nats") for label in labels)
    return f"nats an image {shown(rows, labels, 'nats')}", holds({"4 after 2": (four, two), "8 after 4": (eight, four)})


def dropped(rows: dict[str, Row]) -> tuple[str, str]:
    labels = tuple(label for label, row in rows.items() if row.role == "model" and "modes" in row.metrics)
    others = [label for label in labels if label != "vanilla"]
    vanilla = value(rows["vanilla"], "modes")
    verdict = holds({f"`{label}`": (vanilla, value(rows[label], "modes")) for label in others})
    figures = (
        f"modes caught of {value(rows['real'], 'modes').mean:.0f} {shown(rows, labels, 'modes')}; "
        f"share of good samples {shown(rows, labels, 'high_quality')}"
    )
    return figures, verdict


CLAIMS = (
    Claim("a mixture fitted to its codes improves a plain autoencoder's FID several-fold", "arXiv:1903.12436", QUICK,
          mixture),
    Claim("regularised autoencoders, or WAE, with a fitted mixture beat a VAE that samples from its prior",
          "arXiv:1903.12436, arXiv:2206.08309", QUICK, beyond_the_prior),
    Claim("WGAN-GP trains where a plain GAN without batch normalisation is fragile", "arXiv:1704.00028", QUICK,
          fragile),
    Claim("deep conditional models teach a classifier far more than a Gaussian for each class does",
          "arXiv:1905.10887", QUICK, conditional),
    Claim("more glimpses give DRAW a better bound", "arXiv:1502.04623", BINARY, glimpses),
    Claim("a plain GAN drops modes of a ring of Gaussians that others keep", "arXiv:1611.02163, arXiv:1705.07761",
          RING, dropped),
    Claim("a plain GAN drops modes of a grid of Gaussians that others keep", "arXiv:1705.07761", GRID, dropped),
)  # fmt: skip


def rows_of(track: str) -> dict[str, Row]:
    """Return a published board's rows by label, none where it is not published yet."""
    try:
        board = build_board(read_request(BOARDS / track), [published_store(BOARDS, track)])
    except RequestError:
        return {}
    return {each.row.label: each.row for each in board.rows}


def main() -> None:
    boards = {track: rows_of(track) for track in COMMANDS}
    lines = ["| claim | source | our figures | does it hold here? |", "|---|---|---|---|"]
    for claim in CLAIMS:
        try:
            figures, verdict = claim.read(boards[claim.track])
        except KeyError as missing:
            figures, verdict = f"no run of {missing} yet", "not measured"
        sources = ", ".join(f"[{name}](https://arxiv.org/abs/{name[6:]})" for name in claim.source.split(", "))
        board = f"[{claim.track}](../leaderboards/{claim.track}.md)"
        lines.append(f"| {claim.text} | {sources} | {board}: {figures} | {verdict} |")
    lines += ["", "What made the records:", ""]
    lines += [f"    {command}" for commands in COMMANDS.values() for command in commands]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n")
    print(PAGE)


if __name__ == "__main__":
    main()

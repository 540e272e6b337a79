"""Rules for ranks from three to five seeds, simulated: ``python benchmarks/ranks.py`` (three minutes on one core).

The archived quick board gives 39 models: means and standard deviations of log FID over their seeds are taken for true,
and seeds are drawn from normal distributions on that scale. In the case `triples` models stand in triples of equals,
each 30 % above the one before; in the case `board` they have the board's own means. Our rule is not written again here:
`estimate`, `places` and `possible_firsts` are called as a board calls them. Prints what stands in docs/statistics.md;
exit status 1 where an aim is missed. A rank is 1 and the number of models that are truly better.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import math
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from ranking_rules import RULES, Bools, Floats, Rule, ours, samples_of, t_half_width

from ganbench.boards.board import build_board, published_store
from ganbench.boards.publish import read_request
from ganbench.boards.welch import Sample, places, possible_firsts, probability_next_less, seeds_to_tell_apart

BOARDS = Path(__file__).parents[1] / "leaderboards"
TRIALS = BOARDS / "archive-0.1" / "mnist5k-quick-trials.csv"
CASES = ("triples", "board", "equal")
TABLE = CASES[:2]
GAP = math.log(1.3)
NEAR = math.log(1.25), math.log(1.35)
"""What counts as a gap of 30 % where the means are a board's."""
NOISE = 0.22
"""What other samples of the same models bring, as a share of the variance over seeds; `spreads` prints real ones."""
BANDS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.99, 1.0)
SAME = 1e-9


def read_logs(path: Path) -> dict[str, Floats]:
    """Return log FID of every seed of every model, the best model first."""
    found = defaultdict(list)
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            if row["role"] == "model" and row["status"] == "ok":
                found[row["model"]].append(math.log(float(row["fid"])))
    return {label: np.array(found[label]) for label in sorted(found, key=lambda label: np.mean(found[label]))}


LOGS = read_logs(TRIALS)
SDS = np.array([logs.std(ddof=1) for logs in LOGS.values()])


@dataclass(frozen=True)
class Design:
    """What is simulated. `noise` is the share of the variance that scores tell as their standard errors.

    `dealt` gives every model the spread of another, on every board anew; `heavy` draws seeds from Student's t with 3
    degrees of freedom, of the same standard deviation.
    """

    case: str
    n: int
    repetitions: int
    noise: float = NOISE
    dealt: bool = False
    heavy: bool = False

    @cached_property
    def means(self) -> Floats:
        if self.case == "board":
            return np.array([logs.mean() for logs in LOGS.values()])
        return GAP * (np.arange(len(LOGS)) // 3) * (self.case == "triples")

    def boards(self) -> Iterator[tuple[Floats, Floats, Floats]]:
        """Return log FID (models, n), that of one more seed (models,), and squared standard errors (models,)."""
        draw = np.random.default_rng([self.n, CASES.index(self.case)])
        for _ in range(self.repetitions):
            sds = draw.permutation(SDS) if self.dealt else SDS
            shape = len(sds), self.n + 1
            drawn = draw.standard_t(3, shape) / math.sqrt(3) if self.heavy else draw.standard_normal(shape)
            logs = self.means[:, None] + sds[:, None] * drawn
            yield logs[:, :-1], logs[:, -1], self.noise * sds**2


class Shares:
    """What a rule did on each simulated board; boards are the sample that standard errors are taken over."""

    def __init__(self) -> None:
        self.boards: dict[str, list[float]] = defaultdict(list)

    def add(self, beats: Bools, spans: list[tuple[int, int]], firsts: list[bool], means: Floats) -> None:
        above = means[None] - means[:, None]  # of the column over the row
        equal, apart = np.triu(np.abs(above) < SAME, 1), (NEAR[0] < above) & (above < NEAR[1])
        best, worst = np.array(spans).T
        rank, last = 1 + (above < -SAME).sum(1), len(means) - (above > SAME).sum(1)
        found = {
            "separated": (beats | beats.T)[equal], "seen": beats[apart], "covered": (best <= rank) & (rank <= worst),
            "with ties": (best <= rank) & (last <= worst), "all": np.array([((best <= rank) & (rank <= worst)).all()]),
            "width": worst - best, "top holds": np.array(firsts)[rank == 1], "top": np.array([sum(firsts)]),
        }  # fmt: skip
        for name, values in found.items():
            if len(values):
                self.boards[name].append(float(np.mean(values)))

    def mean(self, name: str) -> float:
        return float(np.mean(self.boards[name]))

    def shown(self, name: str, unit: float = 1.0) -> str:
        """Return the mean with its standard error."""
        values = self.boards.get(name)
        if not values:
            return "–"
        return f"{unit * self.mean(name):.1f} ± {unit * np.std(values, ddof=1) / math.sqrt(len(values)):.1f}"


def spans_of(beats: Bools) -> list[tuple[int, int]]:
    return [(1 + int(by), len(beats) - int(of)) for by, of in zip(beats.sum(0), beats.sum(1), strict=True)]


def simulate(rule: Rule, design: Design) -> Shares:
    shares = Shares()
    for logs, _, errors in design.boards():
        beats = rule(logs, errors)
        if rule is ours:
            samples = samples_of(logs, errors)
            shares.add(beats, places(samples), possible_firsts(samples), design.means)
        else:
            spans = spans_of(beats)
            shares.add(beats, spans, [best == 1 for best, _ in spans], design.means)
    return shares


def table(n: int, found: dict[str, dict[str, Shares]]) -> Iterator[str]:
    titles = ("two equal models separated, %", "a 30 % gap seen, %", "rank covered, %", "mean width, places",
              "the top holds the best, %", "rows in the top")  # fmt: skip
    names = (("separated", 100), ("seen", 100), ("covered", 100), ("width", 1), ("top holds", 100), ("top", 1))
    yield f"\nn = {n} seeds; triples / board; each ± its standard error over boards\n"
    yield "| rule | " + " | ".join(titles) + " |"
    yield "|---" * (len(titles) + 1) + "|"
    for rule, cases in found.items():
        cells = (" / ".join(cases[case].shown(*name) for case in TABLE).removesuffix(" / –") for name in names)
        yield f"| {rule} | " + " | ".join(cells) + " |"


def variations(n: int, repetitions: int) -> Iterator[str]:
    """Say how our rule does where something is otherwise."""
    names = ("separated", "seen", "covered", "with ties", "all", "top holds")
    titles = (
        "two equal models separated, %", "a 30 % gap seen, %", "rank covered, %", "with all places of its equals, %",
        "all 39 ranks at once, %", "the top holds the best, %",
    )  # fmt: skip
    yield f"\nour rule where something is otherwise, n = {n}\n"
    yield "| simulated | " + " | ".join(titles) + " |"
    yield "|---" * (len(titles) + 1) + "|"
    for what, design in {
        "the board's own means": Design("board", n, repetitions),
        "triples": Design("triples", n, repetitions),
        "triples, no standard errors known": Design("triples", n, repetitions, noise=0.0),
        "triples, spreads dealt anew on every board": Design("triples", n, repetitions, dealt=True),
        "triples, heavy tails": Design("triples", n, repetitions, heavy=True),
        "all models equal": Design("equal", n, repetitions),
    }.items():
        shares = simulate(ours, design)
        yield f"| {what} | {' | '.join(shares.shown(name, 100) for name in names)} |"


def calibration(n: int, repetitions: int) -> Iterator[str]:
    """Say how often the next seed of A was less than that of B, by what was said of it."""
    yield f"\nP(next seed of A < next of B) on the board, n = {n}: said on average, and how often it was so\n"
    said, true = [], []
    for logs, following, errors in Design("board", n, repetitions).boards():
        samples = samples_of(logs, errors)
        for (a, next_a), (b, next_b) in itertools.permutations(zip(samples, following, strict=True), 2):
            said.append(probability_next_less(a, b) or 0.0)
            true.append(next_a < next_b)
    chances, less = np.array(said).reshape(repetitions, -1), np.array(true).reshape(repetitions, -1)
    for low, high in itertools.pairwise(BANDS):
        these = (low <= chances) & ((chances < high) | (high == 1.0))
        by_board = np.array([less[at][these[at]].mean() for at in range(repetitions) if these[at].any()])
        error = by_board.std(ddof=1) / math.sqrt(len(by_board))
        yield f"- {low:g} to {high:g}: {chances[these].mean():.3f}, {less[these].mean():.3f} ± {error:.3f}"


def spreads() -> Iterator[str]:
    """Say how spread goes with the mean, and what scored images have in it."""
    yield "\nspread over seeds on the archived board: median sd of FID, of log FID\n"
    for title, part in zip(("best", "middle", "last"), np.array_split(np.array(list(LOGS)), 3), strict=True):
        fids = [np.exp(LOGS[label]).std(ddof=1) for label in part]
        yield f"- {title} {len(part)}: {np.median(fids):.1f}, {np.median([LOGS[at].std(ddof=1) for at in part]):.3f}"
    yield "\nnoise of the scored images as a share of the variance of log FID over seeds, published quick board\n"
    name = "mnist5k-quick"
    for each in build_board(read_request(BOARDS / name), [published_store(BOARDS, name)]).models:
        scores = [entry.metrics["fid"] for entry in each.row.ok]
        noise = np.mean([(score.se or 0.0) ** 2 / score.value**2 for score in scores])
        yield f"- {each.row.label}: {noise / np.var(np.log([score.value for score in scores]), ddof=1):.2f}"


def archived() -> Iterator[str]:
    """Say what both rules make of the archived board itself, whose table has no standard errors."""
    raw = [(np.exp(logs).mean(), t_half_width(np.exp(logs))) for logs in LOGS.values()]
    apart = np.array([[mean + half < other - wide for other, wide in raw] for mean, half in raw])
    samples = [Sample(float(logs.mean()), float(logs.var(ddof=1)), len(logs)) for logs in LOGS.values()]
    before, now = spans_of(apart), places(samples)
    yield "\nthe archived board itself: mean width of its rank intervals in places\n"
    for what, spans in (("overlap of intervals of FID", before), ("Welch on log FID", now)):
        yield f"- {what}: {np.mean([worst - best for best, worst in spans]):.1f}"
    for at, label in enumerate(LOGS):
        if label in ("acgan", "sngan", "began", "dcgan[batch_norm=false]"):
            yield f"- {label}: {'-'.join(map(str, before[at]))} before, {'-'.join(map(str, now[at]))} now"
    firsts = (label for label, may in zip(LOGS, possible_firsts(samples), strict=True) if may)
    yield f"- the best is one of {', '.join(firsts)}"


def seeds_needed() -> Iterator[str]:
    variance = float(np.median(SDS)) ** 2
    yield "\nseeds of each that tell two models of the median spread apart in 80 % of cases\n"
    for percent in (10, 20, 30, 50, 100):
        gap = math.log1p(percent / 100)
        yield f"- a gap of {percent} %: {seeds_to_tell_apart(Sample(0.0, variance, 3), Sample(gap, variance, 3))}"


def missed(n: int, cases: dict[str, Shares]) -> Iterator[str]:
    """Return the aims that our rule misses."""
    if (separated := cases["triples"].mean("separated")) > 0.06:
        yield f"n = {n}: two equal models separated in {separated:.3f}, more than 0.06"
    for case, shares in cases.items():
        for name, least in (("seen", 0.55), ("covered", 0.97), ("top holds", 0.98)):
            if (share := shares.mean(name)) < least:
                yield f"n = {n}, {case}: {name} in {share:.3f}, less than {least}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=300, help="simulated boards of each case (300)")
    parser.add_argument("--seeds", type=int, nargs="+", default=[3, 5], help="training seeds of a model (3 5)")
    asked = parser.parse_args()
    began, misses = time.perf_counter(), list[str]()
    spread = f"sd of log FID over seeds {SDS.min():.3f} to {SDS.max():.2f}, median {np.median(SDS):.3f}"
    print(f"{len(LOGS)} models; {spread}; {asked.repetitions} boards of each case")
    for n in asked.seeds:
        found = {
            name: {case: simulate(rule, Design(case, n, asked.repetitions)) for case in TABLE}
            for name, rule in RULES.items()
        }
        misses += missed(n, next(found[name] for name, rule in RULES.items() if rule is ours))
        print(*table(n, found), *variations(n, asked.repetitions), *calibration(n, asked.repetitions), sep="\n")
    print(*spreads(), *archived(), *seeds_needed(), sep="\n")
    print(*("\nMISSED: " + miss for miss in misses), f"\n{time.perf_counter() - began:.0f} s", sep="\n")
    return 1 if misses else 0


if __name__ == "__main__":
    sys.exit(main())

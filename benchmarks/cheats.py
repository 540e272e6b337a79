"""How far apart honest runs and cheats lie in what a board flags: ``python benchmarks/cheats.py RUNS [--write]``.

RUNS is a store of finished runs on `mnist5k` with their samples, such as a search leaves; each is scored against the
validation split, as searches are. Then images are made as cheats would make them (copies of the images that samples are
compared with, copies of training images, as they are and changed, noise that is fitted to the extractor) and scored
alike. Nothing is trained, and nothing is downloaded. ``--write`` puts the tables into docs/cheats.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from itertools import starmap
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from ganbench.boards.flags import CLOSE, DECADES, DISAGREEMENT, DUPLICATES
from ganbench.data.dataset import Dataset
from ganbench.data.pixels import to_uint8
from ganbench.errors import RequestError
from ganbench.extractors.bundled import LENETS
from ganbench.metrics.spectrum import log_spectrum
from ganbench.registry.builtins import built_in
from ganbench.registry.lookup import find_metrics, load_dataset
from ganbench.scoring.baselines import draw_baseline
from ganbench.scoring.evaluator import Evaluator
from ganbench.store.run_record import RunStatus
from ganbench.store.samples import read_samples
from ganbench.store.store import Store

DOCS = Path(__file__).parents[1] / "docs" / "cheats.md"
DATASET, SPLIT, N = "mnist5k", "validation", 1000
NOTED = ("fid", "duplicates", "leaks", "spectrum")
METRICS = ("fid", "authenticity", "copying", *NOTED[1:])
CPU = torch.device("cpu")


class Row(NamedTuple):
    """What was measured of one set of samples; `other` is their FID under the second extractor."""

    name: str
    values: dict[str, float]
    other: float


class Measure:
    """Scores samples as a board does, under both extractors; `names` are metrics under the first."""

    def __init__(self, dataset: Dataset, names: tuple[str, ...]) -> None:
        registry = built_in()
        self._evaluators = [
            Evaluator(
                dataset, source.load(CPU, None), source.identity(None), find_metrics(names, registry), oracle=False,
                device=CPU, against=SPLIT,
            )
            for source, names in zip(LENETS, (names, ("fid",)), strict=True)
        ]  # fmt: skip

    def __call__(self, name: str, images: Tensor) -> Row:
        one, other = (evaluator.score(images[:N]) for evaluator in self._evaluators)
        return Row(name, {name: score.value for name, score in one.scores.items()}, other.scores["fid"].value)


def shifted(images: Tensor, most: int, random: torch.Generator) -> Tensor:
    moves = torch.randint(-most, most + 1, (len(images), 2), generator=random).tolist()
    return torch.stack([torch.roll(image, tuple(move), (1, 2)) for image, move in zip(images, moves, strict=True)])


def noisy(images: Tensor, sd: float, random: torch.Generator) -> Tensor:
    return (images + sd * torch.randn(images.shape, generator=random)).clamp(0, 255).round().to(torch.uint8)


def turned(images: Tensor, random: torch.Generator, *, degrees: float = 0, stretch: float = 0) -> Tensor:
    """Return images turned by up to so many degrees and made larger or smaller by up to a share, both ways."""
    angles, sizes = ((2 * torch.rand(len(images), generator=random) - 1) * most for most in (degrees, stretch))
    sine, cosine = (1 + sizes) * torch.sin(angles.deg2rad()), (1 + sizes) * torch.cos(angles.deg2rad())
    zero = torch.zeros(len(images))
    maps = torch.stack([torch.stack([cosine, -sine, zero], 1), torch.stack([sine, cosine, zero], 1)], 1)
    grid = F.affine_grid(maps, list(images.shape), align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False).round().to(torch.uint8)


def fitted(train: Tensor, random: torch.Generator, *, spectrum: bool, steps: int = 60) -> Tensor:
    """Return noise whose features under the track's extractor are those of training images, by gradient descent.

    With `spectrum` its mean power spectrum is fitted, too.
    """
    network = LENETS[0].load(CPU, None)._network  # type: ignore[attr-defined]
    chosen = train[torch.randperm(len(train), generator=random)[:N]]
    wanted = log_spectrum(chosen)
    with torch.no_grad():
        target = network(chosen.float() / 127.5 - 1)[0]
    noise = (0.5 * torch.randn(chosen.shape, generator=random)).requires_grad_()
    optimiser = torch.optim.Adam([noise], lr=0.15)
    for _ in range(steps):
        images = torch.tanh(noise)
        loss = (network(images)[0] - target).square().sum(dim=1).mean()
        if spectrum:
            loss = loss + 1000 * (log_spectrum(127.5 * (images + 1)) - wanted).square().mean().float()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return to_uint8(torch.tanh(noise.detach()))


def cheats(dataset: Dataset) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """Yield cheats in words, and how their samples are made."""
    train, seen, unseen = (torch.from_numpy(dataset.split(name).images) for name in ("train", SPLIT, "test"))
    random = torch.Generator().manual_seed(1)
    some = train[torch.randperm(len(train), generator=random)[:N]]
    yield "the images compared with", lambda: seen
    yield "half of them, half unseen", lambda: torch.cat([seen[: N // 2], unseen[: N // 2]])
    yield "the same, shifted by 1, noise 20", lambda: noisy(shifted(seen, 1, random), 20, random)
    yield "training images", lambda: some
    yield "mirrored", lambda: some.flip(-1)
    yield "shifted by up to 1", lambda: shifted(some, 1, random)
    yield "shifted by up to 1, noise 20", lambda: noisy(shifted(some, 1, random), 20, random)
    yield "shifted by up to 2, noise 20", lambda: noisy(shifted(some, 2, random), 20, random)
    yield "shifted by up to 1, noise 40", lambda: noisy(shifted(some, 1, random), 40, random)
    yield "larger or smaller by up to 10 %", lambda: turned(some, random, stretch=0.1)
    yield "turned by up to 5°", lambda: turned(some, random, degrees=5)
    yield "turned by up to 10°", lambda: turned(some, random, degrees=10)
    yield "turned by up to 15°", lambda: turned(some, random, degrees=15)
    yield "one in five a training image", lambda: torch.cat([some[: N // 5], unseen[: N - N // 5]])
    yield "one in twenty a training image", lambda: torch.cat([some[: N // 20], unseen[: N - N // 20]])
    yield "noise fitted to the extractor", lambda: fitted(train, random, spectrum=False)
    yield "noise fitted to it and to the spectrum", lambda: fitted(train, random, spectrum=True)


def honest(store: Store, dataset: Dataset) -> Iterator[tuple[str, Tensor]]:
    """Yield the label and the samples of each finished run of a model on this data set."""
    for stored in store.records():
        run = stored.record
        if run is None or run.status is not RunStatus.OK or run.samples is None or run.spec.model_info.role != "model":
            continue
        if run.spec.training.train_sha256 != dataset.train_sha256 or run.samples.n < N:
            continue
        try:
            yield run.spec.model_info.label, torch.from_numpy(read_samples(stored.folder, run.samples, N))
        except (FileNotFoundError, RequestError) as error:
            print(f"left out {stored.key}: {error}")


def table(rows: list[Row], floor: Row) -> list[str]:
    """Return rows in Markdown, with what flags each."""
    lines = ["| samples | FID | Auth | C_T | Dup | Leak | Spec | FID, other | ratio | noted |"]
    lines.append("| --- |" + " ---: |" * 8 + " --- |")
    for row in rows:
        found = row.values
        cells = [f"{found[name]:.{digits}f}" for name, digits in zip(METRICS, (1, 2, 1, 3, 3, 2), strict=True)]
        noted = ", ".join(flagged(row, floor)) or "–"
        lines.append(
            f"| {row.name} | " + " | ".join(cells) + f" | {row.other:.1f} | {ratio(row, floor):.2f} | {noted} |"
        )
    return lines


def ratio(row: Row, floor: Row) -> float:
    """Return how much larger a part of noise's FID the other extractor finds than the track's; 1 where both are 0."""
    own, other = row.values["fid"] / floor.values["fid"], row.other / floor.other
    return other / own if own > 1e-9 else 1.0


def flagged(row: Row, floor: Row) -> Iterator[str]:
    found = row.values
    if found["duplicates"] > DUPLICATES:
        yield "copies"
    if found["leaks"] > DUPLICATES:
        yield "leaks"
    if found["fid"] < CLOSE * floor.values["fid"] and found["spectrum"] > DECADES:
        yield "fitted (spectrum)"
    if ratio(row, floor) > DISAGREEMENT:
        yield "fitted (other extractor)"


def model(row: Row) -> str:
    return row.name.partition("[")[0]


def summary(rows: list[Row], floor: Row) -> list[str]:
    """Return what the worst of the honest runs show, and how far that is from each threshold."""

    def worst(value: Callable[[Row], float], least: float) -> str:
        row = max(rows, key=value)
        return f"{value(row):.3f} ({model(row)}) | {least}"

    near = [row for row in rows if row.values["fid"] < CLOSE * floor.values["fid"]]
    models = len({model(row) for row in rows})
    noted = sum(any(flagged(row, floor)) for row in rows)
    fids = [row.values["fid"] for row in rows]
    lines = [
        f"{len(rows)} honest runs of {models} models on `{DATASET}`, against its {SPLIT} split, {N:,} samples each, "
        f"FID {min(fids):.1f} to {max(fids):.0f}. Noted: {noted}.",
        "",
        "| column | largest of the honest runs | noted above |",
        "| --- | ---: | ---: |",
        "| Dup | " + worst(lambda row: row.values["duplicates"], DUPLICATES) + " |",
        "| Leak | " + worst(lambda row: row.values["leaks"], DUPLICATES) + " |",
    ]
    if near:
        far = max(near, key=lambda row: row.values["spectrum"])
        lines.append(
            f"| Spec, of the {len(near)} runs with FID below {CLOSE * floor.values['fid']:.0f} | "
            f"{far.values['spectrum']:.3f} ({model(far)}) | {DECADES} |"
        )
    return [
        *lines,
        "| part of noise's FID, other by own | " + worst(lambda row: ratio(row, floor), DISAGREEMENT) + " |",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, metavar="RUNS")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {DOCS.name} between their marks")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    dataset = load_dataset(DATASET, built_in(), None)
    measure = Measure(dataset, METRICS)
    baselines = {
        name: measure(f"*{name}*", torch.from_numpy(draw_baseline(name, dataset, N, against=SPLIT).samples))
        for name in ("real", "noise")
    }
    floor = baselines["noise"]
    runs = list(starmap(Measure(dataset, NOTED), honest(Store(arguments.runs), dataset)))
    if not runs:
        raise SystemExit(f"{arguments.runs}: no finished runs on {DATASET} with their samples")
    tried = [measure(name, make()) for name, make in cheats(dataset)]
    lines = [
        *summary(runs, floor), "", "What the cheats show, made of the same images and scored alike:", "",
        *table([*baselines.values(), *tried], floor),
    ]  # fmt: skip
    text = "\n".join(lines)
    print(text)
    if arguments.write:
        begin, end = "<!-- calibration -->", "<!-- /calibration -->"
        before, _, rest = DOCS.read_text().partition(begin)
        DOCS.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}")


if __name__ == "__main__":
    main()

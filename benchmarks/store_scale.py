"""How a large store is read: ``python benchmarks/store_scale.py [--runs 10000] [--repeats 5]``.

Makes a store of simulated runs, each with one score file, in a temporary folder. Prints wall seconds of ``ganbench
runs`` as a process of its own, the first time, which makes an index, and afterwards; of reading all runs with
their scores in this process; and of building the board of all of them, with its tables. The files are in the page
cache, as they are when they were just written or read.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ganbench.boards.board import Board, BoardRequest, build_board
from ganbench.boards.csv_table import board_csv, runs_csv
from ganbench.boards.markdown import markdown
from ganbench.metric import HEADLINE, STANDARD, MetricInfo, Score
from ganbench.store import index
from ganbench.store.run_record import CurvePoint, RunRecord, RunStatus
from ganbench.store.run_spec import ModelInfo, RunSpec, TrainingProtocol
from ganbench.store.samples import SampleFile
from ganbench.store.score_record import CurveScores, ScoreRecord, ScoringProtocol
from ganbench.store.seeds import derive, run_seed
from ganbench.store.store import Store
from ganbench.tracks.track import Track
from ganbench.util.checked_json import encode

POINTS = 5
INFO = {
    name: MetricInfo(name=name, title=name.upper(), direction="higher", meaning=f"what {name} means", source="arXiv")
    for name in STANDARD
}
PROTOCOL = ScoringProtocol(
    dataset="mnist5k", split="test", reference_sha256="c" * 64, train_sha256="d" * 64, extractor="lenet-mnist",
    extractor_sha256="e" * 64, samples=1000, curve_samples=500, classifier_steps=300, classifier_seeds=2,
)  # fmt: skip
TRAINING = TrainingProtocol(
    dataset="mnist5k", train_sha256="d" * 64, shape=(1, 28, 28), classes=10, n=4000, budget="100kimg"
)


def sha(*parts: object) -> str:
    return f"{derive(*parts):064x}"


def simulated(number: int) -> tuple[RunRecord, ScoreRecord]:
    """Return a run and its scores, of about the size that real ones have."""
    model, seed_index = divmod(number, 10)
    label = f"model{model % 40}[lr={model}]"
    spec = RunSpec(
        model_info=ModelInfo(
            name=f"model{model % 40}", label=label, family="gan", version="1", source=sha(model, "source"),
            paper="arXiv:1406.2661", distribution="ganbench 0.2.0", sampler="64 normal variables",
        ),
        import_path=f"models.model{model % 40}:Model",
        config={"batch_size": 64, "lr": model / 1e4, "latent_dim": 64, "width": 128, "beta1": 0.5, "beta2": 0.999},
        training=TRAINING,
        seed_index=seed_index, seed=run_seed("d" * 64, seed_index),
    )  # fmt: skip
    curve = [
        CurvePoint(
            images=6400 * 2**at, steps=100 * 2**at, seconds=9.123456 * 2**at, losses={"d": 1.2345678, "g": 0.8765432},
            samples=SampleFile(file=f"samples/at-{at}.npy", n=500, sha256=sha(number, at)),
        )
        for at in range(POINTS)
    ]  # fmt: skip
    run = RunRecord(
        key=spec.key, spec=spec, status=RunStatus.OK, curve=curve, images=100_000, steps=1563, parameters=1_234_567,
        samples=SampleFile(file="samples/final.npy", n=1000, sha256=sha(number, "final")), images_per_second=812.3456,
        seconds={"load": 0.51, "train": 120.12, "checkpoint": 0.8, "sample": 0.44, "total": 122.0},
        peak_memory_bytes=300 * 2**20, files={"checkpoint.pt": sha(number, "checkpoint")},
        provenance={
            "started": "2026-11-01T10:00:00+00:00", "command": ["ganbench", "run", "--plugins", label, "--seeds", "5"],
            "git_commit": "c0ffee" * 6, "git_dirty": False, "ganbench": "0.2.0", "python": "3.11.7", "torch": "2.15.0",
            "device": "cpu", "cpu": "AMD EPYC 9B14", "cores": 2, "threads": 1, "platform": "Linux-6.1-x86_64",
            "precision": "fp32", "deterministic": False,
        },
    )  # fmt: skip
    value = 20 + derive(number) % 1000 / 7
    score = ScoreRecord(
        key=PROTOCOL.key, run=run.key, protocol=PROTOCOL, samples_sha256=run.samples.sha256 if run.samples else "",
        n=1000, metrics={name: Score(value=value / 3, n=1000, sd=value / 17, se=value / 53) for name in STANDARD},
        metric_info=INFO, seconds=1.9, provenance=run.provenance,
        curve=[
            CurveScores(
                images=point.images, samples_sha256=point.samples.sha256 if point.samples else "", n=500,
                metrics=dict.fromkeys(STANDARD, value / 3) | {f"{name}_se": value / 53 for name in STANDARD},
            )
            for point in curve
        ],
    )  # fmt: skip
    return run, score


REQUEST = BoardRequest(
    Track(
        name="mnist5k-quick", version=1, summary="simulated", dataset="mnist5k", budget="100kimg", seeds=10,
        samples=1000, curve_points=POINTS, curve_samples=500, extractor="lenet-mnist", classifier_steps=300,
        metrics=STANDARD,
    ),
    TRAINING, PROTOCOL, HEADLINE, (HEADLINE, *(INFO[name] for name in STANDARD if name != HEADLINE.name)),
)  # fmt: skip


def tables(board: Board) -> None:
    """Make the text of a board's files."""
    board_csv(board), runs_csv(board), markdown(board, {}, {}, curves=False, overview=False)


def told(what: str, work: Callable[[], object], repeats: int) -> None:
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(f"{what}: median {median:.2f} s ({min(seconds):.2f} to {max(seconds):.2f}, n = {repeats})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store, sizes = Store(Path(folder, "runs")), [0, 0]
        for number in range(options.runs):
            run, score = simulated(number)
            paths = store.folder(run.key) / "run.json", store.score_path(run.key, score.key)
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
            # What `write` writes, without its fsync: 20,000 of them take minutes.
            for at, (record, path) in enumerate(zip((run, score), paths, strict=True)):
                sizes[at] += path.write_bytes(encode(record.model_dump(mode="json", by_alias=True)))
        sizes = [size // max(1, options.runs) for size in sizes]
        print(f"{options.runs:,} runs; a run.json has {sizes[0]:,} bytes, a score file {sizes[1]:,}", flush=True)
        command = [sys.executable, "-m", "ganbench", "runs", "--runs", str(store.root)]

        def listed() -> None:
            subprocess.run(command, capture_output=True, check=True)

        def listed_anew() -> None:
            (store.root / index.NAME).unlink(missing_ok=True)
            listed()

        time.sleep(index.YOUNG / 1e9)  # younger files are not kept in the index
        told("ganbench runs, without an index", listed_anew, options.repeats)
        told("ganbench runs", listed, options.repeats)
        told("read all runs", lambda: list(map(store.read, store.keys())), options.repeats)
        told("read all runs and scores", lambda: list(store.records()), options.repeats)
        told("a board of all runs", lambda: tables(build_board(REQUEST, [store])), options.repeats)
        found = list(store.records())
        assert len(found) == options.runs
        assert all(len(each.scores) == 1 and not each.problems for each in found)


if __name__ == "__main__":
    main()

"""What scoring costs: core-seconds of a track's final samples and of a point of its curve, on one thread.

    python benchmarks/scoring.py [--track mnist5k-quick] [--repeats 7]

The samples are held-out real images. Medians and ranges over repeats, after one that is not counted: it computes what
depends on the reference alone. Then each metric's median share of a labelled final scoring.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial

import torch

from ganbench.metric import Metric, Score
from ganbench.registry.builtins import built_in
from ganbench.registry.lookup import find_metrics, find_track, load_dataset
from ganbench.scoring.evaluator import Evaluator
from ganbench.scoring.metric_context import Classifier, MetricContext

CPU = torch.device("cpu")


def seconds(act: Callable[[], object]) -> float:
    """Return the core-seconds that `act` takes."""
    start = time.process_time()
    act()
    return time.process_time() - start


def timed(metric: Metric, spent: dict[str, list[float]]) -> Metric:
    """Return the metric, which notes its core-seconds in `spent`."""

    def compute(context: MetricContext) -> float | Score:
        start = time.process_time()
        found = metric.compute(context)
        spent[metric.name].append(time.process_time() - start)
        return found

    return metric.model_copy(update={"compute": compute})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--track", default="mnist5k-quick")
    parser.add_argument("--repeats", type=int, default=7)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    registry = built_in()
    track = find_track(asked.track, registry)
    dataset = load_dataset(track.dataset, registry, None)
    source = registry.get("extractors", track.extractor).thing
    spent = defaultdict[str, list[float]](list)
    metrics = [timed(metric, spent) for metric in find_metrics(track.metrics, registry)]
    made = list[Evaluator]()
    start = seconds(
        lambda: made.append(
            Evaluator(
                dataset, source.load(CPU, None), source.identity(None), metrics,
                oracle=0 < dataset.classes == source.classes_of(None), device=CPU, headline=track.headline,
            )
        )
    )  # fmt: skip
    (evaluator,) = made
    images = torch.from_numpy(dataset.validation.images[: track.samples])
    labels = dataset.validation.labels
    schedule = Classifier(track.classifier_steps, 0, track.classifier_seeds)
    final = partial(evaluator.score, images, classifier=schedule)
    acts: dict[str, Callable[[], object]] = {
        f"a curve point, {track.curve_samples}": partial(evaluator.score, images[: track.curve_samples], final=False),
        f"final, unlabelled, {len(images)}": final,
    }
    if labels is not None:
        acts[f"final, labelled, {len(images)}"] = partial(final, torch.from_numpy(labels[: track.samples]))
    print(f"{track.name}, {asked.repeats} repeats; an evaluator is made in {start:.2f} core-seconds")
    for name, act in acts.items():
        first = seconds(act)
        spent.clear()
        found = [seconds(act) for _ in range(asked.repeats)]
        print(f"{name:28} {statistics.median(found):7.3f} s [{min(found):.3f}, {max(found):.3f}], first {first:.3f} s")
    whole = statistics.median(found)
    parts = {name: statistics.median(times) for name, times in spent.items()}
    for name, part in (parts | {"features, rest": whole - sum(parts.values())}).items():
        print(f"  {name:26} {part:7.3f} s {part / whole:6.1%}")


if __name__ == "__main__":
    main()

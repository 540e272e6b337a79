"""Points: read, taken for features, scored; what is of images alone is left out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ganbench.data.dataset import Dataset
from ganbench.data.gaussian_mixtures import RING8
from ganbench.errors import RequestError
from ganbench.extractors.bundled import LENETS
from ganbench.extractors.coordinates import COORDINATES
from ganbench.registry.builtin_metrics import METRICS
from ganbench.scoring.evaluator import Evaluator
from ganbench.scoring.external.point_files import read_points
from ganbench.scoring.metric_context import Classifier

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def ring8() -> Dataset:
    return RING8.load(None)


def test_real_points_are_scored_by_what_applies_to_them(ring8: Dataset) -> None:
    chosen = [metric for metric in METRICS if metric.name not in ("authenticity", "copying")]  # the slow ones
    evaluator = Evaluator(
        ring8, COORDINATES.load(CPU, None), "coordinates", chosen, oracle=False, device=CPU, headline="mode_kl"
    )
    labels = torch.from_numpy(ring8.validation.labels)
    result = evaluator.score(torch.from_numpy(ring8.validation.images), labels, classifier=Classifier(1, 0))
    scores = {name: score.value for name, score in result.scores.items()}
    assert scores["modes"] == 8
    assert scores["high_quality"] == pytest.approx(1 - np.exp(-4.5), abs=0.007)
    assert 0 <= scores["mode_kl"] < 0.01
    assert scores["precision"] > 0.9
    assert sum(result.scores["mode_kl"].details["by_mode"]) == round(2500 * scores["high_quality"])
    needs = {name: result.skipped[name] for name in ("is", "cas", "cas_oracle", "gan_test")}
    assert needs == {
        "is": "needs probabilities", "cas": "needs classifier", "cas_oracle": "needs oracle, classifier",
        "gan_test": "needs oracle",
    }  # fmt: skip


def test_images_have_no_modes(digits: Dataset) -> None:
    chosen = [metric for metric in METRICS if metric.name in ("fid", "mode_kl", "modes", "high_quality")]
    evaluator = Evaluator(digits, LENETS[0].load(CPU, None), "lenet", chosen, oracle=False, device=CPU)
    result = evaluator.score(torch.from_numpy(digits.validation.images))
    assert result.skipped == dict.fromkeys(("mode_kl", "modes", "high_quality"), "needs modes")


def test_points_and_images_have_extractors_of_their_own() -> None:
    COORDINATES.check("ring8", (2,))
    LENETS[0].check("digits", (1, 8, 8))
    with pytest.raises(RequestError, match="'lenet-mnist': takes images, and ring8 holds points"):
        LENETS[0].check("ring8", (2,))
    with pytest.raises(RequestError, match="'coordinates': takes points, and digits holds images"):
        COORDINATES.check("digits", (1, 8, 8))
    with pytest.raises(RequestError, match="has no weights"):
        COORDINATES.sha256(Path("some.pt"))


def test_points_are_read_from_files_and_arrays(tmp_path: Path) -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (30, 2))
    path = tmp_path / "points.npz"
    np.savez(path, samples=points, labels=np.arange(30))
    found = read_points(path)
    assert (found.shape, found.pixels.dtype, len(found), found.labels.tolist()) == ((2,), np.float32, 30, [*range(30)])
    assert found.sha256 == read_points(torch.from_numpy(points)).sha256 == read_points(points.astype("f4")).sha256
    assert len(read_points(path, n=20)) == 20


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((30, 1, 8, 8)), "points are floating, of shape"),
        (np.zeros((30, 2), dtype=np.uint8), "points are floating, of shape"),
        (np.full((30, 2), np.nan), "holds NaN"),
        (np.full((30, 2), 2.0), "beyond"),
    ],
)
def test_what_is_no_points_is_refused_in_one_line(array: np.ndarray, message: str) -> None:
    with pytest.raises(RequestError, match=message) as refusal:
        read_points(array)
    assert "\n" not in str(refusal.value)

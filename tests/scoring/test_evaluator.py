"""The evaluator: the ceiling above the floor, copies exposed, and torch-fidelity's numbers on the same samples."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.utils.data import Dataset as TorchDataset

from ganbench import metric as scores
from ganbench.data.dataset import Dataset
from ganbench.extractors.bundled import LENETS
from ganbench.extractors.torch_fidelity import register_with_torch_fidelity
from ganbench.metric import flatten
from ganbench.metrics import authenticity, data_copying
from ganbench.registry.builtin_metrics import METRICS
from ganbench.scoring import features
from ganbench.scoring.evaluator import Evaluator
from ganbench.scoring.metric_context import Classifier, Real

CPU = torch.device("cpu")
STANDARD = [metric for metric in METRICS if metric.name in scores.STANDARD]
LENET = LENETS[0]
authenticity_module, copying_module = (
    sys.modules[f"ganbench.metrics.{name}"] for name in ("authenticity", "data_copying")
)


@pytest.fixture(scope="module")
def evaluator(mnist5k: Dataset) -> Evaluator:
    return Evaluator(mnist5k, LENET.load(CPU, None), LENET.identity(None), STANDARD, oracle=True, device=CPU)


def values(evaluator: Evaluator, images: Tensor) -> dict[str, float]:
    return flatten(evaluator.score(images).scores)


def noise(n: int) -> Tensor:
    return torch.randint(0, 256, (n, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def perturbed(images: Tensor) -> Tensor:
    """Return images a pixel further right, with noise: worse than real, better than nothing."""
    generator = torch.Generator().manual_seed(1)
    grain = torch.randint(0, 120, images.shape, dtype=torch.uint8, generator=generator)
    return torch.maximum(images.roll(1, dims=3), grain)


def test_real_is_better_than_perturbed_is_better_than_noise(evaluator: Evaluator, mnist5k: Dataset) -> None:
    validation = torch.from_numpy(mnist5k.validation.images)
    real, worse, floor = (
        values(evaluator, images) for images in (validation, perturbed(validation), noise(len(validation)))
    )
    for name in ("is", "recall", "coverage"):
        assert real[name] > worse[name] >= floor[name], name
    assert real["fid"] < worse["fid"] < floor["fid"]
    assert real["is"] > 9
    assert 0.5 < real["authenticity"] < 1


def test_training_images_are_left_alone_where_no_metric_needs_them(mnist5k: Dataset) -> None:
    """A slow extractor takes minutes for them."""
    fid = [metric for metric in METRICS if metric.name == "fid"]
    evaluator = Evaluator(mnist5k, LENET.load(CPU, None), LENET.identity(None), fid, oracle=True, device=CPU)
    assert evaluator.real.train is None
    assert evaluator.real.features is not None


def test_training_images_have_no_authenticity(evaluator: Evaluator, mnist5k: Dataset) -> None:
    found = values(evaluator, torch.from_numpy(mnist5k.train.images[:500]))
    assert found["authenticity"] == 0.0
    assert found["copying"] < -10
    assert found["precision"] > 0.8  # no other column sees it


def test_accuracies_are_there_where_they_apply(digits: Dataset, evaluator: Evaluator) -> None:
    images, labels = torch.from_numpy(digits.validation.images), torch.from_numpy(digits.validation.labels)

    def names(oracle: bool, labels: Tensor | None, steps: int) -> set[str]:
        small = Evaluator(digits, LENET.load(CPU, None), LENET.identity(None), STANDARD, oracle=oracle, device=CPU)
        classifier = Classifier(steps, seed=0) if steps else None
        return set(small.score(images, labels, classifier=classifier).scores) & {"cas", "gan_test", "cas_oracle"}

    assert names(True, labels, 2) == {"cas", "gan_test", "cas_oracle"}
    assert names(True, None, 2) == {"cas_oracle"}
    assert names(False, labels, 2) == {"cas"}
    assert names(True, labels, 0) == {"gan_test"}


def test_features_of_real_images_are_kept_by_content_and_extractor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digits: Dataset
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    calls = list[int]()
    extractor = LENET.load(CPU, None)
    images = torch.from_numpy(digits.test.images)

    def counting(images: Tensor) -> features.Features:
        calls.append(len(images))
        return extractor(images)

    first = features.extract_real(counting, "one", images)
    again = features.extract_real(counting, "one", images)
    assert sum(calls) == len(images)
    assert torch.equal(first.features, again.features)
    assert torch.equal(first.probabilities, again.probabilities)
    features.extract_real(counting, "two", images)
    changed = images.clone()
    changed[0, 0, 0, 0] ^= 1
    features.extract_real(counting, "one", changed)
    assert sum(calls) == 3 * len(images)
    for kept in tmp_path.rglob("*.safetensors"):
        kept.write_bytes(b"damaged")
    assert torch.equal(features.extract_real(counting, "one", images).features, first.features)
    assert sum(calls) == 4 * len(images)


class Stack(TorchDataset):  # type: ignore[type-arg]
    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index]


@pytest.mark.parametrize("change", [lambda images: images, perturbed], ids=["held-out", "perturbed"])
def test_torch_fidelity_agrees(evaluator: Evaluator, mnist5k: Dataset, change) -> None:
    # Where the two differ, and why that is no more than rounding here:
    # - IS depends on which rows share a split. torch-fidelity shuffles them with RandomState(2020) by default, and so
    #   do we; unshuffled it would differ by a few 1e-3. Its logits come from our probabilities: softmax undoes that.
    # - FID: torch-fidelity takes the trace of a square root by way of eigenvalues of the product of covariances, we by
    #   a symmetric form; both in float64.
    # - Precision and recall: its distances are float32, ours float64, so that a sample on the edge of a ball may fall
    #   on the other side. That would be 1/1000, more than the tolerance; with these images none does.
    from torch_fidelity import calculate_metrics

    register_with_torch_fidelity()
    samples, reference = change(torch.from_numpy(mnist5k.validation.images)), torch.from_numpy(mnist5k.test.images)
    ours = values(evaluator, samples)
    theirs = calculate_metrics(
        input1=Stack(samples), input2=Stack(reference), feature_extractor=LENET.name, isc=True, fid=True, prc=True,
        prc_neighborhood=3, isc_splits=10, batch_size=250, cuda=False, save_cpu_ram=True, cache=False, verbose=False,
    )  # fmt: skip
    expected = {
        "fid": theirs["frechet_inception_distance"], "is": theirs["inception_score_mean"],
        "is_sd": theirs["inception_score_std"], "precision": theirs["precision"], "recall": theirs["recall"],
    }  # fmt: skip
    assert {name: ours[name] for name in expected} == pytest.approx(expected, rel=1e-4)


def test_what_depends_on_real_images_alone_is_kept_between_workers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path))
    train, unseen, fake = (torch.randn(n, 4, generator=torch.Generator().manual_seed(n)) for n in (90, 80, 70))
    images = torch.zeros(80, 1, 8, 8, dtype=torch.uint8)
    first = Real(images, None, unseen, train=train)
    assert first.originals.authenticity(fake) == authenticity(train, fake)
    assert first.copying.score(fake) == data_copying(train, unseen, fake)

    def again(*words: object) -> None:
        raise AssertionError("computed again")

    for module, name in ((authenticity_module, "squared_radii"), (copying_module, "_k_means")):
        monkeypatch.setattr(module, name, again)
    second = Real(images, None, unseen, train=train)
    assert second.originals.authenticity(fake) == first.originals.authenticity(fake)
    assert second.copying.score(fake) == first.copying.score(fake)
    with pytest.raises(AssertionError, match="computed again"):
        Real(images, None, unseen, train=train + 1).originals  # noqa: B018

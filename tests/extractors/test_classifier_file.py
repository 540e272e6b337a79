"""Files of classifiers: a training, its file, what is refused as one, and how it is registered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from ganbench.data.dataset import Dataset, Split, make_dataset
from ganbench.errors import RequestError
from ganbench.extractors import architectures
from ganbench.extractors.base import ExtractorSource
from ganbench.extractors.bundled import LENETS, WEIGHTS
from ganbench.extractors.classifier_file import CLASSIFIER, KEY, PackedClassifier, by_file, pack, read_info
from ganbench.extractors.train_classifier import plan_training, train_classifier
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registry
from ganbench.util.atomic_io import sha256_of

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def made(digits: Dataset) -> PackedClassifier:
    return train_classifier(plan_training(digits, 8), seed=1)


@pytest.fixture(scope="module")
def file(made: PackedClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("classifier") / "digits.safetensors"
    path.write_bytes(made.content)
    return path


def test_a_file_says_what_it_is(file: Path, made: PackedClassifier, digits: Dataset) -> None:
    info = read_info(file)
    assert info == made.info
    assert (info.dataset, info.dataset_sha256) == ("digits", digits.sha256)
    assert (info.architecture, info.input_shape, info.classes, info.feature_dim) == ("convnet", (1, 8, 8), 10, 128)
    assert (info.training_images, info.epochs, info.updates, info.seed) == (1197, 8, 72, 1)


def test_its_accuracy_is_that_of_the_test_images(file: Path, made: PackedClassifier, digits: Dataset) -> None:
    found = CLASSIFIER.load(CPU, file)(torch.from_numpy(digits.test.images))
    assert found.features.shape == (300, 128)
    assert (found.features >= 0).all()
    torch.testing.assert_close(found.probabilities.sum(1), torch.ones(300))
    share = (found.probabilities.argmax(1).numpy() == digits.test.labels).mean()
    assert share == pytest.approx(made.info.test_accuracy, abs=1e-6)
    assert share > 0.9


def test_the_same_seed_gives_the_same_bytes(digits: Dataset) -> None:
    def bytes_of(seed: int, **options: bool) -> bytes:
        return train_classifier(plan_training(digits, 1), seed=seed, **options).content

    before = torch.random.get_rng_state()
    once = bytes_of(0)
    assert once == bytes_of(0)
    assert once != bytes_of(1)
    assert once != bytes_of(0, flip=True)
    assert torch.equal(before, torch.random.get_rng_state())


def test_it_is_trained_on_the_training_images_alone(digits: Dataset) -> None:
    changed = replace(digits, test=Split(255 - digits.test.images, digits.test.labels), validation=digits.test)
    states = []
    for dataset in (digits, changed):
        content = train_classifier(plan_training(dataset, 1)).content
        states.append(content[8 + int.from_bytes(content[:8], "little") :])
    assert states[0] == states[1]


def test_identity_and_outputs_are_the_files(file: Path, made: PackedClassifier) -> None:
    assert CLASSIFIER.identity(file) == f"{sha256_of(file)}/p1"
    assert CLASSIFIER.outputs_of(file) == (10, 128)
    assert CLASSIFIER.classes_of(file) == 10
    assert LENETS[0].classes_of(None) == 10
    assert ExtractorSource("n", "", load=LENETS[0].load, sha256=LENETS[0].sha256).classes_of(None) == 0


def rewritten(content: bytes, **fields: object) -> bytes:
    """Change metadata as somebody with an editor would: the header's length is set right again."""
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["__metadata__"][KEY] = json.dumps(json.loads(header["__metadata__"][KEY]) | fields)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: b"", "is not a file that `ganbench extractor train` made"),
        (lambda content: b"no safetensors at all", "is not a file that"),
        (lambda content: content[:200], "or is cut short"),
        (lambda content: content[:-1], "is damaged or cut short"),
        (lambda content: content + b"\0", "is damaged"),
        (flipped, "is damaged"),
        (lambda content: rewritten(content, test_accuracy=1.0), "is damaged"),
        (lambda content: rewritten(content, schema="ganbench-classifier-2"), "has schema 'ganbench-classifier-2'"),
        (lambda content: rewritten(content, preprocessing=2), "preprocessing 2, this ganbench reads"),
        (lambda content: (WEIGHTS / "lenet-mnist.safetensors").read_bytes(), "is not a file that"),
        (None, "No such file"),
    ],
)
def test_other_files_are_refused_in_one_line(
    tmp_path: Path, made: PackedClassifier, change: Callable[[bytes], bytes] | None, said: str
) -> None:
    path = tmp_path / "other.safetensors"
    if change is not None:
        path.write_bytes(change(made.content))
    for use in (
        lambda: CLASSIFIER.load(CPU, path),
        lambda: CLASSIFIER.identity(path),
        lambda: CLASSIFIER.classes_of(path),
    ):
        with pytest.raises(RequestError) as refusal:
            use()
        assert said in str(refusal.value)
        assert str(path) in str(refusal.value)
        assert "\n" not in str(refusal.value)


def test_a_whole_file_of_another_network_is_refused(tmp_path: Path, file: Path, made: PackedClassifier) -> None:
    path = tmp_path / "other.safetensors"
    weights = load_file(file)
    for info, said in (
        (
            made.info.model_copy(update={"architecture_version": 9}),
            "is a convnet version 9, which",
        ),
        (made.info.model_copy(update={"classes": 11}), "does not hold the weights of a convnet version 1"),
        (made.info.model_copy(update={"input_shape": (1, 4, 8)}), "input_shape.1"),
    ):
        path.write_bytes(pack(info, weights))
        with pytest.raises(RequestError, match=said) as refusal:
            CLASSIFIER.load(CPU, path)
        assert "\n" not in str(refusal.value)


def test_without_a_file_it_says_how_one_is_made() -> None:
    with pytest.raises(RequestError, match="--weights: `ganbench extractor train` makes one"):
        CLASSIFIER.identity(None)


def test_a_file_can_be_the_extractors_name(file: Path, tmp_path: Path) -> None:
    assert by_file(str(file), None) == ("classifier", file)
    assert by_file("vgg16", file) == ("vgg16", file)
    assert by_file(None, None) == (None, None)
    with pytest.raises(RequestError, match="is a file itself: leave out --weights"):
        by_file(str(file), file)
    with pytest.raises(RequestError, match="there is no such file"):
        by_file(str(tmp_path / "none.safetensors"), None)


PLUGIN = """
from pathlib import Path
import ganbench
from ganbench.extractors.classifier_file import classifier_source

@ganbench.hookimpl
def ganbench_register_extractors(register):
    register(classifier_source("my-net", Path({path!r})))
"""


def test_a_package_registers_a_file(distribution: Callable[..., str], file: Path, digits: Dataset) -> None:
    distribution("my-package", PLUGIN.format(path=str(file)))
    source = discover().get("extractors", "my-net").thing
    images = torch.from_numpy(digits.test.images[:20])
    assert torch.equal(source.load(CPU, None)(images).features, CLASSIFIER.load(CPU, file)(images).features)
    assert source.identity(None) == CLASSIFIER.identity(file)
    assert source.files == (file,)
    assert "digits.safetensors" in source.summary


def test_the_registry_names_it(registry: Registry) -> None:
    assert registry.get("extractors", "classifier").thing is CLASSIFIER


def random_set(channels: int, height: int, width: int, n: int = 24) -> Dataset:
    rng = np.random.default_rng(0)
    splits = []
    for size in (n, 10, 10):
        labels = np.arange(size) % 2
        images = rng.integers(0, 128, (size, channels, height, width)) + 100 * labels[:, None, None, None]
        splits.append(Split(images.astype(np.uint8), labels))
    return make_dataset("random", *splits, classes=2)


@pytest.mark.parametrize(
    ("shape", "name", "taken"),
    [
        ((1, 28, 28), "lenet", (1, 28, 28)), ((3, 28, 28), "convnet", (3, 28, 28)), ((1, 8, 8), "convnet", (1, 8, 8)),
        ((3, 16, 24), "convnet", (3, 16, 24)), ((3, 64, 64), "convnet", (3, 64, 64)),
        ((3, 100, 50), "convnet", (3, 64, 32)), ((1, 33, 9), "convnet", (1, 33, 9)),
    ],
)  # fmt: skip
def test_every_shape_has_a_network(shape: tuple[int, int, int], name: str, taken: tuple[int, ...], tmp_path) -> None:
    dataset = random_set(*shape)
    made = train_classifier(plan_training(dataset, 2))
    assert (made.info.architecture, made.info.input_shape) == (name, taken)
    path = tmp_path / "any.safetensors"
    path.write_bytes(made.content)
    extractor = CLASSIFIER.load(CPU, path)
    for channels in (1, 3):
        images = torch.randint(0, 256, (4, channels, 20, 20), dtype=torch.uint8)
        assert extractor(images).features.shape == (4, 128)
    with pytest.raises(RequestError, match="images have 2 channels, it takes 1 or 3"):
        extractor(torch.zeros(1, 2, 8, 8, dtype=torch.uint8))


def test_grey_is_tiled_and_colour_becomes_luma(digits: Dataset, file: Path, tmp_path: Path) -> None:
    grey = torch.randint(0, 256, (4, 1, 16, 16), dtype=torch.uint8)
    path = tmp_path / "rgb.safetensors"
    path.write_bytes(train_classifier(plan_training(random_set(3, 16, 16), 1)).content)
    takes_colour, takes_grey = CLASSIFIER.load(CPU, path), CLASSIFIER.load(CPU, file)
    assert torch.equal(takes_colour(grey).features, takes_colour(grey.expand(-1, 3, -1, -1)).features)
    torch.testing.assert_close(
        takes_grey(grey.expand(-1, 3, -1, -1)).features, takes_grey(grey).features, rtol=1e-3, atol=1e-3
    )


def test_an_architecture_is_found_by_name_and_version() -> None:
    for architecture in architectures.ARCHITECTURES:
        assert architectures.find(architecture.name, architecture.version) is architecture
    assert architectures.find("convnet", 99) is None


def spoilt(**changes: object) -> Dataset:
    return replace(random_set(1, 8, 8), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        (spoilt(classes=0), "has no classes"),
        (spoilt(classes=1), "has 1 classes"),
        (spoilt(train=Split(random_set(1, 8, 8).train.images, None)), "training split has no labels"),
        (spoilt(test=Split(np.zeros((0, 1, 8, 8), np.uint8), np.zeros(0, np.int64))), "test split has no images"),
        (spoilt(train=Split(np.zeros((3, 1, 8, 8), np.uint8), np.array([0, 1, 2]))), "labels from 0 to 2"),
        (random_set(2, 8, 8), "images are 2x8x8"),
        (random_set(1, 8, 7), "sides from 8"),
    ],
)
def test_what_cannot_be_learnt_is_refused_in_one_line(dataset: Dataset, said: str) -> None:
    with pytest.raises(RequestError, match=said) as refusal:
        plan_training(dataset)
    assert "'random'" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_foreign_safetensors_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "foreign.safetensors"
    for metadata in (None, {KEY: "no JSON"}, {KEY: "[]"}):
        save_file({"weight": torch.zeros(3)}, path, metadata=metadata)
        with pytest.raises(RequestError, match="is not a file that"):
            read_info(path)

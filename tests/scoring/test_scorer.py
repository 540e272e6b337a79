"""A scorer in a loop: the numbers of `ganbench.evaluate`, the same memory for any n, and nothing disturbed."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import ganbench
from ganbench.data.dataset import Dataset
from ganbench.extractors.base import Features
from ganbench.scoring.reservoir import Reservoir
from ganbench.scoring.streams import Dealer

TRACK = "digits-smoke"
N = 300


class Net(nn.Module):
    """Features of 8x8 images, in a mode that the caller chose part by part."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.Dropout(0.5))

    def forward(self, images: Tensor) -> Tensor:
        assert images.dtype == torch.float32
        assert float(images.min()) >= -1 and float(images.max()) <= 1
        return self.layers(images)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def fake(digits: Dataset) -> Tensor:
    """Held-out digits with grain, as floats in [-1, 1]."""
    images = torch.from_numpy(digits.validation.images[:N]).float() / 127.5 - 1
    grain = 0.3 * torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
    return (images + grain).clamp(-1, 1)


def made(metrics: str = "fid", **options: Any) -> ganbench.Scorer:
    return ganbench.Scorer(options.pop("reference", TRACK), metrics, value_range="-1-1", device="cpu", **options)


def filled(scorer: ganbench.Scorer, images: Tensor, labels: Tensor | None = None, size: int = 64) -> dict[str, float]:
    scorer.reset()
    for start in range(0, len(images), size):
        part = slice(start, start + size)
        scorer.update(images[part], None if labels is None else labels[part])
    return scorer.compute()


def evaluated(images: Tensor, metrics: str, **options: Any) -> dict[str, float]:
    return ganbench.evaluate(images, track=TRACK, metrics=metrics, device="cpu", value_range="-1-1", **options)


@pytest.mark.filterwarnings("ignore:n = ")
def test_streamed_numbers_are_those_of_evaluate(fake: Tensor) -> None:
    found, expected = filled(made("fid,is,kid"), fake), evaluated(fake, "fid,is,kid")
    assert list(found) == list(expected)
    assert found["fid"] == pytest.approx(expected["fid"], rel=1e-6)
    assert found["kid"] == pytest.approx(expected["kid"], rel=1e-9)
    # These come from random parts of the samples, and from other ones here.
    assert found["is"] == pytest.approx(expected["is"], abs=2 * expected["is_sd"])
    assert 0.4 < found["fid_se"] / expected["fid_se"] < 2.5
    assert 0.4 < found["is_se"] / expected["is_se"] < 2.5


@pytest.mark.filterwarnings("ignore:n = ")
def test_as_long_as_all_are_kept_every_number_is(fake: Tensor, digits: Dataset) -> None:
    metrics, labels = "fid,is,precision,kid,authenticity,copying,cas,gan_test,vendi", digits.validation.labels[:N]
    found = filled(made(metrics, keep=N), fake, torch.from_numpy(labels))
    assert found == evaluated(fake, metrics, labels=labels)


def test_beyond_that_the_others_are_of_a_random_choice(fake: Tensor) -> None:
    found = filled(made("fid,precision", keep=100), fake)
    assert found["fid"] == pytest.approx(filled(made("fid"), fake)["fid"], rel=1e-12)
    assert found["precision"] * 100 == pytest.approx(round(found["precision"] * 100))  # a share of 100 samples


def test_the_batches_do_not_matter(fake: Tensor) -> None:
    scorer = made("fid,is,kid")
    assert filled(scorer, fake, size=64) == filled(scorer, fake, size=7)
    as_bytes = (fake + 1).mul(127.5).round().to(torch.uint8)
    assert filled(scorer, as_bytes) == filled(scorer, fake)


def test_more_may_follow_and_reset_forgets(fake: Tensor) -> None:
    scorer = made("fid", standard_errors=False)
    whole = filled(scorer, fake)
    assert list(whole) == ["fid"]
    scorer.reset()
    scorer.update(fake[:110])
    scorer.compute()
    scorer.update(fake[110:])
    assert len(scorer) == N
    assert scorer.compute()["fid"] == pytest.approx(whole["fid"], rel=1e-6)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.enable_grad, torch.inference_mode])
def test_it_disturbs_nothing(fake: Tensor, digits: Dataset, mode: Callable[[], Any]) -> None:
    def state() -> list[Any]:
        numpy_state: Any = np.random.get_state()
        return [torch.get_rng_state().tolist(), random.getstate(), numpy_state[1].tolist(), torch.get_default_dtype(),
                torch.is_grad_enabled(), [part.training for part in net.modules()],
                [value.tolist() for value in net.state_dict().values()]]  # fmt: skip

    net = Net()
    net.layers[3].eval()
    labels = torch.from_numpy(digits.validation.labels[:N])
    expected = filled(made("fid,cas", keep=N, extractor=net), fake, labels)
    torch.set_default_dtype(torch.float64)
    try:
        with mode(), torch.autocast("cpu", torch.bfloat16):
            before = state()
            assert filled(made("fid,cas", keep=N, extractor=net), fake, labels) == expected
            assert state() == before
    finally:
        torch.set_default_dtype(torch.float32)
    assert all(parameter.grad is None for parameter in net.parameters())


def test_a_module_is_given_floats_and_may_give_probabilities(fake: Tensor, digits: Dataset) -> None:
    class WithClasses(Net):
        def forward(self, images: Tensor) -> Features:  # type: ignore[override]
            features = super().forward(images)
            return Features(features, features.softmax(1))

    found = filled(made("fid,is", extractor=WithClasses(), reference=digits.test.images), fake)
    real = torch.from_numpy(digits.test.images).float() / 127.5 - 1
    rounded = (fake + 1).mul(127.5).round() / 127.5 - 1
    with torch.no_grad():
        expected = ganbench.metrics.frechet_distance(*(Net().eval()(images) for images in (real, rounded)))
    assert found["fid"] == pytest.approx(expected, rel=1e-5)
    assert found["is"] > 1
    with pytest.raises(ganbench.RequestError, match="metric 'is': needs probabilities"):
        filled(made("is", extractor=Net()), fake)
    with pytest.raises(ganbench.RequestError, match=r"Flatten: features of \d+ images are shape"):
        made(extractor=nn.Flatten(2))


def test_points_are_scored_too() -> None:
    scorer = ganbench.Scorer("ring8-quick", "fid,modes,high_quality", keep=100, device="cpu")
    scorer.update(torch.zeros(100, 2))
    assert scorer.compute()["modes"] == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"metrics": "precision"}, "metric 'precision': needs the features of all samples at once"),
        ({"metrics": "nats", "keep": 100}, "metric 'nats': needs a model that bounds the log-likelihood"),
        ({"metrics": "fd"}, "did you mean 'fid'"),
        ({"metrics": ""}, "unknown metric"),
        ({"reference": ""}, "reference: name a track"),
        ({"reference": "digts"}, "did you mean 'digits'"),
        ({"keep": 5}, "keep=5: 0 for none, or at least 20"),
        ({"against": "train"}, "against='train': write 'test' or 'validation'"),
        ({"reference": np.zeros((30, 1, 8, 8), np.uint8)}, "extractor: no track says which one"),
    ],
)
def test_a_wrong_request_is_one_line(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ganbench.RequestError, match=said) as found:
        made(**options)
    assert "\n" not in str(found.value)


def test_a_wrong_batch_is_one_line_and_is_not_taken_in(fake: Tensor) -> None:
    scorer = ganbench.Scorer(TRACK, device="cpu")
    broken = fake[:40].clone()
    broken[3] = torch.nan
    for batch, said in (
        (fake, "value_range: a batch of floats"), (fake.int(), "values are int32"),
        (fake.byte()[:, :, :0], "holds no images"), ([1], "give a path, a NumPy array or a tensor"),
    ):  # fmt: skip
        with pytest.raises(ganbench.RequestError, match=said):
            scorer.update(batch)  # type: ignore[arg-type]
    scorer = made("fid")
    for batch, said in ((broken, "1 of 40 images hold NaN or inf"), (fake * 2, "go beyond")):
        with pytest.raises(ganbench.RequestError, match=said):
            scorer.update(batch)
    assert len(scorer) == 0
    scorer.update(fake[:10])
    with pytest.raises(ganbench.RequestError, match="10 samples: at least 20"):
        scorer.compute()
    with pytest.raises(ganbench.RequestError, match="labels: give them with every batch"):
        scorer.update(fake[:10], torch.zeros(10, dtype=torch.int64))
    scorer = made("gan_test", keep=30)
    scorer.update(fake[:30])
    with pytest.raises(ganbench.RequestError, match="metric 'gan_test': needs labels"):
        scorer.compute()


IN_A_PROCESS = """
import gc, sys, torch, ganbench
torch.set_num_threads(1)
scorer = ganbench.Scorer("digits-smoke", "fid,is,kid", device="cpu")
def kept(n):
    for _ in range(n // 250): scorer.update(torch.randint(0, 256, (250, 1, 8, 8), dtype=torch.uint8))
    scorer.compute()
    tensors = [each for each in gc.get_objects() if isinstance(each, torch.Tensor)]
    return sum({each.untyped_storage().data_ptr(): each.untyped_storage().nbytes() for each in tensors}.values())
print(kept(500), kept(2000), [name for name in sys.modules if name.startswith("ganbench_plugins")])
"""


def test_what_is_kept_does_not_grow_with_n_and_no_plugin_is_imported() -> None:
    """Bytes of all tensors alive; ``benchmarks/scorer.py`` measures the peak of the process."""
    answer = subprocess.run([sys.executable, "-c", IN_A_PROCESS], capture_output=True, text=True, check=True)
    after_500, after_2500, plugins = answer.stdout.split(maxsplit=2)
    assert int(after_500) == int(after_2500) > 1e6
    assert plugins.strip() == "[]"


def test_rows_are_dealt_evenly_and_at_random() -> None:
    dealer, again = Dealer(10), Dealer(10)
    dealt = torch.cat([dealer.deal(n) for n in (3, 0, 64, 33)])
    assert torch.equal(dealt, again.deal(100))
    assert torch.equal(dealt.bincount(), torch.full((10,), 10))
    assert not torch.equal(dealt[:10], dealt[10:20])


def test_every_row_is_as_likely_to_be_kept() -> None:
    kept = Reservoir(100)
    for start in range(0, 2000, 50):
        kept.add({"rows": torch.arange(start, start + 50)})
    rows = kept.rows("rows")
    assert rows is not None
    assert len(rows) == len(set(rows.tolist())) == len(kept) == 100
    assert 850 < float(rows.double().mean()) < 1150  # 1,000, with a standard deviation of 56
    few = Reservoir(100)
    few.add({"rows": torch.arange(30)})
    assert torch.equal(few.rows("rows"), torch.arange(30))  # type: ignore[arg-type]
    assert few.rows("labels") is None


def test_the_page_shows_a_callback_that_works(monkeypatch: pytest.MonkeyPatch, fake: Tensor) -> None:
    """With Lightning, or with as much of it as the callback needs."""
    try:
        import lightning  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        monkeypatch.setitem(sys.modules, "lightning", SimpleNamespace(Callback=object))  # type: ignore[arg-type]
    page = (Path(__file__).parents[2] / "docs" / "scorer.md").read_text()
    (code,) = re.findall(r"```python\n(# scorer_callback\.py\n.*?)```", page, re.S)
    names: dict[str, Any] = {}
    exec(compile(code, "scorer_callback.py", "exec", dont_inherit=True), names)
    callback, logged, asked = names["Scores"](TRACK, "fid", n=130, batch=100, device="cpu"), [], []

    def sample(n: int) -> Tensor:
        asked.append(n)
        assert not torch.is_grad_enabled()
        return fake[sum(asked[:-1]) : sum(asked)]

    module = SimpleNamespace(sample=sample, log_dict=lambda values, **options: logged.append(values))
    trainer = SimpleNamespace(sanity_checking=True, is_global_zero=True)
    callback.on_validation_epoch_end(trainer, module)
    assert not logged
    trainer.sanity_checking = False
    callback.on_validation_epoch_end(trainer, module)
    assert asked == [100, 30]
    (values,) = logged
    assert values == filled(made("fid"), fake[:130])

"""Metrics inside a training loop of one's own: batches of samples in, the numbers of `ganbench.evaluate` out."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganbench.errors import RequestError
from ganbench.extractors.base import Extractor, Features
from ganbench.extractors.classifier_file import by_file
from ganbench.extractors.module import ModuleExtractor, device_of
from ganbench.metric import NEEDS, Metric, Score, flatten
from ganbench.registry.lookup import find_metrics, find_track
from ganbench.registry.registry import Registry
from ganbench.registry.without_models import discover_without_models
from ganbench.scoring.evaluator import Evaluator, score_context
from ganbench.scoring.external.array_layout import LAYOUTS, RANGES
from ganbench.scoring.external.evaluate import TRACK
from ganbench.scoring.external.images import Images, as_numpy, read_images
from ganbench.scoring.external.point_files import read_points
from ganbench.scoring.external.reference import LEAST, check_known, check_labels, enough, matched, read_reference
from ganbench.scoring.features import CHUNK, extract
from ganbench.scoring.metric_context import Classifier, MetricContext
from ganbench.scoring.reservoir import Reservoir
from ganbench.scoring.streams import STREAMS, Stream, can_stream
from ganbench.scoring.undisturbed import undisturbed
from ganbench.tracks.track import Track
from ganbench.util.device import pick_device

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOWN_AT_ONCE = ("moments", "reference", "train", "modes", "oracle", "likelihood")
"""Needs that the reference and the extractor meet or never meet; others depend on the samples."""


class Scorer:
    """Scores samples that come in batches, without keeping them: for a training loop of one's own.

        scorer = ganbench.Scorer("mnist5k-quick", metrics="fid,is", value_range="-1-1")
        for _ in range(16):
            scorer.update(generator(torch.randn(64, 100)))
        print(scorer.compute())                                 # {"fid": ..., "fid_se": ..., "is": ..., ...}
        scorer.reset()

    `reference` is what `ganbench.evaluate` takes: a track, a data set, a folder, a file or array of images, or saved
    statistics. `metrics` are names, joined by commas or in a list. FID and IS, and KID of features of at most 256
    columns, are streamed: memory is the same whatever the number of samples. All other metrics need the features of all
    samples at once: with `keep` above 0 at most that many samples are kept, with their features, a random choice where
    more came.

    `extractor` is a name or file as elsewhere, or any torch module: it is given float32 images (n, C, H, W) in [-1, 1]
    of the data's own size, on its own device, and returns features (n, d), or `ganbench.extractors.base.Features` with
    class probabilities too. It has to be frozen: the reference's features are computed once, here. The default is that
    of the track, or of the first track with that data set.

    `against` is the split of a data set that samples are compared with. `value_range` (``-1-1`` or ``0-1``) is what
    floats of batches mean, and has to be said for them; `layout` is ``nchw`` unless said otherwise.
    `standard_errors=False` leaves out errors, and with FID's 20 matrices of d x d numbers.

    No method changes random states, torch's settings or the mode of a module, whether gradients are recorded or not,
    and no model plugin is imported. Raises `RequestError` for a wrong request and for what can't be computed.
    """

    def __init__(
        self,
        reference: str | Path | NDArray[Any] | Tensor,
        metrics: str | Sequence[str] = "fid",
        *,
        extractor: str | nn.Module | None = None,
        keep: int = 0,
        against: str = "test",
        value_range: str | None = None,
        layout: str | None = None,
        standard_errors: bool = True,
        device: str = "auto",
        data_dir: str | Path | None = None,
        weights: str | Path | None = None,
    ) -> None:
        _check(keep, against, value_range, layout, reference)
        self._keep, self._value_range, self._layout = keep, value_range, layout
        self._errors = standard_errors
        registry = discover_without_models()
        names = metrics.split(",") if isinstance(metrics, str) else metrics
        self._metrics = find_metrics(dict.fromkeys(name.strip() for name in names), registry)
        track = _track_of(reference, registry)
        self._track = track or find_track(TRACK, registry)
        own = device_of(extractor) if isinstance(extractor, nn.Module) else None
        self._device = own or torch.device(pick_device(device))
        with undisturbed(self._device):
            source = None
            identity: str | None = None
            if isinstance(extractor, nn.Module):
                self._extractor: Extractor = ModuleExtractor(extractor)
                called, classes = type(extractor).__name__, 0
            else:
                if extractor is None and track is None:
                    if isinstance(reference, str | Path):
                        check_known(str(reference), registry)
                    raise RequestError(
                        "extractor: no track says which one this reference is scored with: name one"
                        " (`ganbench extractors` lists them), or pass a torch module"
                    )
                name, file = by_file(extractor, None if weights is None else Path(weights))
                source = registry.get("extractors", name or self._track.extractor).thing
                self._extractor, identity = source.load(self._device, file), source.identity(file)
                called, classes = source.name, source.classes_of(file)
            real, self._reference = read_reference(
                reference, self._track, registry, called, identity or called, against=against,
                data_dir=None if data_dir is None else Path(data_dir), layout=layout, value_range=value_range,
                watch=lambda done, total: None,
            )  # fmt: skip
            enough(self._reference)
            if source is not None and self._reference.shape is not None:
                source.check(self._reference.name, self._reference.shape)
            self._dataset = real
            self._real = Evaluator(
                real, self._extractor, identity, self._metrics, oracle=0 < real.classes == classes,
                device=self._device, against=against,
            ).real  # fmt: skip
            for metric in self._metrics:
                self._check_metric(metric)
        self._said = set[str]()
        self._tell(self._reference.notes)
        self.reset()

    def reset(self) -> None:
        """Forget all samples; what is known of the reference stays."""
        self._n, self._labelled, self._comparable = 0, False, False
        self._shape: tuple[int, ...] | None = None
        self._pending, self._pending_labels = list[Tensor](), list[Tensor]()
        self._kept = Reservoir(self._keep)
        with undisturbed(self._device):
            self._streams: dict[str, Stream] = {
                metric.name: STREAMS[metric.name](self._real, errors=self._errors)
                for metric in self._metrics
                if can_stream(metric.name, self._real)
            }

    def __len__(self) -> int:
        """How many samples came since the last `reset`."""
        return self._n

    def update(self, images: NDArray[Any] | Tensor, labels: NDArray[Any] | Tensor | None = None) -> None:
        """Take in a batch of samples: uint8, or floats within `value_range`, (n, C, H, W), or points, float (n, D).

        `labels` are the classes that they were made for, int (n,), for metrics that need them: with every batch or with
        none. Floats are rounded to uint8 once, as all samples are. Raises `RequestError`, and takes nothing in, where
        the batch is not what it should be: NaN, another shape than before, values beyond the range.
        """
        read = self._read(images, labels)
        if self._n and (labels is not None) != self._labelled:
            raise RequestError("labels: give them with every batch, or with none")
        notes = list[str]()
        read, comparable = matched(read, self._reference, notes)
        check_labels(read, self._dataset, self._reference, notes)
        if self._shape not in (None, read.shape):
            raise RequestError(f"images are of shape {read.shape}, those of the batches before of {self._shape}")
        self._tell(notes)
        self._shape, self._labelled, self._comparable = read.shape, labels is not None, comparable
        self._pending.append(torch.from_numpy(read.pixels).to(self._device))
        if read.labels is not None and self._dataset.classes:
            self._pending_labels.append(torch.from_numpy(read.labels).to(self._device))
        self._n += len(read)
        self._take_in(CHUNK)

    def compute(self) -> dict[str, float]:
        """Return the metrics by name, with ``NAME_sd`` and ``NAME_se`` as `ganbench.evaluate` has them.

        While no more than `keep` samples came, all numbers are those of `ganbench.evaluate`. Beyond that FID and KID
        are, to rounding; IS and the standard errors, which come from random parts of the samples, come from others; and
        metrics that are not streamed are those of the `keep` samples that were chosen.

        More samples may follow. Raises `RequestError`, in one line, where there are fewer than 20 samples, or a metric
        has no value: none is left out in silence.
        """
        if self._n < LEAST:
            raise RequestError(f"{self._n} samples: at least {LEAST} are needed for a score")
        self._take_in(1)
        streams = {} if self._n <= self._keep else self._streams
        with undisturbed(self._device):
            scores = self._of_kept([metric for metric in self._metrics if metric.name not in streams])
            for name, stream in streams.items():
                try:
                    scores[name] = stream.score()
                except ValueError as error:
                    raise RequestError(f"metric {name!r}: {error}") from error
        return flatten({metric.name: scores[metric.name] for metric in self._metrics})

    def _of_kept(self, metrics: Sequence[Metric]) -> dict[str, Score]:
        if not metrics:
            return {}
        images, features = self._kept.rows("images"), self._kept.rows("features")
        assert images is not None and features is not None
        schedule = Classifier(self._track.classifier_steps, 0, self._track.classifier_seeds)
        context = MetricContext(
            self._real, images, features, self._kept.rows("probabilities"), self._kept.rows("labels"),
            schedule if self._comparable else None,
        )  # fmt: skip
        result = score_context(metrics, context)
        for name, reason in result.skipped.items():
            raise RequestError(f"metric {name!r}: {reason}")
        if self._errors:
            return result.scores
        return {name: score.model_copy(update={"se": None}) for name, score in result.scores.items()}

    def _take_in(self, least: int) -> None:
        """Extract the features of pending images, as many at once as elsewhere, while there are at least so many.

        The same images in batches of another size then have the same features to the last bit.
        """
        waiting = sum(map(len, self._pending))
        if waiting < least:
            return
        images = torch.cat(self._pending)
        labels = torch.cat(self._pending_labels) if self._pending_labels else None
        whole = waiting - waiting % least
        with undisturbed(self._device), torch.no_grad():
            for start in range(0, whole, CHUNK):
                part = slice(start, min(start + CHUNK, whole))
                own = None if labels is None else labels[part]
                self._take(extract(self._extractor, images[part]), images[part], own)
        self._pending = [images[whole:]]
        self._pending_labels = [] if labels is None else [labels[whole:]]

    def _take(self, found: Features, images: Tensor, labels: Tensor | None) -> None:
        for name, stream in self._streams.items():
            try:
                stream.add(found)
            except ValueError as error:
                raise RequestError(f"metric {name!r}: {error}") from error
        if self._keep:
            rows = {"images": images, **found._asdict(), "labels": labels}
            self._kept.add({name: tensor for name, tensor in rows.items() if tensor is not None})

    def _read(self, images: Any, labels: Any) -> Images:
        if self._reference.shape is not None and len(self._reference.shape) == 1:
            return read_points(images, labels=labels)
        array = as_numpy(images)
        if array.dtype.kind == "f" and self._value_range is None:
            raise RequestError("value_range: a batch of floats does not show what it means: pass '-1-1' or '0-1'")
        return read_images(array, labels=labels, layout=self._layout or "nchw", value_range=self._value_range)

    def _check_metric(self, metric: Metric) -> None:
        """Raise `RequestError` for a metric that can never have a value here."""
        nothing = torch.empty(0, 0)
        context = MetricContext(self._real, nothing, nothing, probabilities=nothing)
        for need in metric.needs:
            if need in KNOWN_AT_ONCE and not context.has(need):
                raise RequestError(f"metric {metric.name!r}: needs {NEEDS[need]}: leave it out")
        if not self._keep and not can_stream(metric.name, self._real):
            raise RequestError(
                f"metric {metric.name!r}: needs the features of all samples at once, and none are kept: pass keep=5000"
                " or another number of samples to keep"
            )

    def _tell(self, notes: Sequence[str]) -> None:
        """Warn of what a reader of the numbers must know, once."""
        for note in notes:
            if note not in self._said:
                self._said.add(note)
                warnings.warn(note, stacklevel=3)


def _check(keep: int, against: str, value_range: str | None, layout: str | None, reference: Any) -> None:
    if reference is None or (isinstance(reference, str) and not reference):
        raise RequestError("reference: name a track, a data set, a folder or a file, or pass an array of images")
    if keep < 0 or 0 < keep < LEAST:
        raise RequestError(f"keep={keep}: 0 for none, or at least {LEAST} samples")
    for option, value, known in (
        ("against", against, ("test", "validation")), ("value_range", value_range, (None, *RANGES)),
        ("layout", layout, (None, *LAYOUTS)),
    ):  # fmt: skip
        if value not in known:
            raise RequestError(f"{option}={value!r}: write {' or '.join(repr(each) for each in known if each)}")


def _track_of(reference: Any, registry: Registry) -> Track | None:
    """Return the track that a reference names, or the first one with that data set; None for other images."""
    name = str(reference) if isinstance(reference, str | Path) else ""
    if registry.has("tracks", name) or name.endswith(".toml"):
        return find_track(name, registry)
    return next((entry.thing for entry in registry.all("tracks") if entry.thing.dataset == name), None)

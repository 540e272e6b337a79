"""Frozen classifiers that ``ganbench extractor train`` makes: each is one file that says what it is.

The file is a safetensors file. Its metadata hold one key, ``ganbench``: JSON with the fields of
`ClassifierInfo`, ``schema``, and ``content_sha256`` over these and the tensors' bytes, by which damage is found. One
key, because safetensors writes several in no particular order, and the same training is to give the same bytes.

A package that ships such a file registers it under a name of its own::

    @ganbench.hookimpl
    def ganbench_register_extractors(register):
        register(classifier_source("my-net", Path(__file__).with_name("my-net.safetensors")))
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ganbench.errors import RequestError
from ganbench.extractors.base import ExtractorSource, Outputs

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganbench.extractors.frozen_classifier import FrozenClassifier

NAME = "classifier"
SUFFIX = ".safetensors"
KEY = "ganbench"
SCHEMA = "ganbench-classifier-1"
PREPROCESSING = 1
"""The version that `frozen_classifier` implements."""
RESIZE = "to the network's size where it is another: bilinear, antialiased"
"""The same in words."""
MOST_HEADER = 2**20
"""Bytes; ours are under 10,000. A file of another kind that begins with a large number is not read whole."""

Channels = Annotated[int, Field(ge=1, le=3)]
Side = Annotated[int, Field(ge=8, le=64)]


class ClassifierInfo(BaseModel):
    """What a file says of itself: the network, what it learnt from, how, and how well.

    `input_shape` is (channels, height, width); `test_accuracy` is a share of `test_images`, which training never saw.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: str
    architecture_version: int
    input_shape: tuple[Channels, Side, Side]
    classes: int = Field(ge=2, le=100_000)
    feature_dim: int = Field(ge=1)
    preprocessing: int
    dataset: str
    dataset_sha256: str
    training_images: int
    epochs: int
    updates: int
    flip: bool
    seed: int
    device: str
    test_accuracy: float = Field(ge=0, le=1)
    test_images: int
    torch: str
    ganbench: str


class PackedClassifier(NamedTuple):
    """A file's `ClassifierInfo` and its whole content."""

    info: ClassifierInfo
    content: bytes


def pack(info: ClassifierInfo, weights: Mapping[str, Tensor]) -> bytes:
    """Return the content of a file; the same description and weights give the same bytes."""
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    fields = {"schema": SCHEMA, **info.model_dump(mode="json")}
    digest = _digest(fields, _body(save(tensors)))
    return save(tensors, metadata={KEY: json.dumps({**fields, "content_sha256": digest}, sort_keys=True)})


def read_info(path: Path | None, name: str = NAME) -> ClassifierInfo:
    """Return what a file says of itself, once its content is found undamaged; `RequestError` names the file."""
    return _read(path, name).info


def _read(path: Path | None, name: str) -> PackedClassifier:
    if path is None:
        raise RequestError(f"extractor {name!r}: name its file with --weights: `ganbench extractor train` makes one")
    try:
        with open(path, "rb") as stream:
            header = stream.read(8)
            length = int.from_bytes(header, "little")
            header += stream.read(length if length <= MOST_HEADER else 0)
            fields = _fields(header)
            if fields is None:
                raise RequestError(
                    f"extractor {name!r}: {path} is not a file that `ganbench extractor train` made, or is cut short"
                )
            content = header + stream.read()
    except OSError as error:
        raise RequestError(
            f"extractor {name!r}: {path}: cannot be read ({error.strerror}): "
            "name a file that `ganbench extractor train` made"
        ) from error
    return PackedClassifier(_checked(fields, content, path, name), content)


def _fields(header: bytes) -> dict[str, object] | None:
    """Return our metadata from the head of a safetensors file, None where it holds none."""
    try:
        fields = json.loads(json.loads(header[8:])["__metadata__"][KEY])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _checked(fields: dict[str, object], content: bytes, path: Path, name: str) -> ClassifierInfo:
    digest = fields.pop("content_sha256", None)
    if fields.get("schema") != SCHEMA or fields.get("preprocessing") != PREPROCESSING:
        raise RequestError(
            f"extractor {name!r}: {path} has schema {fields.get('schema')!r} and preprocessing "
            f"{fields.get('preprocessing')!r}, this ganbench reads {SCHEMA!r} and {PREPROCESSING}: use the ganbench "
            f"that made it ({fields.get('ganbench')}), or train it again"
        )
    if digest != _digest(fields, _body(content)):
        raise RequestError(f"extractor {name!r}: {path} is damaged or cut short: copy it again or train it again")
    try:
        return ClassifierInfo.model_validate({field: value for field, value in fields.items() if field != "schema"})
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        raise RequestError(f"extractor {name!r}: {path}: {field}: {first['msg']}") from error


def _body(content: bytes) -> memoryview:
    """Return the tensors' bytes: what follows a safetensors file's header."""
    return memoryview(content)[8 + int.from_bytes(content[:8], "little") :]


def _digest(fields: dict[str, object], body: memoryview) -> str:
    digest = hashlib.sha256(json.dumps(fields, sort_keys=True).encode())
    digest.update(body)
    return digest.hexdigest()


def _load(name: str, own: Path | None, device: torch.device, weights: Path | None) -> FrozenClassifier:
    from safetensors import SafetensorError
    from safetensors.torch import load

    from ganbench.extractors.architectures import find
    from ganbench.extractors.frozen_classifier import FrozenClassifier

    path = weights or own
    info, content = _read(path, name)
    architecture = find(info.architecture, info.architecture_version)
    wanted = f"{info.architecture} version {info.architecture_version}"
    if architecture is None:
        raise RequestError(
            f"extractor {name!r}: {path} is a {wanted}, which this ganbench lacks: use {info.ganbench}, which made it"
        )
    try:
        network = architecture.build(info.input_shape, info.classes)
        network.load_state_dict(load(content))
    except (SafetensorError, RuntimeError) as error:
        raise RequestError(
            f"extractor {name!r}: {path} does not hold the weights of a {wanted} ({type(error).__name__})"
        ) from error
    return FrozenClassifier(network.to(device), info.input_shape, name)


def _sha256(name: str, own: Path | None, weights: Path | None) -> str:
    # A wrong file is refused here, where a request is checked, and not by each process that loads it.
    return hashlib.sha256(_read(weights or own, name).content).hexdigest()


def _outputs(name: str, own: Path | None, weights: Path | None) -> Outputs:
    info = read_info(weights or own, name)
    return Outputs(info.classes, info.feature_dim)


def classifier_source(name: str, path: Path | None = None, summary: str = "") -> ExtractorSource:
    """Return an extractor of that name that is read from `path`, or from the file of ``--weights`` where that is given.

    The file is opened when it is used: a wrong one is a `RequestError` then.
    """
    return ExtractorSource(
        name,
        summary
        or ("made by `ganbench extractor train`" + (f", {path.name}" if path else ", read from --weights FILE")),
        load=partial(_load, name, path),
        sha256=partial(_sha256, name, path),
        preprocessing=PREPROCESSING,
        resize=RESIZE,
        outputs=partial(_outputs, name, path),
        files=(path.absolute(),) if path else (),
    )


CLASSIFIER = classifier_source(NAME)


def by_file(extractor: str | None, weights: Path | None) -> tuple[str | None, Path | None]:
    """Return name and weights as ``--extractor`` and ``--weights`` mean them.

    FILE.safetensors as an extractor is `CLASSIFIER` with these weights.
    """
    if extractor is None or not extractor.endswith(SUFFIX):
        return extractor, weights
    if weights is not None:
        raise RequestError(f"--extractor {extractor}: is a file itself: leave out --weights {weights}")
    if not Path(extractor).is_file():
        raise RequestError(f"--extractor {extractor}: there is no such file: `ganbench extractor train` makes one")
    return NAME, Path(extractor)

"""A trained model's weights in a file that any program can read: safetensors, by the names of its `state_dict`."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import save
from torch import Tensor

from ganbench.errors import RequestError
from ganbench.model import Model
from ganbench.util.atomic_io import atomic_write


def write_weights(path: Path, model: Model, about: dict[str, str]) -> int:
    """Write the tensors of a model's `state_dict` and return how many; `about` goes into the file's metadata.

    Tensors that share memory are written one by one, so that every name is there for `load_state_dict`.
    Raises `RequestError` where there is nothing to write, or a type that the format does not have.
    """
    state = model.state_dict()
    tensors = {
        name: value.detach().to("cpu").clone().contiguous()
        for name, value in state.items()
        if isinstance(value, Tensor)
    }
    if not tensors:
        raise RequestError(f"--export {path}: {model.name!r} has no weights: its state_dict is empty")
    try:
        content = save(tensors, {"format": "pt", **about})
    except (ValueError, KeyError, RuntimeError) as error:
        raise RequestError(f"--export {path}: {' '.join(str(error).split())}") from error
    atomic_write(path, lambda stream: stream.write(content))
    return len(tensors)

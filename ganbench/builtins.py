"""What ganbench itself registers, through the same hooks as anybody; the models come from `ganbench_plugins`."""

from __future__ import annotations

from pathlib import Path

from ganbench.data.embedded import DIGITS, MNIST5K
from ganbench.data.mnist import FASHION_MNIST, MNIST
from ganbench.extractors.bundled import LENETS
from ganbench.extractors.fidelity import FIDELITY
from ganbench.hookspecs import hookimpl


@hookimpl
def ganbench_register_datasets(register):  # type: ignore[no-untyped-def]
    for source in (MNIST5K, MNIST, FASHION_MNIST, DIGITS):
        register(source)


@hookimpl
def ganbench_register_extractors(register):  # type: ignore[no-untyped-def]
    for source in (*LENETS, *FIDELITY):
        register(source)


@hookimpl
def ganbench_register_tracks(register):  # type: ignore[no-untyped-def]
    for path in sorted(Path(__file__).with_name("tracks").glob("*.toml")):
        register(path)

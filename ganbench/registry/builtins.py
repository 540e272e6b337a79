"""What ganbench itself registers, through the same hooks as anybody; its models come from `ganbench_plugins`.

`built_in` returns that alone, without importing torch; `discover` adds every installed plugin.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import ganbench
from ganbench.data.cifar import CIFAR10
from ganbench.data.embedded import DIGITS, MNIST5K, MNIST5K_BINARY
from ganbench.data.folder import FOLDER
from ganbench.data.gaussian_mixtures import GRID25, RING8
from ganbench.data.mnist import FASHION_MNIST, MNIST, MNIST_BINARY
from ganbench.extractors.bundled import LENETS
from ganbench.extractors.classifier_file import CLASSIFIER
from ganbench.extractors.coordinates import COORDINATES
from ganbench.extractors.efficientnet import EFFICIENTNET
from ganbench.extractors.torch_fidelity import FIDELITY
from ganbench.registry.builtin_engines import ENGINES
from ganbench.registry.builtin_metrics import METRICS
from ganbench.registry.entry_points import Origin
from ganbench.registry.hookspecs import hookimpl
from ganbench.registry.registry import Broken, Registry, take_in


@hookimpl
def ganbench_register_datasets(register):  # type: ignore[no-untyped-def]
    for source in (MNIST5K, MNIST5K_BINARY, MNIST, MNIST_BINARY, FASHION_MNIST, CIFAR10, FOLDER, DIGITS, RING8, GRID25):
        register(source)


@hookimpl
def ganbench_register_extractors(register):  # type: ignore[no-untyped-def]
    for source in (*LENETS, EFFICIENTNET, CLASSIFIER, *FIDELITY, COORDINATES):
        register(source)


@hookimpl
def ganbench_register_metrics(register):  # type: ignore[no-untyped-def]
    for metric in METRICS:
        register(metric)


@hookimpl
def ganbench_register_engines(register):  # type: ignore[no-untyped-def]
    for engine in ENGINES:
        register(engine)


@hookimpl
def ganbench_register_tracks(register):  # type: ignore[no-untyped-def]
    for path in sorted(Path(ganbench.__file__).with_name("tracks").glob("*.toml")):
        register(path)


def built_in() -> Registry:
    """Return a registry that holds ganbench's own data sets, extractors, metrics, engines and tracks."""
    registry = Registry()
    if broken := registry.add_plugin(sys.modules[__name__], Origin("ganbench", ganbench.__version__, "")):
        raise RuntimeError(str(broken[0]))  # a fault of ganbench itself
    return registry


def discover(report: Callable[[Broken], None] = lambda broken: None) -> Registry:
    """Return a registry that holds every installed plugin too; `report` is called with whatever is broken."""
    registry = built_in()
    take_in(registry, report)
    return registry

"""Where a model's class lies, ``module:Class`` or ``/path/file.py:Class``: written down, loaded, and trusted or not."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ganbench.errors import RequestError
from ganbench.registry.entry_points import Origin, entry_points
from ganbench.registry.own_code import PluginFolder, find_top_level
from ganbench.registry.registry import Registered, Registry
from ganbench.registry.source_hash import FILE_PREFIX
from ganbench.util.atomic_io import write_text
from ganbench.util.cache import cache_folder
from ganbench.util.text import error_line

if TYPE_CHECKING:
    from ganbench.model import Model


def load_file(spec: str, registry: Registry) -> Registered:
    """Load ``path/to/file.py:Class`` and register the class; errors name the file.

    The file may import modules that lie beside it; installed ones of the same name come first.
    """
    path_text, _, class_name = spec.rpartition(":")
    path = Path(path_text)
    with contextlib.suppress(OSError, ValueError):  # a name too long, or with a NUL
        path = path.resolve()
    if not path.is_absolute() or not path.is_file():
        raise RequestError(f"plugin {spec!r}: there is no file {str(path)!r}")
    model = getattr(module_of_file(path), class_name, None)
    if model is None:
        raise RequestError(f"plugin {spec!r}: {path.name} defines no {class_name!r}")
    try:
        entry = registry.take("models", model, Origin(str(path), "", class_name))
    except RequestError as error:
        raise RequestError(f"plugin {spec!r}: {error}") from error
    if not _named(path).exists():
        write_text(_named(path), f"{path}\n")
    return entry


def module_of_file(path: Path) -> ModuleType:
    """Import a file once; another content is another module."""
    content = path.read_bytes()
    name = f"{FILE_PREFIX}{path.stem}_{hashlib.sha256(str(path).encode() + content).hexdigest()[:12]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    try:
        with _beside(path.parent):
            spec.loader.exec_module(module)
    except BaseException as error:  # a file may even call sys.exit
        del sys.modules[name]
        if isinstance(error, KeyboardInterrupt):
            raise
        raise RequestError(f"plugin {path}: {error_line(error)}") from error
    return module


@contextlib.contextmanager
def _beside(folder: Path) -> Iterator[None]:
    """Make a folder importable, after every other place, and leave it so for what is imported later.

    Two files in different folders may each have a neighbour called ``helpers``: each gets its own.
    """
    others = [place for place in sys.path if isinstance(place, PluginFolder) and place != str(folder)]
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if "." in name or not file or name.startswith(FILE_PREFIX):
            continue
        place = Path(file).parent.parent if Path(file).name == "__init__.py" else Path(file).parent
        if str(place) in others and find_top_level(name, folder) is not None:
            for loaded in [each for each in sys.modules if each.partition(".")[0] == name]:
                del sys.modules[loaded]
    sys.path[:] = [place for place in sys.path if not isinstance(place, PluginFolder)]
    if str(folder) not in sys.path:
        sys.path.append(PluginFolder(folder))
    importlib.invalidate_caches()  # what was written into the folder a moment ago is found, too
    try:
        yield
    finally:
        sys.path += others


def import_path(model: type[Model], origin: Origin) -> str:
    """Return where a worker process finds the class: ``module:Class`` or ``/path/file.py:Class``."""
    if model.__module__.startswith(FILE_PREFIX):
        return f"{origin.distribution}:{model.__qualname__}"
    return f"{model.__module__}:{model.__qualname__}"


def resolve(place: str) -> type[Model]:
    """Return the class at an `import_path` that a planned run gives."""
    home, _, qualified = place.rpartition(":")
    found: Any = module_of_file(Path(home)) if home.endswith(".py") else importlib.import_module(home)
    for part in qualified.split("."):
        found = getattr(found, part)
    return found  # type: ignore[no-any-return]


def resolve_known(place: str) -> type[Model]:
    """Return the class at an `import_path` that a run's folder gives: the folder may be a stranger's.

    It must lie in a package of a plugin that may run, in a module that is imported already, or in a file that was
    named in a request on this machine. Raises `RequestError` where it does not, or is no model.
    """
    home, _, qualified = place.rpartition(":")
    packages = {point.module.partition(".")[0] for point in entry_points()[0]}
    if home.endswith(".py"):
        if not _named(Path(home)).exists():
            raise RequestError(f"{home}: was never run here: if you trust it, name it with --plugins {place!r}")
    elif home not in sys.modules and home.partition(".")[0] not in packages:
        raise RequestError(f"{home}: belongs to no plugin that may run here: install it, or import it first")
    model = resolve(place)
    from ganbench.model import Model

    if not (isinstance(model, type) and issubclass(model, Model)):
        raise RequestError(f"{place}: is not a subclass of ganbench.Model")
    return model


def _named(path: Path) -> Path:
    """Return the note that a file of a model was named in a request on this machine."""
    return cache_folder("named") / hashlib.sha256(str(path).encode()).hexdigest()

"""The code of submitted models: which files are packed, and how they are laid out again where they are run."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from ganbench.errors import RequestError
from ganbench.registry.import_path import resolve_known
from ganbench.registry.own_code import find_top_level
from ganbench.registry.source_hash import Source, SourceModule, source_hash_of, source_in, source_of
from ganbench.store.provenance import git_state
from ganbench.store.run_spec import RunSpec
from ganbench.submission.manifest import CODE, SAFE, ModelCode
from ganbench.util.atomic_io import write_text

OWN = "ganbench"
"""The distribution whose models are known by their hash alone: whoever verifies has it."""
_AS_MODULE = "ganbench_submitted"
"""The name of a file that a model came from, where it is run: its own may be that of an installed module."""


def is_own(spec: RunSpec) -> bool:
    """Tell whether a model is one of ganbench's own."""
    return spec.model_info.distribution.split(" ")[0] == OWN and not _is_file(spec)


def _is_file(spec: RunSpec) -> bool:
    return spec.import_path.rpartition(":")[0].endswith(".py")


def packed_code(spec: RunSpec, code: str | None) -> tuple[ModelCode, dict[str, Path]]:
    """Return what a bundle says of a model's code, and the files to be packed by the names of their members.

    `code` is what ``--code`` says: a distribution's name, or the folder (or file) that the code lies in. Raises
    `RequestError` where the code is not what trained the run, or lies elsewhere.
    """
    info = spec.model_info
    place, _, qualified_name = spec.import_path.rpartition(":")
    module = "" if _is_file(spec) else place
    said = ModelCode(model=info.name, source=info.source, distribution=info.distribution, module=module,
                     qualified_name=qualified_name)  # fmt: skip
    if is_own(spec):
        return said, {}
    if code is None:
        raise RequestError(
            f"model {info.name!r} of {info.distribution}: say where its code is: --code with the name of its "
            "distribution, or the folder of its files"
        )
    try:
        source = source_of(resolve_known(spec.import_path))
    except (ImportError, AttributeError, OSError) as error:
        raise RequestError(f"model {info.name!r}: {spec.import_path} cannot be imported here ({error})") from error
    if source.sha256 != info.source:
        raise RequestError(
            f"model {info.name!r}: its code has changed since it was trained (source {source.sha256[:12]}, recorded "
            f"{info.source[:12]}): bring back the code that trained it, or train again"
        )
    root = Path(code)
    commit, dirty = None, None
    if root.exists():
        root = (root if root.is_dir() else root.parent).resolve()
        for path in source.files:
            if not path.resolve().is_relative_to(root):
                raise RequestError(
                    f"--code {code}: model {info.name!r} is made of {path}, too, which lies elsewhere: name its "
                    f"distribution, --code {info.distribution.split(' ')[0]}, or the folder that holds all its files"
                )
        commit, dirty = git_state(root)
    elif info.distribution.split(" ")[0] != code:
        raise RequestError(
            f"--code {code}: is no file or folder, and model {info.name!r} is of {info.distribution}, not of {code}"
        )
    modules = {_member(each): each.path for each in source.modules}
    assets = _assets(source, info.name)
    packed = modules | assets
    for name in packed:
        if not SAFE.fullmatch(name):
            raise RequestError(f"model {info.name!r}: {name!r} cannot be the name of a file in a bundle: rename it")
    return said.model_copy(
        update={
            "home": _member(source.modules[0]), "members": sorted(packed), "assets": list(assets),
            "git_commit": commit or "", "git_dirty": bool(dirty),
        }
    ), packed  # fmt: skip


def _member(module: SourceModule) -> str:
    return str(PurePosixPath(CODE, *filter(None, module.package.split(".")), module.path.name))


def _assets(source: Source, model: str) -> dict[str, Path]:
    """Return assets by members: they lie beside the class's module as they did."""
    home = source.modules[0]
    found = {}
    for path in source.assets:
        beside = PurePosixPath(_member(home)).parent / Path(os.path.relpath(path, home.path.parent)).as_posix()
        name = os.path.normpath(beside)
        if not name.startswith(f"{CODE}/"):
            raise RequestError(f"model {model!r}: asset {path} lies outside of its code: put it beside the module")
        found[name] = path
    return found


def packed_source_hash(code: ModelCode, folder: Path) -> str:
    """Return the source hash of packed code in the folder of an unpacked bundle; nothing is imported."""
    folder = folder.absolute()  # as modules are found
    home = SourceModule(code.module, folder / code.home)
    return source_in(folder / CODE, home, [folder / name for name in code.assets]).sha256


def lay_out(code: Iterable[ModelCode], folder: Path, target: Path) -> dict[tuple[str, str], str]:
    """Lay packed code out as an installed plugin would lie, in a folder of its own; nothing is imported.

    Return import paths by the model's name and source hash: of the very code that is installed here, where it is. The
    folder is to be the last on ``sys.path``, so installed modules come first: raises `RequestError` where one has the
    name of a packed one and other content.
    """
    shutil.rmtree(target, ignore_errors=True)
    places, entry_points = {}, []
    for number, each in enumerate(code):
        place = f"{each.module}:{each.qualified_name}"
        if each.module and _installed_source(place) == each.source:
            places[each.model, each.source] = place
            continue
        module = each.module or f"{_AS_MODULE}_{number}"
        if not each.module:
            (target / f"{module}.py").parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(folder / each.home, target / f"{module}.py")
        for name in each.members:
            if each.module or name != each.home:
                _copy(name, folder, target)
        entry_points.append(f"submitted-{number} = {module}")
        places[each.model, each.source] = f"{module}:{each.qualified_name}"
    info = target / "ganbench_submitted-0.dist-info"
    write_text(info / "METADATA", "Metadata-Version: 2.1\nName: ganbench-submitted\nVersion: 0\n")
    write_text(info / "entry_points.txt", "\n".join(["[ganbench]", *entry_points]) + "\n")
    return places


def _installed_source(place: str) -> str:
    try:
        return source_hash_of(place)
    except RequestError:
        return ""


def _copy(name: str, folder: Path, target: Path) -> None:
    path = PurePosixPath(name).relative_to(CODE)
    top = path.parts[0].partition(".")[0]
    there = find_top_level(top)
    if there is not None and there.origin is not None:
        raise RequestError(
            f"{name}: a module {top!r} is installed here ({there.origin}) and would be run in its place: verify in an "
            "environment without it"
        )
    (target / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / name, target / path)

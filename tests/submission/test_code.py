"""A package's code packed and laid out again: the same source hash, and nothing installed is run in its place."""

from __future__ import annotations

import importlib
import shutil
import sys
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.source_hash import source_hash
from ganbench.store.run_spec import RunSpec
from ganbench.submission.code import lay_out, packed_code, packed_source_hash

from ..store.factory import spec

MODELS = """
import ganbench
from .parts import layers

class Packaged(ganbench.Model):
    name = "packaged"
    assets = ("data/codebook.bin",)
"""


@pytest.fixture
def packaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunSpec:
    """A model in a package, which imports a neighbour and declares an asset."""
    package = tmp_path / "site" / "strange_package"
    (package / "parts").mkdir(parents=True)
    (package / "data").mkdir()
    (package / "__init__.py").write_text("")
    (package / "models.py").write_text(MODELS)
    (package / "parts" / "layers.py").write_text("WIDTH = 64\n")
    (package / "unused.py").write_text("")
    (package / "data" / "codebook.bin").write_bytes(b"codes")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    model = importlib.import_module("strange_package.models").Packaged
    info = {"source": source_hash(model), "distribution": "strange-package 1.2"}
    return spec("packaged", model=info).model_copy(update={"import_path": "strange_package.models:Packaged"})


def test_a_package_is_packed_and_laid_out(packaged: RunSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, files = packed_code(packaged, "strange-package")
    assert code.home == "code/strange_package/models.py"
    assert code.assets == ["code/strange_package/data/codebook.bin"]
    assert {"code/strange_package/parts/layers.py"} < files.keys()
    assert "code/strange_package/unused.py" not in files
    bundle = tmp_path / "bundle"
    for name, path in files.items():
        (bundle / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, bundle / name)
    assert packed_source_hash(code, bundle) == packaged.model_info.source
    place = {("packaged", packaged.model_info.source): packaged.import_path}
    assert lay_out([code], bundle, tmp_path / "installed") == place
    assert not (tmp_path / "installed" / "strange_package").exists(), "the very code is installed"

    other = tmp_path / "site" / "strange_package" / "parts" / "layers.py"
    other.write_text("WIDTH = 32\n")
    with pytest.raises(RequestError, match="a module 'strange_package' is installed here"):
        lay_out([code], bundle, tmp_path / "other")

    monkeypatch.undo()
    for name in [name for name in sys.modules if name.startswith("strange_package")]:
        del sys.modules[name]
    shutil.rmtree(tmp_path / "site")
    importlib.invalidate_caches()
    assert lay_out([code], bundle, tmp_path / "code") == place
    assert (tmp_path / "code" / "strange_package" / "parts" / "layers.py").read_text() == "WIDTH = 64\n"
    (bundle / "code" / "strange_package" / "parts" / "layers.py").write_text("WIDTH = 65\n")
    assert packed_source_hash(code, bundle) != packaged.model_info.source

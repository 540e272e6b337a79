"""The hash of the code that decides what a model does: what counts, what does not, and that nothing is imported."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.code_tree import read_code
from ganbench.registry.import_path import import_path, load_file
from ganbench.registry.registry import Registry
from ganbench.registry.source_hash import source_files, source_hash, source_hash_of

from .conftest import Install

MODEL = '''
"""A model."""

import ganbench
import importlib
import numpy
from . import near
from .losses import hinge

class M(ganbench.Model):
    """Says nothing of what it does."""

    name = "m"
    slope = 0.2
    """An attribute explained."""

    def step(self, batch):
        from .lazy import later
        importlib.import_module(".named", __package__)
        return hinge(batch)  # a comment
'''
PLACE = "hashed_package.model:M"


def write(path: Path, text: str, add: bool = False) -> None:
    """Change a file; its time changes too, however coarse the clock of the file system is."""
    moment = path.stat().st_mtime_ns if path.exists() else 0
    path.write_text((path.read_text() if add else "") + text)
    os.utime(path, ns=(moment + 10**7, moment + 10**7))


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "hashed_package"
    folder.mkdir()
    for name in ("__init__", "near", "losses", "deep", "lazy", "named", "apart"):
        (folder / f"{name}.py").write_text("hinge = later = 1\n")
    (folder / "losses.py").write_text("from hashed_package.deep import hinge\n")
    (folder / "model.py").write_text(MODEL)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == "hashed_package"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    ("file", "counts"),
    [
        ("model", True), ("near", True), ("losses", True), ("deep", True), ("lazy", True), ("named", True),
        ("apart", False),
    ],
)  # fmt: skip
def test_it_covers_what_the_model_imports_of_its_package(package: Path, file: str, counts: bool) -> None:
    model = importlib.import_module("hashed_package.model").M
    importlib.import_module("hashed_package.apart")
    before = source_hash(model)
    write(package / f"{file}.py", "more = 2\n", add=True)
    assert (source_hash(model) != before) is counts
    assert source_hash_of(PLACE) == source_hash(model)


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ('"""A model."""', '"""A better model,\nexplained."""', False), ("# a comment", "# another", False),
        ('"""Says nothing of what it does."""', "", False), ('"""An attribute explained."""', '"""Told."""', False),
        ('\n    slope = 0.2', '\n\n\n    slope = 0.20', False),
        ("return hinge(batch)", "return (hinge(batch,))", False),
        ("return hinge(batch)", "return hinge(batch),", True),
        ('"m"', "'m'", False), ("slope = 0.2", "slope = 0.3", True), ('"m"', '"n"', True), ("slope = 0.2", "", True),
        ("slope = 0.2", "slope = 0.2; here = True", True), ("import numpy\n", "import numpy as np\n", True),
        ("slope = 0.2", 'slope = "0.2"', True), ("slope = 0.2", "slope: float = 0.2", True),
    ],
)  # fmt: skip
def test_words_do_not_count_and_code_does(package: Path, old: str, new: str, counts: bool) -> None:
    before = source_hash_of(PLACE)
    assert old in MODEL
    write(package / "model.py", MODEL.replace(old, new))
    assert (source_hash_of(PLACE) != before) is counts


def test_a_text_that_is_used_counts(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    found = set()
    for source in ('x = "a"', 'x = "b"', 'f("a")', 'def f(x="a"): pass', 'def f(x="b"): pass', "x = 1", "x = True"):
        write(path, source)
        found.add(read_code(path).sha256)
    assert len(found) == 7


def test_it_says_the_same_in_every_version_of_python(tmp_path: Path) -> None:
    # Fields of syntax trees that came after 3.11 are empty for code that 3.11 can read, and are left out.
    path = tmp_path / "mine.py"
    path.write_text(
        "class A(B):\n    @c\n    async def f(self, *, x: int = 1, **k) -> None:\n        y = f'{x!r:>4}'\n"
    )
    assert read_code(path).sha256.hex()[:16] == "a0a2067e4a24c916"


def test_it_does_not_depend_on_what_else_was_imported_nor_on_the_place(package: Path, tmp_path: Path) -> None:
    model = importlib.import_module("hashed_package.model").M
    before = source_hash(model)
    importlib.import_module("hashed_package.lazy")
    assert source_hash(model) == before


def test_it_is_known_without_importing_anything(package: Path) -> None:
    before = set(sys.modules)
    found = source_hash_of(PLACE)
    assert not [name for name in set(sys.modules) - before if name.startswith("hashed_package")]
    assert found == source_hash(importlib.import_module("hashed_package.model").M)


def test_a_file_that_is_read_once_is_not_read_again(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = source_hash_of(PLACE)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read again"))
    assert source_hash_of(PLACE) == found


def test_compiled_modules_are_hashed_too(package: Path) -> None:
    model = importlib.import_module("hashed_package.model").M
    compiled = package / "lazy.so"  # found before lazy.py, which nobody has imported yet
    write(compiled, "\x7fELF\0\0")
    importlib.invalidate_caches()
    before = source_hash(model)
    write(compiled, "\x7fELF\0\1")
    assert source_hash(model) != before


TINY = """
import ganbench
import tiny_losses
from tiny_core.nets import net
import helpers_of_others

class Tiny(ganbench.Model):
    name = "tiny"
"""
FILES = {
    "tiny_models/__init__.py": "", "tiny_models/tiny.py": TINY, "tiny_losses.py": "x = 1\n",
    "tiny_core/__init__.py": "", "tiny_core/nets.py": "from .deep import net\n", "tiny_core/deep.py": "net = 1\n",
    "tiny_core/apart.py": "", "tiny_models/other.py": "",
}  # fmt: skip


@pytest.mark.parametrize("editable", [False, True], ids=["installed", "editable"])
def test_helpers_outside_the_package_but_of_the_distribution_count(
    install: Install, tmp_path: Path, editable: bool
) -> None:
    project = tmp_path / "project" if editable else None
    home = install("tiny-gan", FILES, {"tiny": "tiny_models.tiny"}, project=project)
    install("others", {"helpers_of_others.py": "x = 1\n"}, {"o": "helpers_of_others"})
    place = "tiny_models.tiny:Tiny"
    for file in FILES:
        before = source_hash_of(place)
        write(home / file, "more = 2\n", add=True)
        apart = file.endswith(("apart.py", "other.py", "__init__.py"))
        assert (source_hash_of(place) == before) is apart, file
    write(Path(tmp_path, "site", "helpers_of_others.py"), "x = 2\n")
    assert source_hash_of(place) == (now := source_hash_of(place))
    model = importlib.import_module("tiny_models.tiny").Tiny
    assert source_hash(model) == now
    assert {path.name for path in source_files(model)} == {"tiny.py", "tiny_losses.py", "nets.py", "deep.py"}


def test_another_distributions_code_does_not_count(install: Install) -> None:
    source = TINY.replace("import tiny_losses\nfrom tiny_core.nets import net\n", "import torch, ganbench.metric\n")
    install("tiny-gan", {"tiny_gan.py": source}, {"tiny": "tiny_gan"})
    home = install("others", {"helpers_of_others.py": "x = 1\n"}, {"o": "helpers_of_others"})
    before = source_hash_of("tiny_gan:Tiny")
    write(home / "helpers_of_others.py", "x = 2\n")
    assert source_hash_of("tiny_gan:Tiny") == before
    assert [path.name for path in source_files(importlib.import_module("tiny_gan").Tiny)] == ["tiny_gan.py"]


def test_a_shipped_model_counts_what_it_shares_and_nothing_of_ganbench(registry: Registry) -> None:
    model = registry.get("models", "dcgan").thing
    found = {path.name for path in source_files(model)}
    assert {"dcgan.py", "adversarial.py", "layers.py"} <= found
    assert not {"model.py", "__init__.py", "hookspecs.py"} & found
    for entry in registry.all("models"):
        assert source_hash_of(import_path(entry.thing, entry.origin)) == source_hash(entry.thing), entry.name


ASSETS = """
import ganbench
from pathlib import Path

class Fixed(ganbench.Model):
    name = "fixed"
    assets = ("weights.bin", "data/table.txt")

class Heir(Fixed):
    name = "heir"

class Other(ganbench.Model):
    name = "other"

class Computed(ganbench.Model):
    name = "computed"
    assets = tuple(path.name for path in Path(__file__).parent.glob("weights.*"))
"""


@pytest.fixture
def fixed(install: Install) -> Path:
    files = {"fixed_gan/__init__.py": "", "fixed_gan/models.py": ASSETS}
    files |= {"fixed_gan/weights.bin": "1", "fixed_gan/data/table.txt": "2"}
    return install("fixed-gan", files, {"fixed": "fixed_gan.models"}) / "fixed_gan"


@pytest.mark.parametrize("name", ["Fixed", "Heir", "Other", "Computed"])
def test_declared_assets_count(fixed: Path, name: str) -> None:
    place = f"fixed_gan.models:{name}"
    for asset in ("weights.bin", "data/table.txt"):
        before = source_hash_of(place)
        write(fixed / asset, "another content")
        counts = name in ("Fixed", "Heir") or (name == "Computed" and asset == "weights.bin")
        assert (source_hash_of(place) != before) is counts
    assert ("fixed_gan.models" in sys.modules) is (name == "Computed"), "only the class can tell what it computes"
    assert source_hash(getattr(importlib.import_module("fixed_gan.models"), name)) == source_hash_of(place)


def test_a_missing_asset_is_named(fixed: Path) -> None:
    (fixed / "data" / "table.txt").unlink()
    model = importlib.import_module("fixed_gan.models").Fixed
    for ask in (lambda: source_hash(model), lambda: source_hash_of("fixed_gan.models:Fixed")):
        with pytest.raises(RequestError, match=r"^class Fixed: asset 'data/table\.txt' is missing: there is no file /"):
            ask()
    write(fixed / "models.py", ASSETS.replace('"weights.bin"', f'"{fixed}/weights.bin"'))
    with pytest.raises(RequestError, match="relative to the module's folder"):
        source_hash_of("fixed_gan.models:Fixed")


def test_a_file_counts_with_its_neighbours_wherever_it_lies(tmp_path: Path, fresh: Registry) -> None:
    source = "import ganbench, torch\nimport beside_it\nclass Mine(ganbench.Model):\n    name = 'mine'\n"
    source += "    assets = ['w.bin']\n"
    files = {"mine.py": source, "beside_it.py": "import further_on.x\n", "unused_one.py": "", "w.bin": "1"}
    files |= {"further_on/x.py": "y = 1\n", "torch.py": "raise SystemExit('the installed one comes first')\n"}
    for folder in ("a", "b"):
        for file, text in files.items():
            (tmp_path / folder / file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / file).write_text(text)
    here, there = (f"{tmp_path}/{folder}/mine.py:Mine" for folder in ("a", "b"))
    assert source_hash_of(here) == source_hash_of(there)
    for file in files:
        before = source_hash_of(here)
        write(tmp_path / "a" / file, "z = 2\n", add=True)
        assert (source_hash_of(here) == before) is (file in ("unused_one.py", "torch.py")), file
    entry = load_file(there, fresh)
    assert source_hash(entry.thing) == source_hash_of(there)
    assert {path.name for path in source_files(entry.thing)} == {"mine.py", "beside_it.py", "x.py", "w.bin"}


@pytest.mark.parametrize(
    "place",
    ["", "nowhere", ":", "no_such_package.x:Y", "/no/such/file.py:X", "mine.py:X", "../a.b:C", "ganbench:Model"],
)
def test_what_is_not_there_is_one_line(place: str) -> None:
    with pytest.raises(RequestError) as refusal:
        source_hash_of(place)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("field", "counts"),
    [
        ("lr: Annotated[float, Uniform(0, 2)] = 0.2", False),
        ("lr: typing.Annotated[float, Choice(0.1, 0.2)] = 0.2", False),
        ("lr: float = 0.2", False),
        ("lr: Annotated[float, Uniform(0, 1)] = 0.3", True),
        ("lr: Annotated[int, Uniform(0, 1)] = 0.2", True),
    ],
)
def test_search_spaces_do_not_count(tmp_path: Path, field: str, counts: bool) -> None:
    (tmp_path / "one.py").write_text("class Config:\n    lr: Annotated[float, Uniform(0, 1)] = 0.2\n")
    (tmp_path / "two.py").write_text(f"class Config:\n    {field}\n")
    one, two = (read_code(tmp_path / name).sha256 for name in ("one.py", "two.py"))
    assert (one != two) is counts

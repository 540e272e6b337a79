"""Every command and every Python example of the README and of the site is run, in order, page by page.

Each page starts in a folder where the README's first command has run. What would take minutes is smaller: the tables
below are all that differs from what a reader types.
"""

from __future__ import annotations

import re
import shlex
import shutil
import sys
import warnings
from pathlib import Path

import pytest

import ganbench.registry.lookup
import ganbench.tracks.track
from ganbench.tracks.track import Track, read_track

from ..conftest import call, stored
from ..once import MakeOnce
from .pages import PAGES, ROOT, WRITTEN_BY_COMMANDS, Block, blocks, commands

SMALL = {
    "budget": "5steps", "seeds": 1, "samples": 30, "curve_points": 1, "curve_samples": 20,
    "classifier_steps": 2, "classifier_seeds": 1,
}  # fmt: skip
"""What every track has in these tests, its own or that of a page."""

SMALL_IMAGES = {"dataset": "digits", "extractor": "lenet-mnist"}
"""What tracks have, too, whose images are large, or are not in the package."""

LARGE = {"mnist5k", "mnist5k-binary", "mnist", "mnist-binary", "fashion-mnist", "cifar10"}

SMALL_OPTIONS = {
    "--budget": {"100kimg": "3steps", "2000steps": "4steps", "2m": "1s", "100kimg,2m": "3steps"},
    "--seeds": {"5": "1"},
    "--runs-each": {"20": "1"},
    "-n": {"200": "40", "500": "40"},
    "--samples": {"100": "30"},
    "--epochs": {"2": "1"},
}
"""What stands for the values of options that ask for much."""

TESTED_ELSEWHERE = {
    "pip install": "tests/plugins/test_third_party.py and .ci/run install packages",
    "pytest": ".ci/run runs the README's second command",
    "ray start": "tests/engines/test_ray.py runs commands on a cluster of three nodes",
    "mkdocs": "tests/docs/test_site.py builds the site",
    "python benchmarks/": "a benchmark takes minutes; that its file is there is tested here",
}
"""How commands begin that are not run here, and why."""

FIRST = "ganbench run --plugins dcgan,vanilla,vae"
MOST_NOT_RUN = 5


def smaller(path: Path) -> Track:
    """Read a track and make it small."""
    track = read_track(path)
    images = SMALL_IMAGES if track.dataset in LARGE else {}
    return track.model_copy(update=SMALL | images)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ganbench.tracks.track, "read_track", smaller)
    monkeypatch.setattr(ganbench.registry.lookup, "read_track", smaller)


@pytest.fixture
def folder(small: None, make_once: MakeOnce, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder where the README's first command has run, which is the current one."""

    def make(shared: Path) -> Path:
        monkeypatch.chdir(shared)
        run(FIRST)
        return shared

    shutil.copytree(make_once("documentation", make), tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def run(command: str) -> None:
    """Run a command of a page, smaller; it must succeed."""
    words = shlex.split(command)
    for option, values in SMALL_OPTIONS.items():
        if option in words:
            at = words.index(option) + 1
            words[at] = values.get(words[at], words[at])
    status, out, err = call(*words[1:])
    assert status == 0, f"{command}\n{out}{err}"


def ready(text: str, folder: Path) -> str:
    """Return a block with a key in place of KEY."""
    return re.sub(r"\bKEY\b", stored(folder / "runs")["dcgan"].key, text)


def _shell(block: Block, folder: Path) -> None:
    for command in commands(block.text):
        if any(command.startswith(each) for each in TESTED_ELSEWHERE):
            if script := re.match(r"python (benchmarks/\w+\.py)", command):
                assert (ROOT / script[1]).is_file()
        else:
            assert command.startswith("ganbench "), f"{command}: what is it?"
            run(ready(command, folder))


def _python(block: Block, folder: Path, names: dict[str, object]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that n differs from the track's, which is small here
        exec(compile(ready(block.text, folder), "example", "exec", dont_inherit=True), names)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples(page: Path, request: pytest.FixtureRequest) -> None:
    shown = [block for block in blocks(page) if block.language in ("sh", "python", "toml") and not block.not_run]
    if not shown:
        pytest.skip("the page has no examples")
    folder: Path = request.getfixturevalue("folder")
    names: dict[str, object] = {"__name__": "example"}
    known = set(sys.modules)
    try:
        for block in shown:
            if block.file:
                (folder / block.file).write_text(block.text)
            if block.language == "sh":
                _shell(block, folder)
            elif block.language == "python":
                _python(block, folder, names)
    finally:
        for name in set(sys.modules) - known:
            if str(folder) in str(getattr(sys.modules[name], "__file__", "")):
                del sys.modules[name]


def test_few_examples_are_not_run() -> None:
    reasons = [block.not_run for page in PAGES for block in blocks(page) if block.not_run]
    assert len(reasons) <= MOST_NOT_RUN, reasons


def test_commands_stand_in_blocks_that_are_run() -> None:
    """But for the README's first two, which `.ci/run` reads, and what commands write."""
    run_blocks = re.compile(r"^```sh\n.*?^```$", re.M | re.S)
    indented = re.compile(r"^    (?:\$ )?(?:ganbench|pip|python) .*$", re.M)
    in_other_blocks = re.compile(r"^```\w*\n(?:\$ )?(?:ganbench|pip|python) .*$", re.M)
    found = {}
    for page in PAGES:
        if page not in WRITTEN_BY_COMMANDS:
            text = run_blocks.sub("", page.read_text())
            found[str(page.relative_to(ROOT))] = indented.findall(text) + in_other_blocks.findall(text)
    assert len(found.pop("README.md")) == 2
    assert {page: lines for page, lines in found.items() if lines} == {}


def test_the_first_command_is_the_readmes() -> None:
    assert f"    pip install . && {FIRST}\n" in (ROOT / "README.md").read_text()


def test_blocks_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    code = "<!-- not run: a GPU -->\n```python\n# x_y.py\n1\n```\n"
    page.write_text(f"```sh\n# why\na && b\nc \\\n  d\n```\n{code}```\nno\n```\n")
    first, second = blocks(page)
    assert commands(first.text) == ["a", "b", "c    d"]
    assert (second.file, second.not_run) == ("x_y.py", "a GPU")

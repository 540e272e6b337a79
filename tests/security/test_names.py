"""Names of tracks, plugins and files cannot leave their folder."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.import_path import load_file
from ganbench.registry.registry import Registry
from ganbench.tracks.track import read_track

from ..conftest import Answer, Smoke
from .attacks import NAMES, refused

Command = Callable[..., Answer]
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", NAMES)
def test_names_do_not_lead_out_of_a_folder(
    command: Command, smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here = tmp_path / "deep" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    run = ("run", "--runs", here / "runs", "--boards", here / "boards")
    refused(command(*run, "--plugins", "vae", "--track", name))
    run += ("--track", "digits-smoke")
    refused(command(*run, "--plugins", name))
    refused(command(*run, "--plugins", f"vae,{name}"))
    refused(command(*run, "--plugins", f"{name}.py:Mine"))
    refused(command(*run, "--plugins", "vae", "--extractor", name))
    refused(command(*run, "--plugins", "vae", "--metrics", name))
    refused(command("board", "--track", name, "--runs", smoke.runs, "--boards", here / "boards"))
    refused(command("publish", "--track", name, "--runs", smoke.runs, "--published", here / "boards"))
    refused(command("score", "--track", name, "--runs", smoke.runs, "--boards", here / "boards"))
    refused(command("tracks", "show", name))
    refused(command("evaluate", name))
    if name:  # every key begins with nothing
        refused(command("sample", name, "--runs", smoke.runs, "--export", here / "samples.png"))
    if "\0" not in name:  # click asks the system for a path's kind, and no real command line holds a NUL
        refused(command(*run, "--plugins", "vae", "--weights", name))
        refused(command("extractors", f"{name}.safetensors"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", NAMES)
def test_a_track_file_cannot_be_named_with_a_path(tmp_path: Path, name: str) -> None:
    shipped = next((ROOT / "ganbench" / "tracks").glob("digits-smoke.toml")).read_text()
    file = tmp_path / "mine.toml"
    file.write_text(shipped.replace('name = "digits-smoke"', f"name = {json.dumps(name)}"))
    with pytest.raises(RequestError, match="mine.toml: (name|not valid TOML)"):
        read_track(file)


@pytest.mark.parametrize("content", ["a = " + "[" * 100_000, "\0", "a = 1" * 2], ids=["brackets", "nul", "twice"])
def test_a_track_file_that_is_none_is_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(RequestError, match="mine.toml: not valid TOML"):
        read_track(file)


@pytest.mark.parametrize("name", NAMES)
def test_a_plugins_names_cannot_lead_out_of_a_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"import ganbench\nclass Mine(ganbench.Model):\n    name = {name!r}\n")
    registry = Registry()
    with pytest.raises(RequestError, match="use letters, digits"):
        load_file(f"{path}:Mine", registry)

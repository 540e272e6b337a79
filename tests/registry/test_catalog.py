"""The catalog: what there is, told by a child process and kept."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganbench.registry.catalog import _describe as describe
from ganbench.registry.catalog import catalog
from ganbench.registry.source_hash import source_hash_of

from .conftest import Install
from .sources import GOOD, METRIC, SHIPPED

Maker = Callable[..., str]


def test_lists_obey_the_allow_list(distribution: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    marker = tmp_path / "imported"
    distribution("one-gan", f"open({str(marker)!r}, 'a').close()\n" + GOOD.format(name="first"))
    monkeypatch.delenv("GANBENCH_PLUGINS", raising=False)
    assert "first" in {model["name"] for model in catalog()["models"]}
    marker.unlink()
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    listed = {model["name"] for model in catalog()["models"]}
    assert listed >= SHIPPED
    assert "first" not in listed
    assert "first" not in {model["name"] for model in catalog()["models"]}
    assert not marker.exists()


def test_it_says_what_the_registry_says_and_follows_the_source(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = GOOD.format(name="tidy").replace(
        "    name", "    homepage = 'https://x.org'\n    assets = ('w.bin',)\n    name"
    )
    files = {"tidy_gan.py": "import tidy_apart\n" + source + METRIC.format(names=("ink",)), "w.bin": "1"}
    site = install("tidy-gan", files | {"tidy_apart.py": "x = 1\n"}, {"tidy": "tidy_gan"})
    children: list[Any] = []

    def child(words: list[str], **more: Any) -> Any:  # in this process, which has imported torch long ago
        children.append(words)
        return subprocess.CompletedProcess(words, 0, f"printed by a plugin\n{json.dumps(describe())}\n", "")

    monkeypatch.setattr(subprocess, "run", child)
    found = catalog()
    (tidy,) = (model for model in found["models"] if model["name"] == "tidy")
    assert tidy == {
        "name": "tidy", "family": "other", "version": "1", "conditional": False, "paper": "",
        "homepage": "https://x.org", "source": source_hash_of("tidy_gan:Good"), "import_path": "tidy_gan:Good",
        "distribution": "tidy-gan 1.0", "origin": "tidy-gan 1.0 (tidy = tidy_gan)", "entry_point": "tidy = tidy_gan",
    }  # fmt: skip
    assert not [model for model in found["models"] if source_hash_of(model["import_path"]) != model["source"]]
    brought = {metric["name"]: metric["entry_point"] for metric in found["metrics"]}
    assert (brought["fid"], brought["ink"]) == ("", "tidy = tidy_gan")
    others = [item for kind in ("datasets", "extractors", "tracks") for item in found[kind]]
    assert {item["entry_point"] for item in others} == {""}
    assert catalog() == found
    assert len(children) == 1
    for file in ("w.bin", "tidy_apart.py"):  # neither lies in the entry point's own module
        (site / file).write_text("changed = 2\n")
    (renewed,) = (model for model in catalog()["models"] if model["name"] == "tidy")
    assert renewed["source"] == source_hash_of("tidy_gan:Good") != tidy["source"]
    assert len(children) == 2
    (site / "w.bin").unlink()
    found = catalog()
    (broken,) = found["broken"]
    assert (broken["distribution"], broken["kind"], broken["item"]) == ("tidy-gan", "models", "tidy")
    assert "asset 'w.bin' is missing" in broken["error"]


def test_lists_do_not_take_the_working_folder_for_a_place_of_plugins(
    distribution: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution("one-gan", GOOD.format(name="first"))
    monkeypatch.setattr(sys, "path", [place for place in sys.path if place != str(tmp_path)])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pluggy.py").write_text("raise SystemExit('the one in the working folder')")
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    listed = {model["name"] for model in catalog()["models"]}
    assert listed >= SHIPPED
    assert "first" not in listed

"""Damage to files of the store: named, passed over or set aside, and the run's result is what it would have been."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ganbench.store.run_record import read_run

from .cases import FILES, PAGE, SAME, page
from .commands import Scenario, interrupted, is_same, record_of, run
from .models import __file__ as SOURCE

Damage = Callable[[bytes], bytes]


def half(raw: bytes) -> bytes:
    return raw[: len(raw) // 2]


def flipped(raw: bytes) -> bytes:
    at = len(raw) // 3
    return raw[:at] + bytes([raw[at] ^ 16]) + raw[at + 1 :]


def checkpoints(folder: Path, undisturbed: Path) -> None:
    """One interrupted run, copied for each damage to its checkpoints."""
    stopped = folder / "stopped"
    stopped.mkdir()
    assert interrupted(stopped).status == 130
    damages: dict[str, tuple[Damage, list[str]]] = {
        "checkpoint cut": (half, ["resume.pt"]),
        "checkpoint bit": (flipped, ["resume.pt"]),
        "both checkpoints": (flipped, ["resume.pt", "resume-before.pt"]),
    }
    for fault, (damage, files) in damages.items():
        case, place = FILES[fault], folder / fault.replace(" ", "-")
        shutil.copytree(stopped, place)
        for file in files:
            (path,) = place.glob(f"runs/*/{file}")
            path.write_bytes(damage(path.read_bytes()))
        ended, record = run(place), record_of(place)
        assert (ended.status, ended.err) == (case.exit, "")
        log = (place / "runs" / record.key / "log.txt").read_text()
        assert log.count(case.says) == len(files)
        assert all(file in log for file in files)
        assert is_same(place, undisturbed)
        assert len(record.resumed) == (0 if len(files) == 2 else 1)
        assert case.left.startswith(SAME)


def records(folder: Path, undisturbed: Path) -> None:
    """Three runs, and another damage to the record of each."""
    shutil.copy(SOURCE, folder / "models.py")
    plugins = ",".join(f"./models.py:{name}" for name in ("Healthy", "Tall", "Wide"))
    words = ("--plugins", plugins, "--budget", "5steps")
    assert run(folder, *words).status == 0
    paths = sorted(folder.glob("runs/*/run.json"))
    assert len(paths) == 3
    good = [read_run(path) for path in paths]
    damages: dict[str, Damage] = {
        "record cut": half,
        "record edited": lambda raw: raw.replace(b'"images": ', b'"images": 1', 1),
        "record foreign": lambda raw: paths[0].read_bytes(),
    }
    damaged = [damage(path.read_bytes()) for path, damage in zip(paths, damages.values(), strict=True)]
    for path, raw in zip(paths, damaged, strict=True):
        path.write_bytes(raw)
    ended = run(folder, *words)
    for fault, path, raw, record in zip(damages, paths, damaged, good, strict=True):
        case = FILES[fault]
        assert (ended.status, ended.err) == (case.exit, "")
        (said,) = (line for line in ended.out.splitlines() if str(path.relative_to(folder)) in line)
        assert case.says in said
        assert read_run(path).samples == record.samples
        assert (path.parent / "run-before-1.json").read_bytes() == raw
        assert case.left.startswith(SAME)


@pytest.mark.parametrize("scenario", [checkpoints, records])
def test_damage_is_survived(scenario: Scenario, tmp_path: Path, undisturbed: Path) -> None:
    scenario(tmp_path, undisturbed)


def test_the_page_says_what_is_tested_here() -> None:
    assert PAGE.read_text() == page(), "python -m tests.faults.cases writes it"

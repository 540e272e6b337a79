"""``ganbench tune`` from the command line, and what ``run --settings`` and boards make of its file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ganbench.store.store import Store

from ..conftest import Answer, MakeOnce, call

Command = Callable[..., Answer]
MODEL = '''
from dataclasses import dataclass
from typing import Annotated
import ganbench
from ganbench_plugins.gmm import GMM

class Picked(GMM):
    """Has something to tune."""

    name = "picked"

    @dataclass(frozen=True)
    class Config(GMM.Config):
        components: Annotated[int, ganbench.Choice(1, 2, 4, 8)] = 1
        dimensions: Annotated[int, ganbench.Choice(2, 4, 8)] = 2
'''
TRACK = ("--track", "digits-smoke")


def tune(folder: Path, *more: object) -> Answer:
    plugin = folder / "picked.py"
    plugin.write_text(MODEL)
    words = ("--plugins", f"{plugin}:Picked", "--runs", folder / "tuning", *TRACK, "--jobs", 2)
    return call("tune", *words, *more)


@pytest.fixture(scope="module")
def tuned(make_once: MakeOnce) -> tuple[Path, Answer, Answer]:
    """A search for two runs, then the same for three: the folder and both answers."""
    return make_once("tuned", lambda folder: (folder, tune(folder, "--runs-each", 2), tune(folder, "--runs-each", 3)))


def settings(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "tuning" / "digits-smoke.json").read_text())  # type: ignore[no-any-return]


def test_every_model_has_its_runs_and_a_longer_search_goes_on(tuned: tuple[Path, Answer, Answer]) -> None:
    folder, first, second = tuned
    assert first.status == second.status == 0, (first, second)
    assert "2 runs each" in first.out and "2 of 2: FID" in first.out
    assert "3 runs each, 2 at a time, 2 are there already" in second.out and "3 of 3: FID" in second.out
    assert "1 of 3" not in second.out
    found = settings(folder)["models"]["picked"]
    values = [each["value"] for each in found["tried"]]
    assert len(values) == 3 and all(value > 0 for value in values)
    assert found["tried"][0]["params"] == {"components": 1, "dimensions": 2}
    assert found["params"] == found["tried"][values.index(min(values))]["params"]


def test_trials_are_runs_on_other_seeds_against_the_validation_split(tuned: tuple[Path, Answer, Answer]) -> None:
    folder, *_ = tuned
    store = Store(folder / "tuning")
    records = [store.read(key) for key in store.keys()]
    assert {record.spec.seed_index for record in records if record} == {100}
    scores = [score for key in store.keys() for score in store.scores(key).records]
    assert {score.protocol.split for score in scores} == {"validation"}
    assert {tuple(score.metrics) for score in scores} == {("fid",)}
    told = settings(folder)
    assert (told["split"], told["seeds"], told["metric"], told["track"]) == ("validation", [100], "fid", "digits-smoke")


def test_a_run_with_the_settings_is_marked_on_the_board_and_one_without_is_not(
    tuned: tuple[Path, Answer, Answer], tmp_path: Path
) -> None:
    folder, *_ = tuned
    file, plugin = folder / "tuning" / "digits-smoke.json", folder / "picked.py"
    answer = call(
        "run", "--plugins", f"{plugin}:Picked,{plugin}:Picked[components=3]", *TRACK, "--seeds", 1, "--settings", file,
        "--runs", tmp_path / "runs", "--boards", tmp_path, "--no-baselines",
    )  # fmt: skip
    assert answer.status == 0, answer
    store = Store(tmp_path / "runs")
    records = {record.spec.config["components"]: record for key in store.keys() if (record := store.read(key))}
    best = settings(folder)["models"]["picked"]["params"]
    assert records[3].spec.tuning is None
    assert records[3].spec.config["dimensions"] == best["dimensions"]
    found = records[best["components"]].spec
    assert {name: found.config[name] for name in best} == best
    assert found.tuning is not None and found.tuning.runs == 3
    table = (tmp_path / "digits-smoke.md").read_text()
    assert "the best of 3 settings by fid on digits-smoke, validation split, seeds 100 (1 of 2 rows)" in table
    header, *rows = (tmp_path / "digits-smoke.csv").read_text().splitlines()
    at = header.split(",").index("tuned")
    assert sorted(row.split(",")[at - len(header.split(","))] for row in rows) == ["", "3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--runs-each", 0), "--runs-each 0: between 1 and 1,000"),
        (("--seeds", "0-2"), "--seeds 0-2: seeds 0 to 2, and boards report those below 100"),
        (("--seeds", "100"), "--seeds 100: seeds 0 to 99, and boards"),
        (("--out", "/proc/x.json"), "--out /proc: cannot be written"),
        (("--plugins", f"{Path(__file__).parent}/bare.py:Bare"), "has a search space"),
        (("--plugins", "nothing"), "nothing"),
    ],
)
def test_wrong_requests_are_one_line(tmp_path: Path, words: tuple[object, ...], said: str) -> None:
    words = words if "--plugins" in words else ("--plugins", "vae", *words)
    answer = call("tune", *words, *TRACK, "--runs", tmp_path / "tuning")
    assert answer.status == 2 and said in answer.err and answer.err.count("\n") == 1


def test_settings_found_in_another_way_are_not_mixed(tuned: tuple[Path, Answer, Answer]) -> None:
    folder, *_ = tuned
    answer = tune(folder, "--runs-each", 3, "--seeds", "101-102", "--out", folder / "tuning" / "digits-smoke.json")
    assert answer.status == 2 and "found in another way" in answer.err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "file: Invalid JSON"),
        ('{"format": "other"}', "format: Input should be"),
        ('{"models": {"vae": {"lr": 1}}}', "models.vae.lr: Extra inputs"),
        ('{"models": {"vae": {"params": {"speed": 1}}}}', "--settings: model 'vae' has no parameter 'speed'"),
    ],
)
def test_a_settings_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "settings.json"
    file.write_text(text)
    answer = call("run", "--plugins", "vae", *TRACK, "--settings", file, "--runs", tmp_path / "runs")
    assert answer.status == 2 and said in answer.err and answer.err.count("\n") == 1

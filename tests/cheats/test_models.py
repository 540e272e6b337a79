"""Every cheat of a model in one run: those that are impossible change nothing, the others are a flag of their row."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from ganbench.data.dataset import Dataset
from ganbench.store.run_record import RunRecord
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store
from ganbench.training.data_file import read_training_data

from ..conftest import at, call
from ..once import MakeOnce
from .cases import MODELS
from .models import __file__ as SOURCE


class Done(NamedTuple):
    """What one run of all cheats left."""

    folder: Path
    records: dict[str, RunRecord]
    scores: dict[str, ScoreRecord]
    notes: dict[str, str]


def name_of(cheat: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in cheat).lstrip("-")


def run_all(folder: Path) -> Done:
    shutil.copy(SOURCE, folder / "models.py")
    plugins = ",".join(f"{folder}/models.py:{name}" for name in MODELS)
    track = ("--track", "digits-smoke", "--budget", "5steps", "--seeds", "1", "--jobs", "4")
    assert call("run", "--plugins", plugins, *track, *at(folder)).err == ""
    stored = [each for each in Store(folder / "runs").records() if each.record]
    label = {each.key: each.record.spec.model_info.name for each in stored if each.record}
    table = csv.DictReader(io.StringIO((folder / "boards" / "digits-smoke+5steps.csv").read_text()))
    return Done(
        folder,
        {label[each.key]: each.record for each in stored if each.record},
        {label[each.key]: each.scores[0] for each in stored if each.scores},
        {row["model"]: row["note"] for row in table},
    )


@pytest.fixture(scope="module")
def done(make_once: MakeOnce) -> Done:
    return make_once("cheats", run_all)


@pytest.mark.parametrize("cheat", MODELS)
def test_the_board_says_what_the_page_says(done: Done, cheat: str) -> None:
    case, name = MODELS[cheat], name_of(cheat)
    assert case.shows in done.notes[name]
    assert bool(case.shows) == bool(done.notes[name])
    assert done.records[name].status == ("failed" if case.shows.startswith("failed") else "ok")


def test_what_reaches_nothing_scores_as_an_honest_twin(done: Done) -> None:
    for name in ("another-name", "reads-its-job", "learns-in-finish", "blinds-the-guard"):
        assert done.records[name].spec.seed == done.records["honest"].spec.seed
        assert done.records[name].samples == done.records["honest"].samples
        assert done.scores[name].metrics == done.scores["honest"].metrics


def test_a_worker_holds_training_images_and_nothing_else_of_the_data_set(done: Done, digits: Dataset) -> None:
    log = (done.folder / "runs" / done.records["reads-its-job"].key / "log.txt").read_text()
    (found,) = (json.loads(line) for line in log.splitlines() if line.startswith('{"job"'))
    n = len(digits.train)
    assert found["file"] == {"images": n, "labels": n}
    job = found["job"]
    kept = read_training_data(Path(job["data_file"]), digits.train_sha256)
    shown = {image.tobytes() for split in (digits.test, digits.validation) for image in split.images}
    assert not shown & {image.tobytes() for image in kept.images}
    said = json.dumps(job)
    for secret in (digits.reference_sha256("test"), digits.reference_sha256("validation"), "extractor", "lenet"):
        assert secret not in said


def test_copies_stand_in_their_columns(done: Done) -> None:
    values = {name: {key: each.value for key, each in score.metrics.items()} for name, score in done.scores.items()}
    assert values["shows-training"]["duplicates"] > 0.8 > 0.15 > values["honest"]["duplicates"]
    assert values["shows-test"]["leaks"] == 1 > 0.15 > values["honest"]["leaks"]
    assert values["shows-test"]["fid"] < values["real"]["fid"]

"""Models that raise, leave, crash, hang, diverge, grow, fork and print: one row each, and nobody else is harmed."""

from __future__ import annotations

import os

import pytest

from .cases import MODELS
from .commands import Done


def model_name(fault: str) -> str:
    return "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in fault).lstrip("-")


@pytest.mark.parametrize("fault", MODELS)
def test_a_fault_of_a_model_is_one_row(done: Done, fault: str) -> None:
    case, name = MODELS[fault], model_name(fault)
    record = done.records[name]
    assert done.status == case.exit
    assert case.left.startswith(f"record: {record.status}")
    assert f"{name}," in done.board
    assert "\n" not in record.reason
    if record.status == "ok":
        assert done.scores[name].metrics["fid"].value > 0
        assert not record.log
        assert bool(record.flags) == bool(case.says)
        assert all(flag in case.says for flag in record.flags)
    else:
        assert name not in done.scores
        assert f"{record.status}: {record.reason}".startswith(case.says) or case.says in record.reason
        assert f"{name} seed 0: {record.status}: {record.reason}" in done.out
        assert record.provenance["python"]


def test_a_record_holds_the_last_lines_of_the_log(done: Done) -> None:
    assert "ZeroDivisionError" in done.records["raises-in-step"].log
    assert "the last words" in done.records["leaves"].log
    assert "string_at" in done.records["segfaults"].log  # where it crashed


def test_children_end_with_their_run(done: Done) -> None:
    log = (done.runs / done.records["forks"].key / "log.txt").read_text()
    pids = [int(word) for line in log.splitlines() if line.startswith("children") for word in line.split()[1:]]
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_long_log_is_cut_to_its_end(done: Done) -> None:
    log = done.runs / done.records["prints"].key / "log.txt"
    assert log.stat().st_size <= 2**20
    assert "bytes left out" in log.read_text()[:1000]
    assert log.read_text().rstrip().endswith("step 4")


def test_a_run_without_checkpoints_says_so(done: Done) -> None:
    folder = done.runs / done.records["iterates"].key
    log = (folder / "log.txt").read_text()
    assert "no checkpoint: its state cannot be saved: self.numbers is a range_iterator" in log
    assert not (folder / "checkpoint.pt").exists()
    assert not list(folder.glob("resume*"))


@pytest.mark.parametrize("name", ["patches-the-scorer", "calls-itself-ceiling", "leaves-a-thread", "prints", "forks"])
def test_what_reaches_for_the_scorer_scores_as_an_honest_twin(done: Done, name: str) -> None:
    """Same seed, same samples: all of these draw what the healthy model draws."""
    mine, theirs = done.records[name], done.records["healthy"]
    assert mine.samples == theirs.samples
    assert done.scores[name].metrics == done.scores["healthy"].metrics
    assert mine.spec.seed == theirs.spec.seed  # another name draws no other seed


def test_a_model_that_calls_itself_a_ceiling_is_given_training_images(done: Done) -> None:
    record = done.records["calls-itself-ceiling"]
    assert record.spec.model_info.role == "model"
    log = (done.runs / record.key / "log.txt").read_text()
    assert f"given {record.spec.training.n} images" in log

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from ganbench.boards.board import Board, BoardRequest
from ganbench.boards.curves import Point, points
from ganbench.boards.formatting import slug
from ganbench.boards.publish import TRACK as TRACK_FILE
from ganbench.boards.publish import check_track, publish, read_request
from ganbench.boards.write import write_board
from ganbench.errors import RequestError
from ganbench.store.run_record import RunStatus, read_run
from ganbench.store.samples import write_samples
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store
from tests.store.factory import protocol, score_record, sha

from .factory import METRICS, REQUEST, TRACK, Made, board, full, labels, make, rows, seeds, write


class Places(NamedTuple):
    """Where runs and published boards lie."""

    runs: Path
    published: Path

    def publish(self, request: BoardRequest = REQUEST, **known: str) -> Board:
        sources = {("ganbench 0.2.0", name): source for name, source in known.items()}
        return publish(request, Store(self.runs), self.published, known_sources=sources)[0]

    def add(self, made: Iterable[Made], *, pictures: bool = False) -> None:
        write(self.runs, made, pictures=pictures)

    @property
    def board(self) -> Path:
        return self.published / TRACK.name


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path / "runs", tmp_path / "leaderboards")


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_everything_is_published_and_comes_out_the_same_from_the_runs_alone(places: Places) -> None:
    made = full()
    places.add(made, pictures=True)
    dcgan = places.runs / next(each.key for each in made if each.record.spec.model_info.label == "dcgan")
    shutil.copy(dcgan / "samples.png", dcgan / "training.png")
    (dcgan / "checkpoint.pt").write_bytes(b"large")
    places.publish()
    first = contents(places.published)
    assert {"tiny-quick.csv", "tiny-quick-runs.csv", "tiny-quick.md", "README.md", "tiny-quick/track.json"} < set(first)
    pictures = {f"tiny-quick/{name}.png" for name in ("curves", "grids", "dcgan", "real", slug("vae[latent_dim=64]"))}
    assert pictures | {"tiny-quick/training/dcgan.png"} < set(first)
    assert {f"tiny-quick/runs/{each.key}/run.json" for each in made} < set(first)
    assert not [name for name in first if name.endswith((".pt", ".npy", "spec.json", "lock"))]
    places.publish()
    assert contents(places.published) == first
    elsewhere = Places(places.board / "runs", places.published)  # from the published runs alone
    elsewhere.publish()
    assert contents(places.published) == first
    text = (places.published / "tiny-quick.md").read_text()
    assert "![How the samples of dcgan moved](tiny-quick/training/dcgan.png)" in text
    assert text.count("![") == 3
    linked = {part.split(")")[0] for part in text.split("](")[1:] if not part.startswith("http")}
    assert len(linked) == 3 + 7 + 2
    assert all((places.published / link).is_file() for link in linked)
    for name in ("curves", "grids"):
        with Image.open(places.board / f"{name}.png") as image:
            assert image.info.keys() <= {"dpi"}, "nothing says when a picture was made"
            assert min(image.size) > 200
    assert read_request(places.board) == REQUEST


def test_a_board_is_bytewise_the_same_wherever_it_is_written(places: Places, tmp_path: Path) -> None:
    places.add(seeds("a", (1.0, 2.0)), pictures=True)
    for name in ("one", "two"):
        write_board(board(places.runs), tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two") != {}


def test_a_new_run_adds_to_a_board_and_never_empties_it(places: Places, tmp_path: Path) -> None:
    places.add(seeds("a", (10.0, 11.0, 12.0)), pictures=True)
    places.publish()
    elsewhere = Places(tmp_path / "elsewhere", places.published)
    elsewhere.add(seeds("b", (90.0, 91.0, 92.0)))
    assert labels(elsewhere.publish()) == ["a", "b"]
    assert (places.board / "a.png").is_file()


def test_a_store_that_is_gone_leaves_the_published_board_as_it_is(places: Places) -> None:
    places.add(full(), pictures=True)
    places.publish()
    first = contents(places.published)
    shutil.rmtree(places.runs)
    for name in ("tiny-quick.md", "tiny-quick.csv", "README.md"):
        (places.published / name).unlink()
    places.publish()
    assert contents(places.published) == first


@pytest.mark.parametrize("made", [[], [make("real", role="ceiling")], [make("a", scored=False)]])
def test_nothing_to_publish_writes_nothing(places: Places, made: list[Made]) -> None:
    places.add(made)
    with pytest.raises(RequestError, match="nothing to publish"):
        places.publish()
    assert not places.published.exists()


@pytest.mark.parametrize(
    ("request_", "what"),
    [
        (replace(REQUEST, track=TRACK.model_copy(update={"dataset": "mnist5k"})), "dataset"),
        (replace(REQUEST, track=TRACK.model_copy(update={"version": 2})), "version"),
        (replace(REQUEST, training=REQUEST.training.model_copy(update={"train_sha256": "1" * 64})), "training images"),
        (replace(REQUEST, scoring=protocol(samples=50)), "scoring protocol"),
    ],
)
def test_a_taken_name_with_other_content_is_refused_and_changes_nothing(
    places: Places, request_: BoardRequest, what: str
) -> None:
    places.add(seeds("a", (1.0, 2.0)))
    places.publish()
    first = contents(places.published)
    under = request_.scoring
    places.add(seeds("a", (0.1, 0.2), under=under, day=9, asked={"train_sha256": request_.training.train_sha256}))
    with pytest.raises(RequestError, match=f"'tiny-quick': the name is taken .* another {what}"):
        places.publish(request_)
    assert contents(places.published) == first


def test_wording_and_the_number_of_seeds_are_no_other_content(places: Places) -> None:
    places.add([make("a")])
    places.publish()
    check_track(replace(REQUEST, track=TRACK.model_copy(update={"summary": "Said otherwise", "seeds": 5})), places[1])


def test_metrics_may_be_added_to_a_board_and_none_taken_away(places: Places) -> None:
    fewer = replace(
        REQUEST, track=TRACK.model_copy(update={"metrics": TRACK.metrics[:-1]}), metrics=REQUEST.metrics[:-1]
    )
    places.add([make("a")])
    places.publish(fewer)
    places.publish(REQUEST)
    assert read_request(places.board).metrics == REQUEST.metrics
    with pytest.raises(RequestError, match="another metrics"):
        check_track(fewer, places.published)


def test_a_track_file_that_cannot_be_read_stops_it(places: Places) -> None:
    places.add([make("a")])
    places.publish()
    (places.board / TRACK_FILE).write_text("{")
    with pytest.raises(RequestError, match="track.json: cannot be read"):
        places.publish()


def test_what_is_not_to_be_believed_is_refused_and_changes_nothing(places: Places) -> None:
    forged = make("a", 0, 0.1, record={"provenance": {"started": "2099-01-01T00:00:00+00:00"}})
    places.add([forged, make("b")])
    with pytest.raises(RequestError, match="is in the future"):
        places.publish()
    assert not places.published.exists()


def test_samples_that_are_there_are_hashed_anew(places: Places) -> None:
    made = make("a")
    folder = places.runs / made.key
    known = write_samples(folder, "final", np.zeros((1000, 1, 2, 2), np.uint8))
    record = made.record.model_copy(update={"samples": known})
    good = Made(record, [score_record(record, fid=3.0)])
    places.add([good])
    places.publish()
    first = contents(places.published)
    write_samples(folder, "final", np.ones((1000, 1, 2, 2), np.uint8))
    with pytest.raises(RequestError, match="not the samples that the run drew"):
        places.publish()
    assert contents(places.published) == first


def test_boards_against_validation_are_not_published(places: Places) -> None:
    under = protocol(split="validation", reference_sha256=sha("validation"))
    places.add([make("a", under=under)])
    with pytest.raises(RequestError, match="test split alone"):
        places.publish(replace(REQUEST, scoring=under))


def test_other_code_and_other_precisions_are_not_published(places: Places) -> None:
    places.add([make("a", source="99" * 32), make("b"), make("c", asked={"precision": "bf16"})])
    found = places.publish(a="ab" * 32)
    assert labels(found) == ["b"]
    assert len(list((places.board / "runs").iterdir())) == 1


def test_metrics_that_only_the_published_scores_have_stay(places: Places, tmp_path: Path) -> None:
    places.add([make("a", vendi=3.0)])
    places.publish()
    elsewhere = Places(tmp_path / "elsewhere", places.published)
    elsewhere.add([make("a", recall=0.5)])
    found = elsewhere.publish()
    assert {"vendi", "recall", "fid"} < set(found.rows[0].row.metrics)
    first = contents(places.published)
    elsewhere.publish()
    places.publish()
    assert contents(places.published) == first


def test_a_run_that_was_trained_again_leaves_no_scores_of_its_old_samples(places: Places) -> None:
    other = protocol(extractor="clip", extractor_sha256=sha("clip"))
    old = make("a")
    old.scores.append(score_record(old.record, other, fid=5.0))
    places.add([old], pictures=True)
    places.publish()
    shutil.rmtree(places.runs)
    assert old.record.samples
    again = old.record.model_copy(update={"samples": old.record.samples.model_copy(update={"sha256": "9" * 64})})
    places.add([Made(again, [score_record(again, fid=7.0)])])
    found = places.publish()
    assert found.refused == ()
    assert [column.name for column in found.columns] == list(METRICS)
    assert not (places.board / "a.png").exists()


@pytest.mark.parametrize("worse", [make("a", 0, status=RunStatus.TIMEOUT, reason="slow"), make("a", 0, scored=False)])
def test_a_run_that_failed_here_does_not_replace_its_published_copy(
    places: Places, tmp_path: Path, worse: Made
) -> None:
    places.add([make("a")])
    places.publish()
    elsewhere = Places(tmp_path / "elsewhere", places.published)
    elsewhere.add([worse, make("b")])
    assert {each.row.label: each.row.runs for each in elsewhere.publish().rows} == {"a": 1, "b": 1}
    assert read_run(places.board / "runs" / worse.key / "run.json").status is RunStatus.OK


def test_refused_runs_among_the_published_are_named_in_the_markdown_and_kept(places: Places) -> None:
    places.add([make("a"), make("b")])
    places.publish()
    path = places.board / "runs" / make("b").key / "run.json"
    path.write_text(path.read_text().replace("1234", "4321"))
    places.add([make("c")])
    shutil.rmtree(places.runs / make("b").key)
    assert labels(places.publish()) == ["a", "c"]
    text = (places.published / "tiny-quick.md").read_text()
    assert f"- refused: {make('b').key}: record run.json: changed after it was written" in text
    assert path.is_file()


def test_the_picture_is_of_the_lowest_ok_seed_and_goes_when_its_run_does(places: Places) -> None:
    places.add([make("a", 0, status=RunStatus.KILLED, reason="x"), make("a", 1), make("a", 2)], pictures=True)
    places.publish()
    path = places.board / "a.png"
    with Image.open(path) as published, Image.open(places.runs / make("a", 1).key / "samples.png") as source:
        assert published.info["Run"] == make("a", 1).key
        assert published.tobytes() == source.tobytes()
    shutil.rmtree(places.runs)
    places.add([make("a", 0, source="99" * 32, day=5)])
    places.publish()
    assert not path.exists()
    assert "a.png" not in (places.published / "tiny-quick.md").read_text()


def test_pictures_of_rows_that_are_gone_go_and_those_of_others_stay(places: Places, tmp_path: Path) -> None:
    places.add([make("a"), make("b")], pictures=True)
    boards = tmp_path / "boards"
    write_board(board(places.runs), boards)
    Image.new("L", (8, 8)).save(boards / "tiny-quick" / "mine.png")
    shutil.rmtree(places.runs / make("b").key)
    write_board(board(places.runs), boards)
    assert {path.name for path in (boards / "tiny-quick").glob("*.png")} == {"a.png", "grids.png", "mine.png"}


def test_a_damaged_grid_costs_one_picture(places: Places) -> None:
    places.add([make("a"), make("b")], pictures=True)
    (places.runs / make("a").key / "samples.png").write_bytes(b"\x89PNG half")
    places.publish()
    assert {path.name for path in places.board.glob("*.png")} == {"b.png", "grids.png"}


def test_hostile_labels_are_drawn_and_stay_inside_the_folder(places: Places) -> None:
    names = ["../../up", "$\\frac{x$", "_hidden", "a\nb", "模型", "x" * 200]
    places.add([make(label, 0, 10.0 + at, curve=True) for at, label in enumerate(names)], pictures=True)
    places.publish()
    assert len(list(places.board.glob("*.png"))) == len(names) + 2
    assert {path.name for path in places.published.parent.iterdir()} == {"runs", "leaderboards"}


def test_every_name_stands_beside_the_curves_however_many_there_are(places: Places) -> None:
    places.add([make(f"model{at:02}", fid=10.0 + at, curve=True) for at in range(45)])
    places.publish()
    with Image.open(places.board / "curves.png") as picture:
        names = np.asarray(picture.convert("L"))[:, int(0.85 * picture.width) :]
    assert names[:3].min() == names[-3:].min() == 255, "names reach beyond the picture"
    assert names.min() < 128


def scored_curve(index: int, fids: dict[int, float], n: int = 500) -> Made:
    made = make("a", index, curve=True)
    score: ScoreRecord = made.scores[0]
    curve = [
        point.model_copy(update={"metrics": {"fid": fids[point.images]}, "n": n if point.images == 1000 else 500})
        for point in score.curve
        if point.images in fids
    ]
    return made._replace(scores=[score.model_copy(update={"curve": curve})])


def test_curve_points_join_seeds_by_share_and_leave_out_other_n() -> None:
    late = scored_curve(0, {2000: 30.0, 4000: 20.0, 8000: 10.0})
    whole = scored_curve(1, {1000: 80.0, 2000: 60.0, 4000: 40.0, 8000: 20.0})
    (row,) = rows([late, whole])
    drawn = points(row, "images", 500)
    assert [point.x for point in drawn] == [2000, 4000, 8000]
    assert drawn[-1] == Point(8000, pytest.approx((10.0 * 20.0) ** 0.5), 10.0, 20.0)
    (row,) = rows([scored_curve(0, {1000: 80.0, 2000: 60.0}, n=1000)])
    assert [point.x for point in points(row, "seconds", 500)] == [3.0]


def test_the_index_has_a_line_for_every_board(places: Places) -> None:
    other = replace(REQUEST, track=TRACK.model_copy(update={"name": "other", "summary": "Something | else"}))
    places.add([*seeds("first", (5.0, 6.0, 7.0)), *seeds("second", (50.0, 60.0, 70.0))])
    places.publish(other)
    shutil.rmtree(places.runs)
    places.add(made._replace(record=made.record.model_copy(update={"curve": []})) for made in full())
    (places.published / "archive-0.1").mkdir()
    places.publish()
    text = (places.published / "README.md").read_text()
    lines = [line for line in text.splitlines() if line.startswith("- ")]
    assert [line.split("]")[0] for line in lines] == ["- [other", "- [tiny-quick"]
    assert "Something &#124; else; 2 models; best: first (FID 5.94 \\[3.91, 9.03\\])" in lines[0]
    firsts = "dcgan (FID 20.1 \\[17.3, 23.5\\]), vae\\[latent_dim=64\\] (FID 21.6 \\[18.1, 25.8\\])"
    assert f"5 models; best of those with two seeds or more: one of {firsts}" in lines[1]
    assert lines[1].endswith("which these seeds do not tell apart")
    assert "[archive-0.1](archive-0.1/)" in text
    (places.published / "other" / TRACK_FILE).write_text("{")
    places.publish()
    assert "- other: cannot be read" in (places.published / "README.md").read_text()


def test_the_floor_imports_no_torch_and_only_what_it_needs() -> None:
    modules = ["board", "write", "terminal", "dataframe", "csv_table", "publish", "remove"]
    code = f"import sys\nfor name in {modules}: __import__('ganbench.boards.' + name)\n"
    code += "print([name for name in ('torch', 'pandas', 'matplotlib', 'scipy', 'PIL') if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from ganbench.boards.aggregate import aggregate
from ganbench.boards.curves import points
from ganbench.boards.formatting import slug
from ganbench.boards.publish import publish
from ganbench.errors import RequestError
from ganbench.store.run_record import Status

from .factory import TRACK, full, make, seeds, write_runs


@pytest.fixture
def places(tmp_path):
    return tmp_path / "runs", tmp_path / "boards"


def contents(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def labels(board):
    return {each.row.label for each in board.rows}


def test_everything_is_published_and_comes_out_the_same_from_the_records_alone(places):
    runs, boards = places
    records = [*full(), *seeds("dcgan", (99.0, 99.0), source="00" * 32, day=1)]
    write_runs(runs, records)
    shutil.copytree(runs / "noise-abab-0", runs / "copy")
    (runs / "copy" / "record.json").write_text("damaged")
    shutil.copy(runs / "dcgan-abab-0" / "samples.png", runs / "dcgan-abab-0" / "training.png")
    board = publish(TRACK.name, runs, boards)
    assert len(board.refused) == 1
    first = contents(boards)
    assert {"tiny-quick.csv", "tiny-quick-trials.csv", "tiny-quick.md", "README.md"} < set(first)
    pictures = {f"tiny-quick/{name}.png" for name in ("curves", "grids", "dcgan", "real", slug("vae[latent_dim=64]"))}
    pictures.add("tiny-quick/training/dcgan.png")
    assert pictures < set(first)
    assert {f"tiny-quick/records/{record.key}.json" for record in records} < set(first)
    publish(TRACK.name, runs, boards)
    assert contents(boards) == first
    shutil.rmtree(runs)
    publish(TRACK.name, runs, boards)
    assert contents(boards) == first
    text = (boards / "tiny-quick.md").read_text()
    assert "![How the samples of dcgan moved](tiny-quick/training/dcgan.png)" in text
    assert "2 older trials of dcgan superseded by its current source" in text


def test_every_name_stands_beside_the_curves_however_many_there_are(places):
    runs, boards = places
    write_runs(runs, [make(f"model{at:02}", fid=10.0 + at, curve=True) for at in range(45)])
    publish(TRACK.name, runs, boards)
    with Image.open(boards / "tiny-quick" / "curves.png") as picture:
        names = np.asarray(picture.convert("L"))[:, int(0.85 * picture.width) :]
    assert names[:3].min() == names[-3:].min() == 255, "names reach beyond the picture"
    assert names.min() < 128


def test_pictures_in_the_markdown_exist_and_none_says_when_it_was_made(places):
    runs, boards = places
    write_runs(runs, full())
    publish(TRACK.name, runs, boards)
    text = (boards / "tiny-quick.md").read_text()
    assert text.count("![") == 2
    linked = {part.split(")")[0] for part in text.split("](")[1:] if not part.startswith("http")}
    assert len(linked) == 2 + 7 + 2
    assert all((boards / link).is_file() for link in linked)
    for name in ("curves", "grids"):
        with Image.open(boards / "tiny-quick" / f"{name}.png") as image:
            assert image.info.keys() <= {"dpi"}
            assert min(image.size) > 200


def test_a_new_run_adds_to_a_board_and_never_empties_it(places, tmp_path):
    runs, boards = places
    write_runs(runs, seeds("a", (10.0, 11.0, 12.0)))
    publish(TRACK.name, runs, boards)
    elsewhere = tmp_path / "elsewhere"
    write_runs(elsewhere, seeds("b", (90.0, 91.0, 92.0)))
    assert labels(publish(TRACK.name, elsewhere, boards)) == {"a", "b"}
    assert labels(publish(TRACK.name, tmp_path / "none", boards)) == {"a", "b"}
    assert (boards / "tiny-quick" / "a.png").is_file()


def test_nothing_to_publish_writes_nothing(places):
    with pytest.raises(RequestError):
        publish(TRACK.name, *places)
    assert not places[1].exists()


def test_the_picture_is_of_the_lowest_ok_repetition_and_goes_when_its_trial_does(places):
    runs, boards = places
    write_runs(runs, [make("a", 0, status=Status.KILLED, reason="x"), make("a", 1), make("a", 2)])
    publish(TRACK.name, runs, boards)
    path = boards / "tiny-quick" / "a.png"
    with Image.open(path) as published, Image.open(runs / make("a", 1).key / "samples.png") as source:
        assert published.info["Trial"] == make("a", 1).key
        assert published.tobytes() == source.tobytes()
    shutil.rmtree(runs)
    write_runs(runs, [make("a", 0, source="99" * 32, day=5)], pictures=False)
    publish(TRACK.name, runs, boards)
    assert not path.exists()
    assert "a.png" not in (boards / "tiny-quick.md").read_text()


def test_a_damaged_grid_costs_one_picture(places):
    runs, boards = places
    write_runs(runs, [make("a"), make("b")])
    (runs / make("a").key / "samples.png").write_bytes(b"\x89PNG half")
    publish(TRACK.name, runs, boards)
    assert {path.name for path in (boards / "tiny-quick").glob("*.png")} == {"b.png", "grids.png"}


def test_hostile_labels_are_drawn_and_stay_inside_the_folder(places):
    runs, boards = places
    names = ["../../up", "$\\frac{x$", "_hidden", "a\nb", "模型", "x" * 200]
    write_runs(runs, [make(label, 0, 10.0 + at, key=f"k{at}", curve=True) for at, label in enumerate(names)])
    publish(TRACK.name, runs, boards)
    assert len(list((boards / "tiny-quick").glob("*.png"))) == len(names) + 2
    assert {path.name for path in boards.parent.iterdir()} == {"runs", "boards"}


def test_curve_points_join_seeds_by_share_and_leave_out_other_n():
    short, whole = make("a", 0, 10.0, curve=True), make("a", 1, 20.0, curve=True)
    late = short.model_copy(
        update={"curve": [*short.curve[1:], {"images": 9e3, "seconds": 9.0, "n": 1000, "fid": 1.0}]}
    )

    (row,) = aggregate([late, whole])
    drawn = points(row, "images", 500)
    assert [point.x for point in drawn] == [2000, 4000, 8000]
    assert (drawn[-1].mean, drawn[-1].low, drawn[-1].high) == (15.0, 10.0, 20.0)


def test_the_index_has_a_line_for_every_board(places):
    runs, boards = places
    other = TRACK.model_copy(update={"name": "other", "summary": "Something | else"})
    write_runs(runs, [*full(), *seeds("solo", (5.0, 6.0, 7.0), track=other)])
    publish("other", runs, boards)
    publish(TRACK.name, runs, boards)
    lines = [line for line in (boards / "README.md").read_text().splitlines() if line.startswith("- ")]
    assert [line.split("]")[0] for line in lines] == ["- [other", "- [tiny-quick"]
    assert "1 model; best: solo (FID 6.0 [3.5, 8.5])" in lines[0]
    assert "5 models; best: dcgan (FID 20.2 [17.0, 23.3]), vae" in lines[1]
    assert "not told apart" in lines[1]
    (boards / "other" / "records" / f"{seeds('solo', (1.0,), track=other)[0].key}.json").write_text("{")
    publish(TRACK.name, runs, boards)
    assert "[other](other.md)" in (boards / "README.md").read_text()


def test_refused_records_beside_the_board_are_named_in_the_markdown_and_kept(places):
    runs, boards = places
    write_runs(runs, [make("old", extractor="f" * 64)])
    publish(TRACK.name, runs, boards)
    write_runs(runs, [make("new", day=9)])  # the old one lies in both places: the board must not depend on which
    board = publish(TRACK.name, runs, boards)
    assert labels(board) == {"new"}
    assert (
        f"refused: {make('old').key}.json: other extractor: sha256 ffffffffffff"
        in (boards / "tiny-quick.md").read_text()
    )
    assert (boards / "tiny-quick" / "records" / f"{make('old').key}.json").is_file()


def test_the_floor_imports_no_torch_and_only_what_it_needs():
    code = (
        "import sys, ganbench.boards.publish, ganbench.boards.terminal, ganbench.boards.dataframe\n"
        "print([name for name in ('torch', 'pandas', 'matplotlib', 'scipy', 'PIL') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"

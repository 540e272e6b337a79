"""The pages of a report, without a browser: well-formed, complete, escaped, light, and equal to the CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path, PurePosixPath
from posixpath import normpath
from urllib.parse import unquote

import pytest

from ganbench.boards.board import build_board
from ganbench.boards.formatting import first_place
from ganbench.report.site import Shown, build_site
from ganbench.store.run_record import CurvePoint, RunStatus
from ganbench.store.store import Store
from tests.boards import factory
from tests.boards.factory import Made, make, seeds
from tests.report.conftest import HOSTILE, QUOTED, Report
from tests.report.html_page import Page

LIMIT = 300_000


@pytest.fixture(scope="module")
def pages(report: Report) -> dict[str, Page]:
    """Return every page, parsed; parsing is what checks that all elements are closed."""
    return {path: Page(content.decode()) for path, content in report.files.items() if path.endswith(".html")}


def test_there_is_an_index_a_page_a_board_and_a_page_a_row(report: Report, pages: dict[str, Page]) -> None:
    assert {"index.html", report.page} < set(pages)
    assert len(pages) == 2 + len(report.board.rows)
    index = pages["index.html"]
    assert first_place(report.board) in {each.words for each in index.of("p")}
    assert [each.words for each in index.of("h2")] == ["tiny-quick"]


def test_every_link_and_picture_is_there_and_nothing_else_is_loaded(report: Report, pages: dict[str, Page]) -> None:
    followed = 0
    for path, page in pages.items():
        ids = {each.attributes["id"] for each in page.elements if "id" in each.attributes}
        for each in page.elements:
            for name in ("href", "src", "xlink:href", "data", "action", "poster", "srcset"):
                if name not in each.attributes:
                    continue
                address = each.attributes[name]
                if address.startswith("https://arxiv.org/abs/"):
                    assert each.tag == "a"
                    continue
                assert ":" not in address, address
                file, _, anchor = address.partition("#")
                if not file:
                    assert anchor in ids, f"{path}: #{anchor}"
                    continue
                target = normpath(str(PurePosixPath(path).parent / unquote(file)))
                assert target in report.files, f"{path}: {address}"
                followed += 1
            assert each.tag not in {"link", "iframe", "object", "embed", "base"}
        styles = "".join(each.words for each in page.of("style"))
        assert "url(" not in styles and "@import" not in styles
    assert followed > 50


def test_pages_can_be_read_by_ear(pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        levels = [int(each.tag[1]) for each in page.elements if re.fullmatch("h[1-6]", each.tag)]
        assert levels[0] == 1 and levels.count(1) == 1, path
        assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False)), (path, levels)
        ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
        assert len(ids) == len(set(ids)), path
        for each in page.elements:
            if "aria-labelledby" in each.attributes:
                assert each.attributes["aria-labelledby"] in ids
            if each.tag == "img":
                assert each.attributes["alt"] and each.attributes["loading"] == "lazy"
                assert int(each.attributes["width"]) and int(each.attributes["height"])
            if each.tag in ("input", "select"):
                assert "label" in each.inside
            if each.tag == "svg" and each.attributes.get("aria-hidden") != "true":
                assert each.attributes["role"] in ("img", "group") and each.attributes["aria-label"]
            if each.tag == "section":
                assert each.text
            if each.tag == "th":
                assert each.attributes["scope"] in ("col", "row")


def test_nothing_that_the_policy_forbids_is_asked_for(pages: dict[str, Page]) -> None:
    for page in pages.values():
        policy = next(each for each in page.of("meta") if "http-equiv" in each.attributes).attributes["content"]
        assert "default-src 'none'" in policy and "unsafe" not in policy
        for each in page.elements:
            assert not any(name.startswith("on") or name == "style" for name in each.attributes)


def test_labels_reasons_and_logs_are_text_wherever_they_stand(report: Report, pages: dict[str, Page]) -> None:
    for path, page in pages.items():
        scripts = page.of("script")
        assert all(each.attributes.get("type", "") in ("", "application/json") for each in scripts)
        assert not any("alert(1)" in each.words for each in scripts if not each.attributes), path
        assert not {"b'c", "alert"} & {each.tag for each in page.elements}
        assert "<script>alert" not in report.html(path)
        assert "javascript:" not in report.html(path)
    board = pages[report.page]
    rows = {each.words for each in board.of("th") if each.attributes.get("scope") == "row"}
    assert {HOSTILE, QUOTED} <= rows
    data = json.loads(next(each.words for each in board.of("script") if each.attributes))
    assert {HOSTILE, QUOTED} <= set(data["names"])
    failed = next(page for path, page in pages.items() if "/models/" in path and page.of("h1")[0].words == QUOTED)
    assert HOSTILE in " ".join(each.words for each in failed.of("pre"))
    for path in report.files:
        assert re.fullmatch(r"[A-Za-z0-9._/-]+", path) and ".." not in path


def test_numbers_are_those_of_the_csv(report: Report, pages: dict[str, Page]) -> None:
    text = report.files[str(PurePosixPath(report.page).parent / "board.csv")].decode()
    lines = list(csv.DictReader(io.StringIO(text)))
    page = pages[report.page]
    keys = [each.attributes["data-key"] for each in page.of("th") if "data-key" in each.attributes]
    assert {"fid", "is", "train_seconds", "parameters"} <= set(keys)
    cells: list[list[str | None]] = []
    for each in page.elements:
        if each.tag == "tr" and "data-role" in each.attributes:
            cells.append([])
        elif each.tag == "td" and ("data-v" in each.attributes or each.attributes.get("class") == "n"):
            cells[-1].append(each.attributes.get("data-v"))
    assert len(cells) == len(lines) == len(report.board.rows)
    for line, shown in zip(lines, cells, strict=True):
        assert dict(zip(keys, shown, strict=True)) == {key: line[key] or None for key in keys}


def test_intervals_and_every_seed_are_told(report: Report, pages: dict[str, Page]) -> None:
    data = json.loads(next(each.words for each in pages[report.page].of("script") if each.attributes))
    at = data["names"].index("dcgan")
    row = report.board.rows[at].row
    assert row.headline is not None
    interval, *seeds = data["more"][at][0].split(";")
    assert [float(end) for end in interval.split(",")] == pytest.approx([row.headline.low, row.headline.high], 0.01)
    assert seeds == ["19.0", "20.0", "21.5"]
    lone = data["names"].index("lone")
    assert len(data["more"][lone][0].split(";")) == 2


def test_a_page_of_a_model_says_how_its_runs_were_made(report: Report, pages: dict[str, Page]) -> None:
    page = next(page for path, page in pages.items() if path.endswith("/models/dcgan.html"))
    words = " ".join(each.words for each in page.of("main"))
    run = report.board.rows[1].row.entries[0].run
    assert report.board.rows[1].row.label == "dcgan"
    for said in (f"ganbench reproduce {run.key}", run.files["checkpoint.pt"], run.spec.model_info.source,
                 "dcgan's latent", "ganbench run --plugins tiny", "batch_size", "loss d", "lenet-mnist, test split",
                 "data set is not at hand"):  # fmt: skip
        assert said in words, said
    assert [each.attributes["href"] for each in page.of("a") if "arxiv" in each.attributes["href"]] == [
        "https://arxiv.org/abs/1406.2661"
    ]
    wide = next(page for page in pages.values() if page.of("h1")[0].words == "wide[lr=0.1]")
    told = {each.words for each in wide.of("tr")}
    assert {"lr0.1set", "beta1default"} <= told
    broken = next(page for path, page in pages.items() if path.endswith("/models/broken.html"))
    assert "out of memory at 9 GiB (3 of 3 runs)" in " ".join(each.words for each in broken.of("main"))


def test_forty_five_models_weigh_less_than_300_kb(large: Report) -> None:
    sizes = {path: len(content) for path, content in large.files.items() if path.endswith(".html")}
    assert len(large.board.models) == 45
    assert len(large.board.columns) == 13
    assert max(sizes.values()) < LIMIT, max(sizes.items(), key=lambda item: item[1])
    Page(large.html())


def test_a_single_file_holds_everything(report: Report) -> None:
    files = build_site([Shown(report.board)], single_file=True)
    assert list(files) == ["tiny-quick.html"]
    page = Page(files["tiny-quick.html"].decode())
    ids = [each.attributes["id"] for each in page.elements if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    images = page.of("img")
    assert len(images) >= 10
    assert all(each.attributes["src"].startswith("data:image/png;base64,") for each in images)
    for each in page.of("a"):
        address = each.attributes["href"]
        assert address.startswith("https://arxiv.org/") or address.removeprefix("#") in ids
    assert len(page.of("article")) == len(report.board.rows)


def test_the_same_runs_give_the_same_files(report: Report) -> None:
    assert build_site([Shown(report.board)]) == report.files


ODD = {
    "every run failed": [make("broken", at, status=RunStatus.OOM, reason="out of memory") for at in range(2)],
    "one model, one seed": [make("lone", 0, 20.0)],
    "one model": seeds("only", (20.0, 21.0), curve=True),
    "two of one seed": [make("a", 0, 20.0), make("b", 0, 30.0)],
    "equal to the last bit": [*seeds("a", (20.0, 20.0)), *seeds("b", (20.0, 20.0))],
    "a perfect score": [*seeds("a", (0.0, 0.0)), *seeds("b", (0.0, 1.0))],
    "not scored": [make("a", 0, scored=False)],
    "odd losses": [
        make(
            "a",
            0,
            record={"curve": [CurvePoint(images=at, steps=at, seconds=0.0, losses={"": 0.0}) for at in (0, 1, 2)]},
        )
    ],  # noqa: E501
    "labels that look alike": [*seeds("A", (20.0, 21.0)), *seeds("a", (30.0, 31.0)), *seeds("a ", (40.0, 41.0))],
}


@pytest.mark.parametrize("made", ODD.values(), ids=ODD)
def test_odd_boards_have_their_pages(tmp_path: Path, made: list[Made]) -> None:
    board = factory.board(tmp_path, made)
    assert board.models
    for single in (False, True):
        files = build_site([Shown(board)], single_file=single)
        pages = [Page(content.decode()) for path, content in files.items() if path.endswith(".html")]
        assert len(pages) == (1 if single else 2 + len(board.rows))
        assert len({path.lower() for path in files}) == len(files)
        for content in files.values():
            assert not any(b"nan" in found for found in re.findall(rb' (?:d|cx|cy|x|y)="[^"]*"', content))
            assert b'="None"' not in content and b">None<" not in content


def test_the_picture_of_the_first_good_run_stands_once(tmp_path: Path) -> None:
    made = [make("a", 0, status=RunStatus.FAILED, reason="x"), *(make("a", at, 20.0 + at) for at in (1, 2))]
    factory.write(tmp_path, made, pictures=True)
    board = build_board(factory.REQUEST, [Store(tmp_path)])
    page = Page(build_site([Shown(board)])["tiny-quick/models/a.html"].decode())
    shown = [each.attributes["src"] for each in page.of("img")]
    assert len(shown) == len(set(shown)) == 2

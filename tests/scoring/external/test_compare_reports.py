"""Two reports of ``ganbench evaluate``: every difference of protocol is named, with the numbers that it changes."""

from __future__ import annotations

import copy
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest

import ganbench
from ganbench.scoring.external.compare_reports import ReportComparison, compare_reports
from ganbench.scoring.external.report_file import SCHEMA, ReportFile, read_report

DOCS = Path(__file__).parents[3] / "docs" / "compare.md"
METRICS = {
    "fid": (29.0, 0.3, "lower", ["moments"]),
    "is": (8.0, 0.4, "higher", ["probabilities"]),
    "authenticity": (0.9, None, "higher", ["train"]),
    "cas": (0.8, None, "higher", ["labels", "classifier", "final"]),
}
ALL = tuple(METRICS)
AGAINST_REFERENCE = ("fid", "cas")


def content() -> dict[str, Any]:
    """Return what a report holds, as ``ganbench evaluate --json`` writes it."""
    images = {
        "kind": "file",
        "n": 1000,
        "available": 1000,
        "shape": [1, 28, 28],
        "labels_sha256": "a" * 64,
        "reading": {},
    }
    return {
        "schema": SCHEMA,
        "metrics": {
            name: {"value": value, "n": 1000} | ({} if se is None else {"se": se})
            for name, (value, se, _, _) in METRICS.items()
        },
        "skipped": {},
        "metric_versions": dict.fromkeys(METRICS, 1),
        "metric_info": {
            name: {"name": name, "title": name.upper(), "direction": direction, "low": None, "high": None, "digits": 3,
                   "version": 1, "meaning": name, "source": "x", "needs": needs}
            for name, (_, _, direction, needs) in METRICS.items()
        },
        "protocol": 1,
        "settings": {"downstream_classifier": {"steps": 150, "seed": 0, "count": 2, "random_labels": False}},
        "samples": images | {"name": "mine.npz", "sha256": "b" * 64},
        "reference": images | {"name": "x", "sha256": "c" * 64, "split": "test", "train_sha256": "d" * 64},
        "extractor": {"name": "lenet-mnist", "sha256": "e" * 64 + "/p1"},
        "preprocessing": {"samples": "rounded", "extractor": 1, "resize": "bilinear"},
        "track": {"name": "mnist5k-quick", "version": 1},
        "notes": [],
        "provenance": {"started": "now", "command": ["x"], "torch": "2.15.0", "libraries": {"numpy": "2"}},
    }  # fmt: skip


def changed(path: str, value: Any) -> dict[str, Any]:
    """Return the content with one field, such as ``samples.n``, as another one."""
    made = copy.deepcopy(content())
    *where, last = path.split(".")
    inner = made
    for key in where:
        inner = inner[key]
    assert last in inner, path
    inner[last] = value
    return made


def compared(other: dict[str, Any]) -> ReportComparison:
    return compare_reports(ReportFile.model_validate(content()), ReportFile.model_validate(other))


@pytest.mark.parametrize(
    ("path", "value", "what", "affected"),
    [
        ("samples.n", 500, "n of samples", ALL),
        ("samples.shape", [1, 32, 32], "shape of samples", ALL),
        ("preprocessing.samples", "cropped", "treatment of samples", ALL),
        ("extractor.sha256", "f" * 64 + "/p1", "extractor's sha256", ALL),
        ("preprocessing.extractor", 2, "extractor's preprocessing", ALL),
        ("preprocessing.resize", "nearest", "resize", ALL),
        ("protocol", 2, "scoring version", ALL),
        ("reference.sha256", "f" * 64, "reference's sha256", AGAINST_REFERENCE),
        ("reference.n", 900, "n of reference", AGAINST_REFERENCE),
        ("reference.shape", [1, 32, 32], "shape of reference", AGAINST_REFERENCE),
        ("reference.split", "validation", "split", AGAINST_REFERENCE),
        ("reference.labels_sha256", None, "reference's labels", ("cas",)),
        ("reference.train_sha256", "f" * 64, "training images", ("authenticity",)),
        ("settings.downstream_classifier.steps", 300, "classifier's steps", ("cas",)),
        ("settings.downstream_classifier.count", 3, "classifier's seeds", ("cas",)),
        ("settings.downstream_classifier.random_labels", True, "classifier's random labels", ("cas",)),
        ("metric_info.is.version", 2, "version of IS", ("is",)),
        ("metric_info.is.direction", "lower", "direction of IS", ("is",)),
    ],
)
def test_one_difference_of_protocol(path: str, value: Any, what: str, affected: tuple[str, ...]) -> None:
    found = compared(changed(path, value))
    assert [(each.what, each.metrics) for each in found.decisive] == [(what, affected)]
    assert found.differences == found.decisive
    assert {each.info.name for each in found.values if not each.comparable} == set(affected)
    assert not found.comparable
    assert what in found.sentence
    assert ("Some of these" in found.sentence) is (affected != ALL)
    assert all((each.z is None) is (each.info.name in affected or each.a.se is None) for each in found.values)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ("samples.kind", "folder", "samples come from"),
        ("samples.available", 5000, "samples there were"),
        ("samples.labels_sha256", "f" * 64, "labels of samples"),
        ("samples.reading", {"layout": "nhwc"}, "reading of samples, layout"),
        ("reference.name", "other", "reference"),
        ("reference.kind", "folder", "reference comes from"),
        ("reference.reading", {"identity": "x"}, "reading of reference, identity"),
        ("extractor.name", "alias", "extractor"),
        ("settings.downstream_classifier.seed", 7, "classifier's first seed"),
        ("track.name", "mine", "track"),
        ("track.version", 2, "track's version"),
        ("metric_info.fid.source", "other", "FID from"),
        ("provenance.torch", "2.16.0", "torch"),
        ("provenance.libraries.numpy", "3", "libraries, numpy"),
    ],
)
def test_other_differences_are_named_and_change_nothing(path: str, value: Any, what: str) -> None:
    found = compared(changed(path, value))
    assert [(each.what, each.protocol) for each in found.differences] == [(what, False)]
    assert found.comparable


@pytest.mark.parametrize("path", ["provenance.started", "provenance.command", "samples.name"])
def test_what_always_differs_is_not_named(path: str) -> None:
    assert compared(changed(path, "another")).differences == ()


def test_saved_statistics_compare_with_the_images_they_are_from() -> None:
    other = content()
    other["reference"] |= {
        "kind": "statistics", "sha256": "9" * 64, "shape": None, "labels_sha256": None, "split": None,
        "train_sha256": None, "reading": {"images_sha256": "c" * 64},
    }  # fmt: skip
    other["metrics"] = {"fid": other["metrics"]["fid"]}
    found = compared(other)
    assert found.comparable
    assert {"split", "shape of reference", "training images"} < {each.what for each in found.differences}
    del other["reference"]["reading"]["images_sha256"]
    assert [each.what for each in compared(other).decisive] == ["reference's sha256"]


def test_values_stand_side_by_side() -> None:
    found = compared(changed("metrics.fid", {"value": 30.0, "se": 0.4, "n": 1000}) | {"notes": ["lossy"]})
    assert found.values[0].z == pytest.approx(-1 / 0.5)  # standard errors of 0.3 and 0.4 make 0.5
    assert found.values[2].z is None
    assert found.sentence.startswith(
        "The two reports were made in the same way, so their numbers compare: FID 29 against 30"
    )
    assert found.same_samples
    assert "Both hold the same samples." in found.sentence
    back = compare_reports(found.b, found.a)
    assert back.values[0].z == -found.values[0].z  # type: ignore[operator]


def test_a_metric_that_one_report_has_is_shown_and_decides_nothing() -> None:
    other = changed("settings.downstream_classifier", None)
    del other["metrics"]["cas"]
    found = compared(other)
    assert found.comparable  # no two values depend on the classifier
    assert {each.what.split(" ")[0] for each in found.differences} == {"classifier's"}
    assert found.decisive == ()
    (cas,) = (each for each in found.values if each.info.name == "cas")
    assert (cas.b, cas.z) == (None, None)
    nothing = changed("metrics", {})
    assert "no metric in common" in compared(nothing).sentence
    assert not compared(nothing | {"protocol": 2}).comparable


def test_json_has_the_documented_keys() -> None:
    found = compared(changed("samples.n", 500)).as_json()
    documented = set(re.findall(r"`(\w+)`", DOCS.read_text().split("Of two reports:")[1]))
    used = set(found) | set(found["a"]) | set(found["differences"][0]) | set(found["values"][0])
    assert used == documented
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["values"][0]["a"] == 29.0 and math.isclose(found["values"][0]["a_se"], 0.3)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "damaged, or no JSON"),
        ("[" * 100_000, "damaged, or no JSON"),
        ("[1]", "is none"),
        ('{"schema": 4, "key": "x"}', "is none"),
        (json.dumps(changed("schema", 2)), "has schema 2, and this version of ganbench reads 3"),
        (json.dumps(changed("samples.n", "many")), "damaged .samples.n"),
        (json.dumps(changed("metrics.fid", {"value": math.nan})), "damaged .metrics.fid.value"),
        (json.dumps(changed("metric_info", {})), "nothing is said of the metric authenticity"),
    ],
)
def test_a_foreign_or_damaged_file_is_one_line(text: str, why: str, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(ganbench.RequestError, match=why) as error:
        read_report(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ganbench.RequestError, match=r"none.json: cannot be read \(No such file"):
        read_report(tmp_path / "none.json")

"""What a row is flagged for, from its columns and those of the baselines; thresholds are measured elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ganbench.boards.flags import COPIES, LEAKS
from tests.store.factory import protocol, score_record, sha

from .factory import board, make, rows, seeds

REAL = make("real", 0, 2.4, role="ceiling", duplicates=0.01, leaks=0.01, spectrum=0.02)
NOISE = make("noise", 0, 500.0, role="floor", duplicates=0.0, leaks=0.0, spectrum=1.5)


def flags_of(*made: object) -> tuple[str, ...]:
    (row,) = (row for row in rows([REAL, NOISE, *made]) if row.role == "model")  # type: ignore[list-item]
    return row.flags


def test_copies_of_training_images_are_told_by_their_share() -> None:
    assert flags_of(make("a", duplicates=0.149)) == ()
    assert flags_of(make("a", duplicates=0.93)) == (f"{COPIES}: 93% of its samples are near-copies of one",)
    # one seed of three copies half of its samples
    (said,) = flags_of(*(make("a", at, duplicates=share) for at, share in enumerate((0.9, 0.01, 0.02))))
    assert said == f"{COPIES}: 31% of its samples are near-copies of one"


def test_copies_are_said_once_where_authenticity_tells_them_too() -> None:
    real = make("real", 0, 2.4, role="ceiling", authenticity=0.6)
    found = {row.label: row.flags for row in rows([real, make("a", authenticity=0.1, duplicates=0.9)])}
    assert found["a"] == (f"{COPIES}: 90% of its samples are near-copies of one",)


def test_images_of_the_reference_and_scores_beyond_real_ones_are_told() -> None:
    assert flags_of(make("a", leaks=0.3)) == (f"{LEAKS}: 30% of its samples are near-copies of one",)
    assert flags_of(*seeds("a", (1.0, 1.01, 0.99))) == ("scores better than real images do",)
    assert flags_of(make("a", 0, 2.35)) == ()  # as good as real images, within their errors
    assert flags_of(*seeds("a", (1.0, 3.0, 9.0))) == ()


@pytest.mark.parametrize(
    ("fid", "spectrum", "said"), [(17.0, 1.236, True), (17.0, 0.39, False), (259.0, 1.1, False), (51.0, 1.2, False)]
)
def test_a_spectrum_that_is_off_counts_where_the_extractor_is_content(fid: float, spectrum: float, said: bool) -> None:
    found = flags_of(make("a", 0, fid, spectrum=spectrum))
    assert bool(found) == said
    if said:
        assert found == (
            "may be fitted to the extractor: FID 17, and the spectrum of its pixels is off by a factor of 17.2",
        )


def test_another_extractor_that_disagrees_is_told(tmp_path: Path) -> None:
    other = protocol(extractor="clip", extractor_sha256=sha("clip"))
    made = [make("noise", 0, 500.0, role="floor"), make("honest", 0, 50.0), make("fitted", 0, 40.0)]
    for each, fid in zip(made, (200.0, 45.0, 111.0), strict=True):
        each.scores.append(score_record(each.record, other, fid=fid))
    found = {ranked.row.label: ranked.row.flags for ranked in board(tmp_path, made).rows}
    assert found["honest"] == found["noise"] == ()
    assert found["fitted"] == ("may be fitted to the extractor: FID 40 is 8.0% of that of noise, and 55.5% under clip",)


def test_baselines_are_what_they_are() -> None:
    replay = make("replay", 0, 0.1, role="memoriser", duplicates=1.0, leaks=1.0)
    assert [row.flags for row in rows([REAL, NOISE, replay])] == [(), (), ()]


def test_without_baselines_what_needs_none_is_told() -> None:
    (row,) = rows([make("a", 0, 1.0, duplicates=0.5, spectrum=3.0, authenticity=0.0)])
    assert row.flags == (f"{COPIES}: 50% of its samples are near-copies of one",)

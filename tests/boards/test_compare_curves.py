"""Curves at equal images and seconds: interpolated between measured points, never beyond them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ganbench.boards.aggregate import Row
from ganbench.boards.compare_curves import EqualPoint, at_equal, interpolate
from ganbench.store.run_record import CurvePoint
from ganbench.store.samples import SampleFile

from .factory import make, rows


def row(label: str, images: Sequence[int], fid: float = 10.0, seconds: float = 1.0) -> Row:
    """Return a row of one seed, measured at `images`, where FID is `fid` times 2, 3/2, 4/3, ..."""
    samples = SampleFile(file="samples/at.npy", n=500, sha256="a" * 64)
    curve = [CurvePoint(images=at, steps=at, seconds=seconds * at, samples=samples) for at in images]
    (found,) = rows([make(label, 0, fid, record={"curve": curve})])
    return found


def test_interpolation_is_linear_over_the_logarithm() -> None:
    curve = [(1.0, 100.0), (4.0, 25.0), (16.0, 25.0)]
    assert interpolate(curve, 2, logarithmic=True) == pytest.approx(50)  # half the way from log 1 to log 4
    assert interpolate(curve, 2, logarithmic=False) == pytest.approx(62.5)
    assert interpolate(curve, 8, logarithmic=True) == pytest.approx(25)
    assert [interpolate(curve, at, logarithmic=True) for at in (1, 4, 16)] == [100, 25, 25]
    assert [interpolate(curve, at, logarithmic=True) for at in (0.99, 16.01)] == [None, None]


def test_either_side_is_shown_where_it_was_measured_and_blank_beyond_its_curve() -> None:
    a, b = row("a", (1000, 4000)), row("b", (2000, 8000), fid=30.0)
    assert at_equal(a, b, "images", 500, logarithmic=True) == (
        EqualPoint(1000, pytest.approx(20.0), None, a_measured=True, b_measured=False),
        EqualPoint(2000, pytest.approx((20.0 * 15.0) ** 0.5), pytest.approx(60.0), a_measured=False, b_measured=True),
        EqualPoint(4000, pytest.approx(15.0), pytest.approx((60.0 * 45.0) ** 0.5), a_measured=True, b_measured=False),
        EqualPoint(8000, None, pytest.approx(45.0), a_measured=False, b_measured=True),
    )
    half = at_equal(a, b, "images", 500, logarithmic=True)[1]
    assert half.ratio == pytest.approx((20.0 * 15.0) ** 0.5 / 60)
    assert at_equal(a, b, "images", 500, logarithmic=True)[0].ratio is None


def test_seconds_are_the_runs_own() -> None:
    a, b = row("a", (1000, 2000), seconds=1.0), row("b", (1000, 2000), seconds=1.5)
    found = at_equal(a, b, "seconds", 500, logarithmic=True)
    assert [(each.at, each.a is None, each.b is None) for each in found] == [
        (1000, False, True), (1500, False, False), (2000, False, False), (3000, True, False),
    ]  # fmt: skip
    assert not found[1].a_measured and found[1].b_measured


def test_points_that_lie_near_stand_in_one_line_where_both_have_a_value() -> None:
    a, b = row("a", (1000, 59_968)), row("b", (1024, 60_000))
    for one, two in ((a, b), (b, a)):
        found = at_equal(one, two, "images", 500, logarithmic=True)
        assert [each.at for each in found] == [1024, 59_968]
        assert all(each.ratio is not None for each in found)


def test_no_curve_no_points() -> None:
    a, alone = row("a", (1000, 2000)), row("b", ())
    assert at_equal(a, alone, "images", 500, logarithmic=True) == ()
    assert at_equal(a, a, "images", 400, logarithmic=True) == ()  # scored on another n
    single = row("c", (1500,))
    assert [each.b is None for each in at_equal(a, single, "images", 500, logarithmic=True)] == [True, False, True]

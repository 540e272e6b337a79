"""Charts: places on the page, ticks, the front of two aims, and what is said beside a picture."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from ganbench.report import charts, svg
from tests.boards import factory
from tests.boards.factory import make, seeds


def test_scales_keep_order_and_ticks_lie_inside() -> None:
    for low, high in itertools.product((1e-6, 0.2, 3.0, 40.0), (0.3, 3.3, 41.0, 1e6, 3e12)):
        if low >= high:
            continue
        scale = svg.log_scale((low, high), 10, 400)
        ticks = scale.ticks()
        assert 2 <= len(ticks) <= 10, (low, high, ticks)
        assert all(10 <= scale(tick) <= 400 for tick in ticks)
        assert ticks == sorted(ticks)
        places = [scale(tick) for tick in svg.spaced(scale, 34)]
        assert all(right - left >= 34 for left, right in itertools.pairwise(places))
        assert 10 < scale(low) < scale(high) < 400
    linear = svg.linear_scale((-2.0, 3.0), 300, 10)
    assert linear(-2.0) > linear(0.0) > linear(3.0)
    assert 0 in linear.ticks() and len(linear.ticks()) <= 8


@pytest.mark.parametrize("values", [(5.0,), (5.0, 5.0)])
def test_a_single_value_has_a_scale(values: tuple[float, ...]) -> None:
    assert svg.log_scale(values, 0, 100)(5.0) == pytest.approx(50)
    assert svg.linear_scale(values, 0, 100)(5.0) == pytest.approx(50)
    assert svg.linear_scale((0.0,), 0, 100)(0.0) == pytest.approx(50)


def test_what_lies_beyond_a_scale_is_set_to_its_edge() -> None:
    scale = svg.LogScale(1, 100, 0, 50)
    assert (scale(1e-9), scale(10), scale(1e9)) == (0, 25, 50)


def test_the_front_holds_exactly_the_models_that_no_other_beats_in_both(tmp_path: Path) -> None:
    fids = {"a": 20.0, "b": 30.0, "c": 25.0, "d": 90.0, "e": 31.0}
    parameters = {"a": 900, "b": 300, "c": 1200, "d": 100, "e": 300}
    made = [run for label in fids for run in seeds(label, (fids[label], fids[label] * 1.02),
                                                   record={"parameters": parameters[label]})]  # fmt: skip
    board = factory.board(tmp_path, [*made, make("unknown", 0, 5.0, record={"parameters": 0})])
    series = charts.all_series(board, {})
    found = {front.key: front for front in charts.fronts(board, series)}
    dominated = {
        one for one, two in itertools.permutations(fids, 2)
        if fids[two] <= fids[one] and parameters[two] <= parameters[one] and (fids[two], parameters[two]) != (fids[one], parameters[one])  # noqa: E501
    }  # fmt: skip
    assert set(found["parameters"].front) == set(fids) - dominated == {"a", "b", "d"}
    assert found["parameters"].front == ("d", "b", "a")
    assert found["parameters"].lacking == 1
    assert found["parameters"].picture.count("<a ") == 5
    assert "flops" not in found  # these runs know of none


def test_the_best_eight_are_visible_and_no_two_look_alike(tmp_path: Path) -> None:
    made = [run for at in range(28) for run in seeds(f"m{at:02}", (20.0 + at, 20.5 + at), curve=True)]
    board = factory.board(tmp_path, made)
    series = charts.all_series(board, {})
    assert [each.visible for each in series] == [True] * 8 + [False] * 20
    assert len({each.style for each in series}) == 28
    drawn = charts.curves(board, series)
    assert len(drawn) == 2
    for picture in drawn:
        assert len(re.findall(r'<g class="s\d( d\d)? off" data-m', picture)) == 20
        assert len(re.findall(r'<g class="s\d( d\d)?" data-m', picture)) == 8


def test_curves_over_operations_end_at_all_that_were_spent(tmp_path: Path) -> None:
    made = [*seeds("a", (20.0, 20.5), curve=True, record={"flops": 4e12}), *seeds("b", (30.0, 31.0), curve=True)]
    board = factory.board(tmp_path, made)
    series = charts.all_series(board, {})
    last = made[0].record.curve[-1].images / made[0].record.images
    assert charts.curve_of(series[0], "flops", 500)[-1].x == pytest.approx(4e12 * last)
    assert charts.curve_of(series[1], "flops", 500) == []
    drawn = charts.curves(board, series)
    assert [picture.count("data-m") for picture in drawn] == [2, 2, 1]
    assert "training FLOPs" in drawn[2]


def test_intervals_in_the_table_leave_out_what_is_far_from_all_models(tmp_path: Path) -> None:
    board = factory.board(tmp_path, [*seeds("a", (20.0, 21.0)), make("noise", 0, 905.0, role="floor")])
    model, floor = charts.forests(board)
    assert model.count("v8") == 2 and not floor
    assert charts.forests(factory.board(tmp_path / "none")) == []


def test_losses_may_be_negative_and_one_point_is_no_line() -> None:
    run = make("a", curve=True).record
    found = charts.losses(run)
    assert found is not None
    picture, legend = found
    assert [each.name for each in legend] == ["d", "g"]
    assert picture.count('class="line"') == 2
    below = [point.model_copy(update={"losses": {"critic": -3.0 + at}}) for at, point in enumerate(run.curve)]
    critic = charts.losses(run.model_copy(update={"curve": below}))
    assert critic is not None and ">-2<" in critic[0]
    assert charts.losses(run.model_copy(update={"curve": run.curve[:1]})) is None
    hostile = [point.model_copy(update={"losses": {"<b>": 1.0}}) for point in run.curve]
    found = charts.losses(run.model_copy(update={"curve": hostile}))
    assert found is not None and "<b>" not in found[0]

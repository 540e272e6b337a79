"""How a comparison of two reports of ``ganbench evaluate`` reads: first all that differs, then the numbers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import click

from ganbench.boards.formatting import BLANK, metric_value
from ganbench.cli.table_printer import print_line, print_table
from ganbench.metric import MetricInfo, Score
from ganbench.util.text import one_line

if TYPE_CHECKING:
    from ganbench.scoring.external.compare_reports import Difference, ReportComparison

_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}")


def show_reports(found: ReportComparison) -> None:
    """Print a comparison of two reports."""
    print_line(found.sentence)
    click.echo()
    for letter, report in zip("AB", (found.a, found.b), strict=True):
        print_line(f"{letter} = {report.samples.name}: {report.samples.n:,} samples")
    others = [each for each in found.differences if not each.protocol]
    for heading, differences in (("differences that change numbers", found.decisive), ("other differences", others)):
        if differences:
            click.echo()
            columns = ("what", "A", "B", "changes")[: 4 if differences[0].protocol else 3]
            cells = [(each.what, _said(each.a), _said(each.b), _changed(each, found)) for each in differences]
            rows = [each[: len(columns)] for each in cells]
            print_table(heading, columns, rows, fold=columns)
    click.echo()
    values = [
        (
            "* " * (not each.comparable) + each.info.title + each.info.arrow, _with_error(each.a, each.info),
            _with_error(each.b, each.info), BLANK if each.z is None else f"{each.z:+.1f}",
        )
        for each in found.values
    ]  # fmt: skip
    print_table("values ± standard errors over samples", ("metric", "A", "B", "z"), values, fold=("metric",))
    if not found.comparable:
        click.echo("*: these two numbers do not compare")
    print_line("z: A - B in standard errors over samples; it does not cover training seeds")
    for letter, report in zip("AB", (found.a, found.b), strict=True):
        for note in report.notes:
            print_line(f"{letter}: {note}")


def _changed(difference: Difference, found: ReportComparison) -> str:
    both = [each.info.name for each in found.values if each.a is not None and each.b is not None]
    if list(difference.metrics) == both:
        return "all"
    titles = {each.info.name: each.info.title for each in found.values}
    return ", ".join(titles[name] for name in difference.metrics)


def _said(found: Any) -> str:
    """Return a value of a report as short as it can be told apart: hashes by their first digits."""
    if found is None:
        return "none"
    if isinstance(found, list) and all(isinstance(each, int) for each in found):
        return "x".join(map(str, found))
    if isinstance(found, bool | int | float):
        return f"{found:,}" if type(found) is int and found < 10**9 else str(found)
    text = found if isinstance(found, str) else json.dumps(found)
    return _HASH.sub(r"\1", one_line(text, 120))


def _with_error(found: Score | None, info: MetricInfo) -> str:
    if found is None:
        return BLANK
    return metric_value(found.value, info) + ("" if found.se is None else f" ± {metric_value(found.se, info)}")

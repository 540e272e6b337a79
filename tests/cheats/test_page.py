"""docs/cheats.md says what is tested: here, and where its rows say."""

from __future__ import annotations

import ast

import pytest

from .cases import ELSEWHERE, PAGE, ROOT, Elsewhere, calibration_of, page


def test_the_page_says_what_is_tested_here() -> None:
    said = PAGE.read_text()
    assert said == page(calibration_of(said)), "python -m tests.cheats.cases writes it"


@pytest.mark.parametrize("cheat", ELSEWHERE, ids=[each.test.partition("::")[2] for each in ELSEWHERE])
def test_what_is_tested_elsewhere_is_there(cheat: Elsewhere) -> None:
    file, _, name = cheat.test.partition("::")
    found = {each.name for each in ast.parse((ROOT / file).read_text()).body if isinstance(each, ast.FunctionDef)}
    assert name in found

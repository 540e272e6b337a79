"""docs/authors.md: its examples pass the checks, and everything in them comes from ganbench itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

import ganbench
from ganbench.testing import check_dataset, check_extractor, check_metric, check_model

PAGE = Path(__file__).parents[2] / "docs" / "authors.md"


@pytest.fixture(scope="module")
def examples() -> ModuleType:
    """The Python of the page, as one module."""
    module = ModuleType("authors_page")
    sys.modules[module.__name__] = module  # dataclasses look it up
    exec("\n".join(re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S)), module.__dict__)
    return module


def test_its_examples_pass_the_checks(examples: ModuleType) -> None:
    check_model(examples.TinyVAE, shape=(1, 8, 8))
    check_metric(examples.INK)
    check_dataset(examples.STRIPES)
    check_extractor(examples.MEANS)


def test_every_hook_and_every_attribute_of_a_model_is_described() -> None:
    text = PAGE.read_text()
    from ganbench.registry import hookspecs

    hooks = [name for name in vars(hookspecs) if name.startswith("ganbench_register_")]
    assert len(hooks) == 6 and all(f"`{name}(register)`" in text for name in hooks)
    own = {name for name in vars(ganbench.Model) if not name.startswith("_")} - {"Config"}
    assert all(re.search(rf"`{name}\b", text) for name in own)


def test_every_name_that_it_takes_from_ganbench_is_there() -> None:
    names = set(re.findall(r"ganbench\.([A-Za-z_]+)", PAGE.read_text())) - {"testing"}
    assert names and all(hasattr(ganbench, name) for name in names)

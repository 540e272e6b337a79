"""The site builds without a warning, and the README is short and its links lead somewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from .pages import PAGES, ROOT

README = (ROOT / "README.md").read_text()
LINK = re.compile(r"\]\(([^)\s#]+)")


@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="mkdocs is not installed: pip install '.[docs]'")
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """`--strict` fails on links and anchors that lead nowhere, and on pages outside the navigation."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # an advertisement of another program
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    reference = (tmp_path / "reference" / "cli.html").read_text()
    assert "--stall-timeout" in reference and "Usage" in reference
    assert "frechet_distance" in (tmp_path / "reference" / "python.html").read_text()
    sources = re.findall(r'(?:src|href)="(https?://[^"]+)"', (tmp_path / "index.html").read_text())
    assert [source for source in sources if "fonts" in source or "cdn" in source] == []


def test_the_readme_has_at_most_a_thousand_words() -> None:
    assert len(README.split()) <= 1000


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    found = [target for target in LINK.findall(page.read_text()) if "://" not in target]
    assert [target for target in found if not (page.parent / target).exists()] == []

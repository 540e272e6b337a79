"""The workflows for a board's repository: strangers' code is given nothing, and what may write runs none of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2] / "docs" / "workflows"


def read(name: str) -> tuple[dict[Any, Any], str]:
    yaml = pytest.importorskip("yaml")
    text = (FOLDER / name).read_text()
    return yaml.safe_load(text), text


def test_what_runs_strangers_code_is_given_nothing() -> None:
    found, text = read("verify.yml")
    assert found["permissions"] == {"contents": "read"}
    assert found[True].keys() == {"pull_request"}, "not pull_request_target"  # YAML reads `on` as true
    assert "secrets" not in text.split("name:", 1)[1]
    assert "github.token" not in text
    checkouts = [step for step in found["jobs"]["verify"]["steps"] if "checkout" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False, False]
    assert "github.event.pull_request.title" not in text


def test_what_comments_runs_none_of_it() -> None:
    found, text = read("comment.yml")
    assert found["permissions"] == {"actions": "read", "pull-requests": "write"}
    assert found[True].keys() == {"workflow_run"}
    assert "checkout@" not in text
    assert "ganbench" not in text

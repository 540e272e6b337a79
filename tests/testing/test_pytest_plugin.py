"""``pytest --ganbench NAME``: one test a rule, and nothing at all without the option."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

PLUGIN = "ganbench.testing.pytest_plugin"
LOADED = [] if any(point.value == PLUGIN for point in entry_points(group="pytest11")) else ["-p", PLUGIN]
"""Where ganbench was installed before it had the plugin, it must be named."""
METRIC = """
import ganbench

def one(name, direction):
    return ganbench.Metric(
        name=name, title=name, direction=direction, meaning="distance of means", source="a test", needs=("reference",),
        compute=lambda context: float((context.features.mean(0) - context.reference.mean(0)).norm()),
    )

@ganbench.hookimpl
def ganbench_register_metrics(register):
    register(one("near", "lower"))
    register(one("far", "higher"))
    register("none at all")
"""
PROJECT = """
[project]
name = "near-metric"
version = "1.0"

[project.entry-points.ganbench]
near = "near_metric"
"""


def run(folder: Path, *words: str) -> tuple[int, str]:
    """Run pytest within this process, in a folder; return its exit status and what it printed."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        patch.setenv("COLUMNS", "300")
        status = pytest.main(["-p", "no:cacheprovider", "-p", "no:faulthandler", *LOADED, *words])
    return int(status), out.getvalue()


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "near_metric.py").write_text(METRIC)
    return folder


def test_each_rule_of_a_package_is_a_test(package: Path) -> None:
    status, out = run(package, "--ganbench", ".", "-v", "-k", "not few")
    assert status == 1
    assert "ganbench::metric near::prefers_real_images_to_noise PASSED" in out
    assert "ganbench::metric far::prefers_real_images_to_noise FAILED" in out
    assert 'far: direction = "higher", but real images have' in out
    assert "ganbench::metric 'none at all'::is_registered FAILED" not in out  # it has no name
    assert "'none at all' is not a ganbench.metric.Metric" in out
    assert "2 failed, 9 passed, 2 deselected" in out
    assert "Traceback" not in out


def test_a_name_of_another_kind_is_not_taken(package: Path) -> None:
    status, out = run(package, "--ganbench", "fid", "--ganbench-kind", "track")
    assert status == pytest.ExitCode.USAGE_ERROR and "unknown track 'fid'" in out


def test_a_wrong_name_is_one_line(package: Path) -> None:
    status, out = run(package, "--ganbench", "nobody.py:Nothing")
    assert status == pytest.ExitCode.USAGE_ERROR
    assert "--ganbench nobody.py:Nothing: nobody.py: there is no such file" in out


def test_without_the_option_torch_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it():\n    import sys\n    assert 'torch' not in sys.modules\n")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *LOADED]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True), done.stdout

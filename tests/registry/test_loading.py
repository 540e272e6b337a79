"""A registry of what is named alone: the scoring side imports no plugin that brings models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ganbench.errors import RequestError
from ganbench.registry.builtins import built_in, discover
from ganbench.registry.item_checks import KINDS
from ganbench.registry.loading import entry_point_of, load_items

from .conftest import Install
from .sources import GOOD, METRIC

BOTH = (
    GOOD.format(name="both").replace("    register(Good)", "    raise SystemExit('the hook for models was called')")
    + METRIC.format(names=("ink",))
    + """
@ganbench.hookimpl
def ganbench_register_datasets(register):
    raise SystemExit("the hook for data sets was called")
"""
)


def test_only_what_is_named_is_loaded(install: Install) -> None:
    install("ink-metric", {"ink_metric.py": BOTH}, {"ink": "ink_metric"})
    install("tidy-gan", {"tidy_gan.py": GOOD.format(name="tidy")}, {"tidy": "tidy_gan"})
    before = set(sys.modules)
    registry = load_items(
        [("metrics", "ink", "ink = ink_metric"), ("metrics", "fid", ""), ("tracks", "ring8-quick", "")]
    )
    assert registry.get("metrics", "ink").origin.distribution == "ink-metric"
    assert not registry.all("models")
    assert not registry.broken
    own = built_in()
    for kind in set(KINDS) - {"models"}:
        assert {entry.name for entry in registry.all(kind)} - {"ink"} == {entry.name for entry in own.all(kind)}
    imported = set(sys.modules) - before
    assert "ink_metric" in imported
    assert "tidy_gan" not in imported


def test_the_entry_point_is_what_discovery_says(install: Install) -> None:
    install("ink-metric", {"ink_metric.py": "import ganbench\n" + METRIC.format(names=("ink",))}, {"ink": "ink_metric"})
    found = discover()
    assert entry_point_of(found.get("metrics", "ink")) == "ink = ink_metric"
    assert entry_point_of(found.get("datasets", "folder:/x")) == entry_point_of(found.get("metrics", "fid")) == ""
    named = [(kind, entry.name, entry_point_of(entry)) for kind in ("metrics", "tracks") for entry in found.all(kind)]
    assert load_items(named).get("metrics", "ink").thing.title == "Ink"


def test_no_model_plugin_is_imported_in_a_process_of_its_own(install: Install, tmp_path: Path) -> None:
    site = install(
        "ink-metric", {"ink_metric.py": "import ganbench\n" + METRIC.format(names=("ink",))}, {"i": "ink_metric"}
    )
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r})\n"
        "from ganbench.registry.loading import load_items\n"
        "load_items([('metrics', 'ink', 'i = ink_metric'), ('extractors', 'lenet-mnist', '')])\n"
        "print([name for name in sys.modules if name.startswith(('ganbench_plugins', 'torch', 'ganbench.model'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        (("metrics", "ink", "gone = gone_metric"), "'ink': its plugin (gone = gone_metric) is not installed"),
        (("metrics", "fdi", ""), "unknown metric 'fdi' (did you mean 'fid'?)"),
        (("metrics", "blot", "bad = bad_metric"), "unknown metric 'blot'"),
        (("metrics", "ink", "worse = worse_metric"), "no_such_module"),
    ],
)
def test_what_cannot_be_had_is_one_line(install: Install, named: tuple[str, str, str], said: str) -> None:
    install("bad-metric", {"bad_metric.py": "import ganbench\n" + METRIC.format(names=("ink",))}, {"bad": "bad_metric"})
    install("worse-metric", {"worse_metric.py": "import no_such_module\n"}, {"worse": "worse_metric"})
    with pytest.raises(RequestError) as refusal:
        load_items([named])
    assert said in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_allow_list_holds_here_too(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("ink-metric", {"ink_metric.py": BOTH}, {"ink": "ink_metric"})
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    with pytest.raises(RequestError, match="GANBENCH_PLUGINS leaves it out"):
        load_items([("metrics", "ink", "ink = ink_metric")])
    assert "ink_metric" not in sys.modules


def test_models_are_not_loaded_this_way() -> None:
    with pytest.raises(ValueError, match="models"):
        load_items([("models", "vae", "vae = ganbench_plugins.vae")])

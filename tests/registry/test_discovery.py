"""Discovery: entry points, hooks and items one by one, names, and errors that say whose fault it is."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from ganbench.errors import RequestError
from ganbench.registry.builtins import discover
from ganbench.registry.catalog import catalog
from ganbench.registry.registry import Broken, Registry

from ..conftest import call
from .sources import GOOD, METRIC, SHIPPED

Maker = Callable[..., str]


def names(registry: Registry, kind: str = "models") -> set[str]:
    return {entry.name for entry in registry.all(kind)}


def test_a_strangers_model_stands_beside_the_shipped_ones(distribution: Maker) -> None:
    distribution("good-gan", GOOD.format(name="stranger"))
    registry = discover()
    entry = registry.get("models", "stranger")
    assert (entry.origin.distribution, entry.origin.version) == ("good-gan", "1.2")
    assert entry.thing.__name__ == "Good"
    assert names(registry) >= SHIPPED | {"stranger"}
    assert not registry.broken


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import there_is_no_such_module", "there_is_no_such_module"),
        ("raise SystemExit(3)", "SystemExit"),
        ("raise ValueError('first line\\nsecond line')", "ValueError: first line second line"),
        ("def broken(:", "SyntaxError"),
        (
            GOOD.format(name="a").replace("register_models", "register_model"),
            "did you mean 'ganbench_register_models'?",
        ),
        (GOOD.format(name="a").replace("@ganbench.hookimpl", ""), "above it"),
        (GOOD.format(name="a b"), "'a b'"),
        (GOOD.format(name="=a|b"), "'=a|b'"),
        (GOOD.format(name="a").replace("register(Good)", "register(dict)"), "not a subclass of ganbench.Model"),
        (GOOD.format(name="a").replace("name = ", "title = "), "has no name"),
        (GOOD.format(name="a").replace("register(Good)", "1 / 0"), "ZeroDivisionError"),
    ],
    ids=["import", "exit", "raise", "syntax", "misspelt", "unmarked", "blank", "signs", "class", "nameless", "hook"],
)
def test_a_broken_plugin_is_reported_and_left_out(distribution: Maker, source: str, said: str) -> None:
    distribution("bad-gan", source, "0.9")
    distribution("good-gan", GOOD.format(name="stranger"))
    reported: list[Broken] = []
    registry = discover(reported.append)
    assert names(registry) >= SHIPPED | {"stranger"}
    assert [each.origin.distribution for each in reported] == ["bad-gan"]
    assert registry.broken == reported
    assert said in reported[0].error
    assert "\n" not in reported[0].error
    with pytest.raises(RequestError) as refusal:
        registry.get("models", "bad-gan")
    assert "bad-gan 0.9" in str(refusal.value)
    assert said in str(refusal.value)


def test_a_bad_item_never_removes_its_neighbours(distribution: Maker) -> None:
    source = (
        GOOD.format(name="before").replace(
            "    register(Good)\n",
            """
    class Bare(ganbench.Model):
        name = "bare"
        class Config:
            lr = 1
    class After(ganbench.Model):
        name = "after"
    for item in (Good, 3, Bare, After):
        register(item)
""",
        )
        + METRIC.format(names=("ink", "I nk", "fid", "blot"))
        + """
@ganbench.hookimpl
def ganbench_register_tracks(register):
    register("/no/such/my-track.toml")

@ganbench.hookimpl
def ganbench_register_datasets(wrong_argument):
    pass
"""
    )
    distribution("half-gan", source)
    distribution("tidy-gan", GOOD.format(name="stranger"))
    reported: list[Broken] = []
    registry = discover(reported.append)
    assert names(registry) >= SHIPPED | {"before", "after", "stranger"}
    assert names(registry, "metrics") >= {"fid", "ink"}
    assert {each.origin.distribution for each in reported} == {"half-gan"}
    assert registry.broken == reported
    found = {each.what or each.error: each.error for each in reported}
    assert "not a subclass of ganbench.Model" in found["model '3'"]
    assert "@dataclass(frozen=True)" in found["model 'bare'"]
    assert "/no/such/my-track.toml" in found["track 'my-track'"]
    assert "wrong_argument" in found["ganbench_register_datasets"]
    assert "I nk" in found["ganbench_register_metrics"], "raised in the hook's own code: what came before it stays"
    assert not [each for each in reported if "\n" in str(each)]
    with pytest.raises(RequestError, match="^model 'bare' of half-gan 1.2 .* is broken: .*@dataclass"):
        registry.get("models", "bare")
    with pytest.raises(RequestError, match="^track 'my-track' of half-gan.*cannot be read"):
        registry.get("tracks", "my-track")


def test_a_hook_that_fails_keeps_what_it_registered(distribution: Maker) -> None:
    distribution("bad-gan", GOOD.format(name="half") + "    1 / 0\n" + METRIC.format(names=("ink",)))
    registry = discover()
    (broken,) = registry.broken
    assert (broken.what, broken.error) == ("ganbench_register_models", "ZeroDivisionError: division by zero")
    assert registry.has("models", "half")
    assert registry.has("metrics", "ink")


@pytest.mark.parametrize("call", ["raise KeyboardInterrupt", "register(Good)\n    raise KeyboardInterrupt"])
def test_ctrl_c_while_plugins_load_ends_the_command(distribution: Maker, call: str) -> None:
    distribution("slow-gan", GOOD.format(name="slow").replace("register(Good)", call))
    with pytest.raises(KeyboardInterrupt):
        discover()


@pytest.mark.parametrize(("name", "first"), [("twin", "one-gan 1.2"), ("dcgan", "ganbench ")])
def test_the_first_keeps_a_name_that_is_taken_twice(distribution: Maker, name: str, first: str) -> None:
    if name == "twin":
        distribution("one-gan", GOOD.format(name=name))
    distribution("two-gan", GOOD.format(name=name), "2.0")
    registry = discover()
    (broken,) = registry.broken
    assert f"model name {name!r} is taken twice: by {first}" in broken.error
    assert "two-gan 2.0" in broken.error
    assert registry.get("models", name).origin.distribution == first.split()[0]
    with pytest.raises(RequestError, match="'two-gan': its plugin two-gan 2.0 .* taken twice"):
        registry.get("models", "two-gan")


@pytest.mark.parametrize("name", ["real", "noise", "replay", "Noise"])
def test_names_of_baselines_are_reserved(distribution: Maker, name: str) -> None:
    distribution("noisy-gan", GOOD.format(name=name))
    registry = discover()
    (broken,) = registry.broken
    assert f"{name!r} is reserved for a baseline" in broken.error
    assert names(registry) >= SHIPPED
    assert name not in names(registry)
    with pytest.raises(RequestError, match="is reserved for a baseline"):
        registry.get("models", name)


def test_an_unknown_name_is_answered_with_the_nearest(registry: Registry) -> None:
    with pytest.raises(RequestError, match=r"unknown model 'dgcan' \(did you mean 'dcgan'\?\)"):
        registry.get("models", "dgcan")
    with pytest.raises(RequestError, match=r"unknown data set 'xyz' \(there is: cifar10, digits, .*mnist5k, .*ring8\)"):
        registry.get("datasets", "xyz")


@pytest.mark.parametrize(
    ("allowed", "left_out"),
    [
        (None, []), ("", ["one-gan 1.2", "two.gan 2.0"]), (" , ", ["one-gan 1.2", "two.gan 2.0"]),
        ("one-gan", ["two.gan 2.0"]), ("One_GAN", ["two.gan 2.0"]), ("one-gan, two-gan", []),
        ("second", ["one-gan 1.2"]), ("ganbench,dcgan", ["one-gan 1.2", "two.gan 2.0"]),
    ],
)  # fmt: skip
def test_an_allow_list_restricts_strangers(
    distribution: Maker, monkeypatch: pytest.MonkeyPatch, allowed: str | None, left_out: list[str]
) -> None:
    modules = {"one-gan 1.2": distribution("one-gan", GOOD.format(name="first"))}
    modules["two.gan 2.0"] = distribution("two.gan", GOOD.format(name="second"), "2.0", "second")
    if allowed is None:
        monkeypatch.delenv("GANBENCH_PLUGINS", raising=False)
    else:
        monkeypatch.setenv("GANBENCH_PLUGINS", allowed)
    registry = discover()
    assert not registry.broken
    assert names(registry) >= SHIPPED
    assert [f"{origin.distribution} {origin.version}" for origin in registry.left_out] == left_out
    for plugin, name in (("one-gan 1.2", "first"), ("two.gan 2.0", "second")):
        assert registry.has("models", name) is (plugin not in left_out)
        assert (modules[plugin] in sys.modules) is (plugin not in left_out), "a plugin that is left out was imported"
    with pytest.raises(RequestError) as refusal:
        registry.get("models", "fist")
    hint = f"(left out by GANBENCH_PLUGINS: {', '.join(left_out)})"
    assert str(refusal.value).endswith(hint) is bool(left_out)


def test_a_strangers_entry_point_called_ganbench_is_not_ganbenchs_own(
    distribution: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = distribution("one-gan", GOOD.format(name="first"), "1.2", "ganbench")
    monkeypatch.setenv("GANBENCH_PLUGINS", "")
    assert not discover().has("models", "first")
    assert module not in sys.modules


def test_a_name_in_the_allow_list_that_no_plugin_has_is_one_line(
    distribution: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribution("one-gan", GOOD.format(name="first"))
    monkeypatch.setenv("GANBENCH_PLUGINS", "one-gan,oen-gan")
    said = "ganbench: GANBENCH_PLUGINS: no installed plugin is called 'oen-gan' (did you mean 'one-gan'?)\n"
    assert call("plugins") == (2, "", said)
    for ask in (discover, catalog):
        with pytest.raises(RequestError) as refusal:
            ask()
        assert f"ganbench: {refusal.value}\n" == said

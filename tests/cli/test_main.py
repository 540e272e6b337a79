"""What answers at once: help, lists, versions, without importing torch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

import ganbench

from ..conftest import Answer

Command = Callable[..., Answer]

LIGHT = """
import sys
from ganbench.cli.main import COMMANDS, main
helps = (["--help"], *([name, "--help"] for name in COMMANDS))
for words in (*helps, ["plugins"], ["tracks"], ["tracks", "show", "digits-smoke"]):
    sys.argv = ["ganbench", *words]
    try:
        main()
    except SystemExit as end:
        assert not end.code, (words, end.code)
    heavy = {"torch", "torchvision", "pandas", "matplotlib", "sklearn"} & set(sys.modules)
    assert not heavy, (words, heavy)
"""


def test_help_and_lists_do_not_import_torch() -> None:
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert all(name in done.stdout for name in ("dcgan", "vanilla", "vae", "mnist5k-quick", "arXiv:1312.6114"))


def test_no_words_are_answered_with_help(command: Command) -> None:
    answer, asked = command(), command("--help")
    assert asked.status == 0
    assert "ganbench run --plugins dcgan,vanilla,vae" in asked.out
    shown = answer.out + answer.err
    assert shown.count("\n") > 5
    assert "Commands:" in shown


def test_the_version(command: Command) -> None:
    assert command("--version") == Answer(0, f"ganbench, version {ganbench.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        (["plugins"], ["dcgan", "vanilla", "vae", "hmm"]),
        (["tracks"], ["digits-smoke", "mnist5k-quick", "mnist-standard", "fashion-standard", "cifar10-standard"]),
        (["tracks"], ["fashion-quick", "cifar10-quick"]),
        (["datasets"], ["mnist5k", "mnist", "fashion-mnist", "cifar10", "folder", "digits"]),
        (["extractors"], ["lenet-mnist", "lenet-fashion-mnist", "inception-v3-compat", "vgg16", "clip-vit-b-32"]),
        (["extractors"], ["efficientnet-lite0"]),
    ],
)
def test_lists_name_what_there_is(command: Command, words: list[str], names: list[str]) -> None:
    answer = command(*words)
    assert (answer.status, answer.err) == (0, "")
    found = {line.split()[0] for line in answer.out.splitlines() if line.strip()} | set(answer.out.split())
    assert set(names) <= found


def test_a_broken_plugin_is_listed_with_its_error(command: Command, distribution, monkeypatch, tmp_path) -> None:
    distribution("bad-gan", "print('noise on import')\nraise ValueError('its own fault')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    answer = command("plugins")
    assert answer.status == 0
    assert "bad-gan 1.2" in answer.out
    assert "ValueError: its own fault" in answer.out
    assert "dcgan" in answer.out

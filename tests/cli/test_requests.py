"""A wrong request is one line that says what, where and what to do, and exit status 2."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from ..conftest import Answer, Smoke

Command = Callable[..., Answer]

IMPOSTOR = """
import ganbench

class Impostor(ganbench.Model):
    name = "dcgan"
"""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--plugins", "dcgna"], "unknown model 'dcgna' (did you mean 'dcgan'?)"),
        (["--plugins", ""], "name at least one model"),
        (["--plugins", "vae", "--track", "digit-smoke"], "unknown track 'digit-smoke' (did you mean 'digits-smoke'?)"),
        (["--plugins", "vae", "--track", "there-is-none.toml"], "there-is-none.toml: cannot be read"),
        (["--plugins", "vae[laten_dim=3]"], "no parameter 'laten_dim' (did you mean 'latent_dim'?)"),
        (["--plugins", "vae", "--set", "vae.hiden=3"], "no parameter 'hiden' (did you mean 'hidden'?)"),
        (["--plugins", "vae", "--set", "vae.hidden=wide"], "hidden='wide' is not of type int"),
        (["--plugins", "vae", "--set", "hidden=3"], "write model.parameter=value"),
        (["--plugins", "vae", "--set", "dcgan.lr=3"], "'dcgan' is not among the models of this run"),
        (["--plugins", "vae", "--budget", "100 parsecs"], "cannot read '100 parsecs': write 100kimg"),
        (["--plugins", "vae", "--budget", "0s"], "is zero"),
        (["--plugins", "vae", "--budget", "1m,90s"], "two limits on seconds"),
        (["--plugins", "vae", "--budget", "9img"], "smaller than one batch of 'vae'"),
        (["--plugins", "vae", "--seeds", "0"], "--seeds '0': nothing would be trained"),
        (["--plugins", "vae", "--seeds", "-1"], "--seeds '-1'"),
        (["--plugins", "vae", "--seeds", "two"], "--seeds 'two': write a count such as 3"),
        (["--plugins", "vae", "--seeds", "99999999999999999999"], "write a count such as 3"),
        (["--plugins", "vae", "--seeds", "100000000"], "more than 1,000 seeds"),
        (["--plugins", "vae", "--checkpoint-every", "nan"], "--checkpoint-every"),
        (["--plugins", "real"], "unknown model 'real'"),
        (["--plugins", "vae", "--metrics", "fid,vend"], "unknown metric 'vend' (did you mean 'vendi'?)"),
        (["--plugins", "vae", "--runs", ""], "the path is empty"),
        (["--plugins", "vae", "--jobs", "0"], "--jobs 0: at least 1"),
        (["--plugins", "vae", "--jobs", "two"], "'two' is not a valid integer"),
        (["--plugins", "vae", "--device", "gpu"], "--device 'gpu': write auto, cpu, cuda or cuda:N"),
        (["--plugins", "vae", "--precision", "fp8"], "'fp8' is not one of"),
        (
            ["--plugins", "vae", "--extractor", "lenet-minst"],
            "unknown extractor 'lenet-minst' (did you mean 'lenet-mnist'?)",
        ),
        (["--plugins", "vae", "--weights", "nowhere.pth"], "--weights nowhere.pth"),
        (["--plugins", "./nowhere.py:Tiny"], "there is no file"),
        (["--plugin", "vae"], "--plugins"),  # click words it, with quotes since 8.4
        ([], "--plugins"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_run_refuses(command: Command, tmp_path: Path, words: list[str], said: str) -> None:
    track = [] if "--track" in words else ["--track", "digits-smoke"]
    answer = command("run", *track, "--runs", tmp_path / "runs", "--boards", tmp_path / "boards", *words)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("ganbench: ")
    assert answer.err.count("\n") == 1
    assert said in answer.err
    assert not list(tmp_path.glob("*/*"))


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_cuda_is_refused_where_there_is_none(command: Command, tmp_path: Path) -> None:
    answer = command(
        "run", "--plugins", "vae", "--device", "cuda", "--runs", tmp_path / "runs", "--boards", tmp_path / "boards"
    )
    assert (answer.status, answer.err) == (
        2,
        "ganbench: --device cuda: this machine has no CUDA device: use --device cpu\n",
    )


def test_two_plugins_of_one_name_are_both_named(command: Command, tmp_path: Path) -> None:
    path = tmp_path / "impostor.py"
    path.write_text(IMPOSTOR)
    answer = command(
        "run", "--plugins", f"dcgan,{path}:Impostor", "--track", "digits-smoke", "--runs", tmp_path,
        "--boards", tmp_path,
    )  # fmt: skip
    assert answer.status == 2
    assert answer.err.count("\n") == 1
    assert "'dcgan' is taken twice" in answer.err
    assert str(path) in answer.err
    assert "ganbench_plugins.dcgan" in answer.err


@pytest.mark.parametrize("option", ["--runs", "--boards"])
@pytest.mark.parametrize("inside", ["", "deep/inside"])
def test_a_folder_that_cannot_be_written_is_found_at_once(
    command: Command, tmp_path: Path, option: str, inside: str
) -> None:
    (tmp_path / "file").write_text("in the way")
    folders = {"--runs": tmp_path / "runs", "--boards": tmp_path / "boards", option: tmp_path / "file" / inside}
    answer = command(
        "run", "--plugins", "vae", "--track", "digits-smoke", *[word for pair in folders.items() for word in pair]
    )
    assert answer.status == 2
    assert answer.err.count("\n") == 1
    assert str(tmp_path / "file") in answer.err
    assert option in answer.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["rum"], "unknown command 'rum' (did you mean 'run'?)"),
        (["tracks", "show", "mnist5k-quik"], "unknown track 'mnist5k-quik' (did you mean 'mnist5k-quick'?)"),
        (["sample", "0123456789abcdef"], "no run of that key"),
        (["sample", "/there/is/no/such/folder"], "no such file or folder"),
        (["sample", "0123", "-n", "0"], "-n 0: at least 1"),
        (["board", "--track", "digits-smok"], "unknown track 'digits-smok' (did you mean 'digits-smoke'?)"),
        (["board", "--track", "digits-smoke"], "no run of it in runs, and none is published in leaderboards"),
        (["board", "--track", "../../etc"], "unknown track '../../etc'"),
        (["board", "--board", "x"], "No such option"),
        (["score"], "no run with samples"),
        (["score", "0123456789"], "no run of that key"),
        (["score", "--extractor", "inception"], "no run with samples"),
        (["remove", "dcgan"], "'dcgan': no run of that key (four letters or more) or label"),
        (["publish", "--track", "digits-smoke"], "holds no scored run of it: nothing to publish"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_other_commands_refuse(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = command(*words)
    assert answer.status == 2
    assert answer.err.count("\n") == 1
    assert said in answer.err


def test_an_unwritable_board_or_picture_is_one_line_too(command: Command, smoke: Smoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    key = next(smoke.runs.glob("*/checkpoint.pt")).parent.name
    board = (
        "board",
        "--track",
        "digits-smoke",
        "--budget",
        "5steps",
        "--runs",
        smoke.runs,
        "--boards",
        tmp_path / "file" / "inside",
    )
    sample = ("sample", key, "--runs", smoke.runs, "--export", tmp_path / "file" / "grid.png")
    for answer in (command(*board), command(*sample)):
        assert answer.status == 2
        assert answer.err.count("\n") == 1
        assert str(tmp_path / "file") in answer.err

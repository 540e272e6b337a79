"""Options that read the same in every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Option = Callable[[Any], Any]


class Folder(click.Path):
    """A folder, which need not exist. An empty path, as of an unset variable, is refused."""

    def __init__(self) -> None:
        super().__init__(file_okay=False, path_type=Path)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("the path is empty: write . for the current folder", param, ctx)
        return super().convert(value, param, ctx)


def folder_option(name: str, default: str | None, text: str) -> Option:
    """Return an option that takes a folder, which need not exist."""
    return click.option(
        name, type=Folder(), default=Path(default) if default else None, show_default=bool(default), help=text
    )


def runs_option(text: str = "The folder of runs.") -> Option:
    """``--runs``: the store."""
    return folder_option("--runs", "runs", text)


def boards_option(text: str = "The folder that boards are written to.") -> Option:
    """``--boards``: where a user's boards are written."""
    return folder_option("--boards", "boards", text)


def published_option(text: str = "The folder of published leaderboards, with their runs.") -> Option:
    """``--published``: where published runs lie; only `ganbench publish` writes there."""
    return folder_option("--published", "leaderboards", text)


def data_dir_option(text: str = "The folder of data sets. [default: GANBENCH_DATA, else a cache]") -> Option:
    """``--data-dir``: None unless it is given."""
    return folder_option("--data-dir", None, text)


RUNS_SHARE = "auto, cpu, cuda, or GPUs such as cuda:1 or cuda:0,cuda:2; auto and cuda: all there are."


def device_option(text: str = "auto, cpu, cuda or cuda:N.") -> Option:
    """``--device``: checked by `pick_device` of `ganbench.util.device`; with `RUNS_SHARE`, by `pick_devices`."""
    return click.option("--device", default="auto", show_default=True, help=text)


def quiet_option(text: str = "Print only results and errors, no progress.") -> Option:
    """``--quiet``."""
    return click.option("--quiet", is_flag=True, help=text)


ENGINE_OPTIONS = {
    "address": ("HOST:PORT", "The Ray cluster's head, or auto. [--engine ray]"),
    "partition": ("NAME", "The partition. [--engine slurm]"),
    "time": ("LIMIT", "The time limit of a job, such as 02:00:00; a run goes on in another. [--engine slurm]"),
    "sbatch": ("OPTIONS", "More options of sbatch, in quotes. [--engine slurm]"),
}
"""Options of built-in engines: how their value is called, and what they mean."""


def engine_option() -> Option:
    """``--engine``, ``--per-run`` and the options of built-in engines; `engine_request` gathers them."""
    options = [
        click.option(
            "--engine", default="local", show_default=True,
            help="Where work is done; `ganbench engines` lists them. NAME[option=value,...] sets options of an engine.",
        ),
        click.option(
            "--per-run", metavar="NEEDS",
            help="What a run gets of a node: cpus=2,gpus=0.25,memory=8GiB. [default: as its model says, or a core]",
        ),
    ]  # fmt: skip
    options += [click.option(f"--{name}", metavar=value, help=text) for name, (value, text) in ENGINE_OPTIONS.items()]

    def add(command: Any) -> Any:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def engine_request(options: dict[str, Any]) -> dict[str, Any]:
    """Return a command's options with those of `ENGINE_OPTIONS` gathered as ``engine_options``."""
    gathered = {name: options[name] for name in ENGINE_OPTIONS}
    return {name: value for name, value in options.items() if name not in gathered} | {"engine_options": gathered}

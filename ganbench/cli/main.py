"""The command ``ganbench``: subcommands are imported when called, so that help needs no torch."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys

import click

import ganbench
from ganbench.errors import RequestError, did_you_mean

COMMANDS = {
    "new": "Make a package of your own: a model, metric, data set, extractor or track.",
    "check": "Check a model, metric, data set, extractor or track of your own against all rules.",
    "run": "Train, score and rank models; show the board.",
    "tune": "Choose hyper-parameters: the same number of runs for every model, on the validation split.",
    "score": "Score finished runs: more metrics, another extractor; trains nothing.",
    "evaluate": "Score samples from any program: a folder, a file, or a run.",
    "board": "Rebuild a board from runs and their scores, and show it.",
    "compare": "Say which of two rows, or two reports, is better, by how much, and how surely.",
    "runs": "List the runs: how they ended, or where they stand.",
    "show": "Show a run, its scores and how they were made.",
    "load": "Load a trained model, without its data set; export its weights.",
    "sample": "Draw samples from a trained model into a picture or a file.",
    "reproduce": "Train a recorded run again and compare.",
    "submit": "Pack runs, their samples, checkpoints and code into one file for a leaderboard's editor.",
    "verify": "Check such a file: hashes, scores, samples, and trainings of its code done anew.",
    "publish": "Merge runs into the published leaderboards, after checking them.",
    "report": "Write boards, models and runs as a site to look at: tables, charts, samples.",
    "remove": "Remove a run, or all runs of a row, yours and published.",
    "clean": "Remove files that can be made again, and say how much that freed.",
    "plugins": "List the models that can be run, and the broken ones.",
    "tracks": "List the tracks, or show one.",
    "datasets": "List the data sets.",
    "engines": "List the engines that can do the work.",
    "metrics": "List the metrics, and what each needs.",
    "extractors": "List the extractors, or show what a trained one says of itself.",
    "extractor": "Train a frozen extractor on a labelled data set.",
}


class Commands(click.Group):
    """Find commands by name; import one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"ganbench.cli.{cmd_name}"), cmd_name)  # type: ignore[no-any-return]

    def resolve_command(self, ctx: click.Context, args: list[str]):  # type: ignore[no-untyped-def]
        if args and args[0] not in COMMANDS:
            raise RequestError(f"unknown command {args[0]!r}{did_you_mean(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(ganbench.__version__, prog_name="ganbench")
@click.pass_context
def cli(context: click.Context) -> None:
    """Given the same data and the same budget, which generative model is better, by how much, and how sure are we?

    Start with:  ganbench run --plugins dcgan,vanilla,vae
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """Run the command line; a wrong request is one line and exit status 2."""
    try:
        status = cli(standalone_mode=False)
        sys.stdout.flush()
    except RequestError as error:
        status = _refuse(str(error))
    except UnicodeEncodeError as error:
        status = _refuse(f"the terminal cannot print {error.object[error.start]!r}: set PYTHONIOENCODING=utf-8")
    except BrokenPipeError:  # `ganbench runs | head`
        _discard_output()
        status = 141
    except OSError as error:
        status = _refuse(f"{error.filename or 'the output'}: {error.strerror or error}")
        _discard_output()
    except click.ClickException as error:
        status = _refuse(error.format_message())
    except (KeyboardInterrupt, click.Abort):
        status = 130
    sys.exit(status if isinstance(status, int) else 0)


def _discard_output() -> None:
    """Lead standard output nowhere: what is left in its buffer can't be written where it led."""
    with contextlib.suppress(OSError, ValueError):  # under a test it may be no file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _refuse(message: str) -> int:
    print(f"ganbench: {' '.join(message.split())}", file=sys.stderr)
    return 2

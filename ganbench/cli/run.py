"""``ganbench run``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import (
    RUNS_SHARE,
    boards_option,
    data_dir_option,
    device_option,
    engine_option,
    engine_request,
    published_option,
    quiet_option,
    runs_option,
)
from ganbench.cli.signals import Ended, orderly_end
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from ganbench.experiment.session import Session
    from ganbench.registry.registry import Registry


@click.command()
@click.option("--plugins", required=True, help="Models, e.g. dcgan,vae[latent_dim=64],./file.py:Class; or all.")
@click.option("--track", default="mnist5k-quick", show_default=True, help="A track's name, or a .toml file.")
@click.option("--seeds", help="How many seeds (3), or which (100-102); the track says how many by default.")
@click.option("--budget", help="Another budget: 100kimg, 2000steps, 90s, 5m, or several joined by commas.")
@click.option("--precision", type=click.Choice(("fp32", "bf16")), help="Number format of training steps. [default: the track's]")  # fmt: skip  # noqa: E501
@click.option("--extractor", help="More extractors, by name or file, joined by commas; each adds columns.")
@click.option("--metrics", help="More metrics, such as standard,vendi; `ganbench metrics` lists them.")
@click.option("--against", type=click.Choice(("test", "validation")), default="test", show_default=True,
              help="The split that samples are compared with: validation to choose, test to report.")  # fmt: skip
@device_option(RUNS_SHARE)
@engine_option()
@click.option("--set", "settings", multiple=True, metavar="MODEL.PARAMETER=VALUE", help="Set a hyper-parameter.")
@click.option("--settings", "settings_file", type=click.Path(dir_okay=False, path_type=Path),
              help="A file of hyper-parameters from `ganbench tune`; --set and brackets override it.")  # fmt: skip
@click.option("--jobs", type=int, help="Processes at once, training and scoring. [default: one a core, or 1 on a GPU]")
@click.option(
    "--threads", type=int, help="Threads per process; the number affects rounding. [default: 1, on a GPU all]"
)
@runs_option()
@boards_option()
@published_option()
@data_dir_option()
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@click.option("--no-baselines", is_flag=True, help="Leave out real, noise and replay.")
@click.option("--retry", metavar="HOW,...", help="Train again the runs that ended like this: failed, oom, timeout, diverged, killed; or all.")  # fmt: skip  # noqa: E501
@click.option("--rerun", is_flag=True, help="Train everything again, from the first step.")
@click.option("--stall-timeout", metavar="DURATION", help="How long a run may show no progress: 90s, 10m, 2h. [default: 10m, or 10 times its whole budget if that is less]")  # fmt: skip  # noqa: E501
@click.option("--memory-limit", metavar="SIZE", help="Memory limit of each run, such as 4GiB (CPU only).")
@click.option("--deterministic", is_flag=True, help="Use deterministic algorithms alone.")
@click.option("--checkpoint-every", "checkpoint_seconds", type=click.FloatRange(min=0.0, max=1e9), default=10.0,
              show_default=True, help="Seconds between two checkpoints of a run that trains.")  # fmt: skip
@quiet_option()
def run(boards: Path, published: Path, quiet: bool, no_baselines: bool, **options: object) -> int:
    """Train models under one budget, score their samples, rank them, and show the board.

    Finished runs are not trained again: the same command with other --metrics only scores.

    Exit status: 0 done; 1 a run failed (it is a row of the board); 2 the request was wrong.
    """
    from ganbench.cli.run_display import Display
    from ganbench.cli.warnings import discover_with_warnings
    from ganbench.experiment.session import Request, prepare
    from ganbench.util.atomic_io import check_writable

    request = Request(**engine_request(options), baselines=not no_baselines, command=("ganbench", *sys.argv[1:]))
    registry = discover_with_warnings(quiet=quiet)
    session = prepare(request, registry)
    check_writable(boards, "--boards")
    display = Display(session, quiet=quiet)
    try:
        with orderly_end(), display:
            records = session.run(display.show)
    except Ended as end:
        display.interrupted()
        return 128 + end.number
    except RequestError:  # such as a refused submission, while others are in a cluster's queue
        display.tell_left()
        raise
    shown = show_board(session, registry, boards, published, quiet=quiet)
    if not quiet:
        display.finish(records)
    return int(not shown or bool(session.refused) or any(record.status != "ok" for record in records))


def show_board(session: Session, registry: Registry, boards: Path, published: Path, *, quiet: bool) -> bool:
    """Write the board of a session's track from all of the user's runs, and print the rows that were asked for.

    False, after a line on standard error, where it cannot be written.
    """
    from ganbench.boards.board import build_board
    from ganbench.boards.terminal import table
    from ganbench.boards.write import write_board
    from ganbench.cli.console import console
    from ganbench.registry.known_sources import known_sources

    request = session.protocols.board
    board = build_board(request, [session.store], published, known_sources=known_sources(registry))
    try:
        files = write_board(board, boards)
    except OSError as error:
        again = f"`ganbench board --track {request.track.name}` writes it from {session.store.root}"
        click.echo(f"ganbench: no board: {error.strerror} ({error.filename or boards}); {again}", err=True)
        return False
    if not quiet:
        screen = console()
        screen.print()
        screen.print(table(board, only=session.labels))
        click.echo(f"\n{files}")
    return True

"""``ganbench run``: the main job."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ganbench.cli.options import folder_option
from ganbench.cli.signals import Ended, orderly_end


@click.command()
@click.option("--plugins", required=True, help="Models, e.g. dcgan,vae[latent_dim=64],./file.py:Class; or all.")
@click.option("--track", default="mnist5k-quick", show_default=True, help="A track's name, or a .toml file.")
@click.option("--seeds", help="How many seeds (3), or which (100-102); the track says how many by default.")
@click.option("--budget", help="Another budget: 100kimg, 2000steps, 90s, 5m, or several joined by commas.")
@click.option("--extractor", help="Another one, by name or as a file; `ganbench extractors` lists them.")
@click.option("--metrics", help="Other metrics, such as standard,vendi; `ganbench metrics` lists them.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--precision", type=click.Choice(("fp32", "bf16")), default="fp32", show_default=True,
              help="Number format of training steps: float32, or bfloat16 autocast.")  # fmt: skip
@click.option("--set", "settings", multiple=True, metavar="MODEL.PARAMETER=VALUE", help="Set a hyper-parameter.")
@click.option("--jobs", type=int, help="Trials at once. [default: one a core, or 1 on a GPU]")
@click.option("--threads", type=int, help="Threads of each trial; they decide last digits. [default: 1, on a GPU all]")
@folder_option("--out", "runs", "Where trials are kept.")
@folder_option("--boards", "leaderboards", "Where boards are published.")
@folder_option("--data-dir", None, "Where data sets lie or go. [default: GANBENCH_DATA, else a cache]")
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@click.option("--no-baselines", is_flag=True, help="Leave out real, noise and replay.")
@click.option(
    "--retry", metavar="HOW,...", help="Do again what ended so: failed, oom, timeout, diverged, killed; or all."
)
@click.option("--rerun", is_flag=True, help="Do everything again, from the first step.")
@click.option("--timeout", metavar="DURATION", help="How long a trial may be silent: 90s, 10m, 2h. [default: 10m, or "
              "10 times its whole budget if that is less]")  # fmt: skip
@click.option("--memory", metavar="SIZE", help="The most memory a trial may take, such as 4GiB (CPU).")
@click.option("--deterministic", is_flag=True, help="Use deterministic algorithms alone.")
@click.option("--checkpoint-every", "checkpoint_seconds", type=click.FloatRange(min=0.0), default=10.0,
              show_default=True, help="Seconds between two checkpoints of a trial that trains.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def run(boards: Path, quiet: bool, no_baselines: bool, **options: object) -> int:
    """Train models under one budget, score their samples, rank them, and publish the board.

    Exit status: 0 done; 1 a trial failed (it is a row of the board); 2 the request was wrong.
    """
    from ganbench.boards.publish import publish
    from ganbench.cli.run_display import Display
    from ganbench.experiment.session import Request, prepare
    from ganbench.registry.builtins import discover
    from ganbench.registry.registry import Broken
    from ganbench.util.atomic_io import check_writable

    def warn(broken: Broken) -> None:
        if not quiet:
            click.echo(f"ganbench: left out a broken plugin, {broken.origin}: {broken.error}", err=True)

    command = ("ganbench", *sys.argv[1:])
    request = Request(**options, baselines=not no_baselines, command=command)  # type: ignore[arg-type]
    session = prepare(request, discover(warn))
    check_writable(boards, "--boards")
    display = Display(session, quiet=quiet)
    try:
        with orderly_end(), display:
            records = session.run(display.show)
    except Ended as end:
        display.interrupted()
        return 128 + end.number
    track = session.info.protocol.name
    try:
        board = publish(track, session.out, boards, fingerprint=session.info.fingerprint)
    except OSError as error:
        again = f"`ganbench leaderboard --track {track}` writes it from the records in {session.out}"
        click.echo(f"ganbench: no board: {error.strerror} ({error.filename or boards}); {again}", err=True)
        return 1
    display.finish(board, boards, records)
    return int(any(record.status != "ok" for record in records))

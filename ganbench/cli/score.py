"""``ganbench score``: metrics and extractors added to finished runs."""

from __future__ import annotations

import sys
from pathlib import Path

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


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--track", help="The track that sets the reference and the settings. [default: that of each run's data set and budget]")  # fmt: skip  # noqa: E501
@click.option("--metrics", help="Metrics beside the track's, such as vendi; `ganbench metrics` lists them.")
@click.option("--extractor", help="More extractors, by name or file, joined by commas; each adds columns.")
@click.option("--against", type=click.Choice(("test", "validation")), default="test", show_default=True,
              help="The split that samples are compared with: validation to choose, test to report.")  # fmt: skip
@device_option(RUNS_SHARE)
@engine_option()
@click.option("--jobs", type=int, help="Processes at once. [default: one a core, or 1 on a GPU]")
@click.option(
    "--threads", type=int, help="Threads per process; the number affects rounding. [default: 1, on a GPU all]"
)
@runs_option()
@boards_option()
@published_option()
@data_dir_option()
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@quiet_option()
def score(keys: tuple[str, ...], boards: Path, published: Path, quiet: bool, **options: object) -> int:
    """Score the samples of finished runs, all of them or those of each KEY; nothing is trained.

    \b
    ganbench score --metrics vendi                 one more column for every run
    ganbench score --extractor dinov2-vit-s-14     a second opinion: columns such as fid@dinov2-vit-s-14
    ganbench score KEY --against validation        for choosing hyper-parameters; boards report the test split

    Exit status: 0 done; 1 some run could not be scored; 2 the request was wrong.
    """
    from ganbench.cli.run import show_board
    from ganbench.cli.run_display import Display
    from ganbench.cli.warnings import discover_with_warnings
    from ganbench.experiment.score import Request, prepare
    from ganbench.util.atomic_io import check_writable

    def note(sentence: str) -> None:
        if not quiet:
            click.echo(f"ganbench: {sentence}", err=True)

    request = Request(tuple(keys), **engine_request(options), command=("ganbench", *sys.argv[1:]))
    registry = discover_with_warnings(quiet=quiet)
    sessions = prepare(request, registry, note)
    check_writable(boards, "--boards")
    good = True
    for session in sessions:
        display = Display(session, quiet=quiet)
        try:
            with orderly_end(), display:
                session.run(display.show)
        except Ended as end:
            display.interrupted()
            return 128 + end.number
        except RequestError:
            display.tell_left()
            raise
        good &= show_board(session, registry, boards, published, quiet=quiet) and not session.refused
    return int(not good)

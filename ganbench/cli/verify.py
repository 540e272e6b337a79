"""``ganbench verify``: a bundle of `ganbench submit` checked, step by step."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import data_dir_option, folder_option, published_option, quiet_option
from ganbench.cli.signals import Ended, orderly_end

if TYPE_CHECKING:
    from ganbench.submission.verify import Step, Verified

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("bundle", type=_FILE)
@click.option("--level", type=click.Choice(("keys", "rescore", "resample", "retrain")), default="rescore",
              show_default=True, help="How far: each level does those before it, too.")  # fmt: skip
@click.option("--seeds", default="3", show_default=True, metavar="N|LIST", help="With --level retrain: how many fresh seeds, or which (100-102 or 0,7,1001); one that the bundle has is compared with it.")  # fmt: skip  # noqa: E501
@click.option("--track", help="The track that it must be of: a name, or a .toml file. [default: as the bundle says]")
@click.option("--budget", help="The budget that it must have, where it is not the track's own.")
@folder_option("--runs", "verified", "Where it is unpacked, scored and trained.")
@folder_option("--into", None, "Merge the runs into this store, if nothing differs: with the level that they reached.")
@published_option("The folder of published leaderboards, whose rows --markdown sets beside the bundle's.")
@data_dir_option()
@click.option("--weights", type=_FILE, help="The extractor's weights, as a file.")
@click.option("--jobs", type=int, help="Processes at once. [default: one a core, or 1 on a GPU]")
@click.option("--allow-network", is_flag=True, help="Run the submitted code even where its network cannot be blocked.")
@click.option("--json", "json_file", type=_FILE, help="Write the whole result here.")
@click.option("--markdown", "markdown_file", type=_FILE, help="Write a comparison with the published rows here.")
@quiet_option()
def verify(
    into: Path | None, published: Path, json_file: Path | None, markdown_file: Path | None, quiet: bool,
    **options: object,
) -> int:  # fmt: skip
    """Check a bundle of `ganbench submit`, step by step, and say what differs.

    \b
    keys       hashes, names, seeds and keys are computed anew; nothing is run
    rescore    the samples are scored anew; no code of the bundle is run
    resample   the checkpoints draw the samples again
    retrain    the code is trained on fresh seeds

    Code of the bundle runs in worker processes without network. It can read and write your files all the same: verify
    what strangers send in a container or a virtual machine.

    Exit status: 0 verified; 1 something differs, and which; 2 no bundle, or a wrong request.
    """
    from ganbench.cli.console import console
    from ganbench.cli.warnings import discover_with_warnings
    from ganbench.store.store import Store
    from ganbench.submission.accept import CHECKED, accept
    from ganbench.submission.comparison_page import comparison_page
    from ganbench.submission.verify import Request, verify
    from ganbench.util.atomic_io import check_writable, write_text

    request = Request(**options, command=("ganbench", *sys.argv[1:]))  # type: ignore[arg-type]
    for option, file in (("--json", json_file), ("--markdown", markdown_file)):
        if file is not None:
            check_writable(file.parent, option)
    registry, screen = discover_with_warnings(quiet=quiet), console()
    with screen.status("reading") if screen.is_terminal and not quiet else nullcontext() as status:
        try:
            with orderly_end():
                result, work = verify(
                    request, registry,
                    lambda step: None if quiet and step.ok else _show(step),
                    lambda text: status.update(text) if status is not None else None,
                )  # fmt: skip
        except Ended as end:
            print("ganbench: interrupted: the same command trains what is missing", file=sys.stderr)
            return 128 + end.number
    if json_file is not None:
        write_text(json_file, result.model_dump_json(indent=1) + "\n")
    if markdown_file is not None:
        write_text(markdown_file, comparison_page(result, work, published))
    if result.level in ("keys", "rescore") and not quiet:
        click.echo(f"network: {result.network}")
    _conclude(result)
    if into is not None and result.verified:
        keys = accept(work, result, Store(into))
        if not quiet:
            click.echo(f"{len(keys)} runs merged into {into}: {CHECKED[result.level]}")
    return 0 if result.verified else 1


def _show(step: Step) -> None:
    from ganbench.submission.verify import MOST_SAID
    from ganbench.util.text import one_line

    click.echo(f"{'✓' if step.ok else '✗'} {step.level}: {step.what} ({step.seconds:.1f} s)")
    for line in step.said:
        click.echo(f"    {one_line(line, 400)}")
    for line in step.problems[:MOST_SAID]:
        click.echo(f"  ✗ {one_line(line, 400)}")
    if len(step.problems) > MOST_SAID:
        click.echo(f"  ✗ and {len(step.problems) - MOST_SAID} more")


def _conclude(result: Verified) -> None:
    if result.verified:
        click.echo(f"verified: {result.bundle} at level {result.level}")
    else:
        reached = f"; it agrees up to level {result.reached}" if result.reached else ""
        click.echo(f"not verified: {result.bundle} differs at level {result.steps[-1].level}{reached}")

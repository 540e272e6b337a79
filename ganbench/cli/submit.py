"""``ganbench submit``: runs packed into a bundle for a leaderboard's editor."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import quiet_option, runs_option


@click.command()
@click.argument("what", nargs=-1, required=True, metavar="KEY|LABEL...")
@click.option("--code", metavar="DIST|PATH", help="Where the models' code is: the name of its distribution, or its folder or file. Not needed for ganbench's own models.")  # fmt: skip  # noqa: E501
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The bundle. [default: LABEL.zip]")
@click.option("--track", help="The track whose runs are meant, where a label has runs of several.")
@click.option("--budget", help="The budget of those runs, where it is not the track's own.")
@runs_option()
@quiet_option()
def submit(what: tuple[str, ...], quiet: bool, **options: object) -> None:
    """Pack runs into one file: all seeds of each LABEL, or the run of each KEY (or its first letters).

    The bundle holds records, scores, samples, checkpoints and pictures, the files that the models' source hashes cover,
    and the versions of what is installed. The editor of a leaderboard checks it with `ganbench verify`.
    """
    from ganbench.registry.builtins import discover
    from ganbench.submission.pack import Request, pack
    from ganbench.util.text import human_bytes, one_line

    packed = pack(Request(what, **options), discover())  # type: ignore[arg-type]
    if quiet:
        return
    manifest = packed.manifest
    for run in manifest.runs:
        click.echo(f"{run.key}  {one_line(run.label)}, seed {run.seed_index}: {run.status}")
    for code in manifest.code:
        files = f"{len(code.members)} file{'' if len(code.members) == 1 else 's'}"
        known = files if code.members else "known by its hash"
        click.echo(f"code of {code.model}: {known}, {one_line(code.distribution)}, source {code.source[:12]}")
    track = manifest.track
    click.echo(f"{packed.path}: {len(manifest.runs)} runs of {track.name}, {track.budget}, {track.precision}; "
               f"{human_bytes(packed.size)} in {len(manifest.members)} files")  # fmt: skip

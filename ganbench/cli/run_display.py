"""What a run shows: bars and a growing table on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from ganbench.engines.base import WAITING, Event
from ganbench.store.run_record import Record, Status, TrackInfo

if TYPE_CHECKING:
    from ganbench.boards.board import Board
    from ganbench.experiment.session import Session

PLAIN_EVERY = 10.0
"""Seconds between two lines about one trial where there is no terminal."""
WIDTH_OF_A_PIPE = 120


def console() -> Console:
    """Return a console that does not cut tables on a pipe."""
    found = Console()
    return found if found.is_terminal else Console(width=WIDTH_OF_A_PIPE)


class Display:
    """Shows a session's events; use as a context manager around `Session.run`."""

    def __init__(self, session: Session, *, quiet: bool) -> None:
        self._session, self._quiet = session, quiet
        self._console = console()
        self._ended: list[Record] = []
        self._bars: dict[str, TaskID] = {}
        self._spoke: dict[str, float] = {}
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True), TextColumn("[dim]{task.fields[news]}"), console=self._console,
        )  # fmt: skip
        self._total = self._progress.add_task("all trials", total=len(session.waiting), news="")
        self._live: Live | None = None

    def __enter__(self) -> Display:
        if self._quiet:
            return self
        session, track = self._session, self._session.info.protocol
        waiting, done = len(session.waiting), len(session.done)
        self._say(f"{track.name}: {track.budget} on {track.dataset}, {track.samples} samples, {track.extractor}")
        for note in session.notes:
            self._say(note)
        if done:
            kept = f"{done} of {len(session.trials)} trials have a record in {session.out}"
            self._say(
                f"{kept}: {'nothing to train' if not waiting else 'they are not trained again'} (--rerun trains anew)"
            )
        if waiting:
            setting = session.setting
            threads = f"{setting.threads} thread{'s' if setting.threads > 1 else ''} each"
            where = f"{threads}, {setting.device}, {session.precision}"
            self._say(f"{waiting} trial{'s' if waiting > 1 else ''}, {session.jobs} at a time, {where}")
            if self._console.is_terminal:
                self._live = Live(self._render(), console=self._console, refresh_per_second=4)
                self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, event: Event) -> None:
        """Take in one event."""
        if event.record is not None:
            self._ended.append(event.record)
            self._progress.advance(self._total)
            if event.trial.key in self._bars:
                self._progress.remove_task(self._bars.pop(event.trial.key))
        elif self._live is not None:
            self._move_bar(event)
        if self._quiet:
            return
        if self._live is not None:
            self._live.update(self._render())
        elif event.record is not None:
            self._say(_sentence(event.record))
        elif event.phase == WAITING or time.monotonic() - self._spoke.get(event.trial.key, 0.0) > PLAIN_EVERY:
            self._spoke[event.trial.key] = time.monotonic()
            self._say(f"  {_who(event)}: {event.phase} {event.share:.0%}  {_news(event)}")

    def _move_bar(self, event: Event) -> None:
        if event.trial.key not in self._bars:
            self._bars[event.trial.key] = self._progress.add_task(_who(event), total=1.0, news="")
        bar = self._bars[event.trial.key]
        if event.phase == "training":
            self._progress.update(bar, completed=event.share, news=_news(event))
        else:
            self._progress.update(bar, news=event.phase)

    def _render(self) -> Group:
        table = Table(box=SIMPLE_HEAD, show_edge=False)
        columns = _columns(self._session.info)
        for column in ("model", "seed", *(title for _, title, _ in columns), "train s", "status"):
            table.add_column(column, justify="left" if column in ("model", "status") else "right")
        for record in self._ended:
            scores = [_score(record, name, digits) for name, _, digits in columns]
            status = record.status.value if record.status is Status.OK else f"{record.status}: {record.reason}"
            row = [
                record.about.label,
                str(record.repetition),
                *scores,
                f"{record.seconds.get('train', 0.0):.0f}",
                status,
            ]
            table.add_row(*(Text(cell) for cell in row), style="" if record.status is Status.OK else "red")
        return Group(table, self._progress)

    def finish(self, board: Board, boards: Path, records: list[Record]) -> None:
        """Show the board, where it lies, and how to do again what did not end well."""
        if self._quiet:
            return
        from ganbench.boards.terminal import table

        self._console.print()
        self._console.print(table(board))
        name = self._session.info.protocol.name
        if bad := sorted({record.status.value for record in records if record.status is not Status.OK}):
            self._say(f"\nsome trials did not end well: --retry {','.join(bad)} does them again")
        self._say(f"\n{boards / name}.md  {boards / name}.csv  pictures and records in {boards / name}{'/'}")

    def interrupted(self) -> None:
        """Say what is kept and how to go on."""
        kept = len(self._session.done) + len(self._ended)
        print(
            f"ganbench: interrupted: {kept} of {len(self._session.trials)} trials are kept in {self._session.out}; "
            "the same command goes on with the rest",
            file=sys.stderr,
        )

    def _say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


_COLUMNS = (
    ("fid", "FID", 1), ("is", "IS", 2), ("recall", "recall", 3), ("coverage", "coverage", 3),
    ("authenticity", "authentic", 3),
)  # fmt: skip


def _columns(info: TrackInfo) -> tuple[tuple[str, str, int], ...]:
    """Return names, titles and decimals of what is shown of a trial: a board's first columns, where not by FID."""
    if info.protocol.headline == _COLUMNS[0][0]:
        return _COLUMNS
    return tuple((metric.name, metric.title, metric.digits) for metric in info.metrics[: len(_COLUMNS)])


def _score(record: Record, name: str, digits: int) -> str:
    return f"{record.metrics[name].value:.{digits}f}" if name in record.metrics else "–"


def _who(event: Event) -> str:
    return f"{event.trial.about.label} seed {event.trial.repetition}".replace("[", "\\[")


def _news(event: Event) -> str:
    rate = f"{event.images / event.seconds:,.0f} img/s" if event.seconds else ""
    return "  ".join([rate, *(f"{name} {value:.3g}" for name, value in event.losses.items())]).strip()


def _sentence(record: Record) -> str:
    who = f"{record.about.label} seed {record.repetition}"
    if record.status is not Status.OK:
        return f"{who}: {record.status}: {record.reason}"
    scores = "  ".join(f"{name} {_score(record, name, digits)}" for name, _, digits in _columns(record.track))
    return f"{who}: {scores}  trained {record.seconds.get('train', 0.0):.0f} s, whole {record.seconds['total']:.0f} s"

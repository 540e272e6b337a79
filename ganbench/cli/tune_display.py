"""What tuning shows: a bar over all runs on a terminal, and a line for every setting that was tried."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import TracebackType

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from ganbench.boards.formatting import metric_value
from ganbench.cli.console import console
from ganbench.cli.run_display import at_a_time
from ganbench.tuning.search import Outcome, Search


@dataclass
class Display:
    """Shows how a search gets on; use as a context manager around `Search.run`."""

    search: Search
    quiet: bool

    def __post_init__(self) -> None:
        self._console = console()
        self._info = self.search.protocols.board.headline
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.completed:.0f} of {task.total:.0f}"),
            TimeRemainingColumn(compact=True), console=self._console,
            disable=self.quiet or not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("runs", total=max(1, self.search.left))

    def __enter__(self) -> Display:
        search, request = self.search, self.search.request
        protocol = search.protocols.training
        self._say(
            f"{search.track.name}: {protocol.budget} on {protocol.dataset}, {self._info.title} against the validation "
            f"split, seeds {request.seeds}"
        )
        for note in search.notes:
            self._say(note)
        done = request.runs_each * len(search.studies) - search.left
        kept = f", {done} are there already" if done > 0 else ""
        models = f"{len(search.studies)} model{'s' if len(search.studies) > 1 else ''}"
        self._say(f"{models}, {request.runs_each} runs each, {at_a_time(search.engine, search.engine.jobs)}{kept}")
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, outcome: Outcome) -> None:
        """Take in a setting that was tried."""
        self._progress.advance(self._task)
        values = [
            metric_value(value, self._info) if value is not None else outcome.status
            for value in (outcome.value, outcome.best)
        ]
        best = "the best so far" if outcome.value == outcome.best else f"best {values[1]}"
        self._say(
            f"{outcome.number} of {self.search.request.runs_each}: {self._info.title} {values[0]} ({best}), "
            f"{outcome.seconds:.0f} s: {outcome.trial.label}"
        )

    def interrupted(self) -> None:
        """Say how to go on."""
        print(
            f"ganbench: interrupted: {self.search.left} runs are left; the same command goes on with them",
            file=sys.stderr,
        )
        for sentence in self.search.going_on:
            print(f"ganbench: {sentence}", file=sys.stderr)

    def _say(self, text: str) -> None:
        if not self.quiet:
            self._console.print(Text(text), soft_wrap=True)

"""A progress bar for a terminal."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress

from flows.plan import Progress


def progress(what: str) -> Progress:
    """Return a progress bar on a terminal, and silence in a pipe."""
    return Bar(what) if sys.stderr.isatty() else Progress()


class Bar(Progress):
    """Draws steps done on stderr."""

    def __init__(self, what: str) -> None:
        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._task = self._bar.add_task(what, total=None)
        self._bar.start()

    def __call__(self, done: int, total: int) -> None:
        """Draw `done` of `total` steps; the bar goes when all are done."""
        self._bar.update(self._task, completed=done, total=total)
        if done >= total:
            self._bar.stop()

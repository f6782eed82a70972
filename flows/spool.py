"""The spool: raw rows wait here while a run lasts, and must not stay when it is gone."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


class RunningError(RuntimeError):
    """The same run is under way in another process."""


@contextmanager
def claimed(spool: Path) -> Iterator[None]:
    """Hold the folder of a run in the spool, and remove what abandoned runs left: spools that no living process holds.

    Raises:
        RunningError: if another process works on the same run.
    """
    root = spool.parent
    lock = root / f".{spool.name}.lock"
    with lock.open("w") as held:
        if not _lock(held):
            msg = f"{spool.name}: the same run is under way in another process"
            raise RunningError(msg)
        for other in root.iterdir():
            if other.is_dir() and other.name != spool.name:
                _remove_abandoned(other)
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def discard(spool: Path) -> None:
    """Remove the folder of a run that is over.

    It loses its name first: a run killed while it removes its files would else be taken up again with half of them.
    """
    gone = spool.with_name(f".over-{spool.name}")
    shutil.rmtree(gone, ignore_errors=True)
    with suppress(FileNotFoundError):
        spool.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


def _remove_abandoned(spool: Path) -> None:
    lock = spool.with_name(f".{spool.name}.lock")
    with lock.open("w") as held:
        if _lock(held):
            discard(spool)
            lock.unlink(missing_ok=True)


def _lock(file: IO[str]) -> bool:
    """Return whether the file could be locked; the lock goes with the process, however it ends."""
    with suppress(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False

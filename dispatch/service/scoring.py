"""What is done with a batch of petitions: scored, and stored in one transaction; in a thread here, or in a process of its own."""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from dispatch.live import Scored, batch_of, only_scored, store_scored
from dispatch.scoring import Scorer
from dispatch.service import logs
from dispatch.store import Store
from dispatch.store.refusals import with_refusals

#: A batch: petitions, and whether they are to be stored (all or none).
Batch = tuple[Sequence[Mapping[str, Any]], bool]
Outcome = list[Scored | Exception]
#: Makes scorer and store where the work is done.
Maker = Callable[[], tuple[Scorer, Store | None]]


class WorkError(RuntimeError):
    """What went wrong in the other process, by name: some errors cannot travel, and their words may hold petitions."""


class Work:
    """Scores batches; one that breaks is looked at by halves, so that a bad petition fails alone."""

    def __init__(self, scorer: Scorer, store: Store | None) -> None:
        self._scorer, self._store = scorer, store

    def __call__(self, batch: Batch) -> Outcome:
        """Return for each petition its suggestion, or why there is none."""
        petitions, stored = batch
        try:
            return list(self._together(petitions, stored=stored))
        except Exception as error:
            # A database that is away is away for every half.
            away = isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError)
            if len(petitions) == 1 or away:
                return [error] * len(petitions)
            half = len(petitions) // 2
            return self((petitions[:half], stored)) + self((petitions[half:], stored))

    def _together(self, petitions: Sequence[Mapping[str, Any]], *, stored: bool) -> list[Scored]:
        batch = batch_of(petitions)
        if self._store is None:
            return only_scored(self._scorer.score(batch))
        if not stored:
            with self._store.reading() as connection:
                batch = with_refusals(connection, batch)
            return only_scored(self._scorer.score(batch))
        scored = self._scorer.score(batch)
        with self._store.writing() as connection:
            return store_scored(connection, self._scorer, batch, scored)


# In the other process -----------------------------------------------------------------------------------------------

_here: Work | None = None


def prepare(make: Maker) -> None:
    """Make ready to work in this process, which ends with the one that started it and with nothing else."""
    global _here
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to all processes of the service: those in work are finished first
        signal.signal(number, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()
    logs.set_up()
    _here = Work(*make())


def ready() -> int:
    """Return the id of this process, once it is prepared."""
    return os.getpid()


def work(batch: Batch) -> Outcome:
    """Do what `Work` does, in a prepared process."""
    assert _here is not None  # noqa: S101 - narrows the type
    return [item if isinstance(item, Scored) else _portable(item) for item in _here(batch)]


def _portable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301 - made on the line itself
    except Exception:
        return WorkError(type(error).__name__)
    return error

"""Single petitions scored together: what arrives while a batch is being scored makes the next one.

Nobody waits for a batch to fill up: an idle service scores one petition at once, a busy one several in a call, and a call
costs far more than a row. The work is done in one thread, so writers of the store do not meet.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import DataError, IntegrityError, SQLAlchemyError

from dispatch.live import Scored, batch_of, only_scored, store_scored
from dispatch.scoring import Scorer
from dispatch.store import Store
from dispatch.store.refusals import with_refusals

__all__ = ["Batcher", "BusyError", "Scored"]


class BusyError(Exception):
    """The petition was not taken: too many wait, or the service is stopping. Nothing was stored.

    Attributes:
        retry_after: seconds after which asking again makes sense.
    """

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(slots=True)
class _Job:
    petition: Mapping[str, Any]
    store: bool
    answer: asyncio.Future[Scored]


class Batcher:
    """Scores petitions in batches, and stores each batch in one transaction.

    A petition that cannot be scored or stored fails alone. The same petition twice is never in one batch: it is scored
    again after the first. Petitions of one request (`score_many`) stand behind single ones, but for a share of each batch.
    """

    def __init__(
        self,
        scorer: Scorer,
        store: Store | None = None,
        *,
        rows: int = 32,
        many: int = 16,
        waiting: int = 2_000,
        heard: Callable[[int, float], None] = lambda _rows, _seconds: None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            scorer: routes a batch; called in one thread.
            store: where suggestions and refusals are; None: nothing can be stored.
            rows: petitions in a batch at the most.
            many: of them from `score_many` while single ones wait.
            waiting: petitions that may wait; more are refused.
            heard: told rows and seconds of each batch, in the thread that scored it.
        """
        self._scorer, self._store = scorer, store
        self._rows, self._many, self._most, self._heard = rows, many, waiting, heard
        self._single: deque[_Job] = deque()
        self._bulk: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._stopping = True
        self._task: asyncio.Task[None] | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._pace = 0.0  # seconds a row took of late

    @property
    def waiting(self) -> int:
        """Petitions that no batch has taken yet."""
        return len(self._single) + len(self._bulk)

    async def start(self) -> None:
        """Begin to score."""
        self._stopping = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="scoring")
        self._task = asyncio.create_task(self._run(), name="batcher")

    async def stop(self) -> None:
        """Take no more, finish what waits, and end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None and self._thread is not None:
            await self._task
            self._thread.shutdown()
        self._task = None

    async def score(self, petition: Mapping[str, Any], *, store: bool = True) -> Scored:
        """Score one petition; its fields are those of `PETITION_SCHEMA`, all but petition_id and body may be missing.

        Raises:
            BusyError: if too many wait, or the service is stopping.
            Exception: what scoring or storing this petition raised.
        """
        (answer,) = self._add(self._single, [petition], store)
        return await answer

    async def score_many(self, petitions: Sequence[Mapping[str, Any]], *, store: bool = True) -> list[Scored | Exception]:
        """Score the petitions of one request; one that fails has its error in its place.

        Raises:
            BusyError: if too many wait, or the service is stopping; then none was taken.
        """
        answers = self._add(self._bulk, petitions, store)
        done = await asyncio.gather(*answers, return_exceptions=True)
        for item in done:
            if isinstance(item, BaseException) and not isinstance(item, Exception):
                raise item
        return [item for item in done if not isinstance(item, BaseException) or isinstance(item, Exception)]

    def _add(self, queue: deque[_Job], petitions: Sequence[Mapping[str, Any]], store: bool) -> list[asyncio.Future[Scored]]:
        if self._stopping:
            msg = "the service is stopping"
            raise BusyError(msg, 5)
        if self.waiting + len(petitions) > max(self._most, len(petitions) if not self.waiting else 0):
            msg = f"{self.waiting} petitions wait already"
            raise BusyError(msg, 1 + int(self._pace * self.waiting))
        if store and self._store is None:
            msg = "there is no store"
            raise ValueError(msg)
        loop = asyncio.get_running_loop()
        jobs = [_Job(petition, store, loop.create_future()) for petition in petitions]
        queue.extend(jobs)
        self._wake.set()
        return [job.answer for job in jobs]

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = self._next()
            if not batch:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            began = time.perf_counter()
            outcomes = await loop.run_in_executor(self._thread, self._work, batch)
            self._pace += 0.1 * ((time.perf_counter() - began) / len(batch) - self._pace)
            for job, outcome in zip(batch, outcomes, strict=True):
                if job.answer.done():  # whoever asked has gone
                    continue
                if isinstance(outcome, Scored):
                    job.answer.set_result(outcome)
                else:
                    job.answer.set_exception(outcome)

    def _next(self) -> list[_Job]:
        """Take the next batch: all to be stored or none, each petition once, single ones first."""
        batch: list[_Job] = []
        ids: set[str] = set()
        share = min(self._many, len(self._bulk)) if self._single else self._rows
        _take(self._single, self._rows - (share if self._single else 0), batch, ids)
        _take(self._bulk, self._rows if len(batch) == 0 else len(batch) + share, batch, ids)
        return batch

    def _work(self, jobs: Sequence[_Job]) -> list[Scored | Exception]:
        began = time.perf_counter()
        outcomes = self._isolated(jobs)
        self._heard(len(jobs), time.perf_counter() - began)
        return outcomes

    def _isolated(self, jobs: Sequence[_Job]) -> list[Scored | Exception]:
        """Score and store; what breaks is looked for by halves, so that its neighbours go through."""
        try:
            return list(self._together(jobs))
        except Exception as error:
            # A database that is away is away for every half.
            away = isinstance(error, SQLAlchemyError) and not isinstance(error, DataError | IntegrityError)
            if len(jobs) == 1 or away:
                return [error] * len(jobs)
            half = len(jobs) // 2
            return self._isolated(jobs[:half]) + self._isolated(jobs[half:])

    def _together(self, jobs: Sequence[_Job]) -> Iterable[Scored]:
        batch = batch_of([job.petition for job in jobs])
        if self._store is None:
            return only_scored(self._scorer.score(batch))
        if not jobs[0].store:
            with self._store.reading() as connection:
                batch = with_refusals(connection, batch)
            return only_scored(self._scorer.score(batch))
        scored = self._scorer.score(batch)
        with self._store.writing() as connection:
            return store_scored(connection, self._scorer, batch, scored)


def _take(queue: deque[_Job], until: int, batch: list[_Job], ids: set[str]) -> None:
    """Move jobs from the queue to the batch until it has so many; stop at one that does not go with it."""
    while queue and len(batch) < until:
        job = queue[0]
        if not job.answer.done():
            pid = str(job.petition.get("petition_id"))
            if pid in ids or (batch and batch[0].store != job.store):
                return
            ids.add(pid)
            batch.append(job)
        queue.popleft()

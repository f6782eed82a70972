"""Single petitions scored together: what arrives while a batch is being scored makes the next one.

An idle service scores a petition at once; a busy one begins a batch every few milliseconds and scores several in a call, for
a call costs far more than a row. The work is done in one thread, or better in one process: a thread that scores and the one
that speaks HTTP would share one interpreter, and each wait for the other. Either way writers of the store do not meet.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

from dispatch.live import Scored
from dispatch.scoring import Scorer
from dispatch.service.scoring import Maker, Outcome, Work, prepare, ready, work
from dispatch.store import Store

__all__ = ["Batcher", "BusyError", "Scored"]

#: Seconds from the beginning of one batch to that of the next, unless it is full: at a few hundred petitions a second this
#: makes batches of several, and leaves the processor time to speak HTTP.
_APART = 0.01


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
        make: Maker | None = None,
    ) -> None:
        """Prepare; `start` begins.

        Args:
            scorer: routes a batch; called in one thread.
            store: where suggestions and refusals are; None: nothing can be stored.
            rows: petitions in a batch at the most.
            many: of them from `score_many` while single ones wait.
            waiting: petitions that may wait; more are refused.
            heard: told rows and seconds of each batch.
            make: makes scorer and store in a process of its own, which then does the work; must be importable from there.
        """
        self._store, self._make, self._here = store, make, Work(scorer, store)
        self._rows, self._many, self._most, self._heard = rows, many, waiting, heard
        self._single: deque[_Job] = deque()
        self._bulk: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._stopping = True
        self._task: asyncio.Task[None] | None = None
        self._pool: Executor | None = None
        self._pace = 0.0  # seconds a row took of late

    @property
    def waiting(self) -> int:
        """Petitions that no batch has taken yet."""
        return len(self._single) + len(self._bulk)

    async def start(self) -> None:
        """Begin to score.

        Raises:
            BrokenExecutor: if the process for it cannot be started.
        """
        self._stopping = False
        await self._open()
        self._task = asyncio.create_task(self._run(), name="batcher")

    async def stop(self) -> None:
        """Take no more, finish what waits, and end."""
        self._stopping = True
        self._wake.set()
        if self._task is not None:
            await self._task
        if self._pool is not None:
            await asyncio.to_thread(self._pool.shutdown)
        self._task = self._pool = None

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
        began = 0.0
        while True:
            if 0 < self.waiting < self._rows and (early := began + _APART - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            batch = self._next()
            if not batch:
                if self._stopping:
                    return
                self._wake.clear()
                await self._wake.wait()
                continue
            began = time.perf_counter()
            outcomes = await self._outcomes(batch)
            seconds = time.perf_counter() - began
            self._pace += 0.1 * (seconds / len(batch) - self._pace)
            self._heard(len(batch), seconds)
            for job, outcome in zip(batch, outcomes, strict=True):
                if job.answer.done():  # whoever asked has gone
                    continue
                if isinstance(outcome, Scored):
                    job.answer.set_result(outcome)
                else:
                    job.answer.set_exception(outcome)

    async def _open(self) -> None:
        if self._make is None:
            self._pool = ThreadPoolExecutor(1, thread_name_prefix="scoring")
            return
        # Not forked: this process has threads, and a lock that one of them held would stay locked for ever.
        self._pool = ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=prepare, initargs=(self._make,))
        await asyncio.get_running_loop().run_in_executor(self._pool, ready)

    async def _outcomes(self, batch: Sequence[_Job]) -> Outcome:
        """Have a batch scored; a process that died is replaced, and asked once more: nothing is stored twice."""
        petitions = ([job.petition for job in batch], batch[0].store)
        for again in (True, False):
            try:
                return await asyncio.get_running_loop().run_in_executor(self._pool, work if self._make else self._here, petitions)
            except BrokenExecutor as error:
                try:
                    await self._open()
                except BrokenExecutor:
                    return [error] * len(batch)
                if not again:
                    return [error] * len(batch)
            except Exception as error:
                return [error] * len(batch)
        return []

    def _next(self) -> list[_Job]:
        """Take the next batch: all to be stored or none, each petition once, single ones first."""
        batch: list[_Job] = []
        ids: set[str] = set()
        share = min(self._many, len(self._bulk)) if self._single else self._rows
        _take(self._single, self._rows - (share if self._single else 0), batch, ids)
        _take(self._bulk, self._rows if len(batch) == 0 else len(batch) + share, batch, ids)
        return batch


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

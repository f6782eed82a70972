"""Lanes: one subscriber as one worker serves it. A step with the store settles, fans out and claims in one transaction."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

import httpx

from dispatch.delivery import queue
from dispatch.delivery.envelope import Letter, event
from dispatch.delivery.folder import write_batch
from dispatch.delivery.http import Attempt, attempt, client
from dispatch.delivery.retry import delay, is_over
from dispatch.delivery.subscribers import Subscriber, SubscriberError, get, set_active
from dispatch.store import Store
from dispatch.store.outbox import now

log = logging.getLogger("minqing.delivery")
#: Messages of the outbox looked through in one transaction.
_FAN_OUT = 2_000
#: Messages claimed ahead for each one that may be on its way at once, so that nobody waits for the store; at the most.
_AHEAD, _MOST_AHEAD = 8, 1_024
#: Seconds between looks at the store: while messages are on their way, and while there is nothing to do.
_BUSY, _IDLE = 0.1, 0.5
#: Failures in a row that speak of the receiver, until it is left alone for a while; and for how long at the most.
_PATIENCE, _MOST_HOLD = 5, 60.0
#: Seconds of a lease that must be left after an attempt.
_MARGIN = 5.0
_RANDOM = random.Random()  # noqa: S311
T = TypeVar("T")


@dataclass(slots=True)
class Duty:
    """What a worker's lanes share.

    Attributes:
        follow: go on when nothing is due.
        wait: seconds that a lane which does not follow waits for what is to be tried again.
        share: workers that share a subscriber's limit of concurrency.
        patiently: calls the store again when it does not answer.
        stopping: begin nothing more.
    """

    store: Store
    worker: str
    follow: bool
    wait: float
    share: int
    patiently: Callable[[Callable[[], Awaitable[object]]], Awaitable[object]]
    stopping: asyncio.Event = field(default_factory=asyncio.Event)


class WebhookLane:
    """Sends a subscriber's messages by HTTP, many petitions at once, one message of a petition at a time."""

    def __init__(self, duty: Duty, subscriber: Subscriber, counts: Counter[str]) -> None:
        self._duty, self._subscriber, self._counts = duty, subscriber, counts
        settings = subscriber.settings
        self._limit = max(1, settings.concurrency // duty.share)
        self._lease = max(60.0, 2 * settings.total_seconds + 30.0)
        self._queue: asyncio.Queue[tuple[Letter, float]] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._out: set[int] = set()
        self._results: list[queue.Result] = []
        self._untried: list[int] = []
        self._failures = 0
        self._holds = 0
        self._held_until = 0.0
        self._over = False  # paused, removed, changed, or the receiver is gone
        self._gone = False

    async def run(self) -> None:
        """Work until nothing is due, or until stopped."""
        senders = [asyncio.create_task(self._send()) for _ in range(self._limit)]
        try:
            while await self._turn():
                pass
        finally:
            for task in senders:
                task.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def _turn(self) -> bool:
        """Take one step with the store; return whether there is more to do."""
        stopping = self._duty.stopping.is_set() or self._over
        if stopping or self._held():
            self._clear()
        self._wake.clear()
        results, untried = list(self._results), list(self._untried)
        want = 0 if stopping else self._want()
        claimed: list[Letter] = await _in_thread(self._duty, lambda: self._step(results, untried, want))
        # Only now that it is committed; what came meanwhile stays for the next step.
        del self._results[: len(results)], self._untried[: len(untried)]
        self._out -= {item.position for item in results} | set(untried)
        moment = time.monotonic()
        for letter in claimed:
            self._out.add(letter.position)
            self._queue.put_nowait((letter, moment))
        if self._out:
            await _first(self._wake.wait(), _BUSY if not stopping else 0.02)
            return True
        if stopping:
            return False
        if not claimed and not results:
            return await self._rest()
        return True

    async def _rest(self) -> bool:
        """Nothing was claimed: wait for what comes, or end."""
        later = await _in_thread(self._duty, self._later)
        pause = max(later or 0.0, self._held_until - time.monotonic(), 0.01)
        if self._duty.follow:
            pause = _IDLE if later is None else min(pause, _IDLE)
        elif later is None or pause > max(self._duty.wait, 0.01):
            return False
        await _first(self._duty.stopping.wait(), pause)
        return True

    def _later(self) -> float | None:
        """Return in how many seconds there is something to do; None if only what comes can change that."""
        with self._duty.store.reading() as connection:
            if queue.has_work(connection, self._subscriber.name, now()):  # of many messages none may have been for this subscriber
                return 0.0
            due = queue.next_due(connection, self._subscriber.name)
        return None if due is None else (due - now()).total_seconds()

    def _want(self) -> int:
        if self._held():
            return 0
        if self._failures >= _PATIENCE:  # one message finds out whether the receiver is back
            return 1 - len(self._out)
        return min(self._limit * _AHEAD, _MOST_AHEAD) - len(self._out)

    def _held(self) -> bool:
        return time.monotonic() < self._held_until

    def _clear(self) -> None:
        """Give back what was claimed and not begun."""
        while not self._queue.empty():
            self._untried.append(self._queue.get_nowait()[0].position)

    def _step(self, results: list[queue.Result], untried: list[int], want: int) -> list[Letter]:
        """Settle, free what others left behind, fan out, claim: in one transaction, if there is anything to do."""
        duty, name, at = self._duty, self._subscriber.name, now()
        with duty.store.reading() as connection:
            try:
                fresh = get(connection, name)
            except SubscriberError:  # removed, with its deliveries
                self._over = True
                return []
            changed = (fresh.address, fresh.settings) != (self._subscriber.address, self._subscriber.settings)
            self._over = self._over or changed or not fresh.active
            self._subscriber = fresh
            if self._over or want <= 0:
                want = 0
            if not (results or untried or self._gone or (want and queue.has_work(connection, name, at))):
                return []
        with duty.store.writing() as connection:
            queue.settle(connection, name, duty.worker, at, results)
            queue.hand_back(connection, name, duty.worker, at, untried)
            if self._gone:
                self._over, self._gone = True, False
                if set_active(connection, "worker", name, False, "HTTP 410"):
                    log.warning("subscriber %s: the receiver wants nothing any more (HTTP 410); paused", name)
                return []
            if not want:
                return []
            queue.release(connection, name, at)
            queue.fan_out(connection, name, at, _FAN_OUT)
            return queue.claim(connection, name, duty.worker, at, self._lease, want)

    async def _send(self) -> None:
        """Send one message after the other, over a connection of its own."""
        async with client(self._subscriber.settings) as http:
            while True:
                letter, claimed_at = await self._queue.get()
                late = time.monotonic() - claimed_at > self._lease - self._subscriber.settings.total_seconds - _MARGIN
                if late or self._held() or self._duty.stopping.is_set():  # late: another worker may have it before we are through
                    self._untried.append(letter.position)
                else:
                    self._note(letter, await self._attempt(http, letter))
                if self._queue.qsize() < self._limit:
                    self._wake.set()

    async def _attempt(self, http: httpx.AsyncClient, letter: Letter) -> Attempt:
        item = self._subscriber
        try:
            body = event(letter, item.settings.source)
            return await attempt(http, item.address, body, letter.message_id, item.signing(now()), item.settings)
        except Exception as error:
            log.warning("subscriber %s: message %d cannot be sent: %s", item.name, letter.position, type(error).__name__)
            return Attempt(False, error=f"cannot send: {type(error).__name__}")

    def _note(self, letter: Letter, done: Attempt) -> None:
        """Remember what came of an attempt, and what that says of the receiver."""
        at, settings, attempts = now(), self._subscriber.settings, letter.attempts + 1
        if done.gone:
            self._gone = True
            self._untried.append(letter.position)
            self._held_until = time.monotonic() + _MOST_HOLD
            self._wake.set()
            return
        if done.receiver:
            self._failures += 1
        else:
            self._failures = self._holds = 0
        hold = done.wait or 0.0
        if self._failures >= _PATIENCE and not self._held():  # those that fail together count as one
            hold = max(hold, _RANDOM.uniform(0.5, 1.0) * min(_MOST_HOLD, 2.0**self._holds))
            self._holds += 1
        if hold:
            self._held_until = max(self._held_until, time.monotonic() + hold)
        if done.ok:
            result = queue.Result(letter.position, queue.DELIVERED, attempts, at, done.answer)
        elif is_over(attempts, letter.at, at, settings, refused=done.refused):
            result = queue.Result(letter.position, queue.DEAD, attempts, at, done.answer, done.error)
            log.warning("subscriber %s: message %d is a dead letter after %d attempts: %s", self._subscriber.name, letter.position, attempts, done.error)
        else:
            again = at + dt.timedelta(seconds=max(delay(attempts, settings), done.wait or 0.0))
            result = queue.Result(letter.position, queue.PENDING, attempts, again, done.answer, done.error)
        self._counts["delivered" if done.ok else "failed"] += 1
        self._counts["dead"] += result.status == queue.DEAD
        self._results.append(result)


class FolderLane:
    """Writes a subscriber's messages as files, one after the other."""

    def __init__(self, duty: Duty, subscriber: Subscriber, counts: Counter[str]) -> None:
        self._duty, self._subscriber, self._counts = duty, subscriber, counts

    async def run(self) -> None:
        """Work until nothing is due, or until stopped."""
        while not self._duty.stopping.is_set():
            written = await _in_thread(self._duty, self._step)
            if written is None:
                return
            if not written:
                if not self._duty.follow:
                    return
                await _first(self._duty.stopping.wait(), _IDLE)

    def _step(self) -> int | None:
        """Write the next file; return how many messages it has, None if the subscriber is not served any more."""
        duty, name, at = self._duty, self._subscriber.name, now()
        with duty.store.reading() as connection:
            try:
                subscriber = get(connection, name)
            except SubscriberError:
                return None
            if not subscriber.active:
                return None
            if not queue.has_work(connection, name, at):
                return 0
        with duty.store.writing() as connection:
            while queue.fan_out(connection, name, at, _FAN_OUT) == _FAN_OUT:
                pass
            letters = queue.claim_batch(connection, subscriber, duty.worker, at, 300.0, not duty.follow)
        if not letters:
            return 0
        error, again = None, None
        try:
            write_batch(subscriber, letters)
        except Exception as problem:  # one folder's trouble is not the others'
            why = problem.strerror if isinstance(problem, OSError) else None
            error = f"cannot write: {why or type(problem).__name__}"
            again = now() + dt.timedelta(seconds=delay(letters[0].attempts + 1, subscriber.settings))
            log.warning("subscriber %s: %s", name, error)
        with duty.store.writing() as connection:
            queue.settle_batch(connection, name, duty.worker, now(), error, again)
        self._counts["failed" if error else "delivered"] += 1 if error else len(letters)
        return 0 if error else len(letters)


async def _in_thread(duty: Duty, function: Callable[[], T]) -> T:
    """Call the store in a thread, again if it does not answer."""
    return await duty.patiently(lambda: asyncio.to_thread(function))  # type: ignore[return-value]  # gives what the function gave


async def _first(event_: Awaitable[object], seconds: float) -> None:
    """Wait for an event, but not longer than so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            await event_
    except TimeoutError:
        pass

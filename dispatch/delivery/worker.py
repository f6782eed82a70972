"""A worker: serves all subscribers, each in a lane of its own, until nothing is due or it is stopped."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from dispatch.delivery.identity import worker_name
from dispatch.delivery.lanes import Duty, FolderLane, WebhookLane
from dispatch.delivery.subscribers import WEBHOOK, Subscriber, everyone
from dispatch.store import Store

log = logging.getLogger("minqing.delivery")
#: Seconds between two looks at who subscribes.
_LOOK = 2.0
#: Seconds between attempts while the store does not answer, at the most; and attempts of a worker that does not follow.
_MOST_PAUSE, _MOST_TRIES = 30.0, 5


@dataclass(slots=True)
class Report:
    """What a worker did, by subscriber: messages `delivered`, attempts that `failed`, `dead` letters."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)


class Worker:
    """Delivers from a store; several may work at once, in one process or in many.

    Args:
        store: where outbox and deliveries are.
        follow: go on until stopped; otherwise end when nothing is due within `wait` seconds.
        wait: how long a worker that does not follow waits for messages that are to be tried again.
        share: number of workers that share the subscribers' limits of concurrency.
        only: names of subscribers; all active ones by default.
    """

    def __init__(
        self, store: Store, *, follow: bool = False, wait: float = 0.0, share: int = 1, only: frozenset[str] | None = None
    ) -> None:
        self._duty = Duty(store, worker_name(), follow, wait, share, self._patiently)
        self._only, self.report = only, Report()

    def run(self) -> Report:
        """Work in an event loop of this thread."""
        return asyncio.run(self.work())

    def stop(self) -> None:
        """Begin nothing more; what is on its way is waited for and recorded. Call it in the worker's event loop."""
        self._duty.stopping.set()

    async def work(self) -> Report:
        """Deliver."""
        lanes: dict[str, asyncio.Task[None]] = {}
        duty = self._duty
        try:
            while not duty.stopping.is_set():
                for subscriber in await self._subscribers():
                    if subscriber.name not in lanes:
                        lanes[subscriber.name] = asyncio.create_task(self._lane(subscriber).run())
                running = [task for task in lanes.values() if not task.done()]
                if not duty.follow and not running:
                    break
                stop = asyncio.ensure_future(duty.stopping.wait())
                await asyncio.wait([*running, stop], timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
                stop.cancel()
                for name in [name for name, task in lanes.items() if task.done()]:
                    lanes[name].result()  # raises what went wrong
                    if duty.follow:  # paused or changed; it comes again if it is active
                        del lanes[name]
        finally:
            duty.stopping.set()
            ended = await asyncio.gather(*lanes.values(), return_exceptions=True)
        for outcome in ended:
            if isinstance(outcome, BaseException):
                raise outcome
        return self.report

    def _lane(self, subscriber: Subscriber) -> WebhookLane | FolderLane:
        counts = self.report.counts.setdefault(subscriber.name, Counter())
        return (WebhookLane if subscriber.kind == WEBHOOK else FolderLane)(self._duty, subscriber, counts)

    async def _subscribers(self) -> list[Subscriber]:
        def read() -> list[Subscriber]:
            with self._duty.store.reading() as connection:
                return everyone(connection, active=True)

        found: list[Subscriber] = await self._patiently(lambda: asyncio.to_thread(read))  # type: ignore[assignment]
        return [item for item in found if self._only is None or item.name in self._only]

    async def _patiently(self, call: Callable[[], Awaitable[object]]) -> object:
        """Return what the call gives; where the store does not answer, call again after a while."""
        tries = 0
        while True:
            try:
                return await call()
            except SQLAlchemyError as error:
                tries += 1
                if not self._duty.follow and tries >= _MOST_TRIES:
                    raise
                if self._duty.stopping.is_set() and tries >= 2:
                    raise
                log.warning("the store does not answer: %s", type(error).__name__)
                await asyncio.sleep(min(_MOST_PAUSE, 0.5 * 2.0 ** (tries - 1)))

"""The work of publishing: workers in this process or in several, stopped in good order by SIGTERM."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from threading import Thread, current_thread, main_thread
from typing import Any

from corpora.workspace import store_address
from dispatch.delivery.letters import backlog
from dispatch.delivery.worker import Worker
from dispatch.store import Store

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def publish(*, follow: bool = False, patience: float = 0.0, workers: int = 1, only: Sequence[str] = ()) -> dict[str, dict[str, int]]:
    """Deliver what is due; return per subscriber what was delivered, what failed, and what became a dead letter.

    Args:
        follow: go on until SIGTERM or SIGINT; what is on its way then is waited for and recorded.
        patience: seconds that a run which does not follow waits for messages that are to be tried again.
        workers: processes, which share the subscribers' limits of concurrency.
        only: names of subscribers; all active ones by default.
    """
    if workers == 1:
        return work(follow, patience, 1, tuple(only))
    context, total = get_context("spawn"), dict[str, Counter[str]]()
    pipes, processes = [], []
    for _ in range(workers):
        mine, theirs = context.Pipe(duplex=False)
        process = context.Process(target=_child, args=(theirs, follow, patience, workers, tuple(only)))
        process.start()
        theirs.close()
        pipes.append(mine)
        processes.append(process)

    asked = False

    def end(*_: object) -> None:
        nonlocal asked
        asked = True
        for process in processes:
            if process.pid and process.is_alive():
                with suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGTERM)

    if current_thread() is main_thread():
        for number in _SIGNALS:
            signal.signal(number, end)
    failed = False
    waiting = {process.sentinel: process for process in processes}
    while waiting:
        for sentinel in wait(list(waiting)):
            process = waiting.pop(sentinel)  # type: ignore[call-overload]  # it is one of the sentinels
            process.join()
            # One that was told to end before it listened has claimed nothing.
            if process.exitcode and not (asked and process.exitcode == -signal.SIGTERM):
                failed = True
                end()  # whoever started us starts us again, whole
    for pipe in pipes:
        if pipe.poll():
            for name, counts in pipe.recv().items():
                total.setdefault(name, Counter()).update(counts)
    if failed:
        msg = "a delivery process ended unexpectedly; what it had claimed is taken up by the next run"
        raise RuntimeError(msg)
    return {name: dict(counts) for name, counts in total.items()}


def work(follow: bool, patience: float, share: int, only: tuple[str, ...]) -> dict[str, dict[str, int]]:
    """Be one worker."""
    with Store.open(store_address()) as store:
        worker = Worker(store, follow=follow, wait=patience, share=share, only=frozenset(only) or None)

        async def run() -> None:
            if current_thread() is main_thread():
                for number in _SIGNALS:
                    asyncio.get_running_loop().add_signal_handler(number, worker.stop)
            await worker.work()

        asyncio.run(run())
    return {name: dict(counts) for name, counts in worker.report.counts.items()}


def _child(pipe: Connection, follow: bool, patience: float, share: int, only: tuple[str, ...]) -> None:
    parent = parent_process()
    if parent is not None:  # killed, it cannot pass its signal on

        def watch() -> None:
            wait([parent.sentinel])
            os.kill(os.getpid(), signal.SIGTERM)

        Thread(target=watch, daemon=True).start()
    log_to_stderr()
    pipe.send(work(follow, patience, share, only))


def log_to_stderr() -> None:
    """Say on stderr what an operator should know: dead letters, receivers that want nothing any more, a store that is away."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.getLogger("minqing.delivery")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs whole addresses, with what may stand behind the `?`


def progress(names: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return how far subscribers are, as plain values; all of them by default."""
    with Store.open(store_address()) as store, store.reading() as connection:
        found = backlog(connection)
    return [
        {
            "name": item.subscriber.name,
            "kind": item.subscriber.kind,
            "address": item.subscriber.shown,
            "active": item.subscriber.active,
            **{name: getattr(item, name) for name in ("delivered", "waiting", "unseen", "dead", "held", "oldest")},
        }
        for item in found
        if not names or item.subscriber.name in names
    ]


def described(name: str) -> dict[str, Any]:
    """Return all there is to know of a subscriber, but its secrets."""
    from dispatch.delivery.subscribers import get

    with Store.open(store_address()) as store, store.reading() as connection:
        item, far = get(connection, name), backlog(connection, name)[0]
    return {
        "name": item.name,
        "kind": item.kind,
        "address": item.shown,
        "active": item.active,
        "created_at": item.created_at,
        "filters": item.filters.model_dump(exclude_defaults=True),
        "settings": item.settings.model_dump(),
        "secrets": [{"until": secret.until} for secret in item.secrets],
        "position": item.position,
        **{key: value for key, value in dataclasses.asdict(far).items() if key != "subscriber"},
    }

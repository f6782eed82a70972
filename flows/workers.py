"""Processes for the scoring: started once for a run, kept while it lasts."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from flows.plan import Plan

#: Environment variable with the plan whose router `flows.warm` loads.
PLAN = "MINQING_WARM_PLAN"
P = ParamSpec("P")
R = TypeVar("R")


class Workers:
    """Runs functions in processes; in the caller's own while there is one piece of work only, or one worker.

    Args:
        count: processes; one per core by default.
        plan: a run whose router the processes will need.
    """

    def __init__(self, count: int | None, plan: Plan | None = None) -> None:
        self._plan = plan
        self._count = count or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Nothing is started before `start`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; work not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def start(self) -> None:
        """Start processes for what is called from now on."""
        if self._count > 1 and self._pool is None:
            # Not forked from this process: with Prefect's threads that may hang.
            context = get_context("forkserver")
            if self._plan is not None:
                context.set_forkserver_preload(["flows.warm"])
                os.environ[PLAN] = self._plan.to_json()
            self._pool = ProcessPoolExecutor(self._count, mp_context=context, initializer=_end_with_parent)

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the function's result, computed in one of the processes."""
        if self._pool is None:
            return function(*args, **kwargs)
        return self._pool.submit(function, *args, **kwargs).result()


def _end_with_parent() -> None:
    """End this process when the one that gives it work is gone: killed, that one cannot say so."""
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()

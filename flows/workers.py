"""Processes for the scoring: started once for a run, kept while it lasts."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Thread
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from corpora.workspace import HOME_VARIABLE, STORE_VARIABLE
from flows.plan import Plan

#: Environment variable with the plan whose router `flows.warm` loads.
PLAN = "MINQING_WARM_PLAN"
#: The many give way to the one that writes the store, which has the longest way to go, and to who else works here at night.
_NICE = 5
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
        self._aside: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Nothing is started before `start`."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; work not begun is dropped."""
        for pool in (self._pool, self._aside):
            if pool is not None:
                pool.shutdown(cancel_futures=True)

    def start(self) -> None:
        """Start processes for what is called from now on."""
        if self._count > 1 and self._pool is None:
            # Not forked from this process: with Prefect's threads that may hang.
            context = get_context("forkserver")
            # The server that forks was started once, perhaps for another workspace.
            where = {name: os.environ.get(name, "") for name in (HOME_VARIABLE, STORE_VARIABLE)}
            if self._plan is not None:
                context.set_forkserver_preload(["flows.warm"])
                os.environ[PLAN] = self._plan.to_json()
            self._pool = ProcessPoolExecutor(self._count, mp_context=context, initializer=_begin, initargs=(_NICE, where))
            self._aside = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(0, where))

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the function's result, computed in one of the processes."""
        return self.submit(function, *args, **kwargs).result()

    def submit(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have the function called in one of the processes."""
        return _submit(self._pool, function, *args, **kwargs)

    def submit_aside(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Have the function called in a process of its own: in order, and not behind what `submit` has waiting."""
        return _submit(self._aside, function, *args, **kwargs)


def _submit(pool: ProcessPoolExecutor | None, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> Future[R]:
    if pool is not None:
        return pool.submit(function, *args, **kwargs)
    done: Future[R] = Future()
    done.set_result(function(*args, **kwargs))
    return done


def _begin(nice: int, where: Mapping[str, str]) -> None:
    """Work in the workspace `where`, give way to others by `nice`, and end when the process that gives work is gone.

    Killed, that one cannot say so.
    """
    os.environ |= where
    os.nice(nice)
    parent = parent_process()
    if parent is not None:
        Thread(target=lambda: (wait([parent.sentinel]), os._exit(1)), daemon=True).start()

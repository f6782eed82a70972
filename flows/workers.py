"""Processes for the scoring: started once for a run, kept while it lasts."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


class Workers:
    """Runs functions in processes; in the caller's own where there is only one chunk or one worker."""

    def __init__(self, count: int | None, chunks: int) -> None:
        self._count = min(count or len(os.sched_getaffinity(0)), max(chunks, 1))
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        """Start the processes."""
        if self._count > 1:
            # "spawn": a fork of a process with Prefect's threads may hang.
            self._pool = ProcessPoolExecutor(self._count, mp_context=get_context("spawn"))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the processes; work not begun is dropped."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def call(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Return the function's result, computed in one of the processes."""
        if self._pool is None:
            return function(*args, **kwargs)
        return self._pool.submit(function, *args, **kwargs).result()

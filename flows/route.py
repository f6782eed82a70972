"""The nightly flow: read, score by chunk, group into events, write once.

Tasks take paths; chunks wait as Arrow files in the spool, so a run that was killed goes on where it stopped and ends in
the same store as a clean one.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.task_runners import ThreadPoolTaskRunner

from flows import batch, output
from flows.grouping import find_events
from flows.plan import Plan, Progress, make_plan
from flows.spool import claimed
from flows.workers import Workers


@task(name="score", cache_policy=NO_CACHE, persist_result=False, retries=2, retry_delay_seconds=1)
def score(workers: Workers, plan: Plan, number: int) -> Counter[str]:
    """Route one chunk; return how often each kind of personal data was masked."""
    return workers.call(batch.score, plan, number)


@task(name="events", cache_policy=NO_CACHE, persist_result=False, retries=1)
def events(workers: Workers, plan: Plan, chunks: int) -> dict[str, str]:
    """Group this run's and the window's petitions; return the new groups of petitions stored earlier."""
    return workers.call(find_events, plan, chunks)


@flow(name="route", task_runner=ThreadPoolTaskRunner(max_workers=8))  # type: ignore[arg-type]  # Prefect's own type
def route(
    paths: Sequence[str],
    out: str,
    units: str | None = None,
    places: str | None = None,
    mapping: Mapping[str, str] | None = None,
    config: str | None = None,
    on: dt.date | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Route the petitions in `paths` and write suggestions, rejections, run record and report to `out`.

    Args:
        paths: files or folders, as a city exports them.
        out: folder for the results.
        units: unit directory; the one the model in service was trained with by default.
        places: gazetteer; `places.csv` beside the directory by default.
        mapping: field → header, for headers that are not recognised.
        config: a city's own configuration.
        on: day of the run, for units valid and deadlines; today by default.
        workers: processes; one per core by default.
        progress: told how far the run is.

    Returns:
        What `run.json` says.
    """
    plan = make_plan(paths, out, units, places, mapping, config, on)
    step = progress or Progress()
    with claimed(Path(plan.spool)), Workers(workers, plan) as pool:
        scored = []
        for number in _look_ahead(batch.read(plan), pool.start):
            scored.append(score.submit(pool, plan, number))
        done = batch.what_was_read(plan)
        get_run_logger().info("read %d rows, %d rejected, %d chunks", done.read, done.rejected, done.chunks)
        masked: Counter[str] = Counter()
        for number, future in enumerate(scored, 1):
            masked += future.result()
            step(number, 2 * done.chunks)
        older = events(pool, plan, done.chunks)
        run = output.write(pool, plan, done, masked, older, step)
        batch.forget(plan)
    if run["routed"] + run["rejected"] != run["read"]:
        msg = f"rows were lost: read {run['read']}, routed {run['routed']}, rejected {run['rejected']}"
        raise RuntimeError(msg)
    create_markdown_artifact(output.summary(run), key="route-summary", description="minqing route")
    return run


def _look_ahead(numbers: Iterator[int], when_more: Callable[[], None]) -> Iterator[int]:
    """Yield the numbers; call `when_more` before the first if there is a second: one chunk needs no worker processes."""
    for number in numbers:
        second = next(numbers, None)
        if second is not None:
            when_more()
        yield number
        if second is not None:
            yield second
            yield from numbers


@flow(name="nightly")
def nightly(inbox: str = "inbox", out: str = "out") -> dict[str, Any]:
    """Route what lies in the inbox into a folder named by today."""
    return route([inbox], str(Path(out) / dt.date.today().isoformat()))

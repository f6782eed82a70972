"""Many writers at once: positions in the order of commits, no revision twice, one decision where two people decide."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
import synthetic
from sqlalchemy import func, select

from dispatch.files import payloads
from dispatch.store import Store
from dispatch.store.decisions import ConflictError, decide
from dispatch.store.outbox import DECIDED, Message, announce, note, take_numbers
from dispatch.store.tables import audit, counters, decisions, outbox, petitions, suggestions
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA

WHEN = datetime(2024, 5, 7, 2)
WRITERS = 4


def begun(url: str) -> Store:
    store = Store.open(url)
    store.begin_run("r", inputs_digest="d", model_version="m", config_version="c", started_at=WHEN)
    return store


def versions(petition: int, writer: int, turn: int) -> dict[str, Any]:
    """Return a suggestion for a petition that no other writer and no other turn makes."""
    row = dict(synthetic.rows(petition + 1)[petition])
    return row | {"suggestion_id": f"sg_{petition}_{writer}_{turn}", "model_version": f"m-{writer}-{turn}", "refused_units": []}


def test_writers_of_the_same_petitions(store_url: str) -> None:
    """Revisions have no hole and come once; positions too; what is read in between never has a hole that is filled later."""
    stop = threading.Event()

    def write(writer: int) -> None:
        with Store.open(store_url) as store:
            for turn in range(8):
                chosen = random.Random(writer * 100 + turn).sample(range(6), 3)
                table = pa.Table.from_pylist([versions(number, writer, turn) for number in chosen], schema=SUGGESTION_SCHEMA)
                store.write_chunk("r", table, payloads(table), events_later=turn % 2 == 0)

    def watch() -> list[int]:
        seen: list[int] = []
        with Store.open(store_url) as store:
            while not stop.is_set():
                query = select(outbox.c.position).where(outbox.c.position > (seen[-1] if seen else 0)).order_by(outbox.c.position)
                with store.reading() as connection:
                    seen += connection.scalars(query).all()
                time.sleep(0.001)
        return seen

    begun(store_url).close()
    with ThreadPoolExecutor(WRITERS + 1) as pool:
        watching = pool.submit(watch)
        for done in [pool.submit(write, writer) for writer in range(WRITERS)]:
            done.result()
        time.sleep(0.05)
        stop.set()
    total = WRITERS * 8 * 3
    with Store.open(store_url) as store, store.reading() as connection:
        positions = connection.scalars(select(outbox.c.position).order_by(outbox.c.position)).all()
        assert positions == list(range(1, total + 1))
        assert watching.result() == positions  # a reader that remembers the last position has missed none
        found = connection.execute(select(suggestions.c.petition_id, suggestions.c.revision).order_by(*suggestions.c["petition_id", "revision"]))
        by_petition: dict[str, list[int]] = {}
        for pid, revision in found:
            by_petition.setdefault(pid, []).append(revision)
        assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_petition.values())
        # In the outbox the revisions of a petition come in order.
        announced: dict[str, list[int]] = {}
        for pid, revision in connection.execute(select(outbox.c.petition_id, outbox.c.revision).order_by(outbox.c.position)):
            announced.setdefault(pid, []).append(revision)
        assert announced == by_petition
        standing = select(petitions.c.petition_id, petitions.c.revision, petitions.c.suggestion_id)
        for pid, revision, key in connection.execute(standing):
            newest = select(suggestions.c.suggestion_id).where(suggestions.c.petition_id == pid, suggestions.c.revision == revision)
            assert (revision, connection.execute(newest).scalar_one()) == (by_petition[pid][-1], key)


def test_a_writer_that_gives_up_leaves_no_hole(store_url: str) -> None:
    """Numbers taken by a transaction that was rolled back are given out again."""
    with Store.open(store_url) as store:
        for turn in range(3):
            try:
                with store.writing() as connection:
                    announce(connection, [Message("", DECIDED, "p", f"s{turn}", 1, "{}")] * 2)
                    note(connection, "甲", "test", "x")
                    if turn == 1:
                        raise InterruptedError
            except InterruptedError:
                continue
        with store.reading() as connection:
            assert connection.scalars(select(outbox.c.position).order_by(outbox.c.position)).all() == [1, 2, 3, 4]
            assert connection.scalars(select(audit.c.number).order_by(audit.c.number)).all() == [1, 2]
            names = connection.execute(select(outbox.c.suggestion_id, outbox.c.message_id).order_by(outbox.c.position)).all()
            assert [tuple(row) for row in names] == [("s0", "s0.1"), ("s0", "s0.2"), ("s2", "s2.3"), ("s2", "s2.4")]


def test_numbers_are_given_once(store_url: str) -> None:
    """However many take them."""
    taken: list[int] = []

    def take(count: int) -> None:
        with Store.open(store_url) as store:
            for _ in range(10):
                with store.writing() as connection:
                    first = take_numbers(connection, "outbox", count)
                    taken.extend(range(first, first + count))

    Store.open(store_url).close()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, (1, 2, 3, 0)))
    assert sorted(taken) == list(range(1, 61))
    with Store.open(store_url) as store, store.reading() as connection:
        assert connection.execute(select(counters.c.value).where(counters.c.name == "outbox")).scalar_one() == 60


@pytest.mark.parametrize("same_request", [False, True])
def test_two_people_decide_at_once(store_url: str, same_request: bool) -> None:
    """One decision counts, the other person is told; a request sent twice at once is one decision."""
    table = synthetic.table(6)
    with begun(store_url) as store:
        store.write_chunk("r", table, payloads(table))
        with store.reading() as connection:
            keys = connection.scalars(select(petitions.c.suggestion_id).where(petitions.c.unit.is_not(None))).all()
    assert len(keys) >= 3
    together = threading.Barrier(4)

    def one(person: str) -> Counter[str]:
        found: Counter[str] = Counter()
        with Store.open(store_url) as store:
            for number, key in enumerate(keys):
                together.wait()
                request = f"request-{number}" if same_request else None
                try:
                    with store.writing() as connection:
                        made = decide(
                            connection, key, verdict="accepted", unit=None, reason="", actor=person, source="console", expected=0,
                            request_id=request,
                        )  # fmt: skip
                    found[made.decision_id] += 1
                except ConflictError as error:
                    assert (error.current, error.number) == (key, 1)
                    found["conflict"] += 1
        return found

    with ThreadPoolExecutor(4) as pool:
        outcomes = sum(pool.map(one, "甲乙丙丁"), Counter())
    conflicts = outcomes.pop("conflict", 0)
    assert len(outcomes) == len(keys)
    assert conflicts == (0 if same_request else 3 * len(keys))
    with Store.open(store_url) as store, store.reading() as connection:
        for table_ in (decisions, audit):
            assert connection.execute(select(func.count()).select_from(table_)).scalar_one() == len(keys)
        assert connection.execute(select(func.count()).where(outbox.c.kind == DECIDED)).scalar_one() == len(keys)
        assert connection.execute(select(func.count()).where(petitions.c.state == "accepted")).scalar_one() == len(keys)

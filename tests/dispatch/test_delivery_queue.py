"""Deliveries: fanned out once, claimed by one worker, in order per petition, freed when a worker is gone."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from delivery_helpers import fill, subscribe
from sqlalchemy import select

from dispatch.delivery import letters, queue, subscribers
from dispatch.delivery.identity import is_gone, worker_name
from dispatch.delivery.letters import DeliveryError
from dispatch.store import Store
from dispatch.store.decisions import decide
from dispatch.store.outbox import now
from dispatch.store.tables import deliveries, suggestions

NEVER = frozenset[str]()


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def fan_out(store: Store, name: str = "s", limit: int = 1_000) -> int:
    with store.writing() as connection:
        return queue.fan_out(connection, name, now(), limit)


def claim(store: Store, worker: str = "w", count: int = 100, name: str = "s", seconds: float = 60) -> list[int]:
    with store.writing() as connection:
        return [letter.position for letter in queue.claim(connection, name, worker, now(), seconds, count)]


def settle(store: Store, position: int, status: str = queue.DELIVERED, worker: str = "w", later: float = 0.0) -> None:
    at = now()
    result = queue.Result(position, status, 1, at + dt.timedelta(seconds=later), 200, None if status == queue.DELIVERED else "HTTP 500")
    with store.writing() as connection:
        queue.settle(connection, "s", worker, at, [result])


def statuses(store: Store, name: str = "s") -> dict[int, str]:
    with store.reading() as connection:
        query = select(deliveries.c.position, deliveries.c.status).where(deliveries.c.subscriber == name).order_by(deliveries.c.position)
        return dict(connection.execute(query).tuples().all())


def test_fanned_out_once_and_in_pieces(store: Store) -> None:
    subscribe(store)
    fill(store, 10)
    assert [fan_out(store, limit=4) for _ in range(4)] == [4, 4, 2, 0]
    assert statuses(store) == dict.fromkeys(range(1, 11), "pending")


def test_a_new_subscriber_hears_of_what_comes(store: Store) -> None:
    fill(store, 5)
    subscribe(store, from_start=False)
    assert fan_out(store) == 0
    fill(store, 2, revision=2)
    assert fan_out(store) == 2
    assert list(statuses(store)) == [6, 7]


def test_who_heard_of_a_petition_hears_what_follows(store: Store) -> None:
    """A suggestion that names another unit now must reach the unit that had the petition."""
    subscribe(store, filters={"units": ["U1"]})
    unit = {"code": "U1", "name": "甲", "probability": 0.9}
    fill(store, 2, lead_unit=unit)
    fill(store, 4, revision=2, lead_unit=unit | {"code": "U2"})
    assert fan_out(store) == 6
    assert list(statuses(store)) == [1, 2, 3, 4]  # two of U1, and their second revisions; not the two that always were U2's


def test_filters_of_kind_and_of_a_decisions_unit(store: Store) -> None:
    subscribe(store, filters={"kinds": ["decision.made"], "units": ["U7"]})
    keys = fill(store, 3)
    with store.writing() as connection:
        for key, unit in zip(keys, ("U7", "U8", "U7"), strict=True):
            decide(connection, key, verdict="reassigned", unit=unit, reason="", actor="a", source="api")
    fan_out(store)
    assert list(statuses(store)) == [4, 6]


def test_claimed_by_one_and_in_order(store: Store) -> None:
    subscribe(store)
    fill(store, 3)
    fill(store, 3, revision=2)
    fan_out(store)
    assert claim(store, "a", 2) == [1, 2]
    assert claim(store, "b") == [3]  # 4, 5 and 6 wait for 1, 2 and 3
    settle(store, 1, worker="a")
    assert claim(store, "b") == [4]
    settle(store, 2, queue.PENDING, "a", later=60)
    assert claim(store, "b") == []
    settle(store, 3, queue.DEAD, "b")
    assert claim(store, "b") == []
    assert statuses(store) == {1: "delivered", 2: "pending", 3: "dead", 4: "sending", 5: "pending", 6: "pending"}


def test_what_a_letter_says_never_changes(store: Store) -> None:
    subscribe(store)
    fill(store, 1)
    fan_out(store)
    with store.reading() as connection:
        before = queue.letters(connection, "s", [1])[0]
    with store.writing() as connection:
        from dispatch.store.events import regroup

        assert regroup(connection, {before.petition_id: "ev_new"}) == 1
    fan_out(store)
    with store.reading() as connection:
        after, regrouped = queue.letters(connection, "s", [1, 2])
    assert after == before
    assert '"event_group":"ev_new"' in regrouped.payload
    assert (regrouped.kind, regrouped.revision) == ("suggestion.regrouped", 1)


def test_only_whoever_claimed_settles(store: Store) -> None:
    subscribe(store)
    fill(store, 1)
    fan_out(store)
    claim(store, "slow")
    with store.writing() as connection:
        assert queue.release(connection, "s", now() + dt.timedelta(seconds=61)) == 1
    with store.writing() as connection:
        assert queue.claim(connection, "s", "quick", now() + dt.timedelta(seconds=61), 60, 9)
    settle(store, 1, queue.DEAD, "slow")
    assert statuses(store) == {1: "sending"}
    settle(store, 1, worker="quick")
    assert statuses(store) == {1: "delivered"}


def test_a_gone_workers_messages_are_free_at_once(store: Store) -> None:
    subscribe(store)
    fill(store, 2)
    fan_out(store)
    code = "from dispatch.delivery.identity import worker_name; print(worker_name())"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    mine = worker_name()
    assert is_gone(ended)
    assert not is_gone(mine)
    assert claim(store, ended, 1) == [1]
    assert claim(store, mine, 1) == [2]
    with store.writing() as connection:
        assert queue.release(connection, "s", now()) == 1
    assert statuses(store) == {1: "pending", 2: "sending"}


@pytest.mark.parametrize("name", [None, "", "w", "somewhere-else:1:2:3", "-:1:-:x", "x:y:z", "x:PID:1:a"])
def test_who_is_not_known_to_be_gone(name: str | None) -> None:
    assert not is_gone(name and name.replace("PID", str(os.getpid())))


def test_a_paused_subscriber_gets_nothing(store: Store) -> None:
    subscribe(store)
    fill(store, 2)
    fan_out(store)
    with store.writing() as connection:
        subscribers.set_active(connection, "t", "s", False)
    assert (fan_out(store), claim(store)) == (0, [])
    with store.reading() as connection:
        assert queue.has_work(connection, "s", now())  # but nothing is claimed


def test_several_workers_share_the_work(store: Store) -> None:
    """Threads claim, settle and fan out at the same time: each message once, never two of a petition at once."""
    subscribe(store)
    for revision in (1, 2, 3):
        fill(store, 40, revision=revision)
    log: list[tuple[str, int]] = []
    lock = threading.Lock()
    done = Counter[int]()

    def work(worker: str) -> None:
        idle = 0
        while idle < 20:
            fan_out(store, limit=30)
            with store.writing() as connection:
                mine = queue.claim(connection, "s", worker, now(), 60, 7)
            idle = 0 if mine else idle + 1
            with lock:
                log.extend(("begin", letter.position) for letter in mine)
            results = [queue.Result(letter.position, queue.DELIVERED, 1, now(), 200) for letter in mine]
            with lock:
                log.extend(("end", letter.position) for letter in mine)
                done.update(letter.position for letter in mine)
            with store.writing() as connection:
                queue.settle(connection, "s", worker, now(), results)

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done == Counter(range(1, 121))
    order: dict[int, list[int]] = {}
    for what, position in log:
        if what == "end":
            order.setdefault((position - 1) % 40, []).append(position)
    assert all(positions == sorted(positions) for positions in order.values())


def test_dead_letters_are_listed_replayed_and_skipped(store: Store) -> None:
    subscribe(store)
    for revision in (1, 2, 3):
        fill(store, 2, revision=revision)
    fan_out(store)
    assert claim(store) == [1, 2]
    settle(store, 1, queue.DEAD)
    settle(store, 2)
    with store.reading() as connection:
        (dead,) = letters.listed(connection, statuses=("dead",))
        assert (dead.position, dead.behind, dead.error, dead.answer) == (1, 2, "HTTP 500", 200)
        (far,) = letters.backlog(connection)
        assert (far.dead, far.held, far.waiting, far.delivered, far.unseen) == (1, 2, 4, 1, 0)
        assert far.oldest is not None
    with store.writing() as connection:
        with pytest.raises(DeliveryError, match="message 2 of s is delivered"):
            letters.replay(connection, "t", "s", positions=[1, 2])
        with pytest.raises(DeliveryError, match="no message 99"):
            letters.skip(connection, "t", "s", [99], "x")
    assert statuses(store)[1] == "dead"
    with store.writing() as connection:
        assert letters.replay(connection, "t", "s") == 1
    assert claim(store) == [1, 4]
    settle(store, 1, queue.DEAD)
    with store.writing() as connection:
        assert letters.skip(connection, "t", "s", [1], "the receiver has it by letter") == 1
    assert claim(store) == [3]
    with store.writing() as connection, pytest.raises(DeliveryError, match="skipped"):
        letters.replay(connection, "t", "s", positions=[1])  # it would come after what followed


def test_all_again_from_a_position(store: Store) -> None:
    subscribe(store)
    fill(store, 3)
    fan_out(store)
    for position in claim(store):
        settle(store, position)
    with store.writing() as connection:
        assert letters.replay(connection, "t", "s", from_position=2) == 2
    assert statuses(store) == {1: "delivered", 2: "pending", 3: "pending"}
    assert claim(store, "w") == [2, 3]
    with store.writing() as connection:  # also from under a worker, whose result then says nothing any more
        assert letters.replay(connection, "t", "s", from_position=1) == 3
    settle(store, 3)
    assert statuses(store)[3] == "pending"


def test_a_message_that_is_not_in_the_store_any_more(store: Store) -> None:
    subscribe(store)
    (key,) = fill(store, 1)
    fan_out(store)
    with store.writing() as connection:
        from sqlalchemy import delete

        from dispatch.store.tables import outbox

        connection.execute(delete(outbox).where(outbox.c.suggestion_id == key))
    assert claim(store) == []
    assert statuses(store) == {1: "dead"}


def test_batches_of_a_folder_are_taken_up_as_they_were(store: Store, tmp_path: Path) -> None:
    subscribe(store, address=str(tmp_path), settings={"rows_per_file": 3})

    def take(worker: str, *, hurry: bool = True, later: float = 0.0) -> list[int]:
        with store.writing() as connection:
            item = subscribers.get(connection, "s")
            at = now() + dt.timedelta(seconds=later)
            return [letter.position for letter in queue.claim_batch(connection, item, worker, at, 60, hurry)]

    fill(store, 2)
    fan_out(store)
    with store.writing() as connection:
        subscribers.change(connection, "t", "s", {"gather_seconds": 30})
    assert take("a", hurry=False) == []  # not full yet
    assert take("a") == [1, 2]
    fill(store, 5, revision=2)
    fan_out(store)
    assert take("b") == []  # one at a time
    assert take("b", later=61) == [1, 2]  # not [1, 2, 3]
    with store.writing() as connection:
        queue.settle_batch(connection, "s", "a", now(), None, None)  # too late, it is b's
        queue.settle_batch(connection, "s", "b", now(), "cannot write: disk full", now() + dt.timedelta(seconds=5))
    assert take("c") == []
    assert take("c", later=6) == [1, 2]
    with store.writing() as connection:
        queue.settle_batch(connection, "s", "c", now(), None, None)
    assert take("c", hurry=False) == [3, 4, 5]
    assert statuses(store) == {1: "delivered", 2: "delivered", 3: "sending", 4: "sending", 5: "sending", 6: "pending", 7: "pending"}


def test_when_it_is_worth_to_look_again(store: Store) -> None:
    subscribe(store)

    def look() -> tuple[bool, Any]:
        with store.reading() as connection:
            return queue.has_work(connection, "s", now()), queue.next_due(connection, "s")

    assert look() == (False, None)
    fill(store, 1)
    assert look()[0]
    fan_out(store)
    assert look()[0]
    claim(store)
    assert look() == (False, None)
    settle(store, 1, queue.PENDING, later=30)
    work, due = look()
    assert not work
    assert due > now()
    with store.reading() as connection:
        assert connection.execute(select(suggestions.c.suggestion_id)).scalar_one()

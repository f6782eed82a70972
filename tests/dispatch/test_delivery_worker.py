"""Workers against a receiver in the same loop: at least once, in order, dead letters, pauses, several at once."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from delivery_helpers import fill, subscribe
from receiver import Receiver, Server
from sqlalchemy import event as engine_event
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError

from dispatch.delivery import letters, subscribers
from dispatch.delivery.worker import Worker
from dispatch.store import Store
from dispatch.store.outbox import now
from dispatch.store.tables import audit, deliveries
from dispatch.store.tables import subscribers as table


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def statuses(store: Store, name: str = "s") -> dict[int, str]:
    with store.reading() as connection:
        query = select(deliveries.c.position, deliveries.c.status).where(deliveries.c.subscriber == name).order_by(deliveries.c.position)
        return dict(connection.execute(query).tuples().all())


def served(
    store: Store, act: Callable[[Server], Coroutine[Any, Any, Any]], *, trouble: float = 0.0, secret: str = "", answer: bytes | None = None, **options: Any
) -> Server:
    """Run `act` while a receiver serves the subscriber `s`."""
    secret = secret or subscribe(store, **options)

    async def run() -> Server:
        server = Server(Receiver(secret.split()), trouble, 0)
        if answer is not None:

            async def always(writer: asyncio.StreamWriter, body: bytes, headers: dict[str, str]) -> bool:
                server.receiver.counts["received"] += 1
                writer.write(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")
                return True

            server.answer = always  # type: ignore[method-assign]
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, limit=2**20)
        address = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/x"
        with store.writing() as connection:
            connection.execute(update(table).where(table.c.name == "s").values(address=address))
        await act(server)
        listening.close()
        return server

    return asyncio.run(run())


def once(store: Store, **options: Any) -> Callable[[Server], Coroutine[Any, Any, Any]]:
    return lambda _: Worker(store, **{"wait": 1.0, **options}).work()


def test_everything_arrives_in_order(store: Store) -> None:
    secret = subscribe(store)
    for revision in (1, 2, 3):
        fill(store, 30, revision=revision)
    found = served(store, once(store), secret=secret).receiver
    assert set(statuses(store).values()) == {"delivered"}
    assert len(found.applied) == 90
    assert {name: found.counts[name] for name in ("duplicates", "out_of_order", "invalid", "bad_signature")} == dict.fromkeys(
        ("duplicates", "out_of_order", "invalid", "bad_signature"), 0
    )


def test_trouble_and_two_workers(store: Store) -> None:
    secret = subscribe(store)
    for revision in (1, 2):
        fill(store, 20, revision=revision)

    async def both(_: Server) -> None:
        await asyncio.gather(*(Worker(store, wait=1.5, share=2).work() for _ in range(2)))

    found = served(store, both, secret=secret, trouble=0.3).receiver
    with store.reading() as connection:
        (far,) = letters.backlog(connection)
    assert (far.delivered, far.waiting, far.dead) == (40, 0, 0)
    assert sorted(found.applied) == sorted(set(found.applied))
    assert len(found.applied) == 40
    assert (found.counts["out_of_order"], found.counts["invalid"]) == (0, 0)


def test_refused_messages_become_dead_letters_and_hold_back(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    secret = subscribe(store, settings={"refused_attempts": 3})
    fill(store, 2)
    fill(store, 1, revision=2)
    server = served(store, once(store), secret=secret, answer=b"422 No")
    assert statuses(store) == {1: "dead", 2: "dead", 3: "pending"}
    assert server.receiver.counts["received"] == 6
    assert "dead letter after 3 attempts: HTTP 422" in caplog.text
    with store.writing() as connection:
        assert letters.replay(connection, "t", "s") == 2
    assert len(served(store, once(store), secret=secret).receiver.applied) == 3


def test_a_receiver_that_is_away_is_left_alone(store: Store) -> None:
    """Not every message spends its attempts on a receiver that is down."""
    secret = subscribe(store, settings={"concurrency": 4})
    fill(store, 200)
    server = served(store, once(store, wait=0.2), secret=secret, answer=b"500 No")
    assert server.receiver.counts["received"] <= 10
    assert set(statuses(store).values()) == {"pending"}
    with store.reading() as connection:
        assert connection.execute(select(deliveries.c.position).where(deliveries.c.worker.is_not(None))).all() == []


def test_retry_after_is_kept(store: Store) -> None:
    secret = subscribe(store)
    fill(store, 30)
    begun = now()
    server = served(store, once(store, wait=0.2), secret=secret, answer=b"429 Slow\r\nRetry-After: 50")
    assert server.receiver.counts["received"] <= 8
    with store.reading() as connection:
        query = select(deliveries.c.next_at).where(deliveries.c.attempts > 0)
        assert all(at >= begun + dt.timedelta(seconds=49) for at in connection.scalars(query))


def test_gone_pauses_the_subscriber(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    secret = subscribe(store)
    fill(store, 5)
    served(store, once(store), secret=secret, answer=b"410 Gone")
    assert statuses(store) == dict.fromkeys(range(1, 6), "pending")
    with store.reading() as connection:
        assert not subscribers.get(connection, "s").active
        lines = connection.execute(select(audit.c.actor, audit.c.action)).tuples().all()
    assert ("worker", "subscriber.pause") in lines
    assert "paused" in caplog.text
    with store.writing() as connection:
        subscribers.set_active(connection, "t", "s", True)
    assert len(served(store, once(store), secret=secret).receiver.applied) == 5


def test_followed_paused_resumed_stopped(store: Store) -> None:
    secret = subscribe(store)

    async def act(server: Server) -> None:
        worker = Worker(store, follow=True)
        task = asyncio.create_task(worker.work())

        async def until(count: int) -> None:
            async with asyncio.timeout(20):
                while len(server.receiver.applied) < count:
                    await asyncio.sleep(0.02)

        await asyncio.to_thread(fill, store, 3)
        await until(3)
        with store.writing() as connection:
            subscribers.set_active(connection, "t", "s", False)
        await asyncio.sleep(0.7)
        await asyncio.to_thread(fill, store, 3, 2)
        await asyncio.sleep(0.7)
        assert len(server.receiver.applied) == 3
        with store.writing() as connection:
            subscribers.set_active(connection, "t", "s", True)
        await until(6)
        worker.stop()
        await asyncio.wait_for(task, 5)

    served(store, act, secret=secret)
    assert set(statuses(store).values()) == {"delivered"}


def test_a_stopped_worker_hands_back_what_it_did_not_begin(store: Store) -> None:
    secret = subscribe(store, settings={"concurrency": 2, "read_seconds": 3, "total_seconds": 3})
    fill(store, 40)

    async def act(server: Server) -> None:
        well = server.answer

        async def slowly(*args: Any) -> bool:
            await asyncio.sleep(0.3)
            return await well(*args)

        server.answer = slowly  # type: ignore[method-assign]
        worker = Worker(store, follow=True)
        task = asyncio.create_task(worker.work())
        while server.receiver.counts["well"] < 2:
            await asyncio.sleep(0.02)
        worker.stop()
        await asyncio.wait_for(task, 10)

    found = served(store, act, secret=secret).receiver
    done = [position for position, status in statuses(store).items() if status == "delivered"]
    assert len(done) == len(found.applied) < 40
    assert set(statuses(store).values()) == {"delivered", "pending"}


def test_a_store_that_is_away_for_a_moment(store: Store) -> None:
    secret = subscribe(store)
    fill(store, 5)
    failures = iter(range(2))

    def fail(*_: Any) -> None:
        if next(failures, None) is not None:
            raise OperationalError("", {}, Exception("away"))

    async def act(_: Server) -> None:
        engine_event.listen(store._engine, "before_cursor_execute", fail)
        await Worker(store, wait=1).work()

    assert len(served(store, act, secret=secret).receiver.applied) == 5
    assert next(failures, None) is None


def test_many_messages_for_others(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends has looked through all, though the first pieces held nothing for the subscriber."""
    monkeypatch.setattr("dispatch.delivery.lanes._FAN_OUT", 10)
    secret = subscribe(store, filters={"kinds": ["suggestion.made"], "units": ["U9"]})
    fill(store, 45)
    fill(store, 3, revision=2, lead_unit={"code": "U9", "name": "甲", "probability": 0.5})
    found = served(store, once(store, wait=0.0), secret=secret).receiver
    assert list(statuses(store)) == [46, 47, 48]
    assert len(found.applied) == 3


def test_both_secrets_sign_while_one_is_replaced(store: Store) -> None:
    first = subscribe(store)
    fill(store, 2)
    with store.writing() as connection:
        subscribers.rotate(connection, "t", "s", 1)
    found = served(store, once(store), secret=first).receiver
    assert (len(found.applied), found.counts["bad_signature"]) == (2, 0)


def test_a_receiver_with_another_secret_gets_nothing_in(store: Store) -> None:
    secret = subscribe(store, settings={"refused_attempts": 2})
    fill(store, 2)
    found = served(store, once(store), secret=subscribers.new_secret()).receiver
    assert (len(found.applied), secret != "") == (0, True)
    assert found.counts["bad_signature"] >= 2


def test_folders(store: Store, tmp_path: Path) -> None:
    for name, form in (("lines", "jsonl"), ("sheet", "csv")):
        (tmp_path / name).mkdir()
        subscribe(store, name, str(tmp_path / name), settings={"rows_per_file": 10, "format": form})
    fill(store, 24, lead_unit={"code": "=1+1", "name": "@甲", "probability": 0.5})
    asyncio.run(Worker(store).work())
    for name, form in (("lines", "jsonl"), ("sheet", "csv")):
        files = sorted(path.name for path in (tmp_path / name).iterdir())
        stems = [f"minqing-{first:012d}-{last:012d}" for first, last in ((1, 10), (11, 20), (21, 24))]
        assert files == sorted(f"{stem}.{end}" for stem in stems for end in (form, "manifest.json"))
        assert set(statuses(store, name).values()) == {"delivered"}
    manifest = json.loads((tmp_path / "lines" / f"{stems[2]}.manifest.json").read_bytes())
    assert (manifest["count"], manifest["from"], manifest["to"]) == (4, 21, 24)


def test_a_folder_that_cannot_be_written_to(store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    place = tmp_path / "drop"
    place.mkdir()
    subscribe(store, "s", str(place))
    fill(store, 3)
    place.rmdir()
    asyncio.run(Worker(store).work())
    assert set(statuses(store).values()) == {"sending"}
    with store.reading() as connection:
        (one, *_) = letters.listed(connection, "s", ("sending",))
    assert (one.error, one.attempts) == ("cannot write: No such file or directory", 1)
    place.mkdir()
    fill(store, 2, revision=2)
    with store.writing() as connection:
        connection.execute(update(deliveries).values(lease_until=now()).where(deliveries.c.status == "sending"))
    asyncio.run(Worker(store).work())
    assert sorted(path.name for path in place.glob("*.jsonl")) == [f"minqing-{1:012d}-{3:012d}.jsonl", f"minqing-{4:012d}-{5:012d}.jsonl"]

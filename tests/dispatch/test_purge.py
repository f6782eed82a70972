"""Retention: what goes, what stays and why, and that nothing of a removed text is left in the files of SQLite."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pytest
import synthetic
from sqlalchemy import func, insert, select

from corpora.records import Rejection
from dispatch.files import payloads
from dispatch.store import Store
from dispatch.store.decisions import decide
from dispatch.store.outbox import now
from dispatch.store.purge import Purged, compact, purge
from dispatch.store.tables import (
    aggregates,
    audit,
    deliveries,
    metadata,
    outbox,
    petitions,
    sessions,
    subscribers,
    users,
)
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA

OLD, NEW = dt.datetime(2024, 1, 5, 9), dt.datetime(2024, 6, 1, 9)
LIMIT = dt.datetime(2024, 3, 1)
SECRET = "这一句话只写在要清理的来信里：老槐树下的井盖不见了。"
LEAD = {"code": "U1", "name": "城管局", "probability": 0.8}
#: Numbers of the petitions that are old, and of those among them that somebody decided on.
OLD_ONES, DECIDED = range(6), range(4)


def rows() -> list[dict[str, Any]]:
    made = []
    for number, row in enumerate(synthetic.rows(10)):
        at = OLD if number in OLD_ONES else NEW
        changes = {"submitted_at": at, "lead_unit": LEAD, "event_group": "ev_1" if number in (0, 1, 8) else None, "refused_units": []}
        made.append(row | changes | {"suggestion_id": f"sg_{number}", "body": f"{SECRET}{number}" if number in DECIDED else row["body"]})
    made[1]["submitted_at"] = None  # counts from its run
    return made


def written(store: Store, rows: list[dict[str, Any]], run: str, at: dt.datetime) -> None:
    store.begin_run(run, inputs_digest="d", model_version="m", config_version="c", started_at=at)
    table = pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)
    store.write_chunk(run, table, payloads(table), [b"\x01"] * len(rows))


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """Ten petitions, six of them old, four of these decided on; two runs with rejections; sessions."""
    made = rows()
    with Store.open(store_url) as opened:
        written(opened, made[:6], "old", OLD)
        written(opened, made[6:], "new", NEW)
        opened.write_rejections("old", [Rejection("a.csv", 3, "missing_body", "没有正文", "")])
        opened.write_rejections("new", [Rejection("a.csv", 3, "missing_body", "没有正文", "")])
        for number in DECIDED:
            say(opened, number, "refused" if number == 3 else "accepted")
        with opened.writing() as connection:
            connection.execute(insert(users).values(name="甲", hash="x", role="reviewer", active=1, failures=0, created_at=OLD))
            for hours, token in ((-1, "ended"), (1, "runs")):
                ends = now() + dt.timedelta(hours=hours)
                connection.execute(insert(sessions).values(token_hash=token, user="甲", csrf="c", created_at=OLD, expires_at=ends))
        yield opened


def say(store: Store, number: int, verdict: str) -> None:
    with store.writing() as connection:
        decide(connection, f"sg_{number}", verdict=verdict, unit=None, reason="不属职责", actor="甲", source="console")


def subscribe(store: Store, name: str, position: int) -> None:
    plain = {"kind": "webhook", "address": "https://a.example", "secrets": "", "filters": "{}", "settings": "{}", "active": 1}
    with store.writing() as connection:
        connection.execute(insert(subscribers).values(name=name, position=position, created_at=OLD, **plain))


def deliver(store: Store, name: str, number: int, status: str) -> None:
    with store.writing() as connection:
        position, pid = connection.execute(select(outbox.c.position, outbox.c.petition_id).where(outbox.c.message_id == f"sg_{number}")).one()
        values = {"petition_id": pid, "status": status, "attempts": 1, "next_at": OLD}
        connection.execute(insert(deliveries).values(subscriber=name, position=position, **values))


def sizes(store: Store) -> dict[str, int]:
    with store.reading() as connection:
        return {name: connection.execute(select(func.count()).select_from(table)).scalar_one() for name, table in metadata.tables.items()}


def left(store: Store) -> list[str]:
    with store.reading() as connection:
        return [key.removeprefix("sg_") for key in connection.scalars(select(petitions.c.suggestion_id).order_by(petitions.c.suggestion_id))]


def test_what_is_old_and_over_goes(store: Store) -> None:
    before = sizes(store)
    would = purge(store, LIMIT, actor="甲", dry_run=True)
    assert sizes(store) == before
    done = purge(store, LIMIT, actor="甲")
    expected = {
        "petitions": 4, "suggestions": 4, "decisions": 4, "refusals": 1, "outbox": 8, "deliveries": 0, "rejections": 1, "sessions": 1,
    }  # fmt: skip
    assert dict(done.removed) == expected
    assert would == done
    assert (done.kept_open, done.kept_undelivered) == (2, 0)
    assert left(store) == ["4", "5", "6", "7", "8", "9"]
    after = sizes(store)
    assert {name: before[name] - after[name] for name in expected} == expected
    assert {name: after[name] - before[name] for name in ("runs", "audit", "aggregates", "events", "users")} == {
        "runs": 0, "audit": 1, "aggregates": after["aggregates"], "events": 0, "users": 0,
    }  # fmt: skip
    with store.reading() as connection:
        assert connection.execute(select(metadata.tables["events"].c.size)).scalar_one() == 1  # of three members one is left
        line = connection.execute(select(audit).where(audit.c.action == "purge")).one()
        assert orjson.loads(line.detail)["removed"] == expected
    again = purge(store, LIMIT, actor="甲")
    assert (again.removed.total(), again.kept_open) == (0, 2)


def test_counts_stay(store: Store) -> None:
    """By month, unit, issue, urgency, decision and verdict; a second purge adds to them."""
    purge(store, LIMIT, actor="甲")
    purge(store, LIMIT, actor="甲", also_open=True)
    purge(store, dt.datetime(2030, 1, 1), actor="甲", also_open=True)
    assert left(store) == []
    with store.reading() as connection:
        found = connection.execute(select(aggregates)).all()
    assert sum(row.petitions for row in found) == 10
    assert sorted({(row.month, row.verdict, row.lead_unit) for row in found}) == [
        ("", "accepted", "U1"), ("2024-01", "", "U1"), ("2024-01", "accepted", "U1"), ("2024-01", "refused", "U1"), ("2024-06", "", "U1"),
    ]  # fmt: skip


def test_what_a_subscriber_has_not_had_is_kept(store: Store) -> None:
    """Pending, dead, or not even looked at: kept and said, by subscriber."""
    subscribe(store, "ahead", 10_000)
    for number, status in ((0, "delivered"), (1, "dead"), (2, "pending"), (3, "skipped")):
        deliver(store, "ahead", number, status)
    done = purge(store, LIMIT, actor="甲")
    assert (done.kept_undelivered, done.waiting) == (2, {"ahead": 2})
    assert (done.removed["petitions"], done.removed["deliveries"]) == (2, 2)
    assert left(store)[:4] == ["1", "2", "4", "5"]
    subscribe(store, "behind", 0)
    done = purge(store, LIMIT, actor="甲", also_open=True)
    assert (done.kept_undelivered, done.waiting) == (4, {"ahead": 2, "behind": 4})
    done = purge(store, LIMIT, actor="甲", also_open=True, also_undelivered=True)
    assert (done.removed["petitions"], done.kept_undelivered, done.waiting) == (4, 0, {})


def test_a_purge_that_is_killed_goes_on(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is removed and counted together; the next purge takes the rest."""
    from dispatch.store import purge as module

    monkeypatch.setattr(module, "_BATCH", 2)
    remove, calls = module._remove, []

    def breaks(connection: Any, ids: list[str]) -> Any:
        calls.append(ids)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return remove(connection, ids)

    monkeypatch.setattr(module, "_remove", breaks)
    with pytest.raises(KeyboardInterrupt):
        purge(store, LIMIT, actor="甲")
    assert left(store)[:2] == ["2", "3"]
    assert purge(store, LIMIT, actor="甲").removed["petitions"] == 2
    with store.reading() as connection:
        assert connection.execute(select(func.sum(aggregates.c.petitions))).scalar_one() == 4


def test_not_a_byte_is_left(tmp_path: Path) -> None:
    """In the file of SQLite and in its log: neither of the newest text nor of an earlier one."""
    path = tmp_path / "store.sqlite3"
    made = rows()
    with Store.open(path) as store:
        written(store, made[:6], "old", OLD)
        earlier = [row | {"body": f"{SECRET}更早的说法" * 300, "suggestion_id": f"{row['suggestion_id']}e"} for row in made[:1]]
        written(store, earlier, "older", OLD)
        written(store, [made[0] | {"suggestion_id": "sg_0n"}], "newest", OLD)
        with store.writing() as connection:
            for key in ("sg_0n", "sg_1", "sg_2", "sg_3"):
                decide(connection, key, verdict="accepted", unit=None, reason=SECRET, actor="甲", source="console")
        assert held(tmp_path)
        done = purge(store, LIMIT, actor="甲")
        assert done.removed["petitions"] == 4
        assert compact(store) is None
        assert held(tmp_path) == []
        assert left(store) == ["4", "5"]
    assert held(tmp_path) == []


def test_a_reader_holds_up_the_log_and_is_said(tmp_path: Path) -> None:
    """Compacting says when it could not finish; afterwards it can."""
    path = tmp_path / "store.sqlite3"
    with Store.open(path) as store, Store.open(path) as other:
        written(store, rows()[:2], "old", OLD)
        with other.reading() as connection:
            connection.execute(select(func.count()).select_from(petitions)).scalar_one()
            purge(store, LIMIT, actor="甲", also_open=True)
            with store.alone() as quick:
                quick.exec_driver_sql("PRAGMA busy_timeout = 100")
            assert "log still holds" in str(compact(store))
        assert compact(store) is None


def held(folder: Path) -> list[str]:
    """Return the files that hold a piece of the text."""
    piece = SECRET[5:].encode()
    return [path.name for path in folder.iterdir() if piece in path.read_bytes()]


def test_nothing_to_do(store_url: str) -> None:
    with Store.open(store_url) as store:
        assert purge(store, LIMIT, actor="甲").removed.total() == 0
        assert compact(store) is None
        assert isinstance(purge(store, LIMIT, actor="甲", dry_run=True), Purged)

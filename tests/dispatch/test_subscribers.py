"""Subscribers: what may be one, secrets and their replacement, pausing and removal."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from delivery_helpers import fill
from sqlalchemy import select

from dispatch.delivery import subscribers
from dispatch.delivery.subscribers import Filters, SubscriberError
from dispatch.store import Store
from dispatch.store.outbox import now
from dispatch.store.tables import audit


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store.open(store_url) as opened:
        yield opened


def add(store: Store, name: str = "a", address: str = "https://a.example/x", **options: Any) -> tuple[subscribers.Subscriber, str | None]:
    with store.writing() as connection:
        return subscribers.add(connection, "tester", name, address, **options)


def test_added_and_read_back(store: Store, tmp_path: Path) -> None:
    made, secret = add(store, filters={"units": ["U1"], "urgency": "urgent"}, settings={"concurrency": 2})
    assert secret is not None
    assert secret.startswith("whsec_")
    assert made.signing(now()) == [secret]
    assert (made.kind, made.filters.units, made.settings.concurrency, made.settings.read_seconds) == ("webhook", ("U1",), 2, 10.0)
    folder, nothing = add(store, "b", str(tmp_path))
    assert (folder.kind, nothing, folder.secrets) == ("folder", None, ())
    with store.reading() as connection:
        assert [item.name for item in subscribers.everyone(connection)] == ["a", "b"]
        lines = connection.execute(select(audit.c.action, audit.c.detail)).all()
    assert [line.action for line in lines] == ["subscriber.add"] * 2
    assert all("whsec" not in line.detail for line in lines)


@pytest.mark.parametrize(
    ("name", "address", "options", "told"),
    [
        ("", "https://a/x", {}, "name"),
        ("a b", "https://a/x", {}, "name"),
        ("../a", "https://a/x", {}, "name"),
        ("a", "ftp://a/x", {}, "address"),
        ("a", "file:///etc", {}, "address"),
        ("a", "https:///x", {}, "address"),
        ("a", "https://a:99999/x", {}, "address"),
        ("a", "https://user:secret@a/x", {}, "no name and password"),
        ("a", "https://user@a/x", {}, "no name and password"),
        ("a", "https://a/x#y", {}, "#"),
        ("a", "https://a/x\r\nHost: b", {}, "address"),
        ("a", "https://a/" + "x" * 2_000, {}, "address"),
        ("a", "/nowhere/at/all", {}, "not a folder"),
        ("a", "https://a/x", {"settings": {"concurrency": 0}}, "setting concurrency"),
        ("a", "https://a/x", {"settings": {"retries": 3}}, "known: source"),
        ("a", "https://a/x", {"settings": {"source": "a b"}}, "setting source"),
        ("a", "https://a/x", {"filters": {"urgency": "panic"}}, "filter urgency"),
        ("a", "https://a/x", {"filters": {"kinds": ["all"]}}, "filter kinds.0"),
    ],
)
def test_what_cannot_be(store: Store, name: str, address: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(SubscriberError, match=told) as error:
        add(store, name, address, **options)
    assert "secret@" not in str(error.value)
    with store.reading() as connection:
        assert subscribers.everyone(connection) == []


def test_a_name_and_a_folder_once(store: Store, tmp_path: Path) -> None:
    add(store, "a", str(tmp_path))
    with pytest.raises(SubscriberError, match="a already"):
        add(store, "a")
    with pytest.raises(SubscriberError, match="clash"):
        add(store, "b", str(tmp_path))


def test_secrets_are_replaced_with_overlap(store: Store) -> None:
    _, first = add(store)
    with store.writing() as connection:
        second = subscribers.rotate(connection, "tester", "a", 2)
        third = subscribers.rotate(connection, "tester", "a", 1)
        found = subscribers.get(connection, "a")
        assert found.signing(now()) == [third, second, first]
        assert found.signing(now() + dt.timedelta(hours=1.01)) == [third]
        fourth = subscribers.rotate(connection, "tester", "a", 0)
        assert subscribers.get(connection, "a").signing(now()) == [fourth]


def test_paused_resumed_changed_removed(store: Store) -> None:
    add(store, from_start=True)
    with store.writing() as connection:
        assert subscribers.set_active(connection, "t", "a", False, "holiday")
        assert not subscribers.set_active(connection, "t", "a", False)
        assert subscribers.everyone(connection, active=True) == []
        assert subscribers.change(connection, "t", "a", {"read_seconds": 3}).settings.read_seconds == 3
        with pytest.raises(SubscriberError, match="known"):
            subscribers.change(connection, "t", "a", {"nothing": 1})
    fill(store, 3)
    with store.writing() as connection, pytest.raises(SubscriberError, match="3 messages"):
        subscribers.remove(connection, "t", "a")
    with store.writing() as connection:
        assert subscribers.remove(connection, "t", "a", force=True) == 3
        with pytest.raises(SubscriberError, match="no subscriber"):
            subscribers.get(connection, "a")


def test_filters() -> None:
    every = {"units": {"U1", None}, "issue": "010203", "decision": "auto", "level": "elevated"}
    for filters, wanted in (
        ({}, True),
        ({"units": ["U1", "U2"]}, True),
        ({"units": ["U2"]}, False),
        ({"issues": ["0102", "09"]}, True),
        ({"issues": ["02"]}, False),
        ({"decisions": ["review"]}, False),
        ({"urgency": "elevated"}, True),
        ({"urgency": "urgent"}, False),
        ({"units": ["U1"], "decisions": ["review"]}, False),
    ):
        assert Filters.model_validate(filters).matches(**every) is wanted, filters
    assert Filters(kinds=("decision.made",)).wants("decision.made")
    assert not Filters(kinds=("decision.made",)).wants("suggestion.made")


def test_pairs() -> None:
    assert subscribers.pairs(("a=1", "b=x=y", "c=true"), "--set") == {"a": 1, "b": "x=y", "c": True}
    with pytest.raises(SubscriberError, match="NAME=VALUE"):
        subscribers.pairs(("a",), "--set")


def test_the_query_of_an_address_is_not_shown(store: Store) -> None:
    made, _ = add(store, address="https://a.example/x?token=geheim")
    assert made.shown == "https://a.example/x?…"
    with store.reading() as connection:
        detail = connection.execute(select(audit.c.detail)).scalar_one()
    assert "geheim" not in detail
    assert orjson.loads(detail)["address"] == "https://a.example/x"

"""Users, passwords, lock-out, sessions: on both databases."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from click.testing import CliRunner
from console_kit import PASSWORDS, add_users, cheap_hashes
from sqlalchemy import select, update

from dispatch.console import accounts, sessions
from dispatch.console.accounts import User, UserError
from dispatch.store import Store
from dispatch.store.outbox import now
from dispatch.store.tables import audit, users
from dispatch.store.tables import sessions as table


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    cheap_hashes(monkeypatch)


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        add_users(opened)
        yield opened


def test_right_password_opens_and_wrong_one_tells_nothing(store):
    assert accounts.check_password(store, " li ", PASSWORDS["li"]) == User("li", "supervisor")
    assert accounts.check_password(store, "li", "wrong") is None
    assert accounts.check_password(store, "nobody", "wrong") is None
    with store.reading() as connection:
        assert all(hashed.startswith("$argon2id$") for hashed in connection.scalars(select(users.c.hash)))


def test_five_wrong_passwords_lock_for_a_while(store):
    for _ in range(accounts.MAX_FAILURES):
        assert accounts.check_password(store, "wang", "wrong") is None
    assert accounts.check_password(store, "wang", PASSWORDS["wang"]) is None
    with store.writing() as connection:
        assert "user.locked" in connection.scalars(select(audit.c.action)).all()
        connection.execute(update(users).where(users.c.name == "wang").values(locked_until=now() - dt.timedelta(seconds=1)))
    assert accounts.check_password(store, "wang", PASSWORDS["wang"]) == User("wang", "reviewer")


def test_a_right_password_in_between_starts_the_count_again(store):
    for _ in range(3):
        for _ in range(accounts.MAX_FAILURES - 1):
            accounts.check_password(store, "wang", "wrong")
        assert accounts.check_password(store, "wang", PASSWORDS["wang"])


def test_guesses_at_the_same_time_all_count(store):
    with ThreadPoolExecutor(8) as pool:
        assert not any(pool.map(lambda _: accounts.check_password(store, "wang", "wrong"), range(12)))
    assert accounts.check_password(store, "wang", PASSWORDS["wang"]) is None


def test_unknown_and_locked_names_cost_a_verification_too(store, monkeypatch):
    seen = []
    verify = accounts._verify
    monkeypatch.setattr(accounts, "_verify", lambda hashed, password: seen.append(hashed) or verify(hashed, password))
    for name in ("nobody", "wang"):
        accounts.check_password(store, name, "wrong")
    with store.writing() as connection:
        accounts.set_active(connection, "wang", active=False, by="test")
    accounts.check_password(store, "wang", PASSWORDS["wang"])
    assert len(seen) == 3


def test_another_password_unlocks_and_ends_sessions(store):
    with store.writing() as connection:
        token = sessions.begin(connection, User("wang", "reviewer"))
    for _ in range(accounts.MAX_FAILURES):
        accounts.check_password(store, "wang", "wrong")
    with store.writing() as connection:
        accounts.set_password(connection, "wang", "another lantern 9", "test")
        assert sessions.find(connection, token) == (None, False)
    assert accounts.check_password(store, "wang", PASSWORDS["wang"]) is None
    assert accounts.check_password(store, "wang", "another lantern 9")


def test_who_is_disabled_is_out_at_once(store):
    with store.writing() as connection:
        token = sessions.begin(connection, User("wang", "reviewer"))
        accounts.set_active(connection, "wang", active=False, by="test")
        assert sessions.find(connection, token)[0] is None
    assert accounts.check_password(store, "wang", PASSWORDS["wang"]) is None
    with store.writing() as connection:
        accounts.set_active(connection, "wang", active=True, by="test")
    assert accounts.check_password(store, "wang", PASSWORDS["wang"])


@pytest.mark.parametrize(
    ("name", "password", "role", "said"),
    [
        ("li", "long enough 12345", "reviewer", "already"),
        ("new one", "long enough 12345", "reviewer", "not a user name"),
        ("", "long enough 12345", "reviewer", "not a user name"),
        ("new", "short", "reviewer", "characters"),
        ("new", "x" * 300, "reviewer", "characters"),
        ("new", "aaaaaaaaaaaaaaaa", "reviewer", "different"),
        ("zhang", "Zhang is my name", "reviewer", "name"),
        ("new", "long enough 12345", "admin", "role"),
    ],
)
def test_bad_users_are_refused(store, name, password, role, said):
    with pytest.raises(UserError, match=said), store.writing() as connection:
        accounts.add(connection, name, password, role, "test")
    with store.reading() as connection:
        assert [user.name for user in accounts.listed(connection)] == ["li", "wang", "zhao"]


def test_unknown_users_cannot_be_changed(store):
    for change in (
        lambda c: accounts.set_password(c, "nobody", "long enough 12345", "test"),
        lambda c: accounts.set_active(c, "nobody", active=False, by="test"),
    ):
        with pytest.raises(UserError, match="no user"), store.writing() as connection:
            change(connection)


def test_sessions_end_by_time_and_idleness(store, monkeypatch):
    at = now()
    with store.writing() as connection:
        token = sessions.begin(connection, User("li", "supervisor"))
        assert token not in str(connection.execute(select(table)).all())

    def later(**delta):
        monkeypatch.setattr(sessions, "now", lambda: at + dt.timedelta(**delta))

    with store.writing() as connection:
        found, due = sessions.find(connection, token)
        assert found and found.user == User("li", "supervisor") and not due
        later(minutes=40)
        found, due = sessions.find(connection, token)
        assert found and due
        sessions.renew(connection, found)
        later(minutes=80)
        assert sessions.find(connection, token)[0]
        later(minutes=90)
        assert sessions.find(connection, token)[0] is None
        for hours in range(1, 24):  # in use all the time: it ends all the same
            later(minutes=hours * 30)
            found, _ = sessions.find(connection, token)
            if found:
                sessions.renew(connection, found)
        later(hours=12, minutes=1)
        assert sessions.find(connection, token)[0] is None


def test_a_new_session_removes_those_that_are_over(store, monkeypatch):
    with store.writing() as connection:
        sessions.begin(connection, User("li", "supervisor"))
    at = now()
    monkeypatch.setattr(sessions, "now", lambda: at + dt.timedelta(days=1))
    with store.writing() as connection:
        sessions.begin(connection, User("li", "supervisor"))
        assert len(connection.execute(select(table)).all()) == 1


def test_commands(home):
    from flows.users_cli import users as group

    run = CliRunner().invoke
    made = run(group, ["add", "li", "--role", "supervisor"], input="correct horse battery\n")
    assert made.exit_code == 0 and "li" in made.output and "horse" not in made.output
    assert "supervisor" in run(group, ["list"]).output
    assert isinstance(run(group, ["add", "li"], input="correct horse battery\n").exception, UserError)
    assert run(group, ["password", "li"], input="another lantern 9\n").exit_code == 0
    assert run(group, ["disable", "li"]).exit_code == 0
    assert "停用" in run(group, ["list"]).output
    assert run(group, ["enable", "li"]).exit_code == 0
    assert '"active": true' in run(group, ["list", "--json"]).output
    assert "hash" not in run(group, ["list", "--json"]).output

"""`minqing doctor`: each check finds what it is for, breaks nothing, and says no secret."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import insert, text

from dispatch.store import Store
from dispatch.store.engine import connect
from dispatch.store.outbox import MADE, Message, announce, now
from dispatch.store.tables import api_keys, deliveries, outbox, runs, subscribers
from flows import health, health_outside, health_store
from flows.cli import main
from flows.doctor import Finding, Line, Surroundings, examine

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, ["doctor", *map(str, arguments)])


def level(found: Finding | list[Finding]) -> str:
    items = found if isinstance(found, list) else [found]
    return " ".join(item.level for item in items)


@pytest.fixture
def store(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store that the checks look at, on each database."""
    monkeypatch.setenv("MINQING_STORE", store_url)
    with Store.open(store_url) as opened:
        yield opened


def add(store: Store, table: Any, **values: Any) -> None:
    with store.writing() as connection:
        connection.execute(insert(table).values(**values))


def subscribe(store: Store, name: str, **changes: Any) -> None:
    plain = {"kind": "webhook", "address": "https://a.example", "secrets": "", "filters": "{}", "settings": "{}", "active": 1, "position": 0}
    add(store, subscribers, name=name, created_at=now(), **plain | changes)


def test_a_fresh_machine(home: Path) -> None:
    """Nothing fails before the first run, and no file is made."""
    done = run("--json")
    found = json.loads(done.output)
    assert (done.exit_code, found["verdict"]) == (0, "warn"), done.output
    names = {line["check"] for line in found["checks"]}
    assert names == {
        "python", "workspace", "disk", "clock", "config", "models", "statutes", "calendar", "store", "time", "runs", "messages", "folders",
        "keys", "prefect", "service",
    }  # fmt: skip
    assert all(line["advice"] for line in found["checks"] if line["level"] == "warn")
    assert [path for path in home.rglob("*") if path.is_file()] == []


def test_a_city_in_service(trained_home: Path, city: Path) -> None:
    """Champions are loaded and route; the table says so."""
    trained_home.chmod(0o700)
    done = run("--units", city / "units.yaml")
    assert done.exit_code == 0, done.output
    assert "试分派一件" in done.output
    assert "✗" not in done.output


def test_a_damaged_champion_fails(trained_home: Path, city: Path) -> None:
    """With what to do about it, and without a traceback."""
    manifest = next((trained_home / "models" / "unit").glob("*/manifest.json"))
    manifest.write_text("{")
    done = run("--units", city / "units.yaml")
    assert done.exit_code == 1
    assert "✗             unit unit-" in done.output
    assert "minqing models check" in done.output
    assert "Traceback" not in done.output


def test_what_is_missing_fails(home: Path, tmp_path: Path) -> None:
    """A wrong configuration, open rights, a service and a database that are not there; the others are looked at all the same."""
    home.mkdir(mode=0o755, parents=True)
    home.chmod(0o755)
    (tmp_path / "city.yaml").write_text("no_such_key: 1\n")
    done = run("--config", tmp_path / "city.yaml", "--service", "http://u:geheim@127.0.0.1:1", "--json")
    assert done.exit_code == 1
    assert "geheim" not in done.output
    failed = {line["check"] for line in json.loads(done.output)["checks"] if line["level"] == "fail"}
    assert failed >= {"workspace", "config", "service"}
    assert len(json.loads(done.output)["checks"]) >= 16


def test_a_store_that_is_away(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said once, without the password; the checks that need it say that they were left out."""
    monkeypatch.setenv("MINQING_STORE", "postgresql://u:geheim@127.0.0.1:1/db")
    lines = {line.check: line for line in examine(Surroundings(), health_store.CHECKS)}
    assert (lines["store"].level, lines["keys"].level) == ("fail", "warn")
    assert "geheim" not in str(lines)


def test_a_check_that_breaks_is_a_line(home: Path) -> None:
    """And the ones after it are run."""

    def breaks(_: Surroundings) -> Finding:
        msg = "two\nlines " + "x" * 500
        raise LookupError(msg)

    lines = examine(Surroundings(), [("a", "甲", breaks), ("b", "乙", lambda _: Finding("ok", "well"))])
    assert lines[1] == Line("b", "乙", "ok", "well", "")
    assert lines[0].level == "fail"
    assert lines[0].detail.startswith("LookupError: two lines x")
    assert len(lines[0].detail) <= 300


@pytest.mark.parametrize(("step", "expected"), [("9999", "fail"), ("0001", "warn")])
def test_another_shape(store: Store, store_url: str, step: str, expected: str) -> None:
    """A newer store fails, an older one waits for its upgrade; neither is changed."""
    with store.writing() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{step}'"))
    around = Surroundings()
    assert (level(health_store.reachable(around)), around.store) == (expected, None)
    assert level(health_store.messages(around)) == "warn"
    engine = connect(store_url, prepare=False)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one() == step
    engine.dispose()


def test_messages(store: Store) -> None:
    """Age of what waits, dead letters, paused subscribers."""
    with store.writing() as connection:
        announce(connection, [Message("", MADE, "p", f"s{number}", 1) for number in range(4)])
        for position, age in ((1, 2 * DAY), (2, 2 * HOUR)):
            connection.execute(outbox.update().where(outbox.c.position == position).values(at=now() - age))
    assert level(health_store.messages(Surroundings())) == "ok"
    subscribe(store, "a-stuck")
    subscribe(store, "b-slow", position=1)
    subscribe(store, "c-well", position=2)
    subscribe(store, "d-dead", position=4)
    subscribe(store, "e-paused", active=0)
    subscribe(store, "f-retrying", position=4)
    plain = {"petition_id": "p", "attempts": 1, "next_at": now()}
    add(store, deliveries, subscriber="d-dead", position=1, status="dead", **plain)
    add(store, deliveries, subscriber="f-retrying", position=1, status="pending", **plain)
    found = health_store.messages(Surroundings())
    assert [item.level for item in found] == ["fail", "warn", "ok", "warn", "warn", "fail"]
    assert "死信 dead letters 1" in found[3].detail
    assert all(item.advice for item in found if item.level != "ok")


def test_folders_and_keys(store: Store, tmp_path: Path) -> None:
    """A folder that is gone, a key that runs out."""
    around = Surroundings()
    assert (level(health_store.folders(around)), level(health_store.keys(around))) == ("ok", "ok")
    subscribe(store, "here", kind="folder", address=str(tmp_path))
    subscribe(store, "gone", kind="folder", address=str(tmp_path / "gone"))
    assert level(health_store.folders(around)) == "fail ok"
    plain = {"hash": "x", "scopes": "", "created_at": now()}
    for name, ends, revoked in (("a", 3 * DAY, None), ("b", -DAY, None), ("c", 90 * DAY, None), ("d", DAY, now()), ("e", None, None)):
        add(store, api_keys, key_id=name, name=f"系统{name}", expires_at=ends and now() + ends, revoked_at=revoked, **plain)
    found = health_store.keys(around)
    assert [item.level for item in found] == ["warn", "warn"]
    assert "系统a" in found[0].detail
    assert "expired" in found[1].detail


def test_runs_and_clock(store: Store) -> None:
    """Missed nights, a run that broke off, messages from the future."""
    around = Surroundings()
    assert level(health_store.last_runs(around)) == "ok"
    plain = {"inputs_digest": "d", "model_version": "m", "config_version": "c"}
    add(store, runs, run_id="r1", started_at=around.now - 5 * DAY, finished_at=around.now - 5 * DAY, status="finished", **plain)
    assert level(health_store.last_runs(around)) == "warn"
    add(store, runs, run_id="r2", started_at=around.now - HOUR, finished_at=around.now - HOUR, status="finished", **plain)
    assert level(health_store.last_runs(around)) == "ok"
    add(store, runs, run_id="r3", started_at=around.now - 3 * DAY, finished_at=None, status="running", **plain)
    assert "broken off 1" in health_store.last_runs(around).detail
    assert level(health_store.same_time(around)) == "ok"
    with store.writing() as connection:
        announce(connection, [Message("", MADE, "p", "s", 1)])
        connection.execute(outbox.update().values(at=now() + DAY))
    assert level(health_store.same_time(around)) == "fail"


def test_machine(home: Path, monkeypatch: pytest.MonkeyPatch, city: Path) -> None:
    """Space, clock, calendar, units that nobody is today."""
    around = Surroundings()
    usage = health.shutil.disk_usage
    for free, expected in ((100 << 20, "fail"), (1 << 30, "warn"), (1 << 40, "ok")):
        monkeypatch.setattr(health.shutil, "disk_usage", lambda path, free=free: usage(path)._replace(free=free))
        assert level(health.space(around)) == expected
    assert level(health.clock(Surroundings(now=dt.datetime(2001, 1, 1)))) == "fail"
    for now_, expected in ((dt.datetime(2026, 5, 1), "ok"), (dt.datetime(2026, 11, 1), "warn"), (dt.datetime(2027, 2, 1), "fail")):
        assert level(health.calendar(Surroundings(now=now_))) == expected
    assert level(health.configuration(Surroundings(units=city / "units.yaml"))) == "ok ok"
    monkeypatch.setattr(health.metadata, "requires", lambda _: ["click>=999", "no-such-library", "extra; extra == 'ocr'", "orjson"])
    found = health.python(around)
    assert found.level == "fail"
    assert "no-such-library" in found.detail
    assert "orjson" not in found.detail


@pytest.mark.usefixtures("home")
def test_prefect(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a server nothing is asked; with one its deployments are; one that is away fails."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert level(health_outside.prefect(Surroundings())) == "ok"
    monkeypatch.setenv("PREFECT_API_URL", prefect_server)
    found = health_outside.prefect(Surroundings())
    assert level(found) == "ok warn"
    assert "nightly/nightly" in found[1].detail


def test_prefect_that_is_away(home: Path, monkeypatch: pytest.MonkeyPatch, prefect_server: str) -> None:
    """Said with what to look at."""
    from prefect.settings import PREFECT_API_URL, temporary_settings

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:1/api"}):
        found = health_outside.prefect(Surroundings())
    assert level(found) == "fail"
    assert "systemctl" in found[0].advice

"""`minqing store` and `minqing purge`, as an operator uses them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, insert, select, text

from corpora.workspace import store_address
from dispatch.store import Store
from dispatch.store.tables import petitions, runs, suggestions
from flows.cli import main

OLD = dt.datetime(2024, 1, 5, 9)


@pytest.fixture
def at(store_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Address of the store that the commands use, on each database."""
    monkeypatch.setenv("MINQING_STORE", store_url.replace("minqing@", "minqing:geheim@"))
    return store_url


def run(*arguments: Any) -> Result:
    done = CliRunner().invoke(main, [*map(str, arguments)])
    assert "geheim" not in done.output
    return done


def fill(count: int = 8) -> None:
    """Put so many petitions into the store, and no more than that."""
    run_ = {"run_id": "r", "started_at": OLD, "inputs_digest": "d", "model_version": "m", "config_version": "c", "status": "finished"}
    plain = dict.fromkeys(("title", "body", "address", "channel", "source"), "")
    with Store.open(store_address()) as store, store.writing() as connection:
        if connection.execute(select(runs.c.run_id)).first() is None:
            connection.execute(insert(runs).values(**run_))
        have = connection.execute(select(func.count()).select_from(petitions)).scalar_one()
        for number in range(have, count):
            same = {"petition_id": f"P{number}", "content_hash": "0", "revision": 1, "suggestion_id": f"sg_{number}", "decision": "auto"}
            petition = {**same, **plain, "row": 1, "submitted_at": OLD, "first_run_id": "r"}
            connection.execute(insert(petitions).values(**petition))
            made = {**same, "urgency_level": "normal", "model_version": "m", "config_version": "c", "run_id": "r", "payload": "{}"}
            connection.execute(insert(suggestions).values(**made))


def counted() -> int:
    return json.loads(run("store", "status", "--json").output)["rows"]["petitions"]


def test_status_and_upgrade(at: str) -> None:
    """Status makes nothing; upgrade makes the store once; a newer one is refused on one line."""
    found = json.loads(run("store", "status", "--json").output)
    assert (found["step"], found["rows"]) == (None, {})
    assert "新建 new → 0002" in run("store", "upgrade").output
    assert "nothing to do" in run("store", "upgrade").output
    assert "up to date" in run("store", "status").output
    with Store.open(store_address()) as store, store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "0002" in run("store", "status").output
    done = run("store", "upgrade")
    assert done.exit_code == 2
    assert "install the newer version of minqing" in done.output


def test_backup_and_restore(at: str, tmp_path: Path) -> None:
    """What was there at the backup is there again, after a question; a file that is none is refused."""
    if "postgresql" in at and not shutil.which("pg_dump"):
        pytest.skip("no client programs of PostgreSQL on this machine")
    fill(5)
    file = tmp_path / "store.backup"
    done = run("store", "backup", file, "--json")
    assert json.loads(done.output) == {"file": str(file), "bytes": file.stat().st_size}
    fill(8)
    asked = CliRunner().invoke(main, ["store", "restore", str(file)], input="n\n")
    assert asked.exit_code == 1
    assert counted() == 8
    done = run("store", "restore", file, "--yes", "--by", "陈")
    assert (done.exit_code, counted()) == (0, 5), done.output
    (tmp_path / "none").write_text("x")
    done = run("store", "restore", tmp_path / "none", "--yes")
    assert (done.exit_code, counted()) == (2, 5)
    assert "is no backup" in done.output


def test_purge(at: str) -> None:
    """Counted first, then removed; who waits for a decision stays until it is asked for."""
    fill()
    assert "将清理" in run("purge", "--older-than", "180d", "--dry-run").output
    done = run("purge", "--older-than", "26w")
    assert "保留 kept: 8 件尚未处理" in done.output
    assert counted() == 8
    would = json.loads(run("purge", "--older-than", "2w", "--also-open", "--dry-run", "--json").output)
    found = json.loads(run("purge", "--older-than", "2w", "--also-open", "--json").output)
    assert found["removed"] == would["removed"]
    assert (found["removed"]["petitions"], found["not_compacted"], counted()) == (8, None, 0)


@pytest.mark.parametrize("age", ["0d", "180", "3x", "-1d", "", "d"])
def test_ages_that_are_none(home: Path, age: str) -> None:
    """Nothing is removed by a slip of the pen."""
    done = run("purge", "--older-than", age)
    assert done.exit_code == 2
    assert "write 180d" in done.output

"""Route into PostgreSQL by `MINQING_STORE`; the password in it goes nowhere else."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from corpora.workspace import store_address
from dispatch.store import Store, StoreError
from dispatch.store.tables import outbox, petitions, suggestions

PASSWORD = "zu-Niemandem-ein-Wort"


def with_password(url: str) -> str:
    """Return the address with a password in it; the server of the tests asks for none and takes any."""
    return url.replace("minqing@", f"minqing:{PASSWORD}@")


def traces(folder: Path) -> list[str]:
    """Return the files below a folder that hold the password."""
    return [str(path) for path in folder.rglob("*") if path.is_file() and PASSWORD.encode() in path.read_bytes()]


def contents(address: str) -> dict[str, list[Any]]:
    """Return what a run leaves in a store, but for the time of the messages."""
    with Store.open(address) as store, store.reading() as connection:
        queries = {
            "petitions": select(petitions).order_by(petitions.c.petition_id),
            "suggestions": select(suggestions).order_by(suggestions.c.suggestion_id),
            "outbox": select(outbox.c.position, outbox.c.message_id, outbox.c.revision).order_by(outbox.c.position),
        }
        return {name: [tuple(row) for row in connection.execute(query)] for name, query in queries.items()}


def test_route_writes_what_sqlite_gets(
    prefect_server: str, home: Path, city: Path, tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The same rows in both databases, chunk by chunk through worker processes, and no trace of the password in any file."""
    import datetime as dt

    from flows.route import route

    config = tmp_path / "city.yaml"
    config.write_text("chunk_rows: 30\n")
    rows = tmp_path / "rows.csv"
    rows.write_text("".join((city / "incoming" / "hotline.csv").read_text("utf-8-sig").splitlines(keepends=True)[:60]), "utf-8")
    given: dict[str, Any] = {"units": str(city / "units.yaml"), "on": dt.date(2026, 11, 20), "config": str(config)}
    route([str(rows)], str(tmp_path / "sqlite"), workers=1, **given)
    monkeypatch.setenv("MINQING_STORE", with_password(postgres_url))
    run = route([str(rows)], str(tmp_path / "postgres"), workers=2, **given)
    assert run["new_suggestions"] == run["routed"]
    assert contents(store_address()) == contents(str(home / "store.sqlite3"))
    again = route([str(rows)], str(tmp_path / "again"), workers=1, **given)
    assert (again["routed"], again["new_suggestions"]) == (run["routed"], 0)
    for folder in (tmp_path, home, Path(os.environ["PREFECT_HOME"])):
        assert traces(folder) == []
    assert PASSWORD not in "".join(capfd.readouterr())
    assert PASSWORD not in json.dumps(run)


def test_a_store_that_is_not_there_is_said_at_once(home: Path, city: Path, tmp_path: Path) -> None:
    """One line, without the password, before a row is read."""
    environment = os.environ | {
        "PYTHONPATH": str(Path(__file__).parents[2]), "MINQING_HOME": str(home), "MINQING_STORE": f"postgresql://minqing:{PASSWORD}@127.0.0.1:1/minqing",
    }  # fmt: skip
    command = [
        sys.executable, "-c", "from flows.cli import main; main()", "route", str(city / "incoming"), "--out", str(tmp_path / "out"),
        "--units", str(city / "units.yaml"),
    ]  # fmt: skip
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("minqing: cannot open the store postgresql+psycopg://minqing:***@127.0.0.1:1/minqing: ")
    assert len(done.stderr.splitlines()) == 1
    assert PASSWORD not in done.stdout + done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "address",
    [f"postgresql://u:{PASSWORD}@host:port/db", f"nosuch://u:{PASSWORD}@host/db", f"postgresql://127.0.0.1:1/db?password={PASSWORD}"],
)
def test_no_message_repeats_a_password(address: str) -> None:
    """Neither of an address that cannot be read, nor of a driver nobody has, nor of a server that is not there."""
    with pytest.raises(StoreError) as caught:
        Store.open(address)
    assert PASSWORD not in str(caught.value)


def test_a_path_will_do(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`MINQING_STORE` may be a path; empty means the default. A new file is its owner's alone."""
    monkeypatch.setenv("MINQING_STORE", " ")
    assert store_address() == str(home / "store.sqlite3")
    monkeypatch.setenv("MINQING_STORE", str(tmp_path / "folder" / "s.db"))
    Store.open(store_address()).close()
    assert (tmp_path / "folder" / "s.db").stat().st_mode & 0o777 == 0o600

"""A run that is killed at any point and started again ends in the same store and files as one clean run."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

TABLES = {
    "petitions": "petition_id", "suggestions": "suggestion_id", "events": "event_group", "rejections": "source, row, code",
}  # fmt: skip
FILES = ("suggestions.jsonl", "suggestions.csv", "rejected.jsonl")


def start(city: Path, base: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    config = base.parent / "chunks.yaml"
    config.write_text("chunk_rows: 40\n")
    command = [
        sys.executable, "-c", "from flows.cli import main; main()", "route", str(city / "incoming"), "--out", str(base / "out"),
        "--units", str(city / "units.yaml"), "--config", str(config), "--on", "2026-11-20", "--workers", "1",
    ]  # fmt: skip
    return subprocess.Popen(
        command, env={**environment, "MINQING_HOME": str(base / "home")}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    _, said = process.communicate(timeout=120)
    assert process.returncode == 0, said.decode()[-2000:]


def contents(base: Path) -> dict[str, Any]:
    with sqlite3.connect(base / "home" / "store.sqlite3") as connection:
        found: dict[str, Any] = {
            table: connection.execute(f"select * from {table} order by {key}").fetchall() for table, key in TABLES.items()
        }
    return found | {name: (base / "out" / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, child_environment: dict[str, str], city: Path) -> dict[str, Any]:
    base = tmp_path_factory.mktemp("clean") / "run"
    base.mkdir()
    finish(start(city, base, child_environment))
    return contents(base)


@pytest.mark.parametrize("moment", ["read", "scored", "groups", "lines", "store", "random"])
def test_killed_and_run_again(
    moment: str, clean: dict[str, Any], city: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    base = tmp_path / "run"
    base.mkdir()
    process = start(city, base, child_environment)
    waited_for = {
        "read": "home/spool/*/read-000001*",
        "scored": "home/spool/*/scored-000003*",
        "groups": "home/spool/*/groups*",
        "lines": "home/spool/*/lines-000004*",
        "store": "out/.suggestions.jsonl.part",
        "random": "home/spool/*",
    }[moment]
    deadline = time.monotonic() + 60
    while not list(base.glob(waited_for)) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(random.Random(moment).random() * 0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.stderr is not None
    process.stderr.close()
    finish(start(city, base, child_environment))
    again = contents(base)
    for name, value in clean.items():
        assert again[name] == value, name
    assert not [path for path in (base / "home" / "spool").iterdir() if path.is_dir()]
    assert {path.name for path in (base / "out").iterdir()} >= set(FILES)

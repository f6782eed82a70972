"""A run that is killed at any point and started again ends in the same store and files as one clean run."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TABLES = {
    "petitions": "petition_id", "suggestions": "suggestion_id", "events": "event_group", "rejections": "source, row, code",
}  # fmt: skip
FILES = ("suggestions.jsonl", "suggestions.csv", "rejected.jsonl")

#: Runs commands in forks of a process that has imported everything: a tenth of the time that each would need alone.
_LAUNCHER = """
import json, os, sys
import flows.cli, flows.output, flows.route, models.serving
for line in sys.stdin:
    home, *arguments = json.loads(line)
    child = os.fork()
    if not child:
        os.setsid()
        os.environ["MINQING_HOME"] = home
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        flows.cli.main(arguments)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@dataclass
class Launcher:
    """Starts one run at a time."""

    process: subprocess.Popen[str]
    arguments: list[str]

    def start(self, base: Path, workers: int = 1) -> int:
        """Start a run whose workspace and results are in `base`; return its process id."""
        assert self.process.stdin is not None
        line = [str(base / "home"), *self.arguments, "--out", str(base / "out"), "--workers", str(workers)]
        self.process.stdin.write(json.dumps(line) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def kill(self, run: int) -> None:
        """Kill a run; one that has just ended by itself is only waited for."""
        with suppress(ProcessLookupError):
            os.kill(run, signal.SIGKILL)
        assert self._answer() in (0, -signal.SIGKILL)

    def finish(self) -> None:
        """Wait for the end of the run, which must be a good one."""
        assert self._answer() == 0

    def _answer(self) -> int:
        assert self.process.stdout is not None
        return int(self.process.stdout.readline())


@pytest.fixture(scope="module")
def launcher(tmp_path_factory: pytest.TempPathFactory, child_environment: dict[str, str], city: Path) -> Iterator[Launcher]:
    config = tmp_path_factory.mktemp("config") / "chunks.yaml"
    config.write_text("chunk_rows: 40\n")
    arguments = ["route", city / "incoming", "--units", city / "units.yaml", "--config", config, "--on", "2026-11-20"]
    with subprocess.Popen(
        [sys.executable, "-c", _LAUNCHER],
        env=child_environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        yield Launcher(process, [str(argument) for argument in arguments])


def contents(base: Path) -> dict[str, Any]:
    """Return what must not depend on kills: everything but the times of the run."""
    with sqlite3.connect(base / "home" / "store.sqlite3") as connection:
        found: dict[str, Any] = {
            table: connection.execute(f"select * from {table} order by {key}").fetchall() for table, key in TABLES.items()
        }
    return found | {name: (base / "out" / name).read_bytes() for name in FILES}


def wait_for(base: Path, pattern: str, run: int) -> None:
    """Wait until a file of that name is there (or the run is over)."""
    deadline = time.monotonic() + 60
    while not list(base.glob(pattern)) and time.monotonic() < deadline:
        try:
            os.kill(run, 0)
        except ProcessLookupError:
            return
        time.sleep(0.001)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, launcher: Launcher) -> dict[str, Any]:
    base = tmp_path_factory.mktemp("clean")
    launcher.start(base)
    launcher.finish()
    return contents(base)


@pytest.mark.parametrize(
    "pattern",
    [
        "home/spool/*/rejected.jsonl", "home/spool/*/read-000004*", "home/spool/*/read.json", "home/spool/*/scored-000000*",
        "home/spool/*/scored-000005*", "home/spool/*/groups*", "home/spool/*/lines-000004*", "home/store.sqlite3-wal",
        "out/.suggestions.jsonl.part", "out/.report.html.part", "out/suggestions.jsonl", "out/run.json",
    ],
)  # fmt: skip
def test_killed_and_run_again(pattern: str, clean: dict[str, Any], tmp_path: Path, launcher: Launcher) -> None:
    run = launcher.start(tmp_path)
    wait_for(tmp_path, pattern, run)
    time.sleep(random.Random(pattern).random() * 0.02)
    launcher.kill(run)
    launcher.start(tmp_path)
    launcher.finish()
    again = contents(tmp_path)
    for name, value in clean.items():
        assert again[name] == value, name
    assert not [path for path in (tmp_path / "home" / "spool").iterdir() if path.is_dir()]
    assert {path.name for path in (tmp_path / "out").iterdir()} == {*FILES, "report.html", "run.json"}


def test_killed_again_and_again(clean: dict[str, Any], tmp_path: Path, launcher: Launcher) -> None:
    for pattern in ("home/spool/*/read.json", "home/spool/*/scored-000003*", "home/spool/*/lines-000002*", "out/.report*"):
        run = launcher.start(tmp_path)
        wait_for(tmp_path, pattern, run)
        launcher.kill(run)
    launcher.start(tmp_path)
    launcher.finish()
    again = contents(tmp_path)
    for name, value in clean.items():
        assert again[name] == value, name


@pytest.fixture
def killed(tmp_path: Path, launcher: Launcher) -> Iterator[int]:
    """Kill the first process of a run with two workers while they work; give its process group."""
    run = launcher.start(tmp_path, workers=2)
    wait_for(tmp_path, "home/spool/*/scored-*", run)
    launcher.kill(run)
    yield run
    with suppress(ProcessLookupError):
        os.killpg(run, signal.SIGKILL)


@pytest.mark.usefixtures("killed")
def test_killed_with_workers_at_work(clean: dict[str, Any], tmp_path: Path, launcher: Launcher) -> None:
    """Workers that outlive the first process may still write their chunk while the run is done again."""
    launcher.start(tmp_path, workers=2)
    launcher.finish()
    again = contents(tmp_path)
    for name, value in clean.items():
        assert again[name] == value, name


def test_workers_end_with_their_run(killed: int) -> None:
    deadline = time.monotonic() + 5
    with pytest.raises(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(killed, 0)
            time.sleep(0.05)

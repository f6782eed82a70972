"""Killed while routing and publishing, with a receiver that gives trouble: nothing lost, nothing twice, all in order."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

import crash


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_five_kills(database: str, trained_home: Path, request: pytest.FixtureRequest) -> None:
    environment = {**os.environ, "PREFECT_API_URL": "http://127.0.0.1:1"}
    if database == "postgres":
        environment["MINQING_STORE"] = request.getfixturevalue("postgres_url")
    found = crash.crash(trained_home, environment, kills=5, rows=60, seed=5)
    assert (found["kills"], found["drained"]) == (5, True)
    assert found["violations"] == 0, found
    assert found["suggestions"] >= 60

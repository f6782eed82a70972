"""What all tests share: a workspace of their own, no network, one Prefect server, one small trained model."""

from __future__ import annotations

import csv
import itertools
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import mkdtemp

import postgres
import pytest

# Before Prefect is imported anywhere: it reads its settings from the environment once.
_ROOT = Path(mkdtemp(prefix="minqing-tests-"))
os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "PREFECT_HOME": str(_ROOT / "prefect"),
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_LOGGING_LEVEL": "WARNING",
}

os.environ.pop("MINQING_STORE", None)  # never the store of who runs the tests

HEADER = ("编号", "时间", "渠道", "标题", "内容", "地址")
CITY = Path(__file__).parents[1] / "corpora" / "data" / "cities" / "langang"
_numbers = itertools.count()


def pytest_unconfigure() -> None:
    """Remove what the tests left in the workspaces."""
    shutil.rmtree(_ROOT, ignore_errors=True)


@pytest.fixture(autouse=True)
def home() -> Iterator[Path]:
    """Give each test a workspace of its own; its folder is made by the first that uses it."""
    # Not by monkeypatch: Hypothesis warns of function-scoped fixtures that its examples would share.
    before = os.environ.get("MINQING_HOME")
    path = _ROOT / f"home-{next(_numbers)}"
    os.environ["MINQING_HOME"] = str(path)
    yield path
    if before is None:
        os.environ.pop("MINQING_HOME", None)
    else:
        os.environ["MINQING_HOME"] = before


@pytest.fixture(scope="session")
def city() -> Path:
    """Return the folder of the bundled invented city."""
    return CITY


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """Run a Prefect server with a database of its own, and return its address; flow tests alone ask for it."""
    from prefect.settings import PREFECT_API_URL
    from prefect.testing.utilities import prefect_test_harness

    with prefect_test_harness(server_startup_timeout=60):
        yield str(PREFECT_API_URL.value())


@pytest.fixture(scope="session")
def child_environment(prefect_server: str) -> dict[str, str]:
    """Return the environment of a command that uses the server of the tests."""
    return {**os.environ, "PREFECT_API_URL": prefect_server, "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false"}


@pytest.fixture(scope="session")
def trained_models() -> Path:
    """Train both targets on a part of the bundled invented history; return the folder `models` of that workspace."""
    from flows.learning import train_files

    before, path = os.environ.get("MINQING_HOME"), _ROOT / "trained"
    history = _ROOT / "history.csv"
    rows = (CITY / "history.csv").read_text("utf-8-sig").splitlines(keepends=True)
    history.write_text("".join(rows[:200]), "utf-8")
    os.environ["MINQING_HOME"] = str(path)
    try:
        for target in ("issue_type", "unit"):
            train_files(target, [history], {}, CITY / "units.yaml")
    finally:
        os.environ["MINQING_HOME"] = before or ""
    return path / "models"


@pytest.fixture
def trained_home(home: Path, trained_models: Path) -> Path:
    """Return the test's workspace, with the small trained models in it."""
    shutil.copytree(trained_models, home / "models")
    return home


@pytest.fixture
def petitions(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of CSV files: rows of `HEADER` → path."""

    def write(rows: Sequence[Sequence[str]], name: str = "petitions.csv") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([HEADER, *rows])
        return path

    return write


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a PostgreSQL server of the test run's own."""
    if postgres.binaries() is None:
        pytest.skip("no PostgreSQL server on this machine")
    pytest.importorskip("psycopg")
    with postgres.server() as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    url = postgres.new_database(postgres_server)
    yield url
    postgres.drop_database(url)


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Address of an empty store, on each of the two databases."""
    if request.param == "sqlite":
        return str(tmp_path / "store.sqlite3")
    return str(request.getfixturevalue("postgres_url"))

"""The API against its own OpenAPI document: schemathesis sends what fits and what does not, and checks each answer.

No 5xx, no answer that the document does not describe, no wrong input accepted, no right input refused, no way around the
key. The service runs in this process, on a real socket, with models trained on the bundled invented city.

    python benchmarks/conformance.py                          # SQLite
    python benchmarks/conformance.py --database postgres --examples 300
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests"), str(ROOT / "tests" / "dispatch")]
os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "DO_NOT_TRACK": "1"}

#: What may be answered to data that fits the schema: times that no calendar has are told by 422, a position beyond the end by 409.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "404", "409", "422"]
[checks.unsupported_method]
enabled = true
"""
PHASES = "examples,coverage,fuzzing,stateful"


@contextmanager
def running(store_url: str, models: Path) -> Iterator[tuple[str, str]]:
    """Run the service; give its address and a key for everything."""
    import service_kit as kit

    from dispatch.service import Service, ServiceSettings
    from dispatch.store import Store

    settings = ServiceSettings(rate=1e6, burst=10**6, guesses=10**6, concurrent=1000)
    with Store.open(store_url) as store:
        service = Service(store, kit.trained(models), settings)
        key = kit.new_key(store)
        with kit.listening(service) as (host, port):
            yield f"http://{host}:{port}", key


def check(url: str, key: str, examples: int, seed: int, phases: str = PHASES, workers: int = 1) -> int:
    """Run schemathesis over all operations; return its exit code.

    One worker: with more, Python 3.11 fails now and then within Hypothesis (`AST constructor recursion depth mismatch`).
    """
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "schemathesis.toml"
        config.write_text(CONFIG)
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run", f"{url}/openapi.json", "--header",
            f"Authorization: Bearer {key}", "--phases", phases, "--max-examples", str(examples), "--seed", str(seed), "--workers", str(workers),
            "--no-color", "--continue-on-failure", "--suppress-health-check", "all",
        ]  # fmt: skip
        return subprocess.run(command, cwd=folder, check=False).returncode


def trained(home: Path) -> Path:
    """Train on the bundled city; return the folder of the models."""
    os.environ["MINQING_HOME"] = str(home)
    from flows.learning import train_files

    city = ROOT / "corpora" / "data" / "cities" / "langang"
    for target in ("issue_type", "unit"):
        train_files(target, [city / "history.csv"], {}, city / "units.yaml")
    return home / "models"


def main() -> None:
    """Run it to the end and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgres"], default="sqlite")
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--seed", type=int, default=20261126)
    given = parser.parse_args()
    import postgres

    with tempfile.TemporaryDirectory() as folder, postgres.server() if given.database == "postgres" else nullcontext() as server:
        url = postgres.new_database(server) if server else str(Path(folder) / "store.sqlite3")
        with running(url, trained(Path(folder) / "home")) as (address, key):
            sys.exit(check(address, key, given.examples, given.seed))


if __name__ == "__main__":
    main()

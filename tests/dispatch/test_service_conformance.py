"""The API against its OpenAPI document, in small; `benchmarks/conformance.py` runs the whole."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import service_kit as kit

from dispatch.service import Service, ServiceSettings
from dispatch.store import Store

#: 422 and 409 are answered to what no schema can tell: a date that no calendar has, a position beyond the end.
CONFIG = '[checks.positive_data_acceptance]\nexpected-statuses = ["2xx", "3xx", "404", "409", "422"]\n'


def test_schemathesis_finds_nothing(tmp_path: Path, trained_models: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists():
        pytest.skip("schemathesis is not installed")
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    settings = ServiceSettings(rate=1e6, burst=10**6, guesses=10**6)
    with Store.open(str(tmp_path / "s.sqlite3")) as store:
        service = Service(store, kit.trained(trained_models), settings)
        key = kit.new_key(store)
        with kit.listening(service) as (host, port):
            command = [
                str(program), "--config-file", "schemathesis.toml", "run", f"http://{host}:{port}/openapi.json", "--header",
                f"Authorization: Bearer {key}", "--phases", "examples,fuzzing,stateful", "--max-examples", "4", "--seed", "7", "--workers", "1",
                "--no-color", "--continue-on-failure", "--suppress-health-check", "all",
            ]  # fmt: skip
            done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False, env=os.environ | {"NO_PROXY": "*"})
    assert done.returncode == 0, done.stdout[-6_000:]


def test_the_document_describes_the_api_alone(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        document = api.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/healthz", "/readyz", "/metrics", "/v1/suggestions", "/v1/suggestions/{suggestion_id}", "/v1/suggestions/{suggestion_id}/decision",
        "/v1/petitions/{petition_id}", "/open311/v2/services.json", "/open311/v2/requests.json", "/open311/v2/requests/{service_request_id}.json",
    }  # fmt: skip
    text = json.dumps(document)
    names = document["components"]["schemas"]
    for reference in {part.split('"')[0] for part in text.split('"#/components/schemas/')[1:]}:
        assert reference in names
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["summary"], (method, path)
            assert {"200", "422", "429", "500", "503"} <= set(operation["responses"]), (method, path)
            assert bool(operation.get("security")) == (path not in ("/healthz", "/readyz")), (method, path)

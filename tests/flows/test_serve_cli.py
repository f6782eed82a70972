"""`minqing keys` and `minqing serve` as an operator uses them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from flows.cli import main

CITY = Path(__file__).parents[2] / "corpora" / "data" / "cities" / "langang"
MARKS = ["赵钱孙", "13900139001", "mark-address", "mark-reason", "mark-query"]


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def test_keys(home: Path) -> None:
    assert "还没有密钥" in run("keys", "list").output
    made = run("keys", "add", "调度平台", "--scope", "suggestions:read", "--scope", "decisions:write", "--expires", "90d")
    assert made.exit_code == 0
    text = made.stdout.strip()
    assert re.fullmatch(r"mq_[a-z0-9]{12}_[A-Za-z0-9_-]{43}", text)
    again = run("keys", "add", "调度平台", "--scope", "suggestions:read")
    assert again.exit_code == 2
    assert "rotate" in again.output
    rotated = json.loads(run("keys", "rotate", "调度平台", "--grace", "0m", "--json").stdout)
    assert rotated["scopes"] == ["decisions:write", "suggestions:read"]
    listed = json.loads(run("keys", "list", "--json").stdout)
    assert {item["key_id"]: item["state"] for item in listed} == {rotated["key_id"]: "active", text.split("_")[1]: "expired"}
    table = run("keys", "list").output
    assert "有效 active" in table
    assert text.split("_", 2)[2] not in table + json.dumps(listed)
    assert "已吊销" in run("keys", "revoke", rotated["key_id"]).output
    assert run("keys", "revoke", rotated["key_id"]).exit_code == 2
    assert run("keys", "add", "x", "--scope", "all").exit_code == 2
    assert run("keys", "add", "x", "--scope", "metrics:read", "--expires", "soon").exit_code == 2
    assert run("keys", "add", "x", "--scope", "metrics:read", "--expires", "99999d").exit_code == 2


def test_what_cannot_be_served(home: Path, tmp_path: Path) -> None:
    clear = run("serve", "--host", "0.0.0.0")
    assert clear.exit_code == 2
    assert "in the clear" in clear.output
    assert run("serve", "--places", "p.csv").exit_code == 2
    assert run("serve", "--reports", "x=/nowhere").exit_code == 2
    nothing = run("serve", "--port", "0")
    assert nothing.exit_code == 2
    assert nothing.output.startswith("minqing: ")


@pytest.fixture
def served(trained_home: Path) -> Any:
    """Start the service as an operator does; give its URL, a key and the process."""
    key = run("keys", "add", "test", *(part for scope in ("suggestions:write", "suggestions:read", "decisions:write") for part in ("--scope", scope)))
    command = [sys.executable, "-c", "from flows.cli import main; main()", "serve", "--port", "0", "--units", str(CITY / "units.yaml")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"})
    assert process.stdout is not None
    url = process.stdout.readline().split()[-1]
    yield url, key.stdout.strip(), process
    if process.poll() is None:
        process.kill()
        process.communicate()


def test_serve_answers_logs_and_ends(served: Any) -> None:
    """A run with marked personal data: it is in no line of output; SIGTERM lets what is in work end."""
    url, key, process = served
    headers = {"Authorization": f"Bearer {key}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        assert client.get("/readyz").json()["status"] == "ready"
        letter = {"petition_id": "S1", "title": f"我叫{MARKS[0]}", "body": f"路灯坏了，电话{MARKS[1]}", "address": MARKS[2]}
        made = client.post("/v1/suggestions", json=letter, params={"q": MARKS[4]}).json()["suggestion"]
        client.post(f"/v1/suggestions/{made['suggestion_id']}/decision", json={"verdict": "refused", "reason": MARKS[3]})
        client.post("/v1/suggestions", content=json.dumps(letter)[:-3], headers={"Content-Type": "application/json"})
        client.get(f"/nowhere/{MARKS[0]}")
        many = {"petitions": [letter | {"petition_id": f"M{n}", "body": f"路灯坏了{n}"} for n in range(400)]}
        answers: list[httpx.Response] = []
        thread = threading.Thread(target=lambda: answers.append(client.post("/v1/suggestions", json=many)))
        thread.start()
        while "minqing_petitions_waiting 0.0" in (told := httpx.get(f"{url}/metrics", trust_env=False).text) and thread.is_alive():
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        thread.join()
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert answers[0].json()["routed"] == 400
    lines = [json.loads(line) for line in err.splitlines()]
    assert {"/v1/suggestions", "/v1/suggestions/{suggestion_id}/decision", "unmatched"} <= {line.get("route") for line in lines}
    assert all(line["request_id"] for line in lines if line["event"] == "request")
    for mark in [*MARKS, key, key.split("_", 2)[2]]:
        assert mark not in out + err + told

"""Subscribers, publish, deliveries and schemas as commands, with a real run of the bundled sample."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import receiver
from click.testing import CliRunner, Result

from corpora.workspace import store_address
from dispatch.messages import Suggestion
from dispatch.store import Store
from flows.cli import main

FILES = ("suggestion.made.v1.json", "decision.made.v1.event.json")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def routed(home: Path, city: Path) -> None:
    """Route the bundled sample into the store of the workspace, without Prefect."""
    from collections import Counter

    from flows import batch, output
    from flows.grouping import find_events
    from flows.plan import Progress, make_plan
    from flows.spool import claimed
    from flows.workers import Workers

    plan = make_plan([str(city / "incoming")], str(home / "out"), str(city / "units.yaml"), None, {}, None, dt.date(2026, 11, 20))
    with claimed(Path(plan.spool)), Workers(1, plan) as pool:
        for number in batch.read(plan):
            batch.score(plan, number)
        done = batch.what_was_read(plan)
        output.write(pool, plan, done, Counter(), find_events(plan, done.chunks), Progress())


def test_from_the_sample_to_the_receiver(trained_home: Path, city: Path, prefect_server: str, tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    routed(trained_home, city)
    lines = (trained_home / "out" / "suggestions.jsonl").read_bytes().splitlines()
    for line in lines:
        Suggestion.model_validate_json(line)

    added = json.loads(run("subscribers", "add", "hook", "http://127.0.0.1:1/x?token=geheim", "--from-start", "--json").output)
    assert added["secret"].startswith("whsec_")
    assert run("subscribers", "add", "files", str(drop), "--from-start").exit_code == 0
    with receiver.process(added["secret"]) as address:
        moved = run("subscribers", "remove", "hook", "--force")
        assert f"{len(lines)} 条未送达" in moved.output
        secret = json.loads(run("subscribers", "add", "hook", address + "/x", "--from-start", "--json").output)["secret"]
        failed = run("subscribers", "test", "hook")
        assert (failed.exit_code, "HTTP 401" in failed.output) == (1, True)  # the receiver still has the old secret
        with receiver.process(secret) as other:
            _move("hook", other + "/x")
            assert run("subscribers", "test", "hook").exit_code == 0
            assert run("subscribers", "test", "files").exit_code == 0
            done = run("publish", "--json")
            assert done.exit_code == 0, done.output
            result = json.loads(done.stdout)
            assert (result["delivered"], result["waiting"], result["dead_letters"]) == (2 * len(lines), 0, 0)
            record = receiver.told(other)
    assert len(record["applied"]) == len(lines)
    assert (record["counts"].get("invalid", 0), record["counts"].get("out_of_order", 0)) == (0, 0)
    (data,) = drop.glob("*.jsonl")
    assert [json.loads(line)["data"]["suggestion_id"] for line in data.read_bytes().splitlines()] == [
        json.loads(line)["suggestion_id"] for line in lines
    ]
    listed = run("subscribers", "list").output
    assert "hook" in listed
    assert secret not in listed + run("subscribers", "show", "hook").output


def _move(name: str, address: str) -> None:
    from sqlalchemy import update

    from dispatch.store.tables import subscribers

    with Store.open(store_address()) as store, store.writing() as connection:
        connection.execute(update(subscribers).where(subscribers.c.name == name).values(address=address))


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["subscribers", "add", "a", "https://u:geheim@x/"], "no name and password"),
        (["subscribers", "add", "a", "/nowhere"], "not a folder"),
        (["subscribers", "add", "a", "https://x/", "--set", "what"], "NAME=VALUE"),
        (["subscribers", "add", "a", "https://x/", "--set", "what=1"], "known: source"),
        (["subscribers", "show", "nobody"], "no subscriber"),
        (["subscribers", "rotate-secret", "nobody"], "no subscriber"),
        (["publish", "--only", "nobody"], "no subscriber"),
        (["deliveries", "list", "nobody"], "no subscriber"),
        (["deliveries", "replay", "nobody"], "no subscriber"),
        (["deliveries", "skip", "nobody", "1", "--why", "x"], "no subscriber"),
    ],
)
def test_errors_in_one_line(arguments: list[str], told: str) -> None:
    done = run(*arguments)
    assert done.exit_code == 2
    assert told in done.output
    assert "geheim" not in done.output
    assert "Traceback" not in done.output


def test_dead_letters_by_hand(home: Path) -> None:
    from delivery_helpers import fill, subscribe

    with Store.open(store_address()) as store:
        subscribe(store, "hook")
        fill(store, 2)
        fill(store, 2, revision=2)
        from dispatch.delivery import queue
        from dispatch.store.outbox import now

        with store.writing() as connection:
            queue.fan_out(connection, "hook", now(), 10)
            queue.claim(connection, "hook", "w", now(), 60, 10)
            queue.settle(connection, "hook", "w", now(), [queue.Result(n, queue.DEAD, 5, now(), 422, "HTTP 422") for n in (1, 2)])
    listed = run("deliveries", "list").output
    assert "HTTP 422" in listed
    assert "死信挡住同一来件的后续消息" in listed
    assert [item["behind"] for item in json.loads(run("deliveries", "list", "hook", "--json").output)] == [1, 1]
    assert "跳过 skipped: 1" in run("deliveries", "skip", "hook", "1", "--why", "已线下告知").output
    assert "to be sent again: 1" in run("deliveries", "replay", "hook").output
    assert run("deliveries", "replay", "hook", "1").exit_code == 2
    assert run("deliveries", "replay", "hook", "1", "--from", "1").exit_code == 2
    assert "没有" in run("deliveries", "list").output
    assert "pending" in run("deliveries", "list", "--status", "pending").output


def test_pause_change_and_rotate(home: Path) -> None:
    assert "一次" in run("subscribers", "add", "hook", "http://a.example/x").output
    assert "暂停" in run("subscribers", "pause", "hook", "--why", "x").output
    assert "原已如此" in run("subscribers", "pause", "hook").output
    assert "active" in run("subscribers", "resume", "hook").output
    assert run("subscribers", "set", "hook", "concurrency=2").exit_code == 0
    assert json.loads(run("subscribers", "show", "hook").output)["settings"]["concurrency"] == 2
    assert "whsec_" in run("subscribers", "rotate-secret", "hook", "--hours", "1").output
    assert len(json.loads(run("subscribers", "show", "hook").output)["secrets"]) == 2
    assert run("subscribers", "remove", "hook").exit_code == 0
    assert "还没有接收方" in run("subscribers", "list").output


def test_schemas(tmp_path: Path) -> None:
    assert run("schemas", "--check").exit_code == 0
    (tmp_path / "mine.json").write_text("{}")
    assert run("schemas", "--out", str(tmp_path)).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} >= {"mine.json", *FILES}
    assert all(name in run("schemas").output for name in FILES)


@pytest.mark.parametrize("workers", [1, 2])
def test_follow_ends_well_on_sigterm(home: Path, workers: int) -> None:
    from delivery_helpers import fill, subscribe

    with Store.open(store_address()) as store:
        secret = subscribe(store, "hook", settings={"read_seconds": 10, "total_seconds": 20})
        with receiver.process(secret) as address:
            _move("hook", address + "/x")
            fill(store, 20)
            command = [sys.executable, "-c", "from flows.cli import main; main()", "publish", "--follow", "--workers", str(workers), "--json"]
            environment = {**os.environ, "PREFECT_API_URL": "http://127.0.0.1:1"}  # not needed
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=receiver.ROOT) as child:
                found: dict[str, Any] = {"applied": []}
                deadline = time.monotonic() + 60
                while len(found["applied"]) < 20 and time.monotonic() < deadline and child.poll() is None:
                    time.sleep(0.1)
                    found = receiver.told(address)
                child.send_signal(signal.SIGTERM)
                out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    assert (len(found["applied"]), json.loads(out)["hook"]["delivered"]) == (20, 20)

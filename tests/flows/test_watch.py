"""`minqing watch` end to end on the bundled sample: from the store and from files, old champions, no champion, the trigger."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from flows import watch as watch_flow
from flows.cli import main
from flows.watching import recall, remember, worst
from models import registry

pytestmark = pytest.mark.usefixtures("prefect_server")
DAY = "2026-11-20"


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["watch", *map(str, arguments)])


def outcome(out: Path) -> dict[str, Any]:
    return json.loads((out / "watch.json").read_text("utf-8"))


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    def write(**watch: Any) -> Path:
        path = tmp_path / "city-config.yaml"
        path.write_text(yaml.safe_dump({"watch": watch}), "utf-8")
        return path

    return write


def test_the_store_and_files_give_the_same(trained_home: Path, city: Path, tmp_path: Path) -> None:
    from flows.route import route

    routed = route([str(city / "incoming")], str(tmp_path / "routed"), units=str(city / "units.yaml"), on=dt.date(2026, 11, 20), workers=1)
    stored = run("--days", "600", "--on", "2027-01-31", "--out", tmp_path / "store")
    files = run(city / "incoming", "--units", city / "units.yaml", "--on", DAY, "--out", tmp_path / "files")
    assert {stored.exit_code, files.exit_code} <= {0, 3}, stored.output + files.output
    one, other = outcome(tmp_path / "store"), outcome(tmp_path / "files")
    assert (one["measured"], other["measured"], other["read"]) == (routed["routed"], routed["routed"], routed["read"])
    for target in ("issue_type", "unit"):
        mine, theirs = one["targets"][target], other["targets"][target]
        assert (mine["reference"], mine["rows"], mine["other_versions"]) == ("training", routed["routed"], 0)
        for a, b in zip(mine["dimensions"], theirs["dimensions"], strict=True):
            assert (a["name"], a["status"]) == (b["name"], b["status"])
            assert a["psi"] == pytest.approx(b["psi"], abs=0.02)  # the store keeps four decimals of a probability
        assert mine["overall"]["back"] == theirs["overall"]["back"]
    assert one["targets"]["unit"]["overall"]["back"] > 0
    page = (tmp_path / "store" / "watch.html").read_text("utf-8")
    assert "承办单位模型" in page
    assert len(recall(trained_home / "watch" / "history.jsonl")) == 2
    assert not list((trained_home / "spool").glob("watch-*"))
    with sqlite3.connect(trained_home / "store.sqlite3") as store:
        bodies = [body for (body,) in store.execute("SELECT body FROM petitions") if len(body) > 30]
    assert not any(body[:30] in page or body[:30] in json.dumps(one, ensure_ascii=False) for body in bodies)


def test_garbled_files_advise_retraining(trained_home: Path, petitions: Callable[..., Path], tmp_path: Path, config: Callable[..., Path]) -> None:
    rows = [(f"G{i:04d}", "2026-11-20 09:00", "来信", "", f"Ã¤Â½Â Ã¥Â¥Â½ complaint {i} about the street lamp", "") for i in range(80)]
    done = run(petitions([*rows, ("G9999", "2026-11-20", "来信", "", "", "")]), "--out", tmp_path / "out")
    assert done.exit_code == 3, done.output
    found = outcome(tmp_path / "out")
    assert (found["verdict"], found["measured"], found["rejected"]) == ("retrain", 80, {"missing_body": 1})
    assert "minqing retrain" in done.output
    assert "missing_body 1" in done.output
    assert {item["target"]: item["triggered"] for item in found["retrain"]} == {"issue_type": False, "unit": False}


def test_an_empty_store_is_not_judged(trained_home: Path, tmp_path: Path) -> None:
    done = run("--out", tmp_path / "out", "--target", "unit", "--json")
    assert done.exit_code == 0, done.output
    found = json.loads(done.output)
    assert (found["verdict"], found["measured"], list(found["targets"])) == ("undecided", 0, ["unit"])


def test_one_petition_is_not_judged(trained_home: Path, petitions: Callable[..., Path], tmp_path: Path) -> None:
    done = run(petitions([("A1", "2026-11-20 09:00", "来信", "路灯", "路灯不亮", "")]), "--out", tmp_path / "out")
    assert (done.exit_code, outcome(tmp_path / "out")["verdict"]) == (0, "undecided")
    assert "样本不足" in done.output


def test_a_champion_from_before_there_was_a_reference(trained_home: Path, city: Path, tmp_path: Path) -> None:
    root = trained_home / "models"
    saved = registry.load(root, "unit")
    manifest = {k: v for k, v in saved.manifest.items() if k not in ("reference", "version", "format", "files")}
    manifest["rows"] += 1  # another version: the reference is no part of the name
    companions = {name: (saved.folder / name).read_bytes() for name in ("units.yaml", "places.csv", "lexicon.txt")}
    registry.promote(root, "unit", registry.save(root, "unit", saved.arrays, manifest, companions).version)
    done = run(city / "incoming", "--target", "unit", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    one = outcome(tmp_path / "out")["targets"]["unit"]
    assert (one["reference"], {item["status"] for item in one["dimensions"]}) == (None, {"unknown"})
    assert "没有训练时的参照" in (tmp_path / "out" / "watch.html").read_text("utf-8")


def test_without_a_champion_there_is_nothing_to_watch(home: Path, tmp_path: Path) -> None:
    done = run("--out", tmp_path / "out")
    assert done.exit_code == 2
    assert "no issue_type or unit model is in service" in done.output
    assert "minqing train" in done.output


def test_days_are_not_for_files(trained_home: Path, city: Path) -> None:
    assert run(city / "incoming", "--days", "3").exit_code == 2


def test_the_trigger(monkeypatch: pytest.MonkeyPatch, config: Callable[..., Path]) -> None:
    from types import SimpleNamespace

    from corpora.config import load_config

    calls: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(watch_flow, "run_deployment", lambda name, **more: calls.append((name, more)) or SimpleNamespace(id="run-1"))
    limits = load_config(config(trigger=True, deployment="retrain/weekly")).watch
    done = watch_flow.retraining("unit", "unit-1f", dt.date(2026, 11, 20), limits)
    assert (done["triggered"], done["flow_run"], done["deployment"]) == (True, "run-1", "retrain/weekly")
    ((name, more),) = calls
    assert (name, more["parameters"]["target"], more["timeout"]) == ("retrain/weekly", "unit", 0)
    assert more["idempotency_key"] == "watch-unit-1f-2026-47"


def test_a_deployment_that_is_not_there_is_told(config: Callable[..., Path]) -> None:
    from corpora.config import load_config

    limits = load_config(config(trigger=True, deployment="retrain/nowhere")).watch
    done = watch_flow.retraining("unit", "unit-1f", dt.date(2026, 11, 20), limits)
    assert (done["triggered"], done["why"]) == (False, "retrain/nowhere: ObjectNotFound")


def test_history_says_each_watch_once_and_survives_a_broken_line(tmp_path: Path) -> None:
    path = tmp_path / "watch" / "history.jsonl"
    found = {"at": "1", "since": "a", "until": "b", "verdict": "stable", "source": "store", "targets": {}}
    remember(path, found)
    remember(path, found | {"at": "2"})
    path.write_text(path.read_text("utf-8") + '{"at": "3", "si', "utf-8")
    remember(path, found | {"until": "c"})
    assert [(entry["at"], entry["until"]) for entry in recall(path)] == [("1", "b"), ("1", "c")]


def test_the_gravest_verdict_counts() -> None:
    assert worst(["stable", "undecided"]) == "stable"
    assert worst(["undecided"]) == "undecided"
    assert worst(["watch", "retrain", "stable"]) == "retrain"


def test_the_daily_deployment_is_a_flow(monkeypatch: pytest.MonkeyPatch) -> None:
    import inspect

    from prefect.flows import load_flow_from_entrypoint

    folder = Path(__file__).parents[2]
    monkeypatch.chdir(folder)
    (daily,) = [item for item in yaml.safe_load((folder / "prefect.yaml").read_text("utf-8"))["deployments"] if item["name"] == "daily"]
    inspect.signature(load_flow_from_entrypoint(daily["entrypoint"]).fn).bind(**daily["parameters"])

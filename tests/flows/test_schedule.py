"""The deployments of prefect.yaml exist, can be imported and take the parameters they are given."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "prefect.yaml"
pytestmark = pytest.mark.skipif(not FILE.exists(), reason="there is no prefect.yaml beside the packages")


def deployment(name: str) -> dict[str, Any]:
    found = [item for item in yaml.safe_load(FILE.read_text("utf-8"))["deployments"] if item["name"] == name]
    assert len(found) == 1
    return dict(found[0])


def nightly() -> dict[str, Any]:
    return deployment("nightly")


@pytest.mark.parametrize("name", ["nightly", "retrain", "daily", "publish", "mine"])
def test_entrypoint_is_a_flow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from prefect.flows import Flow, load_flow_from_entrypoint

    monkeypatch.chdir(ROOT)
    flow = load_flow_from_entrypoint(deployment(name)["entrypoint"])
    assert isinstance(flow, Flow)
    for schedule in deployment(name)["schedules"]:
        inspect.signature(flow.fn).bind(**deployment(name)["parameters"] | schedule.get("parameters", {}))


def test_it_is_retrained_weekly_once_somebody_turns_it_on() -> None:
    types, units = deployment("retrain")["schedules"]
    assert [schedule["parameters"]["target"] for schedule in (types, units)] == ["issue_type", "unit"]
    assert not types["active"]
    assert not units["active"]
    assert {schedule["cron"].split()[4] for schedule in (types, units)} == {"6"}


def test_it_runs_every_night_in_china() -> None:
    from prefect.client.schemas.schedules import CronSchedule

    (schedule,) = nightly()["schedules"]
    assert schedule["timezone"] == "Asia/Shanghai"
    minute, hour, *days = CronSchedule(cron=schedule["cron"], timezone=schedule["timezone"]).cron.split()
    assert minute.isdecimal()
    assert int(hour) < 6
    assert days == ["*", "*", "*"]


def test_prefect_version_is_the_one_pinned() -> None:
    pinned = next(line for line in (ROOT / "pyproject.toml").read_text("utf-8").splitlines() if '"prefect==' in line)
    assert f'"prefect=={yaml.safe_load(FILE.read_text("utf-8"))["prefect-version"]}"' in pinned


@pytest.mark.usefixtures("prefect_server")
def test_a_night_of_the_bundled_city(trained_home: Path, city: Path, tmp_path: Path) -> None:
    from flows.route import nightly as flow

    run = flow(str(city / "incoming"), str(tmp_path))
    (folder,) = tmp_path.iterdir()
    assert run["read"] == run["routed"] + run["rejected"] > 300
    assert {"run.json", "report.html"} <= {path.name for path in folder.iterdir()}


@pytest.mark.usefixtures("prefect_server", "trained_home")
def test_a_night_with_an_empty_inbox(tmp_path: Path) -> None:
    from flows.route import nightly as flow

    (tmp_path / "inbox").mkdir()
    run = flow(str(tmp_path / "inbox"), str(tmp_path / "out"))
    assert run["routed"] == 0
    assert run["read"] == run["rejected"]

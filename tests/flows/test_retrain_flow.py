"""A retraining from rows to the model in service, and what leaves the champion alone."""

from __future__ import annotations

import contextvars
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from corpora.labelled import split_of
from flows import comparing, retraining
from flows import retrain as flow_module
from flows.cli import main
from flows.learning import read_labelled
from models import registry
from pipeline.petitions.prepare import masked

pytestmark = pytest.mark.usefixtures("prefect_server")
UNITS = ("市城管局", "市人社局", "市教育局")
THINGS = ("路灯 井盖 垃圾桶 广告牌 摊点 护栏", "工资 社保 加班费 工伤 合同 公积金", "学位 幼儿园 补课班 校服 营养餐 班主任")
WRONG = "坏了没人管 拖了半年 收费不清楚 没有人答应 影响生活 一直投诉".split()
WHERE = "东门口 西街上 南河边 北山脚".split()
CONFIG = "gate: {min_rows: 20, draws: 200}\nretrain: {test: 0.3}\n"


def rows() -> list[list[str]]:
    """Return 432 letters: id, body, unit."""
    found = []
    for unit, things in zip(UNITS, THINGS, strict=True):
        for thing in things.split():
            found += [
                [f"L{len(found) + i + 1000 * UNITS.index(unit)}", f"{where}的{thing}{wrong}，请尽快处理。", unit]
                for i, (wrong, where) in enumerate((wrong, where) for wrong in WRONG for where in WHERE)
            ]
    return found


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    """Return a writer of labelled CSV files."""

    def write(lines: list[list[str]], name: str = "history.csv") -> str:
        path = tmp_path / name
        path.write_text("编号,内容,承办单位\n" + "".join(",".join(line) + "\n" for line in lines), "utf-8")
        return str(path)

    return write


@pytest.fixture
def config(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture
def wrong(write: Callable[..., str]) -> str:
    """Return a file in which most rows that are learnt from have the label of another unit; the test rows are right."""
    lines = rows()
    part = split_of(masked(read_labelled([Path(write(lines, "right.csv"))], {})[0]), "hash", 0.3)
    for i, line in enumerate(lines):
        if part[i] == "train" and i % 5:
            line[2] = UNITS[(UNITS.index(line[2]) + 1) % 3]
    return write(lines, "wrong.csv")


def retrain(path: str, config: str, **more: Any) -> dict[str, Any]:
    return flow_module.retrain("unit", [path], config=config, **more)


def champion(home: Path) -> str | None:
    return registry.champion(home / "models", "unit")


def test_first_better_worse_override(home: Path, write: Callable[..., str], wrong: str, config: str, tmp_path: Path) -> None:
    bad = retrain(wrong, config)
    assert (bad["decision"], bad["gate"]["verdict"]) == ("refused", "blocked")  # worse than a guess
    assert champion(home) is None
    assert len(registry.versions(home / "models", "unit")) == 1  # it can be looked at
    forced = retrain(wrong, config, override="王工", why="演练")
    assert (forced["decision"], champion(home)) == ("overridden", bad["candidate"])
    good = retrain(write(rows()), config, out=str(tmp_path / "out"))
    assert (good["decision"], good["gate"]["verdict"], champion(home)) == ("promoted", "better", good["candidate"])
    assert good["rows"]["read"] == 432 == good["rows"]["train"] + good["rows"]["test"]
    assert good["seen"] == 0
    assert good["compared"] == good["rows"]["test"]
    again = retrain(wrong, config)
    assert (again["decision"], again["gate"]["verdict"], champion(home)) == ("refused", "worse", good["candidate"])
    same = retrain(write(rows()), config)
    assert (same["decision"], champion(home)) == ("unchanged", good["candidate"])
    kept = [(entry.version, entry.by) for entry in registry.history(home / "models", "unit")]
    assert kept == [(bad["candidate"], "王工"), (good["candidate"], "gate")]
    assert json.loads((tmp_path / "out" / "retrain.json").read_text("utf-8")) == json.loads(json.dumps(good))
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert "候选模型已上线" in page
    assert "default-src &#39;none&#39;" in page  # it may fetch nothing
    assert not list((home / "spool").iterdir())


def test_rows_that_the_champion_has_learnt_from_are_not_asked(home: Path, write: Callable[..., str], config: str) -> None:
    from flows.learning import train_files

    train_files("unit", [Path(write(rows()[::2], "half.csv"))], {})
    run = retrain(write(rows()), config)
    assert run["seen"] > 30
    assert run["compared"] + run["seen"] == run["rows"]["test"]
    train_files("unit", [Path(write(rows()))], {})
    run = retrain(write(rows()), config)
    assert (run["decision"], run["compared"]) == ("refused", 0)
    assert "champion has not learnt from" in run["gate"]["reasons"][0]


def cli(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["retrain", "--target", "unit", *arguments])


def test_the_command_line_leaves_it_to_a_person(home: Path, write: Callable[..., str], config: str) -> None:
    done = cli(write(rows()), "--config", config, "--approve", "ask")
    assert done.exit_code == 0, done.output
    (version,) = [entry["version"] for entry in registry.versions(home / "models", "unit")]
    assert f"minqing models promote {version}" in done.output
    assert champion(home) is None
    assert (home / "retrains").is_dir()


@pytest.mark.parametrize("approve", [True, False])
def test_a_paused_run_waits_for_an_answer(
    home: Path, write: Callable[..., str], config: str, monkeypatch: pytest.MonkeyPatch, approve: bool
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.filters import FlowRunFilter
    from prefect.flow_runs import resume_flow_run

    monkeypatch.setattr(flow_module, "_POLL_SECONDS", 1)
    found: list[dict[str, Any]] = []
    path = write(rows())
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: found.append(context.run(retrain, path, config, approval="ask")))
    thread.start()
    only_paused = FlowRunFilter.model_validate({"state": {"type": {"any_": ["PAUSED"]}}})
    with get_client(sync_client=True) as client:
        for _ in range(300):
            waiting = client.read_flow_runs(flow_run_filter=only_paused)
            if waiting or not thread.is_alive():
                break
            time.sleep(0.2)
    assert champion(home) is None
    (report,) = (home / "retrains").glob("*/report.html")
    assert "待审批" in report.read_text("utf-8")
    resume_flow_run(waiting[0].id, run_input={"approve": approve, "name": "李科长", "why": "看过报告"})
    thread.join(60)
    (run,) = found
    assert run["decision"] == ("promoted" if approve else "declined")
    assert (run["by"], run["why"]) == ("李科长", "看过报告")
    assert champion(home) == (run["candidate"] if approve else None)
    if approve:
        assert registry.history(home / "models", "unit")[0].by == "李科长"


@pytest.mark.parametrize("stage", ["gather", "learn", "compare", "promote"])
def test_a_full_disk_leaves_the_champion(
    home: Path, write: Callable[..., str], wrong: str, config: str, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    before = retrain(wrong, config, override="王工", why="演练")["candidate"]

    def fail(*arguments: Any, **named: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = {"gather": (retraining.feather, "write_feather"), "learn": (registry, "save_file"), "promote": (os, "fsync")}
    monkeypatch.setattr(*place.get(stage, (comparing, "evaluate_model")), fail)
    with pytest.raises((OSError, registry.ModelError), match="No space left"):
        retrain(write(rows()), config)
    monkeypatch.undo()
    assert champion(home) == before
    assert not [path for path in (home / "models" / "unit").iterdir() if path.name.startswith(".draft")]
    assert not list((home / "spool").iterdir())


_KILLED = """
import os, sys
from flows import retraining
from models import registry
request = retraining.Request("unit", (sys.argv[2],), config=sys.argv[3])
kill = lambda *a, **k: os.kill(os.getpid(), 9)
retraining.gather(request)
if sys.argv[1] == "save":
    registry.save_file = kill
version = retraining.learn(request)
os.fsync = kill
retraining.promote("unit", version, registry.champion(retraining.models_dir(), "unit"), "x", "y", "promote")
"""


@pytest.mark.parametrize("moment", ["save", "promote"])
def test_killed_in_the_middle(home: Path, write: Callable[..., str], wrong: str, config: str, moment: str) -> None:
    before = retrain(wrong, config, override="王工", why="演练")["candidate"]
    done = subprocess.run([sys.executable, "-c", _KILLED, moment, write(rows()), config], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert champion(home) == before
    listed = registry.versions(home / "models", "unit")
    assert len(listed) == (1 if moment == "save" else 2)
    assert not any("problem" in entry for entry in listed)
    assert retrain(write(rows()), config)["decision"] == "promoted"


def test_a_tampered_champion_or_candidate_is_not_compared(home: Path, write: Callable[..., str], config: str) -> None:
    version = retrain(write(rows()), config)["candidate"]
    with (home / "models" / "unit" / version / "arrays.safetensors").open("ab") as file:
        file.write(b"x")
    done = cli(write(rows()[::2]), "--config", config)
    assert (done.exit_code, "changed since it was saved" in done.output) == (2, True)
    assert champion(home) == version


def test_another_promotion_in_between_stands(
    home: Path, write: Callable[..., str], wrong: str, config: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = retrain(write(rows()[::2], "half.csv"), config)["candidate"]
    other = retrain(wrong, config)["candidate"]
    compare = retraining.compare

    def meanwhile(request: Any, version: str) -> dict[str, Any]:
        found = compare(request, version)
        registry.promote(home / "models", "unit", other, by="别人")
        return found

    monkeypatch.setattr(retraining, "compare", meanwhile)
    with pytest.raises(registry.ModelError):
        retrain(write(rows()), config)
    assert first != champion(home) == other


def test_two_retrainings_of_one_target_at_once(home: Path, write: Callable[..., str], config: str) -> None:
    from flows.spool import claimed

    (home / "spool").mkdir(parents=True)
    with claimed(home / "spool" / "retrain-unit"):
        done = cli(write(rows()), "--config", config)
    assert (done.exit_code, "under way in another process" in done.output) == (2, True)


@pytest.mark.parametrize(
    ("lines", "arguments", "message"),
    [
        (rows()[:3], (), "3 usable rows"),
        ([[*line[:2], UNITS[0]] for line in rows()[:60]], (), "have the same unit"),
        (rows(), ("--override", "王工"), "--override goes with --why"),
        (rows(), ("--units", "nowhere.yaml"), "nowhere.yaml: no such file"),
        (rows(), ("--map", "body=答复意见"), "答复意见"),
        ([["a", "", ""]], (), "0 usable rows"),
        ([[f"X{i}", rows()[0][1], UNITS[i % 3]] for i in range(90)], (), "different labels: 90"),
    ],
    ids=["three rows", "one class", "override without why", "no such file", "reply as text", "nothing", "contradictions"],
)
def test_bad_input(home: Path, write: Callable[..., str], config: str, lines: Any, arguments: tuple[str, ...], message: str) -> None:
    done = cli(write(lines), "--config", config, *arguments)
    assert done.exit_code == 2, done.output
    assert message in done.output
    assert champion(home) is None
    assert not (home / "models" / "unit").exists()

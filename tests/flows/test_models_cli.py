"""`minqing models`: what an analyst sees of the saved versions. The units are invented."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from flows.cli import main
from flows.learning import read_labelled
from models import registry
from models.city import City
from models.training import train

UNITS = """format: minqing/units/1
city: {name: 临湾市, code: LW}
units:
  - {code: A, name: 市城管局, kind: department, area: [LW], valid_from: 2020-01-01}
  - {code: B, name: 市园林局, kind: department, area: [LW], valid_from: 2020-01-01, valid_to: 2025-12-31, successor: [A]}
  - {code: C, name: 市盐务局, kind: department, area: [LW], valid_from: 2020-01-01, valid_to: 2025-12-31}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MINQING_HOME", str(tmp_path))
    return tmp_path / "models"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["models", *arguments])


def saved(root: Path, labels: list[str], rows: int = 3) -> str:
    manifest = {
        "rows": rows, "created_at": f"2026-11-0{rows}", "libraries": {"numpy": "2"}, "measures": {"accuracy": 0.5 + rows / 100},
        "model": {"labels": labels, "unit_names": labels, "classes": len(labels)},
    }  # fmt: skip
    return registry.save(root, "unit", {"a": np.ones(2, np.float32)}, manifest, {"units.yaml": UNITS.encode()}).version


def test_nothing_yet(root: Path) -> None:
    assert "还没有模型" in run("list").output
    assert json.loads(run("list", "--json").output) == []
    assert (run("check").exit_code, run("check").output.strip()) == (0, "没有现用模型 nothing is in service")
    assert run("show", "unit").exit_code == 2


def test_promote_list_compare_roll_back(root: Path) -> None:
    one, two = saved(root, ["A"], 3), saved(root, ["A", "B"], 4)
    assert run("promote", one, "--by", "陈", "--why", "首次").exit_code == 0
    refused = run("promote", two)
    assert (refused.exit_code, registry.champion(root, "unit")) == (2, one)
    assert f"nobody compared it with {one}" in refused.output
    registry.record_gate(root, "unit", two, one, {"passed": False, "verdict": "worse"})
    assert "the gate refused it" in run("promote", two).output
    registry.record_gate(root, "unit", two, one, {"passed": True, "verdict": "equal"})
    done = run("promote", two.removeprefix("unit-")[:5])
    assert done.exit_code == 0, done.output
    assert "已在用 in service already" in run("promote", two).output
    assert f"替换 replacing {one}" in done.output
    entries = json.loads(run("list", "--json").output)
    assert [(entry["version"], entry["champion"], entry["rows"]) for entry in entries] == [(two, True, 4), (one, False, 3)]
    lines = run("list").output.splitlines()
    assert [line[0] for line in lines if "unit-" in line] == ["*", " "]
    compared = json.loads(run("compare", one, "unit", "--json").output)
    assert compared["versions"] == [one, two]
    assert compared["measures"]["accuracy"] == [0.53, 0.54]
    assert (compared["only_first"], compared["only_second"], compared["same_rows"]) == ([], ["B"], False)
    assert "不可直接相比" in run("compare", one, two).output
    assert f"in service: {one}" in run("rollback", "unit", "--why", "误派").output
    shown = json.loads(run("show", "unit").output)
    assert shown["gates"] == []
    assert [gate["verdict"] for gate in json.loads(run("show", two).output)["gates"]] == ["equal"]
    assert (shown["version"], shown["champion"], [p["kind"] for p in shown["promotions"]]) == (
        one, True, ["promote", "rollback"],
    )  # fmt: skip
    assert run("rollback", "unit").exit_code == 2
    assert "已删除 removed 1" in run("prune", "unit", "--keep", "0").output
    assert [entry["version"] for entry in json.loads(run("list", "--json").output)] == [one]


def test_names_that_say_too_little_or_too_much(root: Path) -> None:
    saved(root, ["A"], 3), saved(root, ["A"], 4)
    assert "2 versions called 'unit-'" in run("promote", "unit-").output
    assert "no version called 'x'" in run("promote", "x").output
    assert registry.champion(root, "unit") is None


def test_a_damaged_version_is_not_put_in_service(root: Path) -> None:
    one = saved(root, ["A"])
    (root / "unit" / one / "units.yaml").write_text("别的", "utf-8")
    done = run("promote", one)
    assert (done.exit_code, registry.champion(root, "unit")) == (2, None)
    assert "missing or changed" in done.output
    (root / "unit" / one / "manifest.json").write_text("{", "utf-8")
    assert "不可用 unusable" in run("list").output


def test_check_maps_to_successors_and_fails_on_units_that_are_gone(root: Path) -> None:
    registry.promote(root, "unit", saved(root, ["A", "B"], 3))
    before = json.loads(run("check", "--on", "2024-06-01", "--json").output)
    assert (before[0]["ok"], before[0]["mapped"], before[0]["invalid"]) == (True, {}, [])
    now = run("check", "--on", "2026-06-01", "--json")
    assert now.exit_code == 0
    assert json.loads(now.output)[0]["mapped"] == {"B 市园林局": ["市城管局"]}
    registry.promote(root, "unit", saved(root, ["A", "B", "C"], 4))
    failed = run("check", "--on", "2026-06-01")
    assert failed.exit_code == 1
    assert "✗ unit" in failed.output
    assert "现无此单位 no such unit today: C" in failed.output
    assert "市园林局 → 市城管局" in failed.output


def test_check_against_a_newer_directory(root: Path, tmp_path: Path) -> None:
    registry.promote(root, "unit", saved(root, ["A", "B"]))
    newer = tmp_path / "now.yaml"
    newer.write_text("format: minqing/units/1\ncity: {name: 临湾市, code: LW}\nunits:\n  - {code: A, name: 市城管局, kind: department, area: [LW]}\n", "utf-8")
    failed = run("check", "--units", str(newer))
    assert failed.exit_code == 1
    assert "B" in failed.output


def test_a_damaged_champion_fails_the_check(root: Path) -> None:
    one = saved(root, ["A"])
    registry.promote(root, "unit", one)
    (root / "unit" / one / "arrays.safetensors").unlink()
    failed = run("check")
    assert failed.exit_code == 1
    assert "arrays.safetensors" in failed.output


# -- the gate ----------------------------------------------------------------------------------------------------------

WORDS = {"010202": "路灯坏了没人修", "030101": "学校收费太贵", "120201": "工资拖欠三个月"}


def written(path: Path, count: int, wrong: int = 0, start: int = 0) -> Path:
    """Write labelled petitions; of `wrong` in ten of the first type the label is another."""
    lines = ["编号,时间,渠道,标题,内容,问题类型"]
    labels = sorted(WORDS)
    for i in range(start, start + count):
        label = labels[i % 3]
        told = labels[1] if label == labels[0] and i // 3 % 10 < wrong else label
        extra = "".join(chr(0x4E00 + (i * 37 + j * 101) % 4000) for j in range(6))
        lines.append(f"P{i},2026-0{i % 6 + 1}-01 08:00:00,{'电话' if i % 2 else '来信'},来件{extra},{WORDS[label]}，{extra}一带,{told}")
    path.write_text("\n".join(lines), "utf-8")
    return path


@pytest.fixture(scope="module")
def versions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Train a good version, and one from rows of which half of a type bear another's label; return the folder of models."""
    folder = tmp_path_factory.mktemp("gate")
    table = {name: read_labelled([written(folder / f"{name}.csv", 60, wrong)], {})[0] for name, wrong in (("good", 0), ("bad", 8))}
    good, bad = (train("issue_type", table[name], City(), folder / "models").saved.version for name in ("good", "bad"))
    return folder / "models", good, bad


@pytest.fixture
def trained(root: Path, versions: tuple[Path, str, str]) -> tuple[Path, str, str]:
    """Return a copy of these models."""
    shutil.copytree(versions[0], root)
    return root, *versions[1:]


def test_the_better_one_is_promoted_and_the_worse_one_refused(trained: tuple[Path, str, str], tmp_path: Path) -> None:
    root, good, bad = trained
    rows = str(written(tmp_path / "new.csv", 150, start=1000))
    first = run("promote", bad, "--on", rows)
    assert first.exit_code == 0, first.output
    better = run("promote", good, "--on", rows, "--by", "陈")
    assert better.exit_code == 0, better.output
    assert "优于现用模型" in better.output
    assert registry.history(root, "issue_type")[-1].why == "gate: better"
    worse = run("promote", bad, "--on", rows)
    assert (worse.exit_code, registry.champion(root, "issue_type")) == (1, good)
    assert "变差 worse: 首选正确率 accuracy" in worse.output
    assert "the gate refused it" in run("promote", bad).output
    assert "needs a name and a reason" in run("promote", bad, "--override", "陈").output
    assert registry.champion(root, "issue_type") == good
    forced = run("promote", bad, "--override", "陈", "--why", "演示")
    assert forced.exit_code == 0, forced.output
    assert registry.history(root, "issue_type")[-1].kind == "override"
    verdicts = {gate["champion"]: gate["verdict"] for gate in json.loads(run("show", bad).output)["gates"]}
    assert verdicts == {None: "first", good: "worse"}
    assert run("show", bad, "--card").output.startswith(f"# 问题类型模型 {bad}")


def test_compare_on_rows_leaves_out_what_was_learnt_from(trained: tuple[Path, str, str], tmp_path: Path) -> None:
    root, good, bad = trained
    known, new = written(tmp_path / "known.csv", 60), written(tmp_path / "new.csv", 120, start=1000)
    found = json.loads(run("compare", good, bad, str(known), str(new), "--json").output)
    assert (found["compared"], found["left_out"], found["notes"]) == (120, {"训练时见过 seen in training": 60}, [])
    assert found["names"]["010202"].startswith("010202 ")
    assert {row["scope"] for row in found["rows"]} == {"overall", "class", "channel", "month"}  # all are of one length
    table = run("compare", bad, good, str(new), "--map", "body=内容").output
    assert "✗ 不予上线 refused: worse" in table
    assert "no labelled row is left" in run("compare", good, bad, str(known)).output
    assert registry.gates(root, "issue_type", good) == []  # looking is no judgement on record


def test_a_version_that_does_not_say_what_it_learnt_from(trained: tuple[Path, str, str], tmp_path: Path) -> None:
    root, good, bad = trained
    saved = registry.load(root, "issue_type", good)
    assert saved is not None
    arrays = {name: value for name, value in saved.arrays.items() if name != "training.rows"}
    old = registry.save(root, "issue_type", arrays, {k: v for k, v in saved.manifest.items() if k not in ("files", "version", "digest")}, {"lexicon.txt": saved.companion("lexicon.txt")}).version
    found = json.loads(run("compare", old, bad, str(written(tmp_path / "new.csv", 120, start=1000)), "--json").output)
    assert "does not say which rows it has learnt from" in found["notes"][0]


def test_a_candidate_that_names_a_unit_that_is_gone_is_refused(root: Path, tmp_path: Path) -> None:
    """The directory of today closes a unit that the candidate can name."""
    city = tmp_path / "city"
    city.mkdir()
    open_, closed = UNITS.replace(", valid_to: 2025-12-31}", "}"), UNITS.replace("valid_to: 2025-12-31}", "valid_to: 2026-01-31}")
    (city / "units.yaml").write_text(open_, "utf-8")
    rows = ["编号,标题,内容,承办单位"]
    texts = {"A": "路灯坏了没人修", "B": "公园树木倒伏", "C": "盐场卫生太差"}
    for i in range(120):
        code = "ABC"[i % 3]
        extra = "".join(chr(0x4E00 + (i * 37 + j * 101) % 4000) for j in range(6))
        rows.append(f"U{i},来件{extra},{texts[code]}，{extra}一带,{code}")
    for name, part in (("old", rows[:61]), ("new", [rows[0], *rows[61:]])):
        (tmp_path / f"{name}.csv").write_text("\n".join(part), "utf-8")
    table = read_labelled([tmp_path / "old.csv"], {})[0]
    name = train("unit", table, City.load(city / "units.yaml"), root).saved.version
    (city / "units.yaml").write_text(closed, "utf-8")
    config = tmp_path / "city.yaml"
    config.write_text("gate: {min_rows: 50}\n", "utf-8")
    done = run("promote", name, "--on", str(tmp_path / "new.csv"), "--units", str(city / "units.yaml"), "--config", str(config))
    assert (done.exit_code, registry.champion(root, "unit")) == (1, None)
    assert "今天已不存在的单位 1 个：C" in done.output
    fine = run("promote", name, "--on", str(tmp_path / "new.csv"), "--config", str(config))
    assert fine.exit_code == 0, fine.output


def test_training_by_hand_is_on_record(root: Path, tmp_path: Path) -> None:
    for start in (0, 1000):
        path = written(tmp_path / "rows.csv", 45, start=start)
        done = CliRunner().invoke(main, ["train", str(path), "--target", "issue_type"])
        assert done.exit_code == 0, done.output
        assert ("未经对比" in done.output) is bool(start)
    assert {(entry.kind, entry.why) for entry in registry.history(root, "issue_type")} == {("train", "trained by hand, no gate")}

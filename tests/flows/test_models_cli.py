"""`minqing models`: what an analyst sees of the saved versions. The units are invented."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from flows.cli import main
from models import registry

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
    done = run("promote", two.removeprefix("unit-")[:5])
    assert done.exit_code == 0, done.output
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

"""`minqing labels` from end to end on the bundled invented city: out, filled in by two people, back, decided, a corpus."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from corpora.label_store import exports, recorded
from corpora.labels import resolved
from corpora.workspace import labels_dir
from flows.cli import main

PHONE = "13812345678"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["labels", *map(str, arguments)])


def told(*arguments: object) -> Any:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Twelve letters, two of one text, one with a telephone number, and one that has no text."""
    letters = [f"幸福小区{i}幢楼道的灯坏了{word}，请来修理" for i, word in enumerate(("三天", "一周", "半月", "很久"))]
    letters += [f"{name}拖欠工资{word}，请劳动监察管一管" for name, word in (("工地", "三个月"), ("饭店", "半年"), ("工厂", "一年"))]
    letters += ["学校乱收费", f"我的电话是{PHONE}，路上井盖没了", "公交站太远，孩子上学不方便", "公交站太远，孩子上学不方便", ""]
    path = tmp_path / "inbox.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("编号", "内容"), *((f"00{i}", letter) for i, letter in enumerate(letters))])
    return path


def fill(path: Path, labels: Mapping[str, str], who: str, note: str = "") -> Path:
    book = load_workbook(path)
    sheet = book["标注"]
    at = {cell.value: cell.column for cell in sheet[1]}
    label = next(name for name in at if name.startswith("正确的"))
    for row in range(2, sheet.max_row + 1):
        name = labels.get(str(sheet.cell(row, at["编号"]).value))
        if name:
            sheet.cell(row, at[label]).value = name
            sheet.cell(row, at["标注人"]).value = who
            sheet.cell(row, at["备注"]).value = note
    filled = path.with_name(f"{who}.xlsx")
    book.save(filled)
    return filled


def test_the_whole_way(tmp_path: Path, city: Path, inbox: Path) -> None:
    units = ("--units", city / "units.yaml")
    assert "还没有导出过" in run("status").output
    sheet = tmp_path / "out" / "unit.xlsx"
    out = told("export", inbox, "--target", "unit", "--count", 8, "--out", sheet, *units)
    assert (out["rows"], out["read"], out["rejected"]) == (8, 11, {"missing_body": 1})
    assert out["left_out"] == {"same text or id as another row": 1}
    assert sum(out["picked_for"].values()) >= 8
    again = told("export", inbox, "--target", "unit", "--count", 8, "--out", tmp_path / "again.xlsx", *units)
    assert again["export"] == out["export"]

    (given_out,) = exports(labels_dir())
    ids = given_out.table["petition_id"].to_pylist()
    seen = [str(cell.value) for page in load_workbook(sheet) for row in page for cell in row]
    assert PHONE not in "".join([*seen, *given_out.table["body"].to_pylist()])
    one, two, three = ids[:3]
    first = fill(sheet, {one: "市公安局", two: "市公安局", three: "市公安局"}, "甲", f"打{PHONE}问过")
    second = fill(sheet, {one: "LG-D05", two: "市教育局"}, "乙")
    names = {unit["code"]: unit for unit in _units(city)}
    taken = told("import", first, second)
    assert (taken["rows"], taken["taken"], taken["rejected"]) == (16, 5, 0)
    assert told("import", first, second)["taken"] == 0
    assert PHONE not in (labels_dir() / "annotations.jsonl").read_text("utf-8")
    assert recorded(labels_dir())[0].note

    (state,) = told("status")
    assert (state["given_out"], state["labelled"], state["conflicts"], state["open"]) == (8, 1, 2, 5)
    assert [pair["petitions"] for pair in state["pairs"]] == [2]
    shown = run("status").output
    assert "Cohen's κ" in shown
    assert "minqing labels export --conflicts" in shown

    conflicts = told("export", "--conflicts", "--target", "unit", "--out", tmp_path / "conflicts.xlsx")
    assert conflicts["rows"] == 2
    sheet_of_conflicts = load_workbook(tmp_path / "conflicts.xlsx")["标注"]
    assert "标注不一致：" in "".join(str(cell.value) for row in sheet_of_conflicts for cell in row)
    decision = fill(tmp_path / "conflicts.xlsx", {one: "市公安局", two: names["LG-D05"]["name"]}, "丙")
    assert told("import", decision, "--decide")["taken"] == 2
    (state,) = told("status")
    assert (state["labelled"], state["decided"], state["conflicts"]) == (3, 2, 0)
    assert run("export", "--conflicts", "--target", "unit", "--out", tmp_path / "none.xlsx").exit_code == 2

    later = told("export", inbox, "--target", "unit", "--count", 20, "--out", tmp_path / "later.xlsx", *units)
    assert later["left_out"]["already annotated"] == 3

    corpus = told("dataset", "--target", "unit", "--out", tmp_path / "corpus", "--test", 0.34)
    assert (corpus["rows"], corpus["by_people"]) == (3, 3)
    from corpora.labelled import from_datasets, load

    table, parts = from_datasets(load(tmp_path / "corpus"), "unit")
    agreed = resolved(labels_dir(), "unit").table
    assert sorted(map(repr, table.to_pylist())) == sorted(map(repr, agreed.to_pylist()))
    assert len(parts) == 3
    assert run("dataset", "--target", "unit", "--out", tmp_path / "corpus").exit_code == 2


def _units(city: Path) -> list[dict[str, Any]]:
    import yaml

    return list(yaml.safe_load((city / "units.yaml").read_text("utf-8"))["units"])


def test_history_beside_the_labels_of_people(tmp_path: Path, city: Path) -> None:
    history = city / "history.csv"
    found = told("dataset", history, "--target", "unit", "--out", tmp_path / "unit", "--units", city / "units.yaml", "--by", "time")
    assert (found["rows"], found["by_people"], found["left_out"]) == (330, 0, {})
    assert found["parts"]["test"] == pytest.approx(50, abs=5)
    other = told("dataset", history, "--target", "unit", "--out", tmp_path / "same", "--units", city / "units.yaml", "--by", "time")
    assert other["fingerprints"] == found["fingerprints"]


@pytest.mark.parametrize("kind", ["xlsx", "label-studio", "doccano"])
def test_with_a_champion(tmp_path: Path, city: Path, trained_home: Path, kind: str) -> None:
    out = told("export", city / "incoming", "--target", "issue_type", "--count", 12, "--out", tmp_path, "--format", kind)
    assert out["model"].startswith("issue_type-")
    assert out["rows"] == 12
    (given_out,) = exports(labels_dir())
    assert all(pick["why"] and pick["suggestion"] for pick in given_out.manifest["picks"])
    assert all(Path(path).exists() for path in out["files"])


def test_what_cannot_be_exported(tmp_path: Path, inbox: Path) -> None:
    nowhere = run("export", inbox, "--target", "unit", "--out", tmp_path / "x.xlsx")
    assert (nowhere.exit_code, "no units are known" in nowhere.output) == (2, True)
    assert run("export", "--target", "unit", "--out", tmp_path / "x.xlsx").exit_code == 2
    empty = tmp_path / "empty.csv"
    empty.write_text("编号,内容\n", "utf-8")
    done = run("export", empty, "--target", "unit", "--out", tmp_path / "x.xlsx")
    assert (done.exit_code, "nothing to export" in done.output) == (2, True)
    wrong = run("export", inbox, "--target", "issue_type", "--out", tmp_path / "x.csv")
    assert (wrong.exit_code, "*.xlsx" in wrong.output) == (2, True)


def test_what_cannot_be_imported(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("[]", "utf-8")
    assert "文件里没有记录" in run("import", path).output
    assert run("import", tmp_path / "none.xlsx").exit_code == 2
    assert "no labelled rows" in run("dataset", "--target", "unit", "--out", tmp_path / "c").output

"""`minqing explain` and `minqing diagnose` from the command line."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner
from openpyxl import load_workbook

from flows.cli import main

PHONE = "13812345678"
#: unit → (things, what is wrong with them)
KINDS = {
    "市城管局": (("路灯", "窨井盖", "垃圾桶", "广告牌"), ("坏了没人修", "占着人行道", "臭气熏天", "夜里不亮")),
    "市人社局": (("工资", "社保", "加班费", "劳动合同"), ("拖欠三个月", "公司不给办", "老板不肯签", "一直没有发")),
    "市教育局": (("学区", "幼儿园", "补课班", "校服"), ("收费太贵", "名额不公开", "强制要求购买", "老师态度差")),
}


def run(*arguments: str) -> str:
    done = CliRunner().invoke(main, list(arguments))
    assert done.exit_code == 0, done.output
    return done.stdout


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Write 48 labelled petitions, the labels of two of them wrong, one unit with one row."""
    path = tmp_path / "labelled.csv"
    rows = []
    for i in range(48):
        unit = list(KINDS)[i % 3]
        things, wrong = KINDS[unit]
        filed = {4: "市教育局", 9: "市人社局", 20: "市档案局"}.get(i, unit)
        thing, what = things[i // 3 % 4], wrong[i // 12 % 4]
        rows.append((f"T{i:03d}", f"{thing}问题", f"{thing}{what}，已经{i}天，请处理，电话{PHONE}。", filed))
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("编号", "标题", "内容", "承办单位"), *rows, ("T900", "无标注", "没有标注的一件。", "")])
    return path


def test_explain_without_history_on_the_bundled_city(city: Path) -> None:
    units = str(city / "units.yaml")
    text = f"新渡路的路灯坏了一个星期，请尽快来修，电话{PHONE}。"
    found = json.loads(run("explain", text, "--units", units, "--top", "2", "--json"))
    assert PHONE not in json.dumps(found)
    assert found["masked"] == {"手机号": 1}
    assert not found["learnt"]
    assert len(found["candidates"]) == 2
    first = found["candidates"][0]
    assert sum(first["contributions"].values()) == pytest.approx(first["difference"])
    assert any("路灯" in span["text"] for span in first["left_out"])
    for span in first["left_out"]:
        assert found["text"][span["start"] : span["end"]] == span["text"]
    shown = run("explain", text, "--units", units)
    assert "职责 duty" in shown
    assert "无历史标注" in shown
    assert PHONE not in shown


def test_explain_a_petition_of_a_file_and_a_text_file(city: Path, tmp_path: Path) -> None:
    units = str(city / "units.yaml")
    rows = str(city / "history.csv")
    found = json.loads(run("explain", "--id", "LG20260105001", rows, "--units", units, "--target", "issue_type", "--json"))
    assert found["petition_id"] == "LG20260105001"
    assert "/" in found["candidates"][0]["name"]
    letter = tmp_path / "letter.txt"
    letter.write_text("渔港码头停不下渔船", "utf-8")
    assert "1. " in run("explain", "--file", str(letter), "--units", units)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["explain", "路灯坏了"], "no unit model is in service"),
        (["explain", "路灯坏了", "--target", "issue_type"], "no issue_type model is in service"),
        (["explain"], "give one TEXT"),
        (["explain", "a", "b"], "give one TEXT"),
        (["explain", "   ", "--units", "{units}"], "no text"),
        (["explain", "--id", "X"], "--id needs PATHS"),
        (["explain", "--id", "X", "{rows}", "--units", "{units}"], "no petition 'X' among 330 rows"),
        (["explain", "路灯", "--places", "x.csv"], "--units"),
        (["diagnose", "{rows}", "--target", "unit", "--map", "unit=没有"], "没有"),
    ],
)
def test_errors_are_one_line(arguments: list[str], said: str, city: Path) -> None:
    filled = [a.format(units=city / "units.yaml", rows=city / "history.csv") for a in arguments]
    done = CliRunner().invoke(main, filled)
    assert done.exit_code == 2, done.output
    assert said in done.output
    assert "Traceback" not in done.output


def test_diagnose_finds_the_wrong_labels_and_shows_no_number(labelled: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    found = json.loads(run("diagnose", str(labelled), "--target", "unit", "--curves", "--out", str(out), "--json"))
    assert (found["read"], found["rows"], found["left_out"]) == (49, 48, {"no label": 1})
    listed = [json.loads(line) for line in (out / "label_errors.jsonl").read_text("utf-8").splitlines()]
    doubted = {item["petition_id"]: item for item in listed}
    assert {"T004", "T009"} <= set(doubted)
    assert doubted["T004"]["suggested"] == "市人社局"
    assert doubted["T004"]["neighbours"]
    assert "T004" not in {near["id"] for near in doubted["T004"]["neighbours"]}
    assert found["curves"]["gains"]
    assert "市档案局" in {entry["label"] for entry in found["classes"]}
    page = (out / "report.html").read_text("utf-8")
    for text in (page, json.dumps(listed, ensure_ascii=False), (out / "diagnosis.json").read_text("utf-8")):
        assert PHONE not in text
    assert "〔手机号〕" in page or not re.search("电话", page.split("<script")[0])
    assert load_workbook(out / "label_errors.xlsx").active.max_row == len(listed) + 1
    shown = run("diagnose", str(labelled), "--target", "unit", "--out", str(out))
    assert "可疑标注" in shown
    assert max(map(len, shown.splitlines())) < 160


def test_diagnose_too_few_rows(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("编号,内容,承办单位\n1,路灯坏了没人修,甲局\n2,工资拖欠三个月,乙局\n3,路灯不亮了,甲局\n", "utf-8")
    done = CliRunner().invoke(main, ["diagnose", str(path), "--target", "unit", "--out", str(tmp_path / "o")])
    assert done.exit_code == 2, done.output
    assert "3 labelled rows are too few" in done.output

"""`minqing replies` from end to end on invented rows: accounting, privacy, awkward replies, the page, and no way to a router."""

from __future__ import annotations

import ast
import csv
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from flows.cli import main

HEADER = ("编号", "来信时间", "渠道", "标题", "内容", "答复意见", "答复时间", "答复单位")
SECRETS = ("13957746218", "138 6829 4471", "linqiaoyun_77@example-mail.com", "0577-62218834", "33038119880412")
ROOT = Path(__file__).parents[2]


def write(path: Path, rows: Sequence[Sequence[str]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def row(number: str, reply: str, replied: str = "2026-03-04 10:00", body: str = "", unit: str = "") -> tuple[str, ...]:
    text = body or f"海棠路{number}号门口的路灯坏了半个月，请问何时能修好？希望尽快派人维修。"
    return (number, "2026-03-02 09:00", "热线", f"海棠路{number}号路灯不亮", text, reply, replied if reply else "", unit)


GOOD = "您好！您的留言已收悉。经查，海棠路路灯因电缆老化损坏，我局已于3月3日更换电缆30米，路灯恢复照明。感谢您的支持！"


def run(path: Path, out: Path, *more: str) -> Result:
    return CliRunner().invoke(main, ["replies", str(path), "--out", str(out), "--on", "2026-03-20", *more])


def lines(out: Path) -> dict[str, dict[str, object]]:
    found = [json.loads(line) for line in (out / "replies.jsonl").read_text("utf-8").splitlines()]
    return {item["petition_id"]: item for item in found}


def test_read_is_scored_and_rejected(tmp_path: Path) -> None:
    rows = [
        row("1", GOOD, unit="市城管局"),
        row("2", "您的留言已收悉，已转市城管局办理。"),
        row("3", ""),
        row("4", "已修好。", "2026-02-01"),
        row("5", "已修好。", "不知道"),
    ]
    done = run(write(tmp_path / "a.csv", rows), tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    said = json.loads(done.output)
    assert (said["read"], said["scored"], said["rejected"]) == (5, 3, 2)
    assert said["rejected_by"] == {"bad_reply_time": 1, "reply_before_petition": 1}
    found = lines(tmp_path / "out")
    assert [item["kind"] for item in found.values()] == ["substantive", "holding", "unanswered"]
    assert found["1"]["unit"] == "市城管局"
    assert found["3"]["total"] == 0
    assert found["3"]["timeliness"]["state"] == "overdue"
    assert found["1"]["total"] > found["2"]["total"] > found["3"]["total"]
    rejected = [json.loads(line) for line in (tmp_path / "out" / "rejected.jsonl").read_text("utf-8").splitlines()]
    assert [(item["row"], item["code"]) for item in rejected] == [(5, "reply_before_petition"), (6, "bad_reply_time")]


def test_page_states_the_method_and_runs_nothing(tmp_path: Path) -> None:
    done = run(write(tmp_path / "a.csv", [row(str(n), GOOD) for n in range(8)]), tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "按期 on_time" in done.output
    page = (tmp_path / "out" / "replies.html").read_text("utf-8")
    for part in ("及时性", "相关性", "完整性", "可解释性", "不进入任何分办模型", "热线工单5个工作日内办理"):
        assert part in page
    assert "<script" not in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)


@pytest.mark.parametrize("where", ["reply", "body", "title"])
def test_personal_data_comes_out_nowhere(tmp_path: Path, where: str) -> None:
    rows = []
    for number, secret in enumerate((*SECRETS[:4], SECRETS[4] + "2471")):
        piece = f"联系电话{secret}" if secret[0] in "10" else f"身份证号{secret}" if secret[0] == "3" else f"邮箱{secret}"
        items = list(row(str(number), f"{GOOD}如有疑问请找{piece}。" if where == "reply" else GOOD))
        if where == "body":
            items[4] += f"我的{piece}。"
        if where == "title":
            items[3] += f"，{piece}"
        rows += [items, [f"{number}x", "2026-03-02", *items[2:6], "错" + piece, ""]]
    out = tmp_path / "out"
    done = run(write(tmp_path / "a.csv", rows), out, "--json")
    assert done.exit_code == 0
    texts = [path.read_text("utf-8") for path in out.iterdir() if path.suffix != ".xlsx"]
    with zipfile.ZipFile(out / "replies.xlsx") as book:
        texts += [book.read(name).decode("utf-8", "replace") for name in book.namelist()]
    for text in (*texts, done.output):
        for secret in SECRETS:
            assert secret not in text, "a secret came out"


def test_awkward_replies(tmp_path: Path) -> None:
    body = "金水湾小区的学区怎么划分？请问金水湾小区属于哪个学校？"
    rows = [
        row("1", body, body=body),
        row("2", "路灯已修好，" * 1700),
        row("3", "。。。！！！"),
        row("4", "=HYPERLINK(\"http://example.com\")"),
        row("5", "OK"),
    ]
    done = run(write(tmp_path / "a.csv", rows), tmp_path / "out", "--json")
    assert done.exit_code == 0, done.output
    found = lines(tmp_path / "out")
    assert found["1"]["kind"] in ("echo", "holding")
    assert found["1"]["completeness"]["score"] < 0.4
    assert set(found) == {"1", "2", "3", "4", "5"}
    assert all(0 <= item["total"] <= 100 for item in found.values())
    with zipfile.ZipFile(tmp_path / "out" / "replies.xlsx") as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "'=HYPERLINK" in sheet


def test_one_reply_under_many_matters_is_named(tmp_path: Path) -> None:
    matters = ["路灯不亮", "学区划分", "工地噪音", "公交太少", "医保报销", "宠物伤人", "积水难排", "违建未拆"]
    rows = [row(str(n), "网友您好，我们将进一步加强管理，为市民创造良好环境。", body=f"关于{what}的来信，请问怎么办？") for n, what in enumerate(matters)]
    for item in rows:
        assert len(item) == len(HEADER)
    rows = [(*item[:3], matters[n], *item[4:]) for n, item in enumerate(rows)]
    done = run(write(tmp_path / "a.csv", rows), tmp_path / "out", "--json")
    said = json.loads(done.output)
    assert (said["copied"], said["copy_groups"]) == (8, 1)
    assert "与另外7件不同事项的答复雷同" in (tmp_path / "out" / "replies.jsonl").read_text("utf-8")


def test_nothing_to_score(tmp_path: Path) -> None:
    done = run(write(tmp_path / "a.csv", []), tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert (tmp_path / "out" / "replies.html").exists()


def test_the_same_input_gives_the_same_files(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [row(str(n), GOOD) for n in range(4)])
    for name in ("one", "two"):
        assert run(path, tmp_path / name).exit_code == 0
    for name in ("replies.jsonl", "replies.xlsx", "rejected.jsonl"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


@pytest.mark.parametrize("arguments", [["--map", "reply=没有这一列"], ["--rules", "none.yaml"], ["--map", "answer=答复意见"]])
def test_errors_are_told(tmp_path: Path, arguments: list[str]) -> None:
    path = write(tmp_path / "a.csv", [row("1", GOOD)])
    done = run(path, tmp_path / "out", *arguments)
    if arguments[1].startswith("reply="):
        assert "no_reply_column" in done.output
    else:
        assert done.exit_code == 2
        assert "minqing:" in done.output


def test_no_router_can_see_a_reply() -> None:
    """Neither models nor the wing that routes imports anything of replies."""
    for folder in ("models", "pipeline/petitions", "pipeline/policies"):
        for path in (ROOT / folder).glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                assert not [name for name in names if "replies" in name or "reply" in name], path

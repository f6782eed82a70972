"""One folder with everything that goes wrong in exports: good rows are routed, bad ones kept with their reasons."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest

HEADER = ("编号", "时间", "渠道", "标题", "内容", "地址")
ROAD = "新渡路上的路灯坏了一个星期，晚上看不清路，请派人来修。"
EMOJI = "小区门口垃圾好几天没人收😡👨\u200d👩\u200d👧臭死了🤮请尽快清运，谢谢🙏"
FORMULA = '=HYPERLINK("http://example.com/?"&A1,"点我")'
NUL = "这里有\x00一个不该有的字节，路灯也坏了。"


def good(number: str, body: str = ROAD, title: str = "路灯不亮", time: str = "2026-11-19 08:00") -> tuple[str, ...]:
    return (number, time, "电话", title, body, "新渡路")


def text(rows: Sequence[Sequence[str]]) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([HEADER, *rows])
    return file.getvalue()


def workbook(path: Path, rows: Sequence[Sequence[str]]) -> None:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)


#: File → what its rows become: None for a good one, else the reason's code; row 0 stands for the whole file.
EXPECTED: dict[str, dict[int, str | None]] = {
    "a_mixed.csv": {2: None, 3: None, 4: "undecodable", 5: None},
    "b_ragged.csv": {2: None, 3: "ragged_row", 4: "ragged_row", 5: None},
    "c_missing.csv": {2: "missing_id", 3: "missing_body", 4: None},
    "d_duplicates.csv": {2: None, 3: "duplicate_id", 4: "duplicate_row", 5: None},
    "e_long.csv": {2: None, 3: "body_too_long", 4: None},
    "f_empty.csv": {0: "file_empty"},
    "g_empty.xlsx": {0: "file_empty"},
    "h_header.csv": {},
    "i_zip.xlsx": {0: "not_a_workbook"},
    "j_dates.csv": {2: None, 3: "bad_date", 4: "bad_date", 5: "bad_date", 6: "bad_date", 7: None},
    "k_nul.csv": {2: None, 3: "nul_byte", 4: None},
    "l_emoji.csv": {2: None, 3: None},
    "m_formulas.csv": {2: None, 3: None, 4: None, 5: None},
    "n_lines.jsonl": {1: None, 2: "bad_json", 3: "wrong_type", 4: None, 5: "wrong_type"},
    "o_scan.pdf": {0: "unknown_format"},
    "p_folder.csv": {},
    "inside.csv": {2: None},
    "q_no_body.csv": {0: "no_body_column"},
    "r_quote.csv": {2: None, 3: "unclosed_quote", 4: None},
    "s_truncated.xlsx": {0: "not_a_workbook"},
    "t_page.xls": {0: "not_a_workbook"},
    "u_utf16.csv": {2: None, 3: None},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("bad") / "exports"
    base.mkdir()

    def write(name: str, content: str | bytes) -> None:
        (base / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    rows = [line.encode() for line in text([good(f"A{n}") for n in range(1, 5)]).splitlines(keepends=True)]
    rows[3] = rows[3].decode().encode("gb18030")
    write("a_mixed.csv", b"".join(rows))
    write("b_ragged.csv", text([good("B1"), good("B2")[:4], (*good("B3"), "多", "余"), good("B4")]))
    write("c_missing.csv", text([good(""), good("C2", "", "短"), good("C3")]))
    write("d_duplicates.csv", text([good("D1"), good("D1", ROAD + "另一件事"), good("D1"), good("D2")]))
    write("e_long.csv", text([good("E1"), good("E2", "路灯坏了" * 262_144), good("E3")]))
    write("f_empty.csv", b"")
    workbook(base / "g_empty.xlsx", [])
    write("h_header.csv", text([]))
    with zipfile.ZipFile(base / "i_zip.xlsx", "w") as archive:
        archive.writestr("readme.txt", "not a workbook")
    dates = ["2026-11-19", "0000-01-01 00:00", "0000-00-00", "2026-02-30 10:00", "昨天下午", ""]
    write("j_dates.csv", text([good(f"J{n}", time=time) for n, time in enumerate(dates)]))
    write("k_nul.csv", text([good("K1"), good("K2", NUL), good("K3")]))
    write("l_emoji.csv", text([good("L1", EMOJI, "😡😡"), good("L2")]))
    starts = [FORMULA, "+8613 这个开头", "-2+3 也是开头", "@SUM(1,2)"]
    write("m_formulas.csv", text([good(f"M{n}", f"{start} {ROAD}", start) for n, start in enumerate(starts)]))
    record = dict(zip(HEADER, good("N1"), strict=True))
    lines = [json.dumps(record), "{坏的", "[1, 2]", json.dumps(record | {"编号": "N4"}), json.dumps(record | {"编号": "N5", "内容": 7})]
    write("n_lines.jsonl", "\n".join(lines))
    write("o_scan.pdf", b"%PDF-1.7")
    (base / "p_folder.csv").mkdir()
    (base / "p_folder.csv" / "inside.csv").write_text(text([good("P1")]), "utf-8")
    write("q_no_body.csv", "编号,时间,姓名\nQ1,2026-11-19,某某\n")
    write("r_quote.csv", text([good("R1")]) + 'R2,2026-11-19,电话,标题,"没有关上的引号,新渡路\n' + ",".join(good("R3")) + "\n")
    workbook(base / "s_truncated.xlsx", [HEADER, good("S1")])
    write("s_truncated.xlsx", (base / "s_truncated.xlsx").read_bytes()[:2000])
    write("t_page.xls", "<html><body><table><tr><td>编号</td></tr></table></body></html>")
    write("u_utf16.csv", text([good("U1"), good("U2")]).encode("utf-16"))
    return base


@pytest.fixture(scope="module")
def routed(folder: Path, prefect_server: str, city: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Route the folder once; return the run, the suggestions, the rejections and the CSV's rows."""
    del prefect_server
    from flows.route import route

    out = tmp_path_factory.mktemp("routed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MINQING_HOME", str(out / "home"))
        run = route([str(folder)], str(out), units=str(city / "units.yaml"), on=dt.date(2026, 11, 20), workers=1)

    def lines(name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (out / name).read_text("utf-8").splitlines()]

    with (out / "suggestions.csv").open(encoding="utf-8-sig", newline="") as file:
        sheet = list(csv.DictReader(file))
    return {"run": run, "good": lines("suggestions.jsonl"), "bad": lines("rejected.jsonl"), "sheet": sheet}


@pytest.mark.parametrize("name", EXPECTED)
def test_rows_of_a_file(routed: dict[str, Any], name: str) -> None:
    found: dict[int, str | None] = {item["row"]: item["code"] for item in routed["bad"] if item["source"] == name}
    found |= {item["row"]: None for item in routed["good"] if item["source"] == name}
    assert found == EXPECTED[name]


def test_every_row_is_accounted_for(routed: dict[str, Any]) -> None:
    run = routed["run"]
    outcomes = [code for rows in EXPECTED.values() for code in rows.values()]
    assert run["read"] == run["routed"] + run["rejected"] == len(outcomes)
    assert run["routed"] == len(routed["good"]) == len(routed["sheet"]) == outcomes.count(None)
    assert sum(run["rejected_by"].values()) == run["rejected"] == len(routed["bad"])


def test_each_reason_is_a_sentence_of_its_own(routed: dict[str, Any]) -> None:
    by_code = {item["code"]: item["reason"] for item in routed["bad"]}
    assert all(len(reason) >= 4 and any("\u4e00" <= sign <= "\u9fff" for sign in reason) for reason in by_code.values())
    assert len(set(by_code.values())) == len(by_code)
    assert all(len(item["raw"]) <= 2_000 for item in routed["bad"]), "a body of a megabyte is not kept whole"


def test_formulas_do_not_run(routed: dict[str, Any]) -> None:
    cells = [cell for row in routed["sheet"] for cell in row.values()]
    assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r＝＋－＠")]
    titles = {row["编号"]: row["标题"] for row in routed["sheet"]}
    assert titles["M0"].startswith("'=HYPERLINK")
    assert titles["L1"] == "😡😡"

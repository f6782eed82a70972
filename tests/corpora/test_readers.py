"""Readers: what a file holds comes out as rows or as rejections, never as neither."""

from __future__ import annotations

import csv
import datetime
import io
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from corpora.readers import ReadError, read_petitions, source_files
from corpora.records import PETITION_SCHEMA, PetitionId, Rejection
from corpora.rows import MAX_TEXT
from corpora.seen import SeenIds

Row = dict[str, object]
ROAD = "和平路上的路灯坏了，晚上看不清路"
NOISE = "工地夜里施工，吵得睡不着觉"


def read(*paths: Path, **options: object) -> tuple[list[Row], list[Rejection]]:
    """Read everything; check what holds of every call."""
    rows: list[Row] = []
    rejections: list[Rejection] = []
    for chunk in read_petitions(paths, **options):  # type: ignore[arg-type]
        assert chunk.table.schema == PETITION_SCHEMA
        chunk.table.validate(full=True)
        assert chunk.table.num_rows or chunk.rejections
        rows += chunk.table.to_pylist()
        rejections += chunk.rejections
    for row in rows:
        PetitionId(str(row["petition_id"]))
        assert not any(row[name] is None for name in PETITION_SCHEMA.names if name != "submitted_at")
    for rejection in rejections:
        assert rejection.code.isidentifier()
        assert rejection.reason
        (rejection.raw + rejection.reason).encode()
    return rows, rejections


def codes(rejections: list[Rejection]) -> list[tuple[int, str]]:
    """Return row and code of each rejection."""
    return [(rejection.row, rejection.code) for rejection in rejections]


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> Path:
    """Write a file and return its path."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def workbook(path: Path, *sheets: Sequence[Sequence[object]]) -> Path:
    """Write a workbook of some sheets and return its path."""
    book = openpyxl.Workbook()
    for number, cells in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        assert sheet is not None
        for row, line in enumerate(cells, start=1):
            for column, value in enumerate(line, start=1):
                sheet.cell(row, column).value = value
                if isinstance(value, str) and value.startswith("="):
                    sheet.cell(row, column).data_type = "s"
    book.save(path)
    return path


def test_all_fields(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        "留言编号,留言主题,留言详情,留言时间,地址,来源,一级标签,二级标签,承办单位,退单单位,答复意见\n"
        f"1,路灯,{ROAD},2023/6/14 17:32:20,和平路,热线,城乡建设,市政,住建局,城管局；交通局,已经修好\n",
    )
    assert read(path) == (
        [
            {
                "petition_id": "1",
                "title": "路灯",
                "body": ROAD,
                "submitted_at": datetime.datetime(2023, 6, 14, 17, 32, 20),
                "address": "和平路",
                "channel": "热线",
                "issue_type": "城乡建设/市政",
                "unit": "住建局",
                "refused_units": ["城管局", "交通局"],
                "source": "a.csv",
                "row": 2,
            }
        ],
        [],
    )


@pytest.mark.parametrize(
    ("content", "expected", "good"),
    [
        ("", [(0, "file_empty")], 0),
        ("\ufeff", [(0, "file_empty")], 0),
        ("\n \n\n", [(0, "file_empty")], 0),
        ("id,body\n", [], 0),
        ("id,subject\n1,x\n", [(0, "no_body_column")], 0),
        (f"id,body\n1,{ROAD}\n\n , \n2,{NOISE}\n", [], 2),
        (f"id,body\n1,{ROAD},\n2,{NOISE},,,\n", [], 2),
        (f"id,body\n1,{ROAD},多\n2\n", [(2, "ragged_row"), (3, "ragged_row")], 0),
        (f"id,body\n,{ROAD}\n", [(2, "missing_id")], 0),
        (f"id,body\n1 2,{ROAD}\n{'9' * 81},{ROAD}\n  3  ,{ROAD}\n", [(2, "bad_id"), (3, "bad_id")], 1),
        (f"id,body\n2.02311E+13,{ROAD}\n", [(2, "bad_id")], 0),
        ("id,body\n1,\n", [(2, "missing_body")], 0),
        ("id,title,body\n1,太短的标题,\n2,这一个标题足够十个字了,\n", [(2, "missing_body")], 1),
        (f"id,body\n1,{'长' * (MAX_TEXT + 1)}\n2,{'长' * MAX_TEXT}\n", [(2, "body_too_long")], 1),
        (f"id,body\n1,{'x' * 1_000_000}\n2,{ROAD}\n", [(2, "body_too_long")], 1),
        (f"id,body,address\n1,{ROAD},{'长' * (MAX_TEXT + 1)}\n", [(2, "text_too_long")], 0),
        (f"id,body\n1,{ROAD}\0\n2,\x01\x02\x03{ROAD}\n3,{ROAD}\x07{NOISE}\n", [(2, "nul_byte"), (3, "nul_byte")], 1),
        (
            f"id,body,time\n1,{ROAD},0000-01-01\n2,{ROAD},9999-01-01\n3,{ROAD},2020-13-01\n4,{ROAD},\n",
            [(2, "bad_date"), (3, "bad_date"), (4, "bad_date")],
            1,
        ),
        (f"id,body\n1,{ROAD}\n1,{NOISE}\n1,{ROAD}\n", [(3, "duplicate_id"), (4, "duplicate_row")], 1),
        (f"body\n{ROAD}\n{ROAD}\n{NOISE}\n", [(3, "duplicate_row")], 2),
        # A rejected row does not make a later one a duplicate.
        (f"id,body\n1,\n1,{ROAD}\n", [(2, "missing_body")], 1),
        (f'id,body\n1,"{ROAD}\n2,{NOISE}\n', [(2, "unclosed_quote")], 1),
        # A stray quotation mark must not weld two petitions into one.
        (f'id,body,time\n1,"{ROAD},2020-01-01\n2,"{NOISE}",2020-01-01\n', [(2, "unclosed_quote")], 1),
        (f'id,body\n1,"他说"你好"了"\n2,5" 的管子漏水{ROAD}\n3,"两行\n{ROAD}"\n', [], 3),
        (f"关于来信的统计表,\n\n编号,内容\n1,{ROAD}\n", [], 1),
        (f"编号,内容\r1,{ROAD}\r2,{NOISE}\r", [], 2),
    ],
)
def test_csv_rows(tmp_path: Path, content: str, expected: list[tuple[int, str]], good: int) -> None:
    rows, rejections = read(write(tmp_path / "a.csv", content))
    assert codes(rejections) == expected
    assert len(rows) == good


def test_rejections_name_first_row_and_keep_the_content(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", f"id,body\n7,{ROAD}\n")
    second = write(tmp_path / "b.csv", f"id,body\n7,{NOISE}\n7,{ROAD}\n")
    rows, rejections = read(first, second)
    assert [row["source"] for row in rows] == ["a.csv"]
    assert codes(rejections) == [(2, "duplicate_id"), (3, "duplicate_row")]
    assert all("a.csv 第2行" in rejection.reason for rejection in rejections)
    assert all(rejection.source == "b.csv" for rejection in rejections)
    assert NOISE in rejections[0].raw


def test_headers_seen_are_named_but_data_is_not(tmp_path: Path) -> None:
    _, (named,) = read(write(tmp_path / "a.csv", "编号,文章\n1,x\n"))
    assert "编号, 文章" in named.reason
    assert "--map" in named.reason
    _, (hidden,) = read(write(tmp_path / "b.csv", f"1,{ROAD},13800000000\n"))
    assert ROAD not in hidden.reason
    assert "13800000000" not in hidden.reason


def test_text_is_kept_as_it_is(tmp_path: Path) -> None:
    bodies = ["=SUM(A1)", "@经理 请回复", "-1 分", "笑脸😀结束", "全角１２３（）①⻄", "两行\n一行", 'say "hi"']
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["编号", "内容"], *([f"a{i}", body] for i, body in enumerate(bodies))])
    rows, rejections = read(path)
    assert [row["body"] for row in rows] == bodies
    assert not rejections


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("２０２３０１", "202301"),
        (" 001 ", "001"),
        ("'007", "007"),
        ('"=""00123"""', "00123"),
        ("GD-2023/1", "GD-2023/1"),
    ],
)
def test_ids(tmp_path: Path, written: str, expected: str) -> None:
    rows, rejections = read(write(tmp_path / "a.csv", f"编号,内容\n{written},{ROAD}\n"))
    assert [row["petition_id"] for row in rows] == [expected]
    assert not rejections


def test_derived_ids_are_the_same_every_time(tmp_path: Path) -> None:
    rows, _ = read(write(tmp_path / "a.csv", f"title,body\nA,{ROAD}\nB,{ROAD}\n"))
    again, _ = read(write(tmp_path / "b.csv", f"body,title\n{ROAD},B\n"))
    assert len({row["petition_id"] for row in rows}) == 2
    assert again[0]["petition_id"] == rows[1]["petition_id"]
    assert str(rows[0]["petition_id"])[0] == "h"
    assert len(str(rows[0]["petition_id"])) == 17


@pytest.mark.parametrize(("main", "other"), [("utf-8", "gb18030"), ("gb18030", "utf-8")])
@pytest.mark.parametrize("bodies", [(ROAD, NOISE, "道路"), (ROAD + "！", NOISE + "呀", "下水道堵")])
def test_mixed_encodings(tmp_path: Path, main: str, other: str, bodies: tuple[str, str, str]) -> None:
    lines = [
        f"编号,内容\n1,{bodies[0]}\n".encode(main),
        f"2,{bodies[2]}\n".encode(other),
        f"3,{bodies[1]}\n".encode(main),
    ]
    rows, rejections = read(write(tmp_path / "a.csv", b"".join(lines)))
    assert [row["petition_id"] for row in rows] == ["1", "3"]
    assert codes(rejections) == [(3, "undecodable")]
    assert bodies[2] in rejections[0].raw


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_delimiters(tmp_path: Path, delimiter: str) -> None:
    lines = [["编号", "内容", "时间"], ["1", ROAD.replace("，", ","), "2020-01-01"], ["2", "a;b|c\td", "2020-01-01"]]
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows(lines)
    rows, rejections = read(path)
    assert [row["body"] for row in rows] == [line[1] for line in lines[1:]]
    assert not rejections


def test_excel(tmp_path: Path) -> None:
    path = workbook(
        tmp_path / "a.xlsx",
        [
            [],
            ["来信统计表"],
            [None, " 编号 ", "标题", "内容", "时间", "地址"],
            [None, 20231101000123, "a", f"  {ROAD} ", datetime.datetime(2023, 6, 14, 17, 32, 20), 12.5],
            [],
            [None, "00017", "=1+1", NOISE, 45091.5, None],
            [None, 1234.0, None, 5.0, None, None],
            [None, 2.0**60, None, ROAD, None, None],
            [None, 8, None, ROAD, "2023/6/14", True],
        ],
    )
    rows, rejections = read(path)
    assert [(row["petition_id"], row["row"], row["body"], row["address"]) for row in rows] == [
        ("20231101000123", 4, ROAD, "12.5"),
        ("00017", 6, NOISE, ""),
    ]
    assert [row["submitted_at"] for row in rows] == [
        datetime.datetime(2023, 6, 14, 17, 32, 20),
        datetime.datetime(2023, 6, 14, 12),
    ]
    assert rows[1]["title"] == "=1+1"
    assert codes(rejections) == [(7, "wrong_type"), (8, "bad_id"), (9, "wrong_type")]


def test_excel_sheets(tmp_path: Path) -> None:
    header = ["编号", "内容"]
    path = workbook(tmp_path / "a.xlsx", [header, ["1", ROAD]], [], [["说明"]], [header, ["1", NOISE], ["2", NOISE]])
    rows, rejections = read(path)
    assert [(row["source"], row["row"]) for row in rows] == [("a.xlsx[Sheet]", 2), ("a.xlsx[Sheet3]", 3)]
    assert codes(rejections) == [(0, "no_body_column"), (2, "duplicate_id")]
    assert "a.xlsx[Sheet] 第2行" in rejections[1].reason


def zipped() -> bytes:
    """Return a zip file that is no workbook."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(zipfile.ZipInfo("readme.txt"), "x")  # of a fixed time: tests are named after it
    return file.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.xlsx", zipped(), "not_a_workbook"),
        ("a.xlsx", zipped()[:40], "not_a_workbook"),
        ("a.xlsx", "编号,内容\n1,x\n".encode(), "not_a_workbook"),
        ("a.xls", b"<html><table></table></html>", "not_a_workbook"),
        ("a.xls", OLE + bytes(2000), "not_a_workbook"),
        ("a.xlsx", OLE + bytes(600) + "EncryptedPackage".encode("utf-16-le"), "encrypted"),
        ("a.xlsx", b"", "file_empty"),
        ("a.csv", zipped(), "not_text"),
        ("a.csv", bytes(range(256)) * 20, "no_body_column"),
        ("a.parquet", b"PAR1 nonsense", "not_parquet"),
        ("a.parquet", b"", "file_empty"),
        ("a.json", b"[{]", "bad_json"),
        ("a.json", b"[" * 100_000, "bad_json"),
        ("a.jsonl", b" \n", "file_empty"),
        ("a.docx", zipped(), "unknown_format"),
    ],
)
def test_unusable_file_does_not_stop_the_others(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    bad = write(tmp_path / name, content)
    good = write(tmp_path / "z.csv", f"编号,内容\n1,{ROAD}\n")
    rows, rejections = read(bad, good)
    assert [row["source"] for row in rows] == ["z.csv"]
    assert [(rejection.source, *codes([rejection])[0]) for rejection in rejections] == [(name, 0, code)]


def test_json_lines(tmp_path: Path) -> None:
    records: list[object] = [
        {"id": "1", "body": ROAD, "created_at": 1528968740, "refused_units": ["城管局"]},
        {"id": 2, "body": NOISE, "created_at": 1528968740123},
        {"id": 3, "body": 5},
        {"id": [3], "body": ROAD},
        {"body": ROAD},
        [1, 2],
        {"id": 4, "body": ROAD, "refused_units": {"a": 1}},
        {"id": 10**30, "body": ROAD},
        {"id": 9, "body": "坏\ud800字"},
        {"id": 20231101000123456, "body": ROAD, "address": None, "备注": "只在这一行"},
    ]
    text = "\n".join(map(json.dumps, records)) + '\n\n{"id": 5, \n'
    rows, rejections = read(write(tmp_path / "a.jsonl", text))
    assert [(row["petition_id"], row["row"]) for row in rows] == [("1", 1), ("2", 2), ("20231101000123456", 10)]
    assert {row["submitted_at"] for row in rows} == {datetime.datetime(2018, 6, 14, 17, 32, 20), None}
    assert rows[0]["refused_units"] == ["城管局"]
    assert codes(rejections) == [
        (3, "wrong_type"),
        (4, "wrong_type"),
        (5, "missing_id"),
        (6, "wrong_type"),
        (7, "wrong_type"),
        (8, "bad_id"),
        (9, "bad_json"),
        (12, "bad_json"),
    ]


@pytest.mark.parametrize("wrap", [lambda rows: rows, lambda rows: {"total": 2, "data": rows}])
def test_json_array(tmp_path: Path, wrap: object) -> None:
    records = [{"编号": "1", "内容": ROAD}, "x", {"编号": "2", "内容": NOISE}]
    text = json.dumps(wrap(records), indent=1, ensure_ascii=False)  # type: ignore[operator]
    rows, rejections = read(write(tmp_path / "a.json", text, "gb18030"))
    assert [(row["petition_id"], row["row"], row["body"]) for row in rows] == [("1", 1, ROAD), ("2", 3, NOISE)]
    assert codes(rejections) == [(2, "wrong_type")]


def test_json_lines_mixed_encodings(tmp_path: Path) -> None:
    content = f'{{"id": 1, "body": "{ROAD}"}}\n'.encode() + f'{{"id": 2, "body": "{NOISE}"}}\n'.encode("gb18030")
    rows, rejections = read(write(tmp_path / "a.jsonl", content))
    assert len(rows) == 1
    assert codes(rejections) == [(2, "undecodable")]
    assert NOISE in rejections[0].raw


def test_parquet(tmp_path: Path) -> None:
    table = pa.table(
        {
            "编号": pa.array([1, 2, None], pa.int64()),
            "内容": pa.array([ROAD, NOISE, ROAD]).dictionary_encode(),
            "时间": pa.array([datetime.datetime(2018, 6, 14, 9, 32, 20)] * 3, pa.timestamp("ns", tz="UTC")),
            "退单单位": pa.array([["城管局"], [], None], pa.list_(pa.string())),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    rows, rejections = read(tmp_path / "a.parquet", chunk_rows=2)
    assert [(row["petition_id"], row["row"], row["refused_units"]) for row in rows] == [
        ("1", 1, ["城管局"]),
        ("2", 2, []),
    ]
    assert rows[0]["submitted_at"] == datetime.datetime(2018, 6, 14, 17, 32, 20)
    assert codes(rejections) == [(3, "missing_id")]


def test_folders(tmp_path: Path) -> None:
    for month in ("10", "11"):
        (tmp_path / month).mkdir()
        write(tmp_path / month / "工单.csv", f"编号,内容\n{month},{ROAD}\n")
    (tmp_path / "empty").mkdir()
    for name in (".hidden.csv", "~$b.xlsx", "notes.docx", "B.CSV"):
        write(tmp_path / name, f"编号,内容\n{name},{ROAD}\n")
    assert [path.relative_to(tmp_path).as_posix() for path in source_files([tmp_path])] == [
        "10/工单.csv",
        "11/工单.csv",
        "B.CSV",
    ]
    rows, rejections = read(tmp_path, tmp_path / "B.CSV")
    assert [row["petition_id"] for row in rows] == ["10", "11", "B.CSV"]
    assert len({row["source"] for row in rows}) == 3
    assert [(rejection.source, rejection.code) for rejection in rejections] == [("notes.docx", "unknown_format")]
    assert codes(read(tmp_path / "empty")[1]) == [(0, "no_files")]


def test_mapping(tmp_path: Path) -> None:
    first = write(tmp_path / "a.csv", f"id,文,unit,function\n1,{ROAD},甲局,住建\n")
    second = write(tmp_path / "b.csv", f"id,文,unit\n2,{NOISE},乙局\n")
    rows, rejections = read(first, second, mapping={"body": "文", "unit": "function"})
    assert [(row["body"], row["unit"]) for row in rows] == [(ROAD, "住建"), (NOISE, "")]
    assert not rejections
    rows, rejections = read(first, second, mapping={"body": "文", "unit": "function"}, required=("body", "unit"))
    assert codes(rejections) == [(0, "no_unit_column")]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"body": "无此列"}, "no file has such a column"),
        ({"body": "答复意见"}, "was not there"),
        ({"x": "id"}, "no field"),
    ],
)
def test_unusable_mapping(tmp_path: Path, mapping: dict[str, str], message: str) -> None:
    path = write(tmp_path / "a.csv", f"id,body,答复意见\n1,{ROAD},好\n")
    with pytest.raises(ReadError, match=message):
        read_petitions([path], mapping=mapping)


def test_unusable_call(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"absent\.csv: does not exist"):
        read_petitions([tmp_path / "absent.csv"])
    with pytest.raises(ReadError, match="no file or folder"):
        read_petitions([])
    with pytest.raises(ReadError, match="chunk_rows"):
        read_petitions([tmp_path], chunk_rows=0)
    with pytest.raises(ReadError, match="required"):
        read_petitions([tmp_path], required=("nothing",))


def test_required_fields(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", f"id,body,unit,time\n1,{ROAD},,2020-01-01\n2,{ROAD},甲,\n3,,乙,2020-01-01\n")
    rows, rejections = read(path, required=("unit", "submitted_at"))
    assert [row["petition_id"] for row in rows] == ["3"]
    assert codes(rejections) == [(2, "missing_unit"), (3, "missing_submitted_at")]


def test_chunks_hold_no_more_than_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "id,body\n" + "".join(f"{i},{ROAD}{i}\n" for i in range(25)))
    assert [chunk.table.num_rows for chunk in read_petitions([path], chunk_rows=10)] == [10, 10, 5]


CELL = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30).map(str.strip)
BODY = st.text(st.sampled_from('路灯坏了，,;|\t"\n=😀⻄ａ1 '), min_size=1, max_size=40).map(str.strip).filter(bool)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(CELL, BODY, CELL), max_size=12),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be"]),
    delimiter=st.sampled_from(",\t;|"),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_round_trip(tmp_path: Path, rows: list[tuple[str, str, str]], encoding: str, delimiter: str, end: str) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end)
    writer.writerow(["工单编号", "标题", "诉求内容", "地址"])
    writer.writerows([f"g{i}", title, body, address] for i, (title, body, address) in enumerate(rows))
    found, rejections = read(write(tmp_path / "a.csv", text.getvalue(), encoding), chunk_rows=5)
    assert not rejections
    assert [(row["title"], row["body"], row["address"]) for row in found] == rows
    assert [row["row"] for row in found] == list(range(2, len(rows) + 2))


FRAGMENT = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b",", b"\n", b'"', b"\r\n", b"1", b"\x00", b"{", b"}", b"[", b'{"id":1,"body":"x"}', b"\xff\xfe"]),
    st.sampled_from([ROAD.encode(), ROAD.encode("gb18030"), ROAD.encode("utf-16-le")]),
)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    head=st.sampled_from(
        [b"", b"id,body\n", "编号,内容\n".encode("gb18030"), "\ufeffid,body\n".encode("utf-16-le"), b"PK\x03\x04"]
    ),
    fragments=st.lists(FRAGMENT, max_size=30),
    suffix=st.sampled_from([".csv", ".tsv", ".xlsx", ".xls", ".json", ".jsonl", ".parquet"]),
)
def test_no_content_raises(tmp_path: Path, head: bytes, fragments: list[bytes], suffix: str) -> None:
    path = write(tmp_path / f"a{suffix}", head + b"".join(fragments))
    rows, rejections = read(path, chunk_rows=3)
    numbers = [row["row"] for row in rows] + [rejection.row for rejection in rejections]
    assert len(numbers) == len(set(numbers))


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.binary(max_size=30).map(lambda line: line.translate(None, b'\r\n"')), max_size=20))
def test_every_line_is_accounted_for(tmp_path: Path, lines: list[bytes]) -> None:
    path = write(tmp_path / "a.csv", b"\n".join([b"id,body,utf-8 text,a", *lines]))
    rows, rejections = read(path, chunk_rows=4)
    if [rejection.row for rejection in rejections] == [0]:
        return
    # Blank in one encoding or the other: which it is, is the reader's to find out.
    blank = {
        number
        for number, line in enumerate(lines, start=2)
        for encoding in ("latin-1", "gb18030", "utf-8")
        if not line.decode(encoding, "replace").replace(",", "").strip()
    }
    told = {row["row"] for row in rows} | {rejection.row for rejection in rejections}
    assert len(rows) + len(rejections) == len(told)
    assert told >= set(range(2, len(lines) + 2)) - blank


@given(st.lists(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), max_size=20), max_size=12))
def test_seen_ids_agree_with_a_dictionary(batches: list[list[tuple[int, int]]]) -> None:
    seen, plain = SeenIds(), {}
    row = 0
    for file, batch in enumerate(batches):
        rows = list(range(row, row + len(batch)))
        row += len(batch)
        expected = []
        for index, ((key, text), number) in enumerate(zip(batch, rows, strict=True)):
            if key in plain:
                first_file, first_row, first_text = plain[key]
                expected.append((index, first_file, first_row, first_text == text))
            else:
                plain[key] = (file, number, text)
        found = seen.add([str(key) for key, _ in batch], [str(text) for _, text in batch], file, rows)
        assert [(item.index, item.file, item.row, item.same_text) for item in found] == expected
    assert len(seen) == len(plain)
    assert seen.nbytes == 24 * len(plain)

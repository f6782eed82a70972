"""The round trip of each format: given out, filled in, taken back, the same labels. All petitions are invented."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from label_samples import DAY, SHOWN, export, job, table
from openpyxl import load_workbook

from corpora.label_formats import read_filled, write_job
from corpora.label_formats.base import is_marked, utc
from corpora.label_import import Checked, Importer
from corpora.label_records import Export, LabelError

Answers = dict[str, tuple[str, str]]  # petition → label as shown ("" for none) and status


def fill_workbook(path: Path, answers: Answers) -> None:
    book = load_workbook(path)
    sheet = book["标注"]
    at = {cell.value: cell.column for cell in sheet[1]}
    label = next(name for name in at if name.startswith("正确的"))
    for row in range(2, sheet.max_row + 1):
        name, status = answers.get(str(sheet.cell(row, at["编号"]).value).removeprefix("'"), ("", ""))
        if status == "labelled":
            sheet.cell(row, at[label]).value = name
        elif status == "skipped":
            sheet.cell(row, at["无法判断"]).value = "是"
        sheet.cell(row, at["标注人"]).value = "甲"
    book.save(path)


def fill_label_studio(path: Path, answers: Answers) -> None:
    tasks = json.loads(path.read_text("utf-8"))
    for number, task in enumerate(tasks):
        name, status = answers.get(task["data"]["petition_id"], ("", ""))
        result = [{"from_name": "label", "to_name": "text", "type": "choices", "value": {"choices": [name]}}] if name else []
        if status:
            task["annotations"] = [
                {
                    "id": number, "completed_by": {"id": 3, "email": "jia@example.org", "first_name": "甲", "last_name": ""}, "result": result,
                    "was_cancelled": status == "cancelled", "updated_at": "2026-11-01T08:00:00.123456Z", "lead_time": 4.2,
                }
            ]  # fmt: skip
    path.write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")


def fill_doccano(path: Path, answers: Answers) -> None:
    lines = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 40):
        record = {"id": number, **json.loads(line), "Comments": []}
        name, status = answers.get(record["petition_id"], ("", ""))
        record["label"] = [name] if name else ["无法判断"] if status == "skipped" else []
        lines.append(json.dumps(record, ensure_ascii=False))
    path.write_text("\n".join(lines), "utf-8")


FILLERS: dict[str, Callable[[Path, Answers], None]] = {"xlsx": fill_workbook, "label-studio": fill_label_studio, "doccano": fill_doccano}
SUFFIX = {"xlsx": "甲.xlsx", "label-studio": "甲.json", "doccano": "甲.jsonl"}


def round_trip(root: Path, out: Export, kind: str, answers: Answers) -> Checked:
    path = write_job(job(out), kind, root / SUFFIX[kind])[0]
    FILLERS[kind](path, answers)
    return check(root, path)


def check(root: Path, path: Path, annotator: str = "") -> Checked:
    (found,) = read_filled(path)
    return Importer(root, DAY, annotator=annotator).check(found)


# What reaches a sheet was cleaned (`clean_texts`): no control characters.
texts = st.text(st.characters(exclude_categories=("Cs", "Cc", "Cn")), max_size=40)
ids = st.text(st.sampled_from("0123456789ABh-_.=+@'工单"), min_size=1, max_size=12).filter(lambda name: not name.startswith("'"))
statuses = ("labelled", "skipped", "")


@pytest.mark.parametrize("kind", sorted(FILLERS))
@given(st.dictionaries(ids, st.tuples(texts, texts, st.sampled_from(sorted(SHOWN)), st.sampled_from(statuses)), min_size=1, max_size=5))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, kind: str, rows: dict[str, tuple[str, str, str, str]]) -> None:
    root = tmp_path_factory.mktemp("trip")
    given_out = export(root, table(list(rows), [row[1] for row in rows.values()], [row[0] for row in rows.values()]))
    answers = {name: (SHOWN[code] if status == "labelled" else "", status) for name, (_, _, code, status) in rows.items()}
    done = round_trip(root, given_out, kind, answers)
    assert done.rejections == []
    assert done.edited == 0
    assert {item.petition_id: (item.label, item.status) for item in done.annotations} == {
        name: (code if status == "labelled" else "", status) for name, (_, _, code, status) in rows.items() if status
    }
    assert done.open == sum(not status for *_, status in rows.values())
    assert {item.annotator for item in done.annotations} <= {"甲"}


@pytest.mark.parametrize("kind", sorted(FILLERS))
def test_issue_types(tmp_path: Path, kind: str) -> None:
    given_out = export(tmp_path, table(["1", "2", "3"]), "issue_type", "0102")
    done = round_trip(tmp_path, given_out, kind, {"1": ("城乡建设", "labelled"), "2": ("自定类", "labelled"), "3": ("无此类", "labelled")})
    assert [item.label for item in done.annotations] == ["01", "自定类"]
    assert [(item.code, item.row) for item in done.rejections] == [("unknown_label", 4 if kind == "xlsx" else 3)]


@pytest.mark.parametrize(
    ("written", "label", "code"),
    [
        ("市城管局", "01", ""), ("城管", "01", ""), ("01", "01", ""), ("服务中心（东区）", "04", ""), ("服务中心(东区)", "04", ""),
        ("市园林局", "01", ""), ("市建委", "", "several_successors"), ("市盐务局", "", "unit_gone"), ("市城营局", "", "unknown_label"),
    ],
)  # fmt: skip
def test_units(tmp_path: Path, written: str, label: str, code: str) -> None:
    done = round_trip(tmp_path, export(tmp_path, table(["1"])), "xlsx", {"1": (written, "labelled")})
    assert [item.label for item in done.annotations] == ([label] if label else [])
    assert [item.code for item in done.rejections] == ([code] if code else [])
    assert bool(done.remarks) is (written == "市园林局")
    if written == "市城营局":
        assert "是否为“市城管局”？" in done.rejections[0].reason


def test_no_label_is_given_out_as_one(tmp_path: Path) -> None:
    given_out = export(tmp_path, table(["1", "2"]))
    for kind in FILLERS:
        done = round_trip(tmp_path, given_out, kind, {})
        assert (done.annotations, done.open) == ([], 2)


def workbook(root: Path, given_out: Export, change: Callable[[Any, dict[str, int]], None]) -> Path:
    (path,) = write_job(job(given_out), "xlsx", root / "表.xlsx")
    book = load_workbook(path)
    change(book["标注"], {cell.value: cell.column for cell in book["标注"][1]})
    book.save(path)
    return path


def test_the_suggestion_is_accepted_by_a_mark_alone(tmp_path: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        for row, (accepts, label, cannot) in enumerate(
            [("是", "", ""), ("√", "市城管局", ""), ("是", "市教育局", ""), ("是", "", "是"), ("", "市教育局", "是"), ("也许", "", "")], 2
        ):
            sheet.cell(row, at["同意建议"]).value = accepts
            sheet.cell(row, at["正确的承办单位"]).value = label
            sheet.cell(row, at["无法判断"]).value = cannot
            sheet.cell(row, at["系统建议"]).value = "市教育局"  # what stands in the sheet does not matter

    path = workbook(tmp_path, export(tmp_path, table(list("123456"))), change)
    done = check(tmp_path, path, "甲")
    assert [(item.row, item.label) for item in done.annotations] == [(2, "01"), (3, "01")]
    assert [(item.row, item.code) for item in done.rejections] == [
        (4, "contradictory"), (5, "contradictory"), (6, "contradictory"), (7, "bad_mark"),
    ]  # fmt: skip
    assert {item.code for item in check(tmp_path, path).rejections} == {"no_annotator", "contradictory", "bad_mark"}


def test_edited_sorted_repeated_and_contradictory_rows(tmp_path: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        rows = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=2)]
        for row in rows:
            row[at["正确的承办单位"] - 1] = "市教育局"
        rows[0][at["内容"] - 1] = "改过的内容"
        rows += [list(rows[1]), [*rows[2]]]
        rows[-1][at["正确的承办单位"] - 1] = "市城管局"
        rows.append(["x", "没有的", *[""] * (len(rows[0]) - 2)])
        rows[-1][at["正确的承办单位"] - 1] = "市城管局"
        for number, row in enumerate(reversed(rows), 2):
            for column, value in enumerate(row, 1):
                sheet.cell(number, column).value = value

    given_out = export(tmp_path, table(["1", "2", "3"]))
    done = check(tmp_path, workbook(tmp_path, given_out, change), "甲")
    assert sorted((item.petition_id, item.label) for item in done.annotations) == [("1", "02"), ("2", "02")]
    assert (done.edited, done.repeated) == (1, 1)
    assert sorted(item.code for item in done.rejections) == ["contradictory", "contradictory", "unknown_id"]


def without(header: str) -> Callable[[Any, dict[str, int]], None]:
    return lambda sheet, at: sheet.delete_cols(at[header])


def renamed(header: str, to: str) -> Callable[[Any, dict[str, int]], None]:
    def change(sheet: Any, at: dict[str, int]) -> None:
        sheet.cell(1, at[header]).value = to

    return change


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (without("编号"), "缺少“编号”列"), (without("正确的承办单位"), "没有以“正确的”开头的标签列"),
        (renamed("正确的承办单位", "办理结果"), "受理以后才写的，不能当作标签"),
        (lambda sheet, at: sheet.delete_rows(1, 9), "表中没有内容"),
    ],
)  # fmt: skip
def test_sheets_that_cannot_be_used(tmp_path: Path, change: Callable[[Any, dict[str, int]], None], told: str) -> None:
    with pytest.raises(LabelError, match=told):
        read_filled(workbook(tmp_path, export(tmp_path, table(["1"])), change))


def test_a_reply_column_is_not_read(tmp_path: Path) -> None:
    def change(sheet: Any, at: dict[str, int]) -> None:
        sheet.cell(1, len(at) + 1).value = "答复意见"
        sheet.cell(2, len(at) + 1).value = "已由市教育局办结"
        sheet.cell(2, at["正确的承办单位"]).value = "市城管局"

    done = check(tmp_path, workbook(tmp_path, export(tmp_path, table(["1"])), change), "甲")
    assert done.outcomes == ("答复意见",)
    assert "办结" not in repr(done.annotations)


def test_rows_copied_to_another_workbook_are_found_by_id(tmp_path: Path) -> None:
    from openpyxl import Workbook

    export(tmp_path, table(["007"]))
    book = Workbook()
    for row in (["编号", "正确的承办单位", "标注人"], ["007", "市教育局", "甲"], ["7", "市教育局", "甲"]):
        book.active.append(row)
    book.save(tmp_path / "copy.xlsx")
    done = check(tmp_path, tmp_path / "copy.xlsx")
    assert [(item.petition_id, item.label) for item in done.annotations] == [("007", "02")]
    assert [item.code for item in done.rejections] == ["unknown_id"]


def test_the_workbook_is_safe_and_complete(tmp_path: Path) -> None:
    given_out = export(tmp_path, table(["00123", "-5"], ["=cmd|' /C calc'!A0", "+86"], ["@SUM(1)", "－1"]))
    (path,) = write_job(job(given_out), "xlsx", tmp_path)
    assert path == tmp_path / f"{given_out.id}.xlsx"
    book = load_workbook(path)
    assert [(sheet.title, sheet.sheet_state) for sheet in book] == [
        ("标注", "visible"), ("可选标签", "hidden"), ("填写说明", "visible"), ("关于本表", "veryHidden"),
    ]  # fmt: skip
    sheet = book["标注"]
    cells = [cell for row in sheet.iter_rows(min_row=2) for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert not [cell.value for cell in cells if isinstance(cell.value, str) and cell.value[0] in "=+-@－"]
    assert sheet["B2"].value == "00123"
    assert sheet.freeze_panes == "C2"
    rules = {rule.formula1: str(rule.sqref) for rule in sheet.data_validations.dataValidation}
    assert "'可选标签'!$A$1:$A$4" in rules
    assert [cell.value for cell in book["可选标签"]["A"]] == list(SHOWN.values())


def test_label_studio_task_and_interface(tmp_path: Path) -> None:
    tasks, interface = write_job(job(export(tmp_path, table(["1"]))), "label-studio", tmp_path / "t.json")
    (task,) = json.loads(tasks.read_text("utf-8"))
    control = ElementTree.fromstring(interface.read_text("utf-8")).find("Choices")
    assert control is not None
    (guess,) = task["predictions"]
    assert guess["result"][0]["from_name"] == control.attrib["name"]
    assert guess["result"][0]["to_name"] == control.attrib["toName"] == "text"
    assert guess["result"][0]["value"]["choices"][0] in [choice.attrib["value"] for choice in control]
    assert (guess["model_version"], guess["score"]) == ("m1", 0.61)
    assert task["data"]["text"].startswith("第0件\n")


def choice(*names: str, control: str = "label") -> list[dict[str, Any]]:
    return [{"from_name": control, "to_name": "text", "type": "choices", "value": {"choices": list(names)}}]


def studio(root: Path, given_out: Export, annotations: list[dict[str, Any]]) -> Path:
    path = write_job(job(given_out), "label-studio", root / "t.json")[0]
    tasks = json.loads(path.read_text("utf-8"))
    tasks[0]["annotations"] = annotations
    tasks[0]["drafts"] = [{"result": choice("市教育局"), "user": "丁"}]
    path.write_text(json.dumps(tasks), "utf-8")
    return path


def test_several_annotations_of_a_task(tmp_path: Path) -> None:
    given_out = export(tmp_path, table(["1", "2"]))
    done = check(
        tmp_path,
        studio(
            tmp_path, given_out,
            [
                {"completed_by": 1, "result": choice("市城管局"), "updated_at": "2026-11-01T08:00:00Z", "lead_time": 1.0},
                {"completed_by": 1, "result": choice("市教育局"), "updated_at": "2026-11-02T16:00:00+08:00", "lead_time": 1.0},
                {"completed_by": {"email": "b@example.org"}, "result": choice("市城管局"), "was_cancelled": True},
                {"completed_by": 3, "result": choice("无法判断"), "lead_time": 2},
                {"completed_by": 4, "result": choice("市城管局", "市教育局")},
                {"completed_by": 5, "result": choice("市城管局"), "parent_prediction": 9, "lead_time": None},
                {"completed_by": 6, "result": choice("市城管局"), "parent_prediction": 9, "lead_time": 3.5},
                {"completed_by": 7, "result": [*choice("市城管局"), {"from_name": "note", "value": {"text": ["看地址"]}}]},
            ],
        ),
    )  # fmt: skip
    assert [(item.annotator, item.label, item.status) for item in done.annotations] == [
        ("user-1", "01", "labelled"), ("user-1", "02", "labelled"), ("b@example.org", "", "cancelled"), ("user-3", "", "skipped"),
        ("user-6", "01", "labelled"), ("user-7", "01", "labelled"),
    ]  # fmt: skip
    assert done.annotations[1].at == "2026-11-02T08:00:00+00:00"
    assert done.annotations[-1].note == "看地址"
    assert [item.code for item in done.rejections] == ["contradictory", "unconfirmed"]
    assert done.open == 1


def test_label_studio_minimal(tmp_path: Path) -> None:
    given_out = export(tmp_path, table(["1", "2", "3"]))
    data = [task["data"] for task in json.loads(write_job(job(given_out), "label-studio", tmp_path / "t.json")[0].read_text("utf-8"))]
    about = {"annotator": 2, "created_at": "2026-11-01T08:00:00Z", "updated_at": "2026-11-01T08:00:00Z"}
    records = [
        {**data[0], **about, "id": 1, "label": "市城管局", "note": "看地址", "annotation_id": 11, "lead_time": 3.0},
        {**data[1], **about, "id": 2, "label": {"choices": ["市城管局", "市教育局"]}, "annotation_id": 12, "lead_time": 3.0},
        {**data[2], **about, "id": 3, "label": "市城管局", "annotation_id": 13, "lead_time": None},
    ]
    path = tmp_path / "min.json"
    path.write_text(json.dumps(records), "utf-8")
    done = check(tmp_path, path)
    assert [(item.petition_id, item.label, item.annotator, item.note) for item in done.annotations] == [("1", "01", "user-2", "看地址")]
    assert [item.code for item in done.rejections] == ["contradictory", "unconfirmed"]


def test_a_label_control_written_after_filing_is_refused(tmp_path: Path) -> None:
    path = studio(tmp_path, export(tmp_path, table(["1"])), [{"completed_by": 1, "result": choice("市城管局", control="办理结果")}])
    with pytest.raises(LabelError, match="不能当作标签"):
        read_filled(path)


def test_doccano_variants(tmp_path: Path) -> None:
    given_out = export(tmp_path, table([str(i) for i in range(6)]))
    meta = {"export": given_out.id}
    records = [
        {"id": 1, "text": "x", "label": ["市城管局"], "petition_id": "0", **meta},
        {"id": 2, "text": "x", "cats": ["市教育局"], "petition_id": "1", **meta, "答复意见": "已办结"},
        {"id": 3, "text": "x", "labels": ["市教育局"], "meta": {"petition_id": "2", **meta}},
        {"id": 4, "text": "x", "label": ["市城管局", "市教育局"], "petition_id": "3", **meta},
        {"id": 5, "text": "x", "annotations": [{"label": 7, "user": 1}], "petition_id": "4", **meta},
        {"id": 6, "text": "x", "label": [], "petition_id": "5", **meta},
        {"id": 7, "text": "x", "petition_id": "5", **meta}, {"id": 8, "label": ["市城管局"]}, [1],
    ]  # fmt: skip
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records) + "\n{broken\n"
    (tmp_path / "张三.jsonl").write_text(lines, "utf-8")
    with zipfile.ZipFile(tmp_path / "doccano.zip", "w") as archive:
        archive.writestr("张三.jsonl", lines)
    for name in ("张三.jsonl", "doccano.zip"):
        done = check(tmp_path, tmp_path / name)
        assert [(item.petition_id, item.label, item.annotator) for item in done.annotations] == [
            ("0", "01", "张三"), ("1", "02", "张三"), ("2", "02", "张三"),
        ]  # fmt: skip
        assert [(item.row, item.code) for item in done.rejections] == [
            (4, "contradictory"), (5, "label_not_text"), (7, "no_label_key"), (8, "no_id"), (9, "bad_record"), (10, "bad_json"),
        ]  # fmt: skip
        assert (done.open, done.edited, done.outcomes) == (1, 3, ("答复意见",))
    (tmp_path / "all.jsonl").write_text(lines, "utf-8")
    assert "no_annotator" in {item.code for item in check(tmp_path, tmp_path / "all.jsonl").rejections}
    assert {item.annotator for item in check(tmp_path, tmp_path / "all.jsonl", "李四").annotations} == {"李四"}


def test_doccano_gives_out_no_label(tmp_path: Path) -> None:
    examples, labels = write_job(job(export(tmp_path, table(["1"]))), "doccano", tmp_path / "d.jsonl")
    example = json.loads(examples.read_text("utf-8"))
    assert (example["label"], example["suggestion"]) == ([], "市城管局 61%")
    assert [kind["text"] for kind in json.loads(labels.read_text("utf-8"))] == [*SHOWN.values(), "无法判断"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.xlsx", b"", "文件是空的"), ("a.xlsx", b"PK\x03\x04 broken", "已损坏"), ("a.json", b"", "文件是空的"), ("a.json", b" \n", "文件是空的"),
        ("a.json", b"{", "不是有效的 JSON"), ("a.jsonl", "路灯".encode("gb18030"), "不是 UTF-8"), ("a.zip", b"PK", "已损坏"),
        ("a.docx", b"x", "不认识的文件类型"),
    ],
)  # fmt: skip
def test_files_that_cannot_be_used(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(LabelError, match=told):
        read_filled(tmp_path / name)


def test_paths_that_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="does not exist"):
        read_filled(tmp_path / "none.xlsx")
    with pytest.raises(LabelError, match="is a folder"):
        read_filled(tmp_path)
    with pytest.raises(LabelError, match=r"written to a file \*.xlsx"):
        write_job(job(export(tmp_path, table(["1"]))), "xlsx", tmp_path / "a.csv")


def test_a_file_of_another_store(tmp_path: Path) -> None:
    path = write_job(job(export(tmp_path / "one", table(["1"]))), "doccano", tmp_path / "甲.jsonl")[0]
    fill_doccano(path, {"1": ("市城管局", "labelled")})
    assert [item.code for item in check(tmp_path / "other", path).rejections] == ["unknown_export"]


def test_times_and_marks(tmp_path: Path) -> None:
    assert utc("2026-11-01T08:00:00.5+08:00", "x") == "2026-11-01T00:00:00+00:00"
    assert utc("2026-11-01 08:00", "x") == "2026-11-01T08:00:00+00:00"
    assert [utc(text, "x") for text in ("", None, 7, "gestern")] == ["x"] * 4
    assert [is_marked(text) for text in (" 是 ", "√", "Y", "", "否", "可能")] == [True, True, True, False, False, None]
    path = write_job(job(export(tmp_path, table(["1"]))), "doccano", tmp_path / "甲.jsonl")[0]
    fill_doccano(path, {"1": ("市城管局", "labelled")})
    os.utime(path, (0, 1_700_000_000))
    assert check(tmp_path, path).annotations[0].at == "2023-11-14T22:13:20+00:00"

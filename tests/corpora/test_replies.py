"""Reading petitions with their replies: every row is scored or rejected with a reason. All texts are invented."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from corpora.headers import MappingError, check_mapping, is_outcome
from corpora.replies import REPLY_SCHEMA, ReplyChunk, read_replies
from corpora.reply_config import load_reply_config
from corpora.source_files import ReadError
from corpora.typed_yaml import ConfigError

HEADER = ("编号", "留言时间", "主题", "内容", "答复意见", "答复时间", "答复单位")


def write(path: Path, rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def read(path: Path, mapping: dict[str, str] | None = None) -> tuple[list[dict[str, object]], dict[int, str]]:
    chunks: list[ReplyChunk] = list(read_replies([path], mapping=mapping))
    rows = [row for chunk in chunks for row in chunk.table.to_pylist()]
    return rows, {item.row: item.code for chunk in chunks for item in chunk.rejections}


def test_every_row_is_scored_or_rejected(tmp_path: Path) -> None:
    rows, rejected = read(
        write(
            tmp_path / "a.csv",
            [
                ("1", "2026-03-02 09:00", "路灯不亮", "海棠路的路灯不亮", "已修好。", "2026-03-04", "市城管局"),
                ("2", "2026-03-02 09:00", "路灯不亮", "石桥路的路灯不亮", "", "", ""),
                ("3", "2026-03-02 09:00", "路灯不亮", "金水路的路灯不亮", "已修好。", "昨天", ""),
                ("4", "2026-03-02 09:00", "路灯不亮", "银河路的路灯不亮", "已修好。", "2026-03-01", ""),
                ("5", "2026-03-02 09:00", "路灯不亮", "白云路的路灯不亮", "已修好。", "2026-03-02", ""),
                ("6", "2026-03-02 09:00", "路灯不亮", "白鹭路的路灯不亮", "已修好。", "2026-03-02 08:00", ""),
                ("7", "", "", "", "已修好。", "2026-03-02", ""),
                ("1", "2026-03-02 09:00", "路灯不亮", "海棠路的路灯不亮", "已修好。", "2026-03-04", "市城管局"),
                ("8", "", "没有时间", "湖滨路的路灯不亮", "已修好。", "2026-03-04", ""),
            ],
        )
    )
    assert [row["petition_id"] for row in rows] == ["1", "2", "5", "8"]
    assert rejected == {
        4: "bad_reply_time", 5: "reply_before_petition", 7: "reply_before_petition", 8: "missing_body", 9: "duplicate_row",
    }  # fmt: skip
    assert rows[0]["unit"] == "市城管局"
    assert rows[1]["reply"] == ""
    assert rows[1]["replied_at"] is None


def test_schema_is_no_petition_schema() -> None:
    assert "reply" in REPLY_SCHEMA.names
    with pytest.raises(MappingError, match="written after filing"):
        check_mapping({"body": "答复意见"})
    assert is_outcome("答复意见")
    assert is_outcome("答复时间")


def test_json_and_mapped_headers(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"id": "A1", "content": "海棠路的路灯不亮", "官方说法": "已修好。", "说法日期": "2026-03-04"}]), "utf-8")
    rows, rejected = read(path, {"reply": "官方说法", "replied_at": "说法日期"})
    assert not rejected
    assert rows[0]["reply"] == "已修好。"
    assert str(rows[0]["replied_at"]) == "2026-03-04 00:00:00"


def test_no_reply_column_is_one_rejection_that_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", [("1", "海棠路的路灯不亮")], ("编号", "内容"))
    chunk = next(iter(read_replies([path])))
    assert [(item.code, item.row) for item in chunk.rejections] == [("no_reply_column", 0)]
    assert "--map reply=列名" in chunk.rejections[0].reason


def test_unusable_calls(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="does not exist"):
        list(read_replies([tmp_path / "none.csv"]))
    path = write(tmp_path / "a.csv", [("1", "x")], ("编号", "内容"))
    with pytest.raises(ReadError, match="no field"):
        list(read_replies([path], mapping={"answer": "答复"}))
    with pytest.raises(ReadError, match="written after filing"):
        list(read_replies([path], mapping={"body": "答复意见"}))


def test_a_city_lays_its_own_rules_on_the_bundled_ones(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text("weights: {timeliness: 50}\n", "utf-8")
    base, own = load_reply_config(), load_reply_config(path)
    assert own.weights.timeliness == 50
    assert own.weights.relevance == base.weights.relevance
    assert own.version != base.version


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("weights: {speed: 3}", "weights.speed: unknown key"),
        ("relevance: {full_ratio: 0.5}", "full_ratio must be above 1"),
        ("completeness: {requests: 0.9}", "must add up to 1"),
        ("weights: {timeliness: -1}", "must not be negative"),
        ("words: {reason: ['…']}", "empty phrase"),
    ],
)
def test_rules_that_cannot_be(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError, match=says):
        load_reply_config(path)

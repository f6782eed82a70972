"""Recognition of headers."""

from __future__ import annotations

import pytest

from corpora.headers import (
    MappingError,
    check_mapping,
    describe,
    field_of,
    header_score,
    is_outcome,
    match_headers,
    missing_headers,
)


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("留言编号", "petition_id"),
        ("编号", "petition_id"),
        ("工单号", "petition_id"),
        ("工单编号", "petition_id"),
        ("受理编号", "petition_id"),
        ("信访编号", "petition_id"),
        ("id", "petition_id"),
        ("\ufeffPetition_ID ", "petition_id"),
        ("留言主题", "title"),
        ("标　题", "title"),
        ("主题", "title"),
        ("留言详情", "body"),
        ("内容", "body"),
        ("【诉求内容】", "body"),
        ("信件内容（必填）", "body"),
        ("*反映内容", "body"),
        ("ｃｏｎｔｅｎｔ", "body"),
        ("留言时间", "submitted_at"),
        ("来电时间(年月日)", "submitted_at"),
        ("created_at", "submitted_at"),
        ("事发地址", "address"),
        ("诉求地址", "address"),
        ("来源", "channel"),
        ("来电渠道", "channel"),
        ("一级标签", "issue_type"),
        ("问题类型", "issue_type"),
        ("承办单位", "unit"),
        ("答复部门", "unit"),
        ("退单单位", "refused_units"),
        ("refused_units", "refused_units"),
        ("答复意见", None),
        ("答复时间", None),
        ("回复内容", None),
        ("办理结果", None),
        ("处理意见", None),
        ("内容（答复）", None),
        ("reply", None),
        ("Reply Content", None),
        ("处理结果", None),
        ("满意度", None),
        ("反对数", None),
        ("", None),
        ("function", None),
    ],
)
def test_field_of(header: str, field: str | None) -> None:
    assert field_of(header) == field


@pytest.mark.parametrize(
    "header", ["答复意见", "答复时间", "回复内容", "办理结果", "处理意见", "reply", "Reply_Time", " 办结 时间"]
)
def test_outcomes_are_refused(header: str) -> None:
    assert is_outcome(header)
    with pytest.raises(MappingError, match="was not there when the petition was filed"):
        check_mapping({"body": header})


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ({"colour": "x"}, "no field 'colour'"),
        ({"source": "x"}, "no field 'source'"),
        ({"body": " "}, "empty"),
        ({"body": "a", "title": "A "}, "already mapped"),
        ({"body": "承办单位"}, "the answer itself"),
        ({"issue_type": "大类+答复意见"}, "was not there"),
    ],
)
def test_impossible_mappings(mapping: dict[str, str], message: str) -> None:
    with pytest.raises(MappingError, match=message):
        check_mapping(mapping)


@pytest.mark.parametrize(
    ("header", "mapping", "expected"),
    [
        (["编号", "标题", "内容"], {}, {"petition_id": (0,), "title": (1,), "body": (2,)}),
        # The more specific name wins, wherever it stands.
        (["内容", "诉求内容"], {}, {"body": (1,)}),
        (["标题", "标题"], {}, {"title": (0,)}),
        (["内容", "二级标签", "一级标签", "三级标签"], {}, {"body": (0,), "issue_type": (2, 1, 3)}),
        (["二级标签"], {}, {}),
        (["问题类型", "一级分类"], {}, {"issue_type": (1,)}),
        (["body", "unit", "function"], {"unit": "function"}, {"body": (0,), "unit": (2,)}),
        # A mapped field takes nothing else, even in a file without the mapped column.
        (["body", "unit"], {"unit": "function"}, {"body": (0,)}),
        # A column that the mapping took fills no other field.
        (["标题", "编号"], {"body": "标题"}, {"body": (0,), "petition_id": (1,)}),
        (["大类", "小类", "文"], {"issue_type": "大类+小类", "body": "文"}, {"issue_type": (0, 1), "body": (2,)}),
        (["a+b", "文"], {"issue_type": "a+b"}, {"issue_type": (0,)}),
        (["答复意见", "答复时间", "回复内容"], {}, {}),
    ],
)
def test_match_headers(header: list[str], mapping: dict[str, str], expected: dict[str, tuple[int, ...]]) -> None:
    assert dict(match_headers(header, mapping).columns) == expected


def test_missing_headers() -> None:
    assert missing_headers(["a", "b"], {"body": "A", "unit": "c"}) == {"unit": "c"}


def test_header_score_counts_fields() -> None:
    assert header_score(["编号", "内容", "备注"]) == 2
    assert header_score(["编号", "文"], {"body": "文"}) == 3


def test_a_row_of_data_is_not_shown() -> None:
    assert describe(["编号", "备注"]) == "编号, 备注"
    assert "not shown" in describe(["张三", "13800000000"])
    assert "not shown" in describe(["小区路灯不亮已经有一个多月了，晚上老人出门很不方便，请尽快修理"])
    assert describe([" "]) == "(none)"

"""Outlines: which numbers are labels, how they nest, and that no character is lost."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.policies.clauses import outline
from pipeline.policies.records import Clause


def shape(text: str) -> list[tuple[int, str, str, str]]:
    """Depth, kind, label and heading of every clause but paragraphs."""
    clauses = outline(text)
    out = []
    for clause in clauses:
        depth, parent = 0, clause.parent
        while parent >= 0:
            depth, parent = depth + 1, clauses[parent].parent
        if clause.kind != "paragraph":
            out.append((depth, clause.kind, clause.label, clause.heading))
    return out


def check(text: str, clauses: list[Clause]) -> None:
    """Spans are exact, children stand within their parents without overlap, every character belongs to a clause."""
    ends: dict[int, int] = {}
    for index, clause in enumerate(clauses):
        assert 0 <= clause.start < clause.end <= len(text)
        assert clause.start <= clause.body_start <= clause.end
        assert text[clause.start : clause.end].startswith(clause.label)
        assert clause.parent < index
        if clause.parent >= 0:
            assert clauses[clause.parent].start <= clause.start
            assert clause.end <= clauses[clause.parent].end
        at = ends.get(clause.parent, 0)
        assert clause.start >= at
        if clause.parent == -1:
            assert not text[at : clause.start].strip()
        ends[clause.parent] = clause.end
    assert not text[ends.get(-1, 0) :].strip()


STATUTE = """某市养犬管理办法
（2020年1月2日公布）
第一章 总则
第一条 为了管理，制定本办法。
第二条 本办法适用于本市。
违反第十条规定的，依照第二十条第一款第（二）项处理。
第二章　登记
第三条（期限） 有下列情形之一的，应当登记：
（一）购买的；
（二）领养的。
前款规定的期限为十日。
第三条之一 免费登记。"""


@pytest.mark.parametrize("run_together", [False, True])
def test_statute(run_together: bool) -> None:
    text = STATUTE.replace("\n", " ") if run_together else STATUTE
    found = [item for item in shape(text) if item[1] != "title"]
    assert found == [
        (0, "chapter", "第一章", "总则"),
        (1, "article", "第一条", ""),
        (1, "article", "第二条", ""),
        (0, "chapter", "第二章", "登记"),
        (1, "article", "第三条", "期限"),
        (2, "item", "（一）", ""),
        (2, "item", "（二）", ""),
        (1, "article", "第三条之一", ""),
    ]
    clauses = outline(text)
    check(text, clauses)
    third = next(i for i, clause in enumerate(clauses) if clause.label == "第三条")
    paragraphs = [text[c.start : c.end] for c in clauses if c.parent == third and c.kind == "paragraph"]
    # The paragraph (款) after the items is the article's, not the last item's.
    assert paragraphs[-1].startswith("前款规定")


@pytest.mark.parametrize("sep", ["\n", "", " "])
def test_opinion(sep: str) -> None:
    parts = [
        "各区人民政府：为了加强管理，现提出如下意见。", "一、总体要求", "（一）指导思想。坚持依法管理。", "（二）基本原则。统一领导。",
        "二、主要任务", "（三）建立机制。1.建立清单。各部门公布清单。2.建立台账。各部门建立台账。",
        "三、保障措施。各部门要落实责任。", "某市人民政府", "2020年3月5日",
    ]  # fmt: skip
    text = sep.join(parts)
    found = shape(text)
    labels = [(depth, label) for depth, _, label, _ in found]
    assert labels == [
        (0, "一、"), (1, "（一）"), (1, "（二）"), (0, "二、"), (1, "（三）"), (2, "1."), (2, "2."), (0, "三、"), (0, ""),
    ]  # fmt: skip
    headings = [heading for *_, heading in found]
    assert headings[:4] == ["总体要求", "指导思想", "基本原则", "主要任务"]
    assert found[-1][1] == "signature"
    check(text, outline(text))


@pytest.mark.parametrize(
    "text",
    [
        "依照本办法第三条、第五条的规定处理。",
        "根据第十条规定，应当登记。",
        "会议于十一、十二月召开，增长2.5个百分点，共3.8亿元。",
        "修改为：“第三条 应当登记。\n第四条 应当年检。”",
        "前款第（一）项和第（二）项。",
    ],
)
def test_no_labels(text: str) -> None:
    assert shape(text) == []


def test_table_of_contents_is_no_outline() -> None:
    text = "目 录\n第一章 总则\n第二章 附则\n第一章 总则\n第一条 为了管理。\n第二章 附则\n第二条 施行。"
    assert [label for _, _, label, _ in shape(text)] == ["第一章", "第一条", "第二章", "第二条"]
    check(text, outline(text))


def test_notice_with_the_document_it_prints() -> None:
    body = "第一条 为了管理养犬行为，制定本办法。\n" + "".join(
        f"第{n}条 养犬人应当遵守本办法的规定，依法登记，按时年检，不得扰民。\n" for n in "二三四五六七八九"
    )
    text = f"某局关于印发《养犬办法》的通知\n各区：\n现印发给你们。\n附件：登记表\n某市公安局\n2020年3月5日\n某市养犬管理办法\n{body}"
    found = shape(text)
    kinds = [kind for _, kind, *_ in found]
    assert kinds[:4] == ["title", "attachment", "signature", "attachment"]
    assert found[3] == (0, "attachment", "", "某市养犬管理办法")
    assert all(depth == 1 for depth, kind, *_ in found if kind == "article")
    check(text, outline(text))


def test_attachments_hold_what_follows() -> None:
    text = "一、要求\n依法办理。\n某市公安局\n2020年3月5日\n附件1\n登记办法\n一、登记\n二、年检\n附件2\n收费表"
    found = [item for item in shape(text) if item[1] != "title"]
    assert found == [
        (0, "heading", "一、", "要求"),
        (0, "signature", "", ""),
        (0, "attachment", "附件1", "登记办法"),
        (1, "heading", "一、", "登记"),
        (1, "heading", "二、", "年检"),
        (0, "attachment", "附件2", "收费表"),
    ]


def test_items_of_a_run_together_list_end_with_their_sentence() -> None:
    text = "应当记录下列内容：（一）名称；（二）数量。销售者应当保存凭证。应当公布下列内容：（一）价格；（二）产地。"
    clauses = outline(text)
    assert [text[c.start : c.end] for c in clauses if c.kind == "item"] == [
        "（一）名称；", "（二）数量。", "（一）价格；", "（二）产地。",
    ]  # fmt: skip
    assert [text[c.start : c.end] for c in clauses if c.kind == "paragraph"][
        1
    ] == "销售者应当保存凭证。应当公布下列内容："


PIECES = st.sampled_from(
    ["第一章 总则", "第一条 ", "第二条", "第十条规定", "一、", "二、要求", "（一）", "（二）责任。", "1.", "2．", "(1)", "①", "②", "附件1：", "附件：清单",
     "某市公安局", "2020年3月5日", "某市关于某事的通知", "目录", "“", "”", "《", "》", "。", "；", "：", "\n", " ", "　", "养犬人应当登记", "，", "印发", "之一", "�"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(PIECES, max_size=40).map("".join))
def test_every_character_belongs_to_a_clause(text: str) -> None:
    check(text, outline(text))


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=200))
def test_any_text(text: str) -> None:
    check(text, outline(text))

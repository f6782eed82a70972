"""Tables of sentences, each with the citations wanted: (text as cited, kind, law, article, paragraph, item)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.legal import ArticleNumber
from pipeline.policies.citations import Finder

TITLES = [
    "中华人民共和国行政处罚法", "行政处罚法", "处罚法", "中华人民共和国行政许可法", "行政许可法", "中华人民共和国民法典", "民法典", "刑法",
    "公司法", "宪法", "水法", "立法法", "优化营商环境条例", "信访条例", "物业管理条例", "浙江省物业管理条例", "浙江省综合行政执法条例",
    "浙江省实施《中华人民共和国水法》办法", "治安管理处罚法", "最高人民法院关于适用《中华人民共和国行政诉讼法》的解释",
]  # fmt: skip
FINDER = Finder(TITLES)


def found(text: str, own: str = "") -> list[tuple[object, ...]]:
    out: list[tuple[object, ...]] = []
    for c in FINDER.find(text, own):
        assert text[c.start : c.end] == c.text
        number = (
            (c.article.number, c.article.suffix) if c.article and c.article.suffix else c.article and c.article.number
        )
        out.append((c.text, c.kind, c.law, number, c.paragraph, c.item))
    return out


def articles(text: str, own: str = "") -> list[tuple[object, ...]]:
    return [row[2:] for row in found(text, own) if row[3]]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("依《行政处罚法》第二十四条办理", [("《行政处罚法》第二十四条", "article", "行政处罚法", 24, None, None)]),
        ("依行政处罚法第24条办理", [("行政处罚法第24条", "article", "行政处罚法", 24, None, None)]),
        ("《行政处罚法》的第二十四条", [("《行政处罚法》的第二十四条", "article", "行政处罚法", 24, None, None)]),
        ("“行政处罚法”第２４条第１款", [("行政处罚法”第２４条第１款", "article", "行政处罚法", 24, 1, None)]),
        ("城里的水法64条", [("水法64条", "article", "水法", 64, None, None)]),
        ("刑法第一百二十条之一", [("刑法第一百二十条之一", "article", "刑法", (120, 1), None, None)]),
        (
            "《民法典》第三编第二章第四百七十条",
            [("《民法典》第三编第二章第四百七十条", "article", "民法典", 470, None, None)],
        ),
        ("民法典合同编第四百七十条", [("民法典合同编第四百七十条", "article", "民法典", 470, None, None)]),
        ("《行政处\n罚法》第二十\n四条", [("《行政处\n罚法》第二十\n四条", "article", "行政处罚法", 24, None, None)]),
        (
            "依照行 政 处 罚 法第 二 十 四 条",
            [("行 政 处 罚 法第 二 十 四 条", "article", "行政处罚法", 24, None, None)],
        ),
        ("根据行政许可法", [("行政许可法", "title", "行政许可法", None, None, None)]),
        ("《水法》实施细则第三条", [("《水法》实施细则第三条", "article", "水法实施细则", 3, None, None)]),
        ("浙江省《物业管理条例》第三条", [("《物业管理条例》第三条", "article", "浙江省物业管理条例", 3, None, None)]),
        ("依照本市《物业管理条例》第三条", [("《物业管理条例》第三条", "article", "本市物业管理条例", 3, None, None)]),
        ("按我省物业管理条例第三条", [("我省物业管理条例第三条", "article", "我省物业管理条例", 3, None, None)]),
        ("违反杭州市《物业管理条例》第三条", [("《物业管理条例》第三条", "article", "杭州市物业管理条例", 3, None, None)]),
        ("见刑法第59条⑩项", [("刑法第59条⑩项", "article", "刑法", 59, None, 10)]),
        ("德国《民法典》第三条", [("《民法典》第三条", "article", "德国民法典", 3, None, None)]),
        (
            "最高人民法院《关于适用〈中华人民共和国行政诉讼法〉的解释》第三条",
            [
                (
                    "《关于适用〈中华人民共和国行政诉讼法〉的解释》第三条",
                    "article",
                    "最高人民法院关于适用〈中华人民共和国行政诉讼法〉的解释",
                    3,
                    None,
                    None,
                )
            ],
        ),
        ("依照河北省某某条例第三条", [("河北省某某条例第三条", "article", "河北省某某条例", 3, None, None)]),
        (
            "按照关于贯彻实施民法典的意见第三条",
            [("关于贯彻实施民法典的意见第三条", "article", "关于贯彻实施民法典的意见", 3, None, None)],
        ),
    ],
)
def test_titles_and_articles(text: str, wanted: list[tuple[object, ...]]) -> None:
    assert found(text) == wanted


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("第三条至第五条", [(3, None, None), (4, None, None), (5, None, None)]),
        ("第三至五条", [(3, None, None), (4, None, None), (5, None, None)]),
        ("第3—5条", [(3, None, None), (4, None, None), (5, None, None)]),
        ("第三条、第五条和第七条", [(3, None, None), (5, None, None), (7, None, None)]),
        ("第七、八、九条", [(7, None, None), (8, None, None), (9, None, None)]),
        ("第七、第八条", [(7, None, None), (8, None, None)]),
        ("第七条、八条", [(7, None, None), (8, None, None)]),
        ("第七条第一款、第三款", [(7, 1, None), (7, 3, None)]),
        ("第七条第一、三款", [(7, 1, None), (7, 3, None)]),
        ("第七条第一款第（三）项", [(7, 1, 3)]),
        ("第七条（三）项", [(7, None, 3)]),
        ("第七条第（一）至（三）项", [(7, None, 1), (7, None, 2), (7, None, 3)]),
        ("第七条第（一）（二）项", [(7, None, 1), (7, None, 2)]),
        ("第七条第㈠项", [(7, None, 1)]),
        ("第七条第一款（三）所称", [(7, 1, 3)]),
        ("第七条1款2项", [(7, 1, 2)]),
        ("第七条（第一款）", [(7, 1, None)]),
        ("第七条第二款第一项，第九条第二款", [(7, 2, 1), (9, 2, None)]),
        ("第七条规定的事项和第九条规定的情形", [(7, None, None), (9, None, None)]),
    ],
)
def test_one_citation_for_each_target(written: str, wanted: list[tuple[object, ...]]) -> None:
    assert articles("依照《水法》" + written + "规定") == [("水法", *each) for each in wanted]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("《水法》《立法法》第三条", [("立法法", 3, None, None)]),
        ("《水法》第三条、《立法法》第五条", [("水法", 3, None, None), ("立法法", 5, None, None)]),
        ("《水法》有规定，该法第三条、同法第五条", [("水法", 3, None, None), ("水法", 5, None, None)]),
        ("《水法》和《信访条例》，该条例第三条、该法第五条", [("信访条例", 3, None, None), ("水法", 5, None, None)]),
        ("《水法》已修订。\n\n该法第三条", [("", 3, None, None)]),
        ("《水法》\n\n第三条规定", [("", 3, None, None)]),
        ("《水法》第三条第一款允许，第二款禁止，该条第三款除外", [("水法", 3, 1, None), ("水法", 3, 2, None), ("水法", 3, 3, None)]),
        ("《水法》及其第三条", [("水法", 3, None, None)]),
        ("《水法》第三条作了规定。第五条作了补充", [("水法", 3, None, None), ("水法", 5, None, None)]),
        ("违反第十条规定的，依照《治安管理处罚法》第二条处罚；违反第十一条规定的，警告", [("", 10, None, None), ("治安管理处罚法", 2, None, None), ("", 11, None, None)]),
        ("违反本条例第三条、第五条", [("", 3, None, None), ("", 5, None, None)]),
        ("《信访条例》（以下简称《条例》）公布后，《条例》第三条、条例第五条、物业管理条例第七条", [("信访条例", 3, None, None), ("信访条例", 5, None, None), ("物业管理条例", 7, None, None)]),
        ("河北省某某条例（以下简称条例）第三条，条例第五条", [("河北省某某条例", 3, None, None), ("河北省某某条例", 5, None, None)]),
        (
            "《水法》第三条规定甲，《刑法》第八条规定乙。前者第四条、后者第九条从其规定。",
            [("水法", 3, None, None), ("刑法", 8, None, None), ("水法", 4, None, None), ("刑法", 9, None, None)],
        ),
    ],
)  # fmt: skip
def test_whose_article_it_is(text: str, wanted: list[tuple[object, ...]]) -> None:
    assert articles(text) == wanted


@pytest.mark.parametrize(
    "text",
    [
        "租赁合同第三条、补充协议第五条、村规民约第八条、公司章程第九条",
        "第三条生产线投产，第二条跑道开工",
        "第一条件是守法，第十条例外，第三条约",
        "公司法人、刑法学、宪法宣誓、公司法定代表人、水法规",
        "《水法》第三章、《房屋租赁合同》第七条",
        "第一章 总则\n第一条　本市推行综合执法。\n第二条　各镇执行。",
    ],
)
def test_no_article(text: str) -> None:
    assert articles(text) == []


@pytest.mark.parametrize(
    ("text", "year"),
    [
        ("《水法》（2016年修订）第三条", 2016),
        ("《水法》(2016修正)第三条", 2016),
        ("《水法（2016年修正）》第三条", 2016),
        ("水法（2016）第三条", 2016),
        ("2016年修正的《水法》第三条", 2016),
        ("《水法》（二〇一六年修正）第三条", 2016),
        ("《水法》（1988年通过，2016年修正）第三条", 2016),
        ("《水法》（国水发〔2016〕3号）第三条", None),
        ("《水法》第三条", None),
        ("《水法》第三条（2016年修正）", 2016),
        ("《水法》第三条（共三款）", None),
        ("《水法》第三条（2016年起执行）", None),
    ],
)
def test_year_of_the_version(text: str, year: int | None) -> None:
    (citation,) = [c for c in FINDER.find(text) if c.article]
    assert (citation.law, citation.year, str(citation.article)) == ("水法", year, "第三条")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("依据国办发〔2018〕37号", ("国办发〔2018〕37号", "number", "国办发〔2018〕37号")),
        ("依据浙政发[2018]37号", ("浙政发[2018]37号", "number", "浙政发[2018]37号")),
        ("见龙政发（2018）3 号", ("龙政发（2018）3 号", "number", "龙政发（2018）3号")),
        ("根据国务院令第423号", ("国务院令第423号", "number", "国务院令第423号")),
        (
            "按《关于试点的通知》（国办发【2018】37号）办",
            ("《关于试点的通知》（国办发【2018】37号）", "number", "关于试点的通知"),
        ),
        ("依照有关法律法规的规定", ("有关法律法规的规定", "vague", "")),
        ("法律、法规规定的", ("法律、法规规定", "vague", "")),
        ("按国家有关规定", ("国家有关规定", "vague", "")),
    ],
)
def test_numbers_and_vague_bases(text: str, wanted: tuple[str, ...]) -> None:
    assert [row[:3] for row in found(text)] == [wanted]


@pytest.mark.parametrize("text", ["依照《水法》的有关规定", "按照本条例有关规定", "第三条的有关规定"])
def test_a_named_statute_is_not_vague(text: str) -> None:
    assert "vague" not in {c.kind for c in FINDER.find(text)}


@pytest.mark.parametrize(
    ("text", "relation"),
    [
        ("根据《水法》第三条", "basis"),
        ("参照《水法》第三条", "reference"),
        ("违反《水法》第三条", "violation"),
        ("修改《水法》", "amends"),
        ("《水法》同时废止", "repeals"),
        ("《水法》第三条写道", "mention"),
        ("参照《水法》、《立法法》第三条", "reference"),
    ],
)
def test_relation(text: str, relation: str) -> None:
    assert {c.relation for c in FINDER.find(text)} == {relation}


def test_place_in_the_own_text() -> None:
    text = "第九条　镇负责。\n市指导。\n第十条　前条所列职责，由前款单位承担。\n依照前款办理，本条第一款除外。\n"
    assert [(c.text, str(c.article), c.paragraph) for c in FINDER.find(text)] == [
        ("前条", "第九条", None), ("前款", "第十条", None), ("前款", "第十条", 1), ("本条第一款", "第十条", 1),
    ]  # fmt: skip


def test_amended_law_takes_the_bare_articles() -> None:
    text = "对《某某省奖励办法》作如下修改：\n\n一、将第七条第一款修改为：“略”。\n\n二、删去第九条。"
    assert [(c.law, str(c.article), c.relation) for c in FINDER.find(text)][1:] == [
        ("某某省奖励办法", "第七条", "amends"), ("某某省奖励办法", "第九条", "amends"),
    ]  # fmt: skip


PARTS = [
    "《水法》", "行政处罚法", "《信访条例》（以下简称《条例》）", "第三条", "第 十 条", "第二款", "第（三）项", "至", "、", "和", "，", "。", "\n", "\n\n", "该法", "同法",
    "本条例", "前款", "前条", "本条", "（2021年修订）", "国办发〔2018〕37号", "有关法律法规", "违反", "《", "》", "〈", "（", "）", "之一", "第", "条", "款", "编", "第零条", "第99999条",
]  # fmt: skip


@given(st.lists(st.sampled_from(PARTS), max_size=25).map("".join) | st.text(max_size=60))
def test_offsets_are_exact_on_any_text(text: str) -> None:
    citations = FINDER.find(text, "某某条例")
    assert all(text[c.start : c.end] == c.text and c.text for c in citations)
    assert [c.start for c in citations] == sorted(c.start for c in citations)


@given(st.integers(1, 9_999), st.integers(0, 20))
def test_numbers_are_read_back(number: int, suffix: int) -> None:
    wanted = ArticleNumber(number, suffix)
    (citation,) = FINDER.find(f"依照《水法》{wanted}的规定")
    assert citation.article == wanted

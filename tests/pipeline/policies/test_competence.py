"""What a document is, which rule holds when, and who decides. All texts are invented."""

from __future__ import annotations

import datetime as dt

import pytest
from reform import codes, document, known, of_sentence, rules

from pipeline.policies.competence import is_flat
from pipeline.policies.instruments import by_state_council, instrument


@pytest.mark.parametrize(
    ("title", "number", "fields", "expected"),
    [
        ("临湾市人民政府关于优化审批的通知", "临政发〔2023〕5号", {}, "normative"),
        ("临湾市养犬管理办法", "临湾市人民政府令第12号", {}, "rule"),
        ("临湾市养犬管理办法", "", {"category": "政府规章"}, "rule"),
        ("临湾市养犬管理办法", "", {}, "unknown"),
        ("临湾市养犬管理条例", "", {}, "regulation"),
        ("中华人民共和国行政处罚法", "", {}, "law"),
        ("地名管理条例", "", {}, "regulation"),
        ("《临湾市养犬管理办法》解读", "", {}, "explanation"),
        ("临湾市司法局2022年法治政府建设情况", "", {}, "explanation"),
        ("临湾市改革领导小组会议纪要", "", {}, "normative"),
    ],
)
def test_instrument(title: str, number: str, fields: dict[str, str], expected: str) -> None:
    paper = document("加强宣传。", title=title, number=number, fields=fields)
    assert instrument(paper, known().find(title)) == expected


@pytest.mark.parametrize(
    ("issuer", "number", "expected"),
    [
        ("国务院办公厅", "国办发〔2022〕9号", True),
        ("国务院", "国发〔2022〕9号", True),
        ("临湾市人民政府", "临政发〔2022〕9号", False),
        ("教育部", "教发〔2022〕9号", False),
    ],
)
def test_state_council(issuer: str, number: str, expected: bool) -> None:
    assert by_state_council(document("加强宣传。", issuer=issuer, number=number)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我市不设镇和街道，由市直接管理社区。", True),
        ("完善市管社区体制。", True),
        ("滨海镇、城东街道要落实责任。", False),
    ],
)
def test_flat(text: str, expected: bool) -> None:
    assert is_flat(text) is expected


@pytest.mark.parametrize(
    ("sentence", "on", "territory", "rule"),
    [
        ("将养犬处罚权交由滨海镇人民政府行使。", dt.date(2021, 7, 14), "", "penalty_delegation_before_2021"),
        ("将养犬处罚权交由滨海镇人民政府行使。", dt.date(2021, 7, 15), "", "penalty_delegation"),
        ("将水利处罚权划转市综合行政执法局。", dt.date(2022, 1, 1), "浙江/温州", "centralised_penalty_zhejiang"),
        ("将水利处罚权划转市综合行政执法局。", dt.date(2022, 1, 1), "河北", "centralised_penalty"),
        ("设立南门社区居民委员会。", dt.date(2025, 12, 31), "", "residents_committee_change"),
        ("设立南门社区居民委员会。", dt.date(2026, 1, 1), "", "residents_committee_change_2026"),
        ("撤销白沙镇建制。", dt.date(2018, 12, 31), "", "town_change_before_2019"),
        ("撤销白沙镇建制。", dt.date(2019, 1, 1), "", "town_change"),
    ],
)
def test_rules_have_their_time_and_place(sentence: str, on: dt.date, territory: str, rule: str) -> None:
    (found,) = of_sentence(sentence, on=on, territory=territory)
    assert found.rule == rule


@pytest.mark.parametrize(
    ("sentence", "options", "low"),
    [
        ("撤销白沙镇建制。", {}, True),
        ("撤销白沙镇建制。", {"level": "省", "issuer": "某省人民政府"}, False),
        ("撤销白沙镇建制。", {"level": ""}, False),  # unknown: nothing is said
        ("经省人民政府批准，撤销白沙镇建制。", {}, False),
        ("撤销白沙镇建制。", {"intro": "根据省人民政府批复，现就有关事项通知如下。"}, False),
        ("按程序报批后，撤销白沙镇建制。", {}, False),
        ("组建市大数据局。", {}, True),
        ("经温州市人民政府批准，组建市大数据局。", {}, False),
        ("经临湾市人民政府批准，组建市大数据局。", {}, True),  # its own approval is none from above
        ("报经市人民政府批准，组建区大数据局。", {"issuer": "东城区人民政府"}, False),
        ("经上一级人民政府批准，组建市大数据局。", {}, False),
        ("新设南门社区居民委员会。", {}, False),  # the county level decides itself
        ("新设南门社区居民委员会。", {"level": "乡镇", "issuer": "滨海镇人民政府"}, True),
    ],
)
def test_decider(sentence: str, options: dict[str, str], low: bool) -> None:
    assert ("DECIDER_TOO_LOW" in codes(sentence, **options)) is low


def test_unverified_authority_is_told() -> None:
    (found,) = of_sentence("将养犬处罚权交由滨海镇人民政府行使。", on=dt.date(2020, 1, 1))
    assert any("未核实" in note for note in found.not_checked)


def test_every_kind_that_confers_has_a_rule_today() -> None:
    today = dt.date(2026, 6, 1)
    for kind in rules().kinds:
        if kind.confers:
            assert any(rule.holds_on(today) for rule in rules().of_kind(kind.kind)), kind.kind

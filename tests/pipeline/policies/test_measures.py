"""Measures: what is one, what is none, and who does what to whom. All sentences are invented."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reform import rules

from pipeline.policies.clauses import outline
from pipeline.policies.measure_parts import actor_of, receiver_class, receiver_of
from pipeline.policies.measure_sentences import sentences
from pipeline.policies.measures import measures
from pipeline.policies.records import Measure


def found(text: str) -> list[Measure]:
    return measures(text, outline(text), rules())


def kinds(text: str) -> list[str]:
    return [measure.kind for measure in found(text)]


@pytest.mark.parametrize(
    ("sentence", "kind", "action", "power", "receiver"),
    [
        (
            "将养犬领域的行政处罚权交由滨海镇人民政府行使。",
            "penalty_delegation",
            "交由",
            "养犬领域的行政处罚权",
            "滨海镇人民政府",
        ),
        ("将水利行政处罚权划转市综合行政执法局。", "centralised_penalty", "划转", "水利行政处罚权", "市综合行政执法局"),
        ("市水利局委托市水政监察大队实施行政处罚。", "penalty_entrustment", "委托", "行政处罚", "市水政监察大队"),
        (
            "市林业局将林木采伐许可委托滨海镇人民政府实施。",
            "licence_entrustment",
            "委托",
            "林木采伐许可",
            "滨海镇人民政府",
        ),
        ("撤销市水利局，组建市农业农村局。", "department_reorganisation", "撤销", "", ""),
        (
            "将市民政局的殡葬管理职责划转市社会事业局。",
            "duty_transfer",
            "划转",
            "市民政局的殡葬管理职责",
            "市社会事业局",
        ),
        ("赋予联勤工作站行政检查权。", "power_devolution", "赋权", "行政检查权", "联勤工作站"),
        ("受委托组织可以再委托保安公司开展行政检查。", "redelegation", "再委托", "", "保安公司"),
        ("撤销东山、西山两个村民委员会。", "village_change", "撤销", "村民委员会", ""),
        ("新设南门社区居民委员会。", "residents_committee_change", "设立", "居民委员会", ""),
        ("撤销白沙镇建制。", "town_change", "撤销", "建制", ""),
        ("成立市改革工作领导小组。", "coordination_body", "设立", "", ""),
        ("市财政局安排专项资金用于社区用房改造。", "funds", "安排", "", ""),
        ("鼓励志愿者参与社区服务。", "social_support", "鼓励", "", ""),
    ],
)
def test_parts(sentence: str, kind: str, action: str, power: str, receiver: str) -> None:
    (measure,) = found(sentence)
    assert (measure.kind, measure.action, measure.power, measure.receiver) == (kind, action, power, receiver)


@pytest.mark.parametrize(
    "sentence",
    [
        "近年来，全市已将120项审批权限下放至各镇。",  # the past
        "已撤销三个村民委员会。",
        "坚持以人民为中心，牢固树立整体政府理念。",  # goals
        "会议指出，基层治理是国家治理的基石。",
        "本办法所称行政执法委托，是指将行政处罚权委托其他组织实施的行为。",  # definitions, scope, entry into force
        "本市行政机关委托组织实施行政处罚，适用本办法。",
        "本办法自2023年6月1日起施行，有效期五年。",
        "本办法由市司法局负责解释。",
        "争取上级下放更多行政审批权限。",  # wishes
        "附件：职责划转清单",
    ],
)
def test_no_conferring_measure(sentence: str) -> None:
    confers = {kind.kind for kind in rules().kinds if kind.confers}
    assert not confers & set(kinds(sentence))


@pytest.mark.parametrize(
    ("prohibition", "act"),
    [
        ("受委托组织不得将行政处罚再委托其他组织。", "受委托组织可以将行政处罚再委托其他组织。"),
        ("严禁将行政强制措施委托企业实施。", "可以将行政强制措施委托企业实施。"),
        ("不得擅自撤销村民委员会。", "年内撤销青山村民委员会。"),
    ],
)
def test_a_prohibition_is_not_the_thing(prohibition: str, act: str) -> None:
    confers = {kind.kind for kind in rules().kinds if kind.confers}
    assert not confers & set(kinds(prohibition))
    assert confers & set(kinds(act))


@pytest.mark.parametrize(
    "sentence",
    [
        "《临湾市行政处罚权下放办法》由市司法局牵头修改。",
        "推进“行政处罚权交由联勤工作站行使”专题宣传。",
        "法律规定“行政机关可以委托组织实施行政处罚”，各单位要加强学习。",
        "撤销村民委员会的，应当提前公告。",  # a case, not an act
        "行政处罚权交由乡镇人民政府行使的，有关部门应当加强培训。",
    ],
)
def test_titles_quotations_and_cases_are_not_acts(sentence: str) -> None:
    confers = {kind.kind for kind in rules().kinds if kind.confers}
    assert not confers & set(kinds(sentence))


def test_points_take_the_subject_of_their_lead() -> None:
    text = "临湾市人民政府关于职责分工的通知\n一、职责分工\n市综合行政执法局履行下列职责：\n（一）编制事项清单；\n（二）开展业务培训。\n"
    assert {measure.text: measure.actor for measure in found(text)} == {
        "编制事项清单；": "市综合行政执法局",
        "开展业务培训。": "市综合行政执法局",
    } | {measure.text: measure.actor for measure in found(text) if "履行下列职责" in measure.text}


def test_cases_of_a_lead_are_no_measures() -> None:
    text = "一、监督检查\n有下列情形之一的，责令改正：\n（一）将行政处罚权委托企业实施；\n（二）擅自撤销村民委员会。\n"
    assert [measure.kind for measure in found(text) if "委托企业" in measure.text or "村民委员会" in measure.text] == []


def test_parts_between_semicolons_share_the_subject() -> None:
    (first, second) = found("市司法局负责编制清单；每季度组织抽查。")
    assert first.actor == second.actor == "市司法局"
    assert second.text == "每季度组织抽查。"


def test_issuer_acts_where_nobody_is_named() -> None:
    text = "临湾市人民政府关于优化审批的通知\n各有关单位：\n一、主要任务\n（一）将登记权限下放至各镇人民政府。\n"
    (measure,) = [measure for measure in found(text) if measure.kind == "power_devolution"]
    assert measure.actor == "临湾市人民政府"
    assert measure.frame == "结构"


@pytest.mark.parametrize(
    ("sentence", "actor"),
    [
        ("市交通运输局委托市公路中心实施行政处罚。", "市交通运输局"),
        ("各社区居民委员会应当协助开展宣传。", "各社区居民委员会"),
        ("由市社会事业局提出方案。", "市社会事业局"),
        ("将处罚权交由工作站，工作站以自己名义处罚。", ""),
        ("完善工作机制。", ""),
    ],
)
def test_actor(sentence: str, actor: str) -> None:
    assert actor_of(sentence) == actor


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("滨海镇人民政府", "township"),
        ("城东街道办事处", "township"),
        ("市综合行政执法局", "organ"),
        ("市环境卫生管理中心", "institution"),
        ("12个联勤工作站", "station"),
        ("各社区居民委员会", "self_governing"),
        ("社区物业服务企业", "company"),
        ("市改革领导小组", "temporary"),
        ("市局内设科室", "internal"),
        ("市物流行业协会", "association"),
        ("社区网格员", "individual"),
        ("云上", ""),
    ],
)
def test_receiver_class_is_by_the_head_of_the_name(name: str, kind: str) -> None:
    assert receiver_class(name, rules().words) == kind


@pytest.mark.parametrize(
    ("sentence", "receiver"),
    [
        ("将审批权授权或者委托给园区管委会行使", "园区管委会"),
        ("向各社区下放执法权", "各社区"),
        ("委托书载明期限", ""),
        ("划转事业编制60名", ""),
        ("委托具有管理公共事务职能的市城市管理中心实施处罚", "市城市管理中心"),
    ],
)
def test_receiver(sentence: str, receiver: str) -> None:
    assert receiver_of(sentence, rules().words) == receiver


def test_blanked_text_keeps_its_length() -> None:
    text = "一、根据《临湾市〈处罚〉办法》，有人说“不签字，就罚款。”推进“一支队伍”建设。落实责任。"
    for sentence in sentences(text, outline(text)):
        assert len(sentence.plain) == len(sentence.text)
        assert text[sentence.start : sentence.end] == sentence.text
        assert "罚款" not in sentence.plain
    assert any("一支队伍" in sentence.plain for sentence in sentences(text, outline(text)))


_PIECES = st.sampled_from(
    [
        "将", "行政处罚权", "交由", "委托", "社区", "乡镇人民政府", "撤销", "村民委员会", "，", "。", "；", "：", "\n", "一、", "（一）", "1.",
        "第一条 ", "《", "》", "“", "”", "不得", "已", "应当", "编制", "罚款", "处五百元", "的", " ", "\u3000", "由", "负责", "附件", "①", "a",
    ]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(_PIECES, max_size=40).map("".join) | st.text(max_size=80))
def test_spans_are_exact_and_in_order(text: str) -> None:
    clauses = outline(text)
    last = 0
    for measure in measures(text, clauses, rules()):
        assert text[measure.start : measure.end] == measure.text
        assert measure.text.strip()
        assert last <= measure.start < measure.end
        assert clauses[measure.clause].start <= measure.start < measure.end <= clauses[measure.clause].end
        last = measure.start

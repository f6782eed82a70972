"""Duties of towns and sub-districts: which sentences put one on them, and who carries it; all statutes are invented."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.instruments import Assignment, Instrument
from corpora.issue_tree import IssueTree
from corpora.legal import Article, ArticleNumber, Law, PolicyDocument, Rank, Version
from corpora.records import UnitCode
from corpora.units import CityInfo, DutyItem, Unit, UnitDirectory
from pipeline.policies.duties import CARRIER_MISSING, Duty, orphaned_duties
from pipeline.policies.duty_fields import field_of
from pipeline.policies.duty_sentences import SUB_DISTRICT, TOWN, duty_sentences, mentions

DAY = dt.date(2026, 1, 1)
BOTH = (TOWN, SUB_DISTRICT)

#: sentence, bearers, whether it is an act of authority
DUTIES = [
    ("乡镇人民政府应当做好路灯维护工作。", (TOWN,), False),
    ("街道办事处负责本辖区的路灯维护。", (SUB_DISTRICT,), False),
    ("乡镇人民政府、街道办事处协助路灯主管部门开展检查。", BOTH, False),
    ("乡（镇）人民政府和街道办事处应当确定专人。", BOTH, False),
    ("街道办事处（乡镇人民政府）应当确定专人。", BOTH, False),
    ("乡、民族乡、镇的人民政府必须保护路灯。", (TOWN,), False),
    ("镇（乡）人民政府在职责范围内做好路灯维护。", (TOWN,), False),
    ("乡级以上各级人民政府应当加强路灯维护。", (TOWN,), False),
    ("乡镇（街道）、开发区和国有企业，应当明确负责路灯的人员。", BOTH, False),
    ("县级人民政府有关部门和乡镇人民政府应当建立巡查制度。", (TOWN,), False),
    ("市场监督管理部门、交通运输主管部门以及乡镇人民政府应当建立巡查制度。", (TOWN,), False),
    ("乡镇人民政府和村民委员会、物业服务企业应当爱护路灯。", (TOWN,), False),
    ("乡镇人民政府，村民委员会等基层组织，社会团体等应当宣传爱护路灯。", (TOWN,), False),
    ("乡镇人民政府以及街道办事处等地方人民政府派出机关，应当制定预案。", BOTH, False),
    ("路灯损坏的，由乡镇人民政府组织修复。", (TOWN,), False),
    ("偷盗路灯的，由街道办事处责令改正。", (SUB_DISTRICT,), True),
    ("新设路灯由乡镇人民政府批准。", (TOWN,), True),
    ("村民委员会的设立，由乡、民族乡、镇的人民政府提出，经村民会议同意，报县级人民政府批准。", (TOWN,), False),
    ("乡镇人民政府发现路灯损坏的，应当及时修复。", (TOWN,), False),
    ("乡镇人民政府接到报告后，应当立即处理。", (TOWN,), False),
    ("乡镇人民政府在县级人民政府的领导下，组织路灯维护。", (TOWN,), False),
    ("乡镇人民政府发现未经批准设置路灯的，应当制止。", (TOWN,), False),
    ("居民可以申请修复，街道办事处应当受理。", (SUB_DISTRICT,), False),
    ("由负责路灯工作的城市街道办事处、乡镇人民政府加强巡查。", BOTH, False),
    ("承接路灯职责的乡镇人民政府应当依法管理。", (TOWN,), False),
    ("偷盗的，由村民选举委员会或者乡镇人民政府宣布无效。", (TOWN,), False),
    ("发现损坏的，由乡级人民政府报告县级人民政府。", (TOWN,), False),
    ("对符合条件的，由城市、县人民政府城乡规划主管部门或者省人民政府确定的镇人民政府核发许可证。", (TOWN,), True),
    ("街道办事处依照有关法律、法规和本条例规定的职责承担管道保护的监督工作。", (SUB_DISTRICT,), False),
    ("业主对方案有异议的，由街道办事处、乡镇人民政府协调解决。", BOTH, True),
]

#: Sentences that name them and put no duty on them.
NO_DUTY = [
    "居民可以向乡镇人民政府申请修复路灯。",
    "路灯所有人应当向乡镇人民政府报告。",
    "方案应当报乡镇人民政府备案。",
    "县级以上人民政府应当加强路灯维护。",
    "县级人民政府应当指导乡镇人民政府做好路灯维护。",
    "路灯主管部门应当会同街道办事处制定方案。",
    "村民委员会协助乡镇人民政府开展工作。",
    "业主委员会在街道办事处的指导下开展活动。",
    "乡镇人民政府可以根据需要增设路灯。",
    "街道办事处有权提出处理建议。",
    "乡镇人民政府的工作人员应当文明执法。",
    "乡镇人民政府批准的方案应当公布。",
    "乡镇人民政府不履行职责的，由上级人民政府责令改正。",
    "街道办事处有下列情形之一的，对直接负责的主管人员依法给予处分：",
    "不服乡镇人民政府处理决定的，可以申请行政复议。",
    "方案经由街道办事处提出。",
    "县级人民政府可以决定由乡镇人民政府维护路灯。",
    "街道办事处、乡镇人民政府可以指定有关基层组织，根据情况，落实措施。",
    "城镇人民政府所在地设路灯。",
    "街道办事处实施执法的依据、程序和文书，按照统一规范执行。",
    "乡镇人民政府根据需要设立的路灯，由县级人民政府管理。",
    "行政审批局应当征求乡镇人民政府的意见。",
    "街道办事处的设立应当经上一级人民政府批准。",
]


@pytest.mark.parametrize(("sentence", "bearers", "power"), DUTIES)
def test_duties(sentence: str, bearers: tuple[str, ...], power: bool) -> None:
    (found,) = duty_sentences(sentence)
    assert (found.text, found.bearers, found.power) == (sentence, bearers, power)


@pytest.mark.parametrize("sentence", NO_DUTY)
def test_mentions_that_are_no_duties(sentence: str) -> None:
    assert not list(duty_sentences(sentence))


def test_a_list_goes_with_its_lead() -> None:
    text = "总的规定。乡镇人民政府履行下列职责：\n（一）维护路灯；\n（二）调解纠纷。\n县级人民政府应当支持。"
    (found,) = duty_sentences(text)
    assert found.text == "乡镇人民政府履行下列职责：（一）维护路灯；（二）调解纠纷。"


def test_a_body_within_an_item_is_read_there() -> None:
    text = "县级人民政府履行下列职责：\n（一）维护路灯；\n（二）指导街道办事处、乡镇人民政府调解纠纷。"
    assert not list(duty_sentences(text))
    assert len(list(mentions(text))) == 1


@given(st.text(alphabet="乡镇街道办事处人民政府应当由向的，。；：\n（一）路灯 可以", max_size=60))
def test_what_is_found_stands_in_the_text(text: str) -> None:
    for found in duty_sentences(text):
        assert found.text in text.replace("\n", "") or found.text in text
        assert set(found.bearers) <= set(BOTH)


def item(identifier: str, unit: str, text: str, basis: str = "") -> DutyItem:
    return DutyItem(identifier, UnitCode(unit), text, (), (), (), basis)


DIRECTORY = UnitDirectory(
    [
        Unit(UnitCode("U1"), "云州市城管局（云州市路灯管理处）", "department", ("城管局",), duties=(
            item("U1-1", "U1", "城市路灯维护和修复"), item("U1-2", "U1", "户外广告设置"),
        )),
        Unit(UnitCode("U2"), "云州市公安局", "department", duties=(item("U2-1", "U2", "犬只登记和收容", "犬只管理条例"),)),
        Unit(UnitCode("U3"), "云州市农业局", "department", valid_to=dt.date(2022, 12, 31), successor=(UnitCode("U4"),)),
        Unit(UnitCode("U4"), "云州市农业农村局", "department", valid_from=dt.date(2023, 1, 1)),
        Unit(UnitCode("U5"), "云州市东城社区居民委员会", "community", duties=(item("U5-1", "U5", "城市路灯维护和修复报告"),)),
    ],
    CityInfo("YZ", "云州市", "云省", invented=True),
)  # fmt: skip


def law(
    title: str, articles: Sequence[str], territory: str = "", adopted: dt.date = dt.date(2020, 1, 1),
    repealed: dt.date | None = None,
) -> tuple[Law, Version, list[Article]]:  # fmt: skip
    version = Version(f"{title}@{adopted}", adopted, adopted, False, "制定", len(articles), True)
    held = [Article(version.version_id, ArticleNumber(n), "", text) for n, text in enumerate(articles, 1)]
    return Law(title, title, (), Rank.LAW, "", territory, (version,), repealed), version, held


LAMPS = "中华人民共和国路灯法"
LAMP = "乡镇人民政府应当组织城市路灯维护和修复。"


def ask(texts: Sequence[tuple[Law, Version, Sequence[Article]]], *given: Instrument | PolicyDocument) -> list[Duty]:
    return orphaned_duties(
        texts, DIRECTORY, DAY, [each for each in given if isinstance(each, PolicyDocument)],
        [each for each in given if isinstance(each, Instrument)],
    )  # fmt: skip


def decision(*assignments: Assignment, issued: str = "2021-01-01", expires: str | None = None) -> Instrument:
    last = dt.date.fromisoformat(expires) if expires else None
    day = dt.date.fromisoformat(issued)
    return Instrument("关于职责承接的决定", "云政发〔2021〕1号", "云州市人民政府", day, day, last, assignments)


def document(text: str, issued: str = "2021-01-01") -> PolicyDocument:
    return PolicyDocument("d", "d.txt", text, "关于撤镇的通知", number="云政发〔2021〕2号", issued=dt.date.fromisoformat(issued))


def test_likeness_is_a_hint_and_no_carrier() -> None:
    (duty,) = ask([law(LAMPS, [LAMP])])
    assert (duty.carrier, duty.instrument, duty.gap) == ("", "", CARRIER_MISSING)
    assert "可能承接单位" in duty.hint
    assert "U1 " in duty.hint  # not the community, which no duty of government can be given to
    assert "未找到承接文件" in duty.hint


def test_no_hint_where_nothing_is_near() -> None:
    (duty,) = ask([law("测绘法", ["乡镇人民政府应当保护测量标志。"])])
    assert (duty.gap, duty.hint) == (CARRIER_MISSING, "")


#: assignment, date of issue, last day, whether it settles the duty, what the hint says
INSTRUMENTS = [
    (Assignment("第一条", "U1", (("路灯法", (ArticleNumber(1),)),)), "2021-01-01", None, True, ""),
    (Assignment("第一条", "U1", ((LAMPS, ()),)), "2021-01-01", None, True, ""),
    (Assignment("第一条", "U1", (), ("路灯",)), "2021-01-01", None, True, ""),
    (Assignment("第一条", "U3", (), ("路灯",)), "2021-01-01", None, True, ""),
    (Assignment("第一条", "U1", (("路灯法", (ArticleNumber(2),)),)), "2021-01-01", None, False, "可能承接"),
    (Assignment("第一条", "U1", (("路灯管理法", ()),)), "2021-01-01", None, False, "可能承接"),
    (Assignment("第一条", "U1", (("路灯法", (ArticleNumber(1),)),)), "2019-12-31", None, False, "需核对条号"),
    (Assignment("第一条", "U1", (), ("修复",)), "2021-01-01", None, False, "人工核对"),
    (Assignment("第一条", "U1", (), ("路灯",)), "2021-01-01", "2025-12-31", False, "可能承接"),
    (Assignment("第一条", "U1", (), ("路灯",)), "2026-01-02", None, False, "可能承接"),
    (Assignment("第一条", "U9", (), ("路灯",)), "2021-01-01", None, False, "单位目录中没有该单位"),
]


@pytest.mark.parametrize(("assignment", "issued", "expires", "settled", "hint"), INSTRUMENTS)
def test_instruments(assignment: Assignment, issued: str, expires: str | None, settled: bool, hint: str) -> None:
    (duty,) = ask([law(LAMPS, [LAMP])], decision(assignment, issued=issued, expires=expires))
    assert (duty.gap == "") == settled
    assert bool(duty.carrier and duty.instrument) == settled
    assert hint in duty.hint
    if settled:
        assert duty.instrument == "《关于职责承接的决定》（云政发〔2021〕1号）第一条"
        assert duty.hint == ""


def test_the_successor_carries_it() -> None:
    (duty,) = ask([law(LAMPS, [LAMP])], decision(Assignment("第一条", "U3", (), ("路灯",))))
    assert duty.carrier == "U4 云州市农业农村局"


#: measure of a document, carrier ("" for none), what the hint says
MEASURES = [
    ("（一）法律、法规规定由乡镇人民政府、街道办事处承担的路灯职责，由市城管局承担。", "U1", ""),
    ("（一）法律、法规规定由镇人民政府履行的职责，统一由云州市路灯管理处承接。", "U1", ""),
    ("（一）《路灯法》第一条规定由乡镇人民政府承担的路灯管理职责，自发文之日起由市公安局负责。", "U2", ""),
    ("（一）《路灯法》第二条规定由乡镇人民政府承担的路灯管理职责，自发文之日起由市公安局负责。", "", "可能承接"),
    ("（一）法律、法规规定由乡镇人民政府承担的犬只管理职责，由市公安局承担。", "", "可能承接"),
    ("（一）法律、法规规定由乡镇人民政府承担的职责，由市级有关单位承接，另行研究。", "", "市级有关单位"),
    ("（一）市城管局要协助乡镇人民政府做好路灯工作。", "", "可能承接"),
]


@pytest.mark.parametrize(("measure", "carrier", "hint"), MEASURES)
def test_measures_of_documents(measure: str, carrier: str, hint: str) -> None:
    (duty,) = ask([law(LAMPS, [LAMP])], document(f"一、承接\n{measure}\n"))
    assert duty.carrier.split(" ")[0] == carrier
    assert (duty.gap == "") == bool(carrier)
    assert hint in duty.hint
    assert duty.instrument == ("《关于撤镇的通知》（云政发〔2021〕2号）（一）" if carrier else "")


def test_the_most_particular_instrument_counts() -> None:
    general = document("法律、法规规定由乡镇人民政府承担的职责，由市农业农村局承担。")
    field = decision(Assignment("第一条", "U2", (), ("路灯",)))
    article = decision(Assignment("第二条", "U1", (("路灯法", (ArticleNumber(1),)),)))
    assert [ask([law(LAMPS, [LAMP])], *given)[0].carrier[:2] for given in ((general,), (general, field), (general, field, article))] == [
        "U4", "U2", "U1",
    ]  # fmt: skip


def test_what_does_not_hold_here_is_passed_over() -> None:
    texts = [
        law("甲条例", [LAMP], "云"), law("乙条例", [LAMP], "海"), law("丙条例", [LAMP], "云/东海"), law("丁条例", [LAMP], "云/云州"),
        law("戊法", [LAMP], adopted=dt.date(2026, 1, 2)), law("己法", [LAMP], repealed=DAY),
        law("庚法", [LAMP], repealed=dt.date(2026, 1, 2)),
    ]  # fmt: skip
    assert [duty.law for duty in ask(texts)] == ["丁条例", "庚法", "甲条例"]


def test_a_city_with_towns_has_no_orphans() -> None:
    directory = UnitDirectory([*DIRECTORY.units, Unit(UnitCode("T"), "云州市河东镇人民政府", "town")], DIRECTORY.city)
    assert orphaned_duties([law(LAMPS, [LAMP])], directory, DAY) == []


def test_order_fields_and_kinds() -> None:
    texts = [
        law("宠物法", ["总则。", "偷盗犬只的，由街道办事处责令改正。"]),
        law("动物防疫法", ["县级人民政府应当加强防疫。", LAMP + "乡镇人民政府、街道办事处负责动物防疫。"]),
    ]
    found = ask(texts)
    assert [(duty.law, str(duty.article), duty.bearer, duty.kind) for duty in found] == [
        ("动物防疫法", "第二条", TOWN, "义务"),
        ("动物防疫法", "第二条", f"{TOWN}、{SUB_DISTRICT}", "义务"),
        ("宠物法", "第二条", SUB_DISTRICT, "职权"),
    ]
    assert found[0].field == "农村农业/动物防疫"
    assert found[0].rank == "law"
    assert found[0].version_id.startswith("动物防疫法@")


@pytest.mark.parametrize(
    ("title", "text", "field"),
    [
        ("云州市物业管理条例", "", "城乡建设/住房保障与房地产"),
        ("村民委员会组织法", "", "民政/基层选举和社区建设"),
        ("甲乙丙丁条例", "", ""),
    ],
)
def test_fields(title: str, text: str, field: str) -> None:
    assert field_of(title, text, IssueTree.load()) == field

"""Urgency rules: a table of what the bundled rules say, and how a rule works."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.config import LEVELS, UrgencyConfig, UrgencyRule, load_config
from pipeline.petitions.urgency import Urgency, UrgencyRules

RULES = UrgencyRules.compile(load_config().urgency)

#: Invented petitions with the level the bundled rules must give.
CASES = [
    ("critical", "我不想活了，工程款再不给我就从楼上跳下去"),
    ("critical", "再没人管我只能跳楼了"),
    ("critical", "有人站在楼顶要跳楼，快来人"),
    ("critical", "我们楼里天然气管道漏气，味道很大没人管"),
    ("critical", "施工队挖断燃气管，现在满街都是气"),
    ("critical", "没有人管燃气泄漏的事，住户都不敢开灯"),
    ("critical", "今天早上三楼着火，浓烟很大，有人被困"),
    ("critical", "电梯里现在有人被困，物业电话打不通"),
    ("critical", "工地脚手架倒塌，两名工人被埋"),
    ("critical", "学校食堂吃饭后多名学生食物中毒送医"),
    ("critical", "幼儿园老师猥亵女童，家长报警没结果"),
    ("critical", "八岁孩子昨天走失，至今找不到，求助"),
    ("critical", "老人走失超过十小时，请帮忙寻找"),
    ("critical", "拿不到钱我就和他同归于尽"),
    ("critical", "不给说法我就去自焚"),
    ("critical", "化工厂氨气泄漏，附近居民呼吸困难"),
    ("critical", "刚刚有小孩掉进河里"),
    ("urgent", "人行道井盖缺失，晚上看不见很危险"),
    ("urgent", "路边没有井盖，孩子差点掉下去"),
    ("urgent", "路灯杆漏电，已经电到一只狗"),
    ("urgent", "工地拖欠我们三十多名农民工工资"),
    ("urgent", "二十几个工人被欠薪，老板跑了，几十人在工地等着"),
    ("urgent", "村民准备集体上访，去市政府门口拉横幅"),
    ("urgent", "全村停水三天，几百户没水吃"),
    ("urgent", "整个小区停电已经十个小时，天气太热"),
    ("urgent", "房子墙体随时可能倒塌，住着老人"),
    ("urgent", "丈夫长期家暴，我和孩子很害怕"),
    ("urgent", "邻居持刀威胁我"),
    ("urgent", "孩子在学校被霸凌，被打伤住院"),
    ("urgent", "化工厂半夜偷排废水，气味刺鼻让人头晕"),
    ("urgent", "楼道里有很浓的煤气味"),
    ("urgent", "外墙脱落，砖块砸到路上行人"),
    ("urgent", "变压器冒烟，居民很害怕"),
    ("urgent", "班级里多名孩子出现手足口病，学校不停课"),
    ("urgent", "路面塌陷一个大坑"),
    ("elevated", "公司拖欠工资两个月"),
    ("elevated", "消防通道被私家车占用"),
    ("elevated", "我家停水两天了"),
    ("elevated", "被邻居的狗咬伤"),
    ("elevated", "楼上高空抛物很危险，差点砸到行人"),
    ("elevated", "父亲的危房一直没人修，住着很危险"),
    ("normal", "建议开展防溺水宣传"),
    ("normal", "社区消防演练噪音扰民"),
    ("normal", "希望举办预防自杀的心理讲座"),
    ("normal", "年轻生力军不够，希望引进人才"),
    ("normal", "商场跳楼价促销涉嫌虚假宣传"),
    ("normal", "申请安装燃气泄漏报警器"),
    ("normal", "爆炸式增长的垃圾没人清运"),
    ("normal", "公交车停运时间太早"),
    ("normal", "手机中毒了如何处理"),
    ("normal", "门口经常堵路口，影响出行"),
    ("normal", "物业费太高，希望降低"),
    ("normal", "路灯不亮"),
    ("normal", "危房改造补助政策咨询"),
    ("normal", "没有拖欠工资，只是社保没交"),
    ("normal", "小学生入学需要什么材料"),
    ("critical", "刚才氯气泄漏！没有人管"),
    ("urgent", "希望尽快消除漏电"),
    ("elevated", "培训机构跑路，几百名学员退不了费"),
    ("normal", "把垃圾桶比作定时炸弹也不为过"),
    ("critical", "我爸因为拆迁的事喝了农药，正在医院抢救"),
    ("critical", "活着没意思了，想一死了之"),
    ("critical", "楼上邻居家着火了，消防车进不来"),
    ("critical", "有人在小区里拿刀砍人"),
    ("critical", "三岁女儿在幼儿园被老师用针扎"),
    ("critical", "地下室有人触电，快救人"),
    ("critical", "房屋坍塌有人被压在下面"),
    ("critical", "孩子不见了，已经报警"),
    ("critical", "小区二十多人食物中毒住院"),
    ("critical", "洪水进村，老人被困屋里等待救援"),
    ("critical", "我闻到很浓的煤气味，头晕，怀疑煤气泄漏"),
    ("critical", "再不解决我就死给你们看"),
    ("critical", "加油站旁边刚刚发生爆炸，有人受伤"),
    ("critical", "河边发现有人落水"),
    ("critical", "天然气泄漏了"),
    ("critical", "液化气站着火"),
    ("urgent", "老板拖欠我们几十个农民工的血汗钱，过年回不了家"),
    ("urgent", "出租车司机准备明天集体罢运"),
    ("urgent", "业主们要堵路维权"),
    ("urgent", "自来水发臭发黄，全小区居民都不敢喝"),
    ("urgent", "电线杆快倒了，随时会砸到人"),
    ("urgent", "下水道井盖不见了"),
    ("urgent", "我被非法拘禁，手机也被抢"),
    ("urgent", "电梯突然下坠，老人吓晕了"),
    ("urgent", "停气三天，整栋楼做不了饭"),
    ("urgent", "母亲生命垂危急需输血求助"),
    ("urgent", "老公喝酒就打我，家暴多年"),
    ("urgent", "山体滑坡隐患，下雨就掉石头到村民房屋"),
    ("urgent", "学生被同学长期欺凌，不敢上学"),
    ("urgent", "冬天暖气停了，几百户居民受冻，停暖一周"),
    ("elevated", "老板欠我工资不给"),
    ("elevated", "物业把消防通道锁了"),
    ("normal", ""),
]


@pytest.mark.parametrize(("level", "text"), CASES)
def test_bundled_rules(level: str, text: str) -> None:
    (found,) = RULES.assess([text], [""])
    assert found.level == level, found


def config(**rules: UrgencyRule) -> UrgencyRules:
    """Return compiled rules with two shared negations."""
    shared = UrgencyConfig(
        before=4, after=3, none_of=("谨防", "没|"), none_after=("演练",), not_actual=("可能",), rules=rules
    )
    return UrgencyRules.compile(shared)


def rule(level: str = "urgent", **fields: Any) -> UrgencyRule:
    """Return a rule for 火灾 with other fields."""
    return UrgencyRule(level=level, name="火灾", any_of=("火灾",), **fields)


@pytest.mark.parametrize(
    ("fields", "text", "hit"),
    [
        ({}, "火灾", True),
        ({}, "谨防火灾", False),
        ({}, "谨防楼道里面火灾", True),  # 谨防 is beyond the reach of four characters
        ({}, "谨防，火灾", True),  # another clause
        ({}, "谨防甲、火灾", False),  # 、 joins a list
        ({}, "没火灾", False),
        ({}, "没人管火灾", True),  # 没| must touch
        ({}, "火灾演练", False),
        ({}, "火灾。演练", True),
        ({}, "谨防火灾，发生了火灾", True),  # one hit stands
        ({"shared": False}, "谨防火灾", True),
        ({"none_of": ("听说",)}, "听说火灾", False),
        ({"not_in": ("火灾报警",)}, "火灾报警", False),
        ({"not_in": ("火灾报警",)}, "火灾报案", True),
        ({"actual": True}, "可能火灾", False),
        ({}, "可能火灾", True),
        ({"all_of": (("楼", "房"), ("伤",))}, "楼里火灾，有人伤", True),
        ({"all_of": (("楼", "房"), ("伤",))}, "楼里火灾", False),
        ({"all_of": (("伤",),), "within": 2}, "火灾，伤", True),
        ({"all_of": (("伤",),), "within": 2}, "火灾，有人伤", False),
    ],
)
def test_how_a_rule_works(fields: dict[str, Any], text: str, hit: bool) -> None:
    (found,) = config(fire=rule(**fields)).assess([text], [""])
    assert (found.level == "urgent") is hit


def test_issue_prefixes_limit_a_rule() -> None:
    rules = config(fire=rule(issues=("1308", "01")))
    assert [u.level for u in rules.assess(["火灾"] * 4, ["130809", "0101", "1507", ""])] == [
        "urgent",
        "urgent",
        "normal",
        "normal",
    ]


def test_result_is_the_maximum_with_all_rules_words_and_spans() -> None:
    rules = config(
        b=rule("critical", all_of=(("伤",),)),
        a=rule("elevated"),
        c=UrgencyRule(level="critical", name="大火灾", any_of=("大火灾", "伤")),
        off=UrgencyRule(level="critical", name="关", any_of=("火",), enabled=False),
    )
    (found,) = rules.assess(["有大火灾，有伤"], [""])
    assert found == Urgency("critical", ("b", "c", "a"), ("大火灾", "火灾", "伤"), ((1, 4), (2, 4), (6, 7)))


def test_columns_must_agree_and_empty_ones_are_fine() -> None:
    with pytest.raises(ValueError, match="1 texts and 0 issue codes"):
        RULES.assess(["甲"], [])
    assert RULES.assess([], []) == []
    assert config().assess(["火灾"], [""]) == [Urgency()]


@given(st.lists(st.tuples(st.sampled_from([case[1] for case in CASES]), st.text(max_size=30)), max_size=5))
def test_spans_point_at_the_words_whatever_stands_around(parts: list[tuple[str, str]]) -> None:
    texts = [noise + "。" + case + "。" + noise for case, noise in parts]
    for text, found in zip(texts, RULES.assess(texts, [""] * len(texts)), strict=True):
        assert found.level in LEVELS
        assert (found.level == "normal") == (found.rules == ()) == (found.spans == ())
        assert {text[start:end] for start, end in found.spans} == set(found.words)


@given(st.sampled_from(CASES), st.sampled_from(CASES))
def test_more_text_never_lowers_the_level(one: tuple[str, str], other: tuple[str, str]) -> None:
    alone, both = RULES.assess([one[1], one[1] + "。\n" + other[1]], ["", ""])
    assert LEVELS.index(both.level) >= LEVELS.index(alone.level)

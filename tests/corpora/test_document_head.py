"""What documents say of themselves, as tables."""

from __future__ import annotations

import datetime as dt

import pytest

from corpora.document_dates import DATE, parse_date, signatures
from corpora.document_head import read_head
from corpora.document_names import NUMBER, kind_of, number_of, organs_of
from corpora.document_validity import effective_on, expires_on
from corpora.territories import full_names, last_named, name_ending, place_of, sole_province


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("关于印发《某某办法》的通知", "通知"),
        ("某市养犬管理办法（试行）", "办法"),
        ("某市养犬管理规定(2021年修订)", "规定"),
        ("关于同意某事项的复函", "函"),
        ("某市实施细则", "细则"),
        ("关于某事的指导意见", "意见"),
        ("关于某事的紧急通 知", "通知"),
        ("某局公告第4号", "公告"),
        ("《某市规划》解读", "解读"),
        ("关于印发《某计划》", "计划"),
        ("中华人民共和国某某法", "法律"),
        ("某事的若干举措", "措施"),
        ("某事的做法", ""),
        ("今年工作情况", ""),
        ("", ""),
    ],
)
def test_kind(title: str, kind: str) -> None:
    assert kind_of(title) == kind


@pytest.mark.parametrize(
    "written", ["国办发〔2018〕37号", "国办发[2018]37号", "国办发【2018】37号", "国办发（2018）37号", "国办发(2018) 37 号",
                "国办发﹝2018﹞37号", "国办发［２０１８］３７号", "国办发〔2018〕第37号".replace("第", "")],
)  # fmt: skip
def test_numbers_in_every_bracket(written: str) -> None:
    match = NUMBER.fullmatch(written)
    assert match
    assert number_of(match) == "国办发〔2018〕37号"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2020年3月5日", dt.date(2020, 3, 5)),
        ("２０２０年３月５日", dt.date(2020, 3, 5)),
        ("二〇二〇年三月五日", dt.date(2020, 3, 5)),
        ("二○○六年十一月二十一日", dt.date(2006, 11, 21)),
        ("二OO六年十月十日", dt.date(2006, 10, 10)),
        ("2020 年 3 月 5 日", dt.date(2020, 3, 5)),
        ("2020年2月30日", None),
    ],
)
def test_dates(text: str, day: dt.date | None) -> None:
    match = DATE.search(text)
    assert match
    assert parse_date(match) == day


@pytest.mark.parametrize(
    ("text", "title", "number", "issuer", "issued"),
    [
        (  # run together, number first
            "甲教〔2019〕10号甲省教育厅关于印发《某办法》的通知各市教育局： 为了管理，制定本办法（甲教〔2013〕4号修订）。 甲省教育厅 2019年5月28日",
            "甲省教育厅关于印发《某办法》的通知", "甲教〔2019〕10号", "甲省教育厅", dt.date(2019, 5, 28),
        ),
        (  # lines, a title on two, a letterhead
            "某市人民政府文件\n某政发〔2020〕1号\n某市人民政府\n关于某事的意见\n各区人民政府：\n依法办理。\n某市人民政府\n二〇二〇年一月三日",
            "某市人民政府关于某事的意见", "某政发〔2020〕1号", "某市人民政府", dt.date(2020, 1, 3),
        ),
        (  # another's number only
            "某市人民政府关于某事的批复\n某区人民政府：\n你区《关于某事的请示》（某区政〔2020〕7号）收悉。现批复如下。\n某市人民政府\n2020年1月3日",
            "某市人民政府关于某事的批复", "", "某市人民政府", dt.date(2020, 1, 3),
        ),
        (  # a bracket under the title: the last event counts
            "某省养犬条例\n（2001年1月2日某省第九届人民代表大会常务委员会第八次会议通过 2015年3月4日修正 自2015年5月1日起施行）\n第一条 为了管理。",
            "某省养犬条例", "", "某省人民代表大会常务委员会", dt.date(2015, 3, 4),
        ),
        (  # an order
            "某市人民政府令\n第12号\n《某市养犬规定》已经通过，现予公布，自2020年5月1日起施行。\n市长 某某\n2020年3月5日\n某市养犬规定\n第一条 为了管理。",
            "某市养犬规定", "某市人民政府令第12号", "某市人民政府", dt.date(2020, 3, 5),
        ),
        ("今年3月，有关部门印发了通知。", "", "", "", None),
    ],
)  # fmt: skip
def test_head(text: str, title: str, number: str, issuer: str, issued: dt.date | None) -> None:
    head = read_head(text)
    assert (head.number, head.issuer, head.issued) == (number, issuer, issued)
    assert head.title == title
    if head.title_end:
        assert "".join(text[head.title_start : head.title_end].split()) == title


@pytest.mark.parametrize(
    ("title", "organs"),
    [
        ("教育部等九部门关于某事的通知", "教育部等九部门"),
        ("某市人民政府 某市监察委员会印发某办法", "某市人民政府 某市监察委员会"),
        ("某市交通委员会等关于某事的通知", "某市交通委员会等"),
        ("关于某事的通知", ""),
        ("加强管理关于某事", ""),
    ],
)
def test_organs(title: str, organs: str) -> None:
    assert organs_of(title) == organs


@pytest.mark.parametrize(
    "text",
    [
        "自2020年3月5日起施行。",
        "2020年3月5日，市政府印发了通知。",
        "请于 2020年3月5日 前报送。",
        "2020年3月5日发布的办法废止。",
    ],
)
def test_dates_of_prose_are_no_signing(text: str) -> None:
    assert not list(signatures("为了管理，制定本办法。" + text))


ISSUED = dt.date(2020, 1, 31)


@pytest.mark.parametrize(
    ("text", "effective", "expires"),
    [
        ("本办法自2020年3月1日起施行，有效期5年。", dt.date(2020, 3, 1), dt.date(2025, 2, 28)),
        ("本办法自印发之日起施行，有效期两年。", ISSUED, dt.date(2022, 1, 30)),
        ("本规定自发布之日起30日后施行。", dt.date(2020, 3, 1), None),
        ("本意见自2020年3月1日起执行，有效期至2024年12月31日。", dt.date(2020, 3, 1), dt.date(2024, 12, 31)),
        ("本细则自2020年3月1日起实施，试行期一年。", dt.date(2020, 3, 1), dt.date(2021, 2, 28)),
        ("许可证有效期为3年，有效期满后续展。", None, None),
        ("《某条例》自2019年5月1日起施行，各地应当学习。", None, None),
        ("第十条 依法办理。", None, None),
    ],
)
def test_validity(text: str, effective: dt.date | None, expires: dt.date | None) -> None:
    found = effective_on(text, ISSUED)
    assert found == effective
    assert expires_on(text, ISSUED, found) == expires


def test_validity_from_a_day_that_is_not_known() -> None:
    assert effective_on("本办法自印发之日起施行，有效期两年。", None) is None
    assert expires_on("本办法自印发之日起施行，有效期两年。", None, None) is None


@pytest.mark.parametrize(
    ("name", "territory", "level"),
    [
        ("国务院办公厅", "", "国家"),
        ("浙江省人民政府", "浙江", "省"),
        ("杭州市人民政府", "浙江/杭州", "市"),
        ("温州市鹿城区人民政府", "浙江/温州/鹿城", "县"),
        ("中共龙港市委办公室", "浙江/温州/龙港", "县"),
        ("苍南县灵溪镇人民政府", "浙江/温州/苍南", "乡镇"),
        ("吉林省吉林市人民政府", "吉林/吉林", "市"),
        ("上海市黄浦区人民政府", "上海/黄浦", "县"),
        ("澜东市人民政府", "", "县"),  # a city that the table does not have: a county's, and nobody knows where
        ("苏州工业园区管委会", "江苏/苏州", "市"),
        ("本市各部门", "", ""),
    ],
)
def test_territory(name: str, territory: str, level: str) -> None:
    place = place_of(name)
    assert (place.territory, place.level) == (territory, level)


def test_a_title_names_no_county_but_known_ones() -> None:
    assert place_of("河北省水功能区管理规定", organ=False).territory == "河北"
    assert place_of("龙港市养犬管理规定", organ=False).territory == "浙江/温州/龙港"


@pytest.mark.parametrize(
    ("territory", "names"),
    [
        ("", ()),
        ("浙江", ("浙江省",)),
        ("浙江/温州/龙港", ("浙江省", "温州市", "龙港市")),
        ("上海/闵行", ("上海市", "闵行区")),
        ("湖北/仙桃", ("湖北省", "仙桃市")),
        ("浙江/某地", ("浙江省",)),
    ],
)
def test_full_names_of_a_territory(territory: str, names: tuple[str, ...]) -> None:
    assert full_names(territory) == names


@pytest.mark.parametrize(
    ("text", "territory"),
    [
        ("上海市绿化市容局：依照", "上海"),
        ("北京市丰台区某街道：应按", "北京/丰台"),
        ("由浙江省转杭州市的来信", "浙江/杭州"),
        ("市级部门和省属单位", ""),
        ("", ""),
    ],
)
def test_the_place_that_a_text_named_last(text: str, territory: str) -> None:
    assert last_named(text) == territory


def test_the_place_with_which_a_text_ends() -> None:
    assert name_ending("依照杭州市") == "杭州市"
    assert name_ending("依照本市") == ""


@pytest.mark.parametrize(
    ("text", "province"),
    [
        ("经台州市人民政府批准，报浙江省人民政府备案", "浙江"),
        ("台州市与武汉市结对", ""),
        ("鼓楼区的做法", ""),
        ("没有地名", ""),
    ],
)
def test_the_province_that_a_text_speaks_of(text: str, province: str) -> None:
    assert sole_province(text) == province


def test_minutes_have_the_date_of_their_printing_and_whose_they_are() -> None:
    head = read_head(
        "盐湖县人民政府专题会议纪要\n〔2022〕31号\n\n9月14日下午，县长主持召开会议。现纪要如下：\n一、同意方案。\n\n盐湖县人民政府办公室\n2022年9月19日印发\n"
    )
    assert (head.issuer, head.issued, head.issued_by) == ("盐湖县人民政府", dt.date(2022, 9, 19), "printed")

from __future__ import annotations

import datetime as dt

import pytest

from corpora.statute_events import in_force_clause, read_date, read_events, read_repeals


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


HEADERS = [
    (
        "2005年1月5日 国务院第76次常务会议通过\n2005年1月10日 中华人民共和国国务院令第431号公布\n2005年5月1日 施行",
        [("2005-01-05", "制定", "2005-01-10", "2005-05-01")],
    ),
    (
        "2000年3月15日 第九届全国人民代表大会第三次会议通过\n2015年3月15日 第十二届全国人民代表大会第三次会议《关于修改〈甲法〉的决定》第一次修正",
        [("2000-03-15", "制定", None, None), ("2015-03-15", "修正", None, None)],
    ),
    (
        # A city's vote and the province's approval are one event, of the adoption and of the amendment alike.
        "2012年10月30日 甲市第十届人民代表大会常务委员会第五次会议通过\n2012年12月20日 乙省第十一届人民代表大会常务委员会第八次会议批准\n"
        "2017年8月1日 甲市第十一届人民代表大会常务委员会第二次会议通过\n"
        "2017年9月30日 乙省第十二届人民代表大会常务委员会第四次会议批准的《甲市关于修改〈丙条例〉的决定》修正",
        [("2012-10-30", "制定", "2012-12-20", None), ("2017-08-01", "修正", "2017-09-30", None)],
    ),
    (
        # Two events on one line, a date inside 《》 that is none.
        "1994年5月6日 甲省第八届人民代表大会常务委员会第八次会议通过  2004年5月28日甲省第十届人民代表大会常务委员会第十一次会议第一次修订  "
        "根据2010年1月2日甲省人民代表大会常务委员会《关于修改〈2004年5月28日的条例〉的决定》修正",
        [("1994-05-06", "制定", None, None), ("2004-05-28", "修订", None, None), ("2010-01-02", "修正", None, None)],
    ),
    (
        "1979年7月1日 第五届全国人民代表大会第二次会议通过\n1999年12月25日 第九届全国人民代表大会常务委员会第十三次会议通过的《中华人民共和国某法修正案》",
        [("1979-07-01", "制定", None, None), ("1999-12-25", "修正", None, None)],
    ),
    (
        # The header runs on into another statute's history.
        "1999年9月16日 甲市第十一届人民代表大会常务委员会第十三次会议通过\n2019年11月27日 甲市第十五届人民代表大会常务委员会第十六次会议《关于修改〈子办法〉等八部地方性法规的决定》修正\n"
        "1991年12月21日 甲市第九届人民代表大会常务委员会第三十一次会议通过",
        [("1999-09-16", "制定", None, None), ("2019-11-27", "修正", None, None)],
    ),
    ("", []),
    ("劳社部发[2008]3号", []),
]


@pytest.mark.parametrize(("header", "expected"), HEADERS)
def test_header(header: str, expected: list[tuple[str, str, str | None, str | None]]) -> None:
    found = [
        (
            e.adopted.isoformat(),
            e.kind,
            e.promulgated and e.promulgated.isoformat(),
            e.in_force and e.in_force.isoformat(),
        )
        for e in read_events(header)
    ]
    assert found == expected


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一九九五年三月二十六日", "1995-03-26"),
        ("二○○八年十二月一日起", "2008-12-01"),
        ("2019年5月l日", "2019-05-01"),
        ("2019年13月1日", None),
        ("没有日期", None),
    ],
)
def test_dates(text: str, found: str | None) -> None:
    assert read_date(text) == (day(found) if found else None)


@pytest.mark.parametrize(
    ("text", "date", "wait"),
    [
        ("本法自2019年10月1日起施行。", "2019-10-01", None),
        ("本条例自公布之日起施行。", None, 0),
        ("本办法自发布之日起30日后施行。", None, 30),
        ("本规定自２０２０年1月1日起实施", "2020-01-01", None),
        ("自2013年1月1日起施行。", "2013-01-01", None),
        ("单位应当自本条例施行之日起六个月内登记。", None, None),
        ("省人民政府可以根据本条例制定实施办法。", None, None),
    ],
)
def test_in_force_clause(text: str, date: str | None, wait: int | None) -> None:
    assert in_force_clause(["其他条文。", text])[:2] == (day(date) if date else None, wait)


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("本法自2019年10月1日起施行。《甲法》、《乙法》同时废止。", ["甲法", "乙法"]),
        ("本条例自公布之日起施行。1990年1月1日国务院发布的《甲条例》同时废止。", ["甲条例"]),
        ("本条例自公布之日起施行。根据2001年《关于修改〈甲条例〉的决定》修正的《甲条例》同时废止。", ["甲条例"]),
        ("《甲条例》中关于子的规定同时废止。", []),
        ("《甲条例》第三条同时废止。", []),
        ("一、废止《甲条例》（1992年9月19日通过）", ["甲条例"]),
        ("与本法抵触的规定同时废止。", []),
        ("依照《甲法》制定的《乙条例》即行废止。", ["乙条例"]),
    ],
)
def test_repeals(text: str, titles: list[str]) -> None:
    assert [title for title, _, _ in read_repeals([text])] == titles


def test_a_repeal_has_the_day_of_its_sentence() -> None:
    ((_, date, words),) = read_repeals(["本法自2019年10月1日起施行，1990年2月3日发布的《甲规定》同时废止。"])
    assert date == day("2019-10-01")
    assert "1990年" in words

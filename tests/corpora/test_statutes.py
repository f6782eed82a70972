from __future__ import annotations

import datetime as dt
import json
import pickle
from pathlib import Path

import pytest

from corpora.legal import ArticleNumber
from corpora.statute_facts import FactsError, load_facts
from corpora.statute_sources import build
from corpora.statute_store import StatuteFileError
from corpora.statute_text import describe
from corpora.statutes import Statutes
from tests.corpora.statute_samples import lawrefbook

N = ArticleNumber


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.fixture(scope="module")
def facts() -> Statutes:
    return Statutes.open()


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Statutes:
    folder = tmp_path_factory.mktemp("statutes")
    build([lawrefbook(folder / "tree")], folder / "statutes.sqlite3")
    return Statutes.open(folder / "statutes.sqlite3")


@pytest.mark.parametrize(
    ("title", "official"),
    [
        ("处罚法", "中华人民共和国行政处罚法"),
        ("《行政处罚法》", "中华人民共和国行政处罚法"),
        ("行政处罚法（2021年修订）", "中华人民共和国行政处罚法"),
        ("地方组织法", "中华人民共和国地方各级人民代表大会和地方各级人民政府组织法"),
        ("村委会组织法", "中华人民共和国村民委员会组织法"),
        ("居委会组织法", "中华人民共和国城市居民委员会组织法"),
        ("立法法", "中华人民共和国立法法"),
        ("监督法", "中华人民共和国各级人民代表大会常务委员会监督法"),
        ("编制管理条例", "地方各级人民政府机构设置和编制管理条例"),
        ("浙江省综合行政执法条例", "浙江省综合行政执法条例"),
    ],
)
def test_find(facts: Statutes, title: str, official: str) -> None:
    assert [law.title for law in facts.find(title)] == [official]


@pytest.mark.parametrize("title", ["关于贯彻实施民法典的意见", "浙江省实施办法", "行政处罚", "样例法", "", "《》"])
def test_no_near_match(facts: Statutes, title: str) -> None:
    assert facts.find(title) == ()


def test_an_implementing_measure_is_not_the_law(facts: Statutes) -> None:
    for law in facts.laws:
        if "实施《" in law.title:
            assert all("实施" in alias and alias.endswith(law.title[-2:]) for alias in law.aliases), law.title


@pytest.mark.parametrize(
    ("title", "on", "adopted"),
    [
        ("行政处罚法", "2021-07-14", "2017-09-01"),
        ("行政处罚法", "2021-07-15", "2021-01-22"),
        ("立法法", "2023-03-14", "2015-03-15"),
        ("立法法", "2024-01-01", "2023-03-13"),
        ("居委会组织法", "2025-12-31", "2018-12-29"),
        ("居委会组织法", "2026-01-01", "2025-10-28"),
        ("信访条例", "2022-04-30", "2005-01-05"),
        ("信访条例", "2022-05-01", None),
        ("公司法", "2024-06-30", "2018-10-26"),
        ("公司法", "1990-01-01", None),
    ],
)
def test_version_in_force(facts: Statutes, title: str, on: str, adopted: str | None) -> None:
    (law,) = facts.find(title)
    version = facts.version_on(law.law_id, day(on))
    assert (version and version.adopted.isoformat()) == adopted


def test_a_title_used_twice(facts: Statutes) -> None:
    both = facts.find("国家安全法")
    assert {(law.repealed, bool(law.versions)) for law in both} == {(day("2014-11-01"), False), (None, True)}
    assert [law.repealed for law in facts.narrowed(both, day("2012-01-01"))] == [day("2014-11-01")]
    assert [law.repealed for law in facts.narrowed(both, day("2015-01-01"))] == [day("2014-11-01")]
    assert [law.repealed for law in facts.narrowed(both, day("2016-01-01"))] == [None]


@pytest.mark.parametrize(
    ("title", "repealed", "by"),
    [
        ("信访条例", "2022-05-01", "信访工作条例"),
        ("收养法", "2021-01-01", "中华人民共和国民法典"),
        ("物权法", "2021-01-01", "中华人民共和国民法典"),
        ("经济合同法", "1999-10-01", "中华人民共和国合同法"),
        ("城市房屋拆迁管理条例", "2011-01-21", "国有土地上房屋征收与补偿条例"),
        ("城市街道办事处组织条例", "2009-06-27", "全国人民代表大会常务委员会关于废止部分法律的决定"),
    ],
)
def test_repeals(facts: Statutes, title: str, repealed: str, by: str) -> None:
    (law,) = facts.find(title)
    assert (law.repealed, law.repealed_by) == (day(repealed), by)


@pytest.mark.parametrize(
    ("title", "index", "number", "exists"),
    [
        ("行政处罚法", -1, N(86), True),
        ("行政处罚法", -1, N(87), False),
        ("行政处罚法", -2, N(24), None),
        ("刑法", -1, N(120, 1), True),
        ("刑法", -1, N(120, 9), False),
        ("长江保护法", -1, N(96), True),
        ("麻醉药品和精神药品管理条例", -1, N(4), None),
        ("麻醉药品和精神药品管理条例", -1, N(3), True),
    ],
)
def test_article_exists_without_texts(
    facts: Statutes, title: str, index: int, number: ArticleNumber, exists: bool | None
) -> None:
    (law,) = facts.find(title)
    assert facts.article_exists(law.versions[index].version_id, number) is exists


@pytest.mark.parametrize(
    ("title", "old", "new", "number", "place"),
    [
        ("行政处罚法", "2017-09-01", "2021-01-22", 15, 17),
        ("行政处罚法", "2017-09-01", "2021-01-22", 20, 22),
        ("行政处罚法", "2017-09-01", "2021-01-22", 23, None),
        ("立法法", "2015-03-15", "2023-03-13", 80, 91),
        ("立法法", "2015-03-15", "2023-03-13", 82, 93),
        ("立法法", "2015-03-15", "2023-03-13", 1, 1),
        ("立法法", "2000-03-15", "2023-03-13", 1, None),
    ],
)
def test_renumbered_without_texts(
    facts: Statutes, title: str, old: str, new: str, number: int, place: int | None
) -> None:
    (law,) = facts.find(title)
    found = facts.renumbered(law.law_id, N(number), f"{law.law_id}@{old}", f"{law.law_id}@{new}")
    assert (found and found.number) == place


@pytest.mark.parametrize(
    ("title", "tells"),
    [
        ("中华人民共和国样例法", True),
        ("样例管理条例", True),
        ("行政处罚法", True),
        ("龙港市样例管理条例", False),
        ("浙江省样例条例", False),
        ("样例管理办法", False),
        ("样例管理办法（试行）", False),
        ("中国共产党样例条例", False),
        ("样例法（草案）", False),
        ("样例法实施细则", False),
        ("本条例", False),
        ("条例", False),
    ],
)
def test_what_silence_means(facts: Statutes, title: str, tells: bool) -> None:
    assert (facts.covers(title) == "") is tells


def test_every_law_is_sound(facts: Statutes) -> None:
    assert len({law.law_id for law in facts.laws}) == len(facts.laws)
    for law in facts.laws:
        days = [version.adopted for version in law.versions]
        assert days == sorted(set(days)), law.title
        assert all(version.effective and version.effective >= version.adopted for version in law.versions), law.title
        assert law.versions or law.repealed, law.title
        if law.repealed and law.versions:
            assert law.versions[-1].adopted < law.repealed, law.title
    for name, ids in facts.titles().items():
        assert len({facts.law(law_id).title for law_id in ids}) == 1, name


def test_facts_alone(facts: Statutes) -> None:
    status = json.loads(json.dumps(facts.status(), ensure_ascii=False))
    assert status["laws"] == len(facts.laws) > 2_500
    assert status["levels"]["law"]["in_force"] > 280
    assert status["levels"]["administrative_regulation"]["laws"] > 650
    assert status["territories"]["浙江"] > 180
    assert status["as_of"] >= "2025-12-27"
    assert status["articles"] == status["versions_with_text"] == 0
    (law,) = facts.find("立法法")
    assert facts.articles(law.versions[-1].version_id) == ()
    assert facts.article(law.versions[-1].version_id, N(1)) is None
    assert list(facts.texts(day("2024-01-01"))) == []


def test_newer(facts: Statutes) -> None:
    (law,) = facts.find("立法法")
    assert [version.adopted.year for version in facts.newer(law.law_id, law.versions[0].version_id)] == [2015, 2023]


def test_territory_settles(samples: Statutes) -> None:
    (law,) = samples.find("浙江省实施《样例管理法》办法")
    assert samples.find("浙江省实施《样例管理法》办法", "浙江/杭州") == (law,)


def test_survives_pickling(samples: Statutes) -> None:
    again = pickle.loads(pickle.dumps(samples))
    (law,) = again.find("样例管理法")
    assert (
        again.article(law.versions[-1].version_id, N(1))
        == samples.article(law.versions[-1].version_id, N(1))
        is not None
    )


def test_no_file_and_a_wrong_file(tmp_path: Path) -> None:
    assert len(Statutes.open(tmp_path / "none.sqlite3").laws) == len(Statutes.open().laws)
    wrong = tmp_path / "wrong.sqlite3"
    wrong.write_text("no database", encoding="utf-8")
    with pytest.raises(StatuteFileError, match="wrong.sqlite3"):
        Statutes.open(wrong)


@pytest.mark.parametrize("line", [b"{", b'{"title": "x"}', b'{"title": "x", "id": "y", "rank": "none"}'])
def test_damaged_facts(line: bytes) -> None:
    with pytest.raises(FactsError, match="line 2"):
        load_facts([b"{}", line])


@pytest.mark.parametrize(
    ("title", "number", "on", "parts"),
    [
        (
            "样例管理法",
            N(2),
            "2005-01-01",
            [
                "2001-03-02 制定，自 2001-07-01 起施行",
                "乡镇人民政府登记",
                "2019-04-23 修订",
                "本条为第三条",
                "条文有修改",
            ],
        ),
        ("样例管理法", N(9), "2020-01-01", ["没有第九条"]),
        ("样例管理法", N(2), "2012-01-01", ["2010-08-28 修正", "推定", "不能判断"]),
        ("样例管理法", N(2), "1999-01-01", ["尚未施行"]),
        ("样例登记暂行规定", N(1), "2005-01-01", ["已不再施行", "2001-07-01"]),
        ("没有这样的法", N(1), "2005-01-01", ["没有《没有这样的法》"]),
        ("甲乙市样例办法", N(1), "2005-01-01", ["不能说明它不存在"]),
    ],
)
def test_describe(samples: Statutes, title: str, number: ArticleNumber, on: str, parts: list[str]) -> None:
    found = describe(samples, title, number, day(on))
    for part in parts:
        assert part in found

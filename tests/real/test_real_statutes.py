"""The statute knowledge base on the real compilation: coverage, damage, dates, renumberings."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from corpora.legal import ArticleNumber
from corpora.statute_sources import build
from corpora.statutes import Statutes

TREE = Path(__file__).resolve().parents[3] / "shared" / "data" / "statutes" / "lawrefbook"
pytestmark = pytest.mark.skipif(not TREE.is_dir(), reason="the evaluation data is not beside the checkout")
N = ArticleNumber


@pytest.fixture(scope="module")
def statutes(tmp_path_factory: pytest.TempPathFactory) -> Statutes:
    target = tmp_path_factory.mktemp("statutes") / "statutes.sqlite3"
    report = build([TREE], target)
    assert report["texts"]["LawRefBook"] == 2_428
    assert report["articles"] > 100_000
    assert len(report["problems"]) <= 1
    return Statutes.open(target)


def test_the_shipped_facts_know_every_text(statutes: Statutes) -> None:
    shipped = Statutes.open()
    assert [law.law_id for law in statutes.laws] == [law.law_id for law in shipped.laws]
    assert statutes.laws == shipped.laws


@pytest.mark.parametrize(
    ("title", "day", "number"),
    [
        ("长江保护法", "2020-12-26", 80),
        ("麻醉药品和精神药品管理条例", "2016-02-06", 4),
        ("浙江省广告管理条例", "2020-07-31", 3),
    ],
)
def test_cut_texts_never_deny_an_article(statutes: Statutes, title: str, day: str, number: int) -> None:
    (law,) = statutes.find(title)
    version = f"{law.law_id}@{day}"
    assert statutes.article(version, N(number)) is None
    assert statutes.article_exists(version, N(number)) is not False
    assert law.title in {item["title"] for item in statutes.status()["incomplete"]}


def test_every_complete_text_ends_where_its_numbers_end(statutes: Statutes) -> None:
    for law in statutes.laws:
        for version in law.versions:
            articles = statutes.articles(version.version_id)
            if articles and version.complete and version.article_count == len(articles):
                last = articles[-1].number
                assert statutes.article_exists(version.version_id, last)
                assert statutes.article_exists(version.version_id, N(last.number + 1)) is False


@pytest.mark.parametrize(
    ("title", "old", "new", "articles", "moved"),
    [
        ("立法法", "2015-03-15", "2023-03-13", 105, 101),
        ("公司法", "2018-10-26", "2023-12-29", 218, 142),
        ("行政复议法", "2017-09-01", "2023-09-01", 43, 20),
    ],
)
def test_renumberings(statutes: Statutes, title: str, old: str, new: str, articles: int, moved: int) -> None:
    (law,) = statutes.find(title)
    pair = f"{law.law_id}@{old}", f"{law.law_id}@{new}"
    held = statutes.articles(pair[0])
    assert len(held) == articles
    places = {article.number: statutes.renumbered(law.law_id, article.number, *pair) for article in held}
    assert sum(place is not None and place != number for number, place in places.items()) >= moved
    found = [place for place in places.values() if place]
    assert len(set(found)) == len(found)


def test_texts_in_force(statutes: Statutes) -> None:
    on = dt.date(2024, 6, 1)
    found = {law.title: version for law, version, _ in statutes.texts(on)}
    assert len(found) > 1_900
    assert "信访条例" not in found
    assert found["中华人民共和国公司法"].adopted == dt.date(2018, 10, 26)
    assert all(version.effective and version.effective <= on for version in found.values())

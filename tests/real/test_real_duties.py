"""Search and duties over the real statutes beside the checkout; nothing of their text is printed or kept."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from corpora.instruments import read_instruments
from corpora.legal import Article, ArticleNumber, Law, Version
from corpora.statutes import Statutes
from corpora.units import UnitDirectory
from models.statute_search import StatuteIndex
from pipeline.policies.duties import CARRIER_MISSING, orphaned_duties
from pipeline.policies.duty_sentences import duty_sentences

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "statutes"
CITY = Path(__file__).parents[2] / "corpora" / "data" / "cities" / "langang"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the evaluation data is not beside the checkout")
_ARTICLE = re.compile(r"(.+?)(第[零一二三四五六七八九十百千]+条(?:之[一二三四五六七八九十]+)?)")

Texts = list[tuple[Law, Version, Sequence[Article]]]


@pytest.fixture(scope="module")
def statutes(tmp_path_factory: pytest.TempPathFactory) -> Statutes:
    from corpora.statute_sources import build

    path = tmp_path_factory.mktemp("statutes") / "statutes.sqlite3"
    build([FOLDER / "lawrefbook"], path)
    return Statutes.open(path)


@pytest.fixture(scope="module")
def texts(statutes: Statutes) -> Iterator[Texts]:
    yield list(statutes.texts())


def test_questions_of_residents(statutes: Statutes, texts: Texts) -> None:
    index = StatuteIndex.of(texts)
    lines = [json.loads(line) for line in (FOLDER / "layperson_queries.jsonl").read_text("utf-8").splitlines()]
    near = far = reciprocal = 0.0
    for line, hits in zip(lines, index.search([line["query"] for line in lines], 100), strict=True):
        wanted = set()
        for name in line["articles"]:
            match = _ARTICLE.fullmatch(name)
            assert match
            wanted |= {(law.title, ArticleNumber.parse(match[2])) for law in statutes.find(match[1])}
        places = [place for place, hit in enumerate(hits) if (hit.title, hit.number) in wanted]
        asked = max(len(set(line["articles"])), len(wanted))
        near += sum(place < 10 for place in places) / asked
        far += len(places) / asked
        reciprocal += 1 / (places[0] + 1) if places else 0
    assert near / len(lines) >= 0.469
    assert far / len(lines) >= 0.681
    assert reciprocal / len(lines) >= 0.412


@pytest.mark.parametrize(
    ("title", "article", "there"),
    [
        ("中华人民共和国城乡规划法", 65, True),
        ("中华人民共和国消防法", 32, True),
        ("中华人民共和国禁毒法", 34, True),
        ("中华人民共和国公路法", 8, True),
        ("中华人民共和国公共图书馆法", 31, False),
        ("物业管理条例", 16, False),
    ],
)
def test_known_articles(texts: Texts, title: str, article: int, there: bool) -> None:
    (held,) = [articles for law, _, articles in texts if law.title == title]
    (text,) = [each.text for each in held if each.number == ArticleNumber(article)]
    assert bool(list(duty_sentences(text))) == there


def test_duties_of_the_flat_city(texts: Texts) -> None:
    directory = UnitDirectory.load(CITY / "units.yaml")
    instruments = read_instruments(CITY / "instruments.yaml")
    without = orphaned_duties(texts, directory, dt.date(2026, 11, 1))
    found = orphaned_duties(texts, directory, dt.date(2026, 11, 1), (), instruments)
    assert len(found) == len(without) > 400
    assert {duty.gap for duty in without} == {CARRIER_MISSING}
    settled = [duty for duty in found if not duty.gap]
    assert 40 < len(settled) < len(found) / 2
    assert all(directory.has(duty.carrier.split(" ")[0]) and duty.instrument for duty in settled)
    assert not any(duty.carrier or duty.instrument for duty in found if duty.gap)

"""Search of statutes: the formula by hand, who is found for what, saving and loading; all statutes are invented."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.legal import Article, ArticleNumber, Law, Rank, Version
from models.statute_search import BasisSuggestion, Hit, StatuteIndex, candidate_bases
from models.statute_terms import BIGRAM, bigram_terms, is_word, weigh, word_terms
from pipeline.petitions.segment import segmenter

DAY = dt.date(2020, 1, 1)

#: title, rank, territory, articles
LAWS = [
    ("中华人民共和国路灯管理法", Rank.LAW, "", ["路灯由市政部门维护。", "路灯损坏的，应当在三日内修复。", "偷盗路灯的，处以罚款。"]),
    ("云州省路灯管理条例", Rank.LOCAL_REGULATION, "云州", ["路灯损坏的，应当在两日内修复。"]),
    ("云州省东城市路灯规定", Rank.LOCAL_REGULATION, "云州/东城", ["路灯损坏的，应当在一日内修复。"]),
    ("海州省路灯管理条例", Rank.LOCAL_REGULATION, "海州", ["路灯损坏的，应当在五日内修复。"]),
    ("宠物登记条例", Rank.ADMINISTRATIVE_REGULATION, "", ["饲养犬只应当登记。", "犬只伤人的，饲养人承担医疗费用。"]),
]


def texts() -> list[tuple[Law, Version, list[Article]]]:
    out = []
    for i, (title, rank, territory, articles) in enumerate(LAWS):
        version = Version(f"l{i}@{DAY}", DAY, DAY, False, "制定", len(articles), True)
        law = Law(f"l{i}", title, (), rank, "", territory, (version,))
        held = [Article(version.version_id, ArticleNumber(n), "第一章 总则", text) for n, text in enumerate(articles, 1)]
        out.append((law, version, held))
    return out


INDEX = StatuteIndex.of(texts())

#: question, law and article that come first
FOUND = [
    ("路灯坏了谁维护", "中华人民共和国路灯管理法", 1),
    ("路灯损坏多久修复", "中华人民共和国路灯管理法", 2),
    ("有人偷盗路灯", "中华人民共和国路灯管理法", 3),
    ("犬只伤人谁付医疗费用", "宠物登记条例", 2),
    ("东城市路灯一日内修复", "云州省东城市路灯规定", 1),
]


@pytest.mark.parametrize(("question", "law", "article"), FOUND)
def test_what_comes_first(question: str, law: str, article: int) -> None:
    first = INDEX.search([question], 3)[0][0]
    assert (first.title, first.number) == (law, ArticleNumber(article))


@pytest.mark.parametrize(
    ("territory", "absent"),
    [
        (None, set()),
        ("", {"云州省路灯管理条例", "云州省东城市路灯规定", "海州省路灯管理条例"}),
        ("云州", {"云州省东城市路灯规定", "海州省路灯管理条例"}),
        ("云州/东城", {"海州省路灯管理条例"}),
        ("云州/东", {"云州省东城市路灯规定", "海州省路灯管理条例"}),
    ],
)
def test_statutes_of_elsewhere_are_left_out(territory: str | None, absent: set[str]) -> None:
    everything = {title for title, *_ in LAWS[:4]}
    assert {hit.title for hit in INDEX.search(["路灯损坏"], 100, territory)[0]} == everything - absent


@pytest.mark.parametrize("question", ["", "，。", "!!", "xyzzy", "😀", "\ud800", "嗐"])
def test_nothing_in_common(question: str) -> None:
    assert INDEX.search([question, "路灯"], 5)[0] == []


def test_no_questions_and_no_articles() -> None:
    assert INDEX.search([], 5) == []
    empty = StatuteIndex.build([])
    assert len(empty) == 0
    assert empty.search(["路灯"], 5) == [[]]


def test_articles_without_laws_have_one_prior() -> None:
    index = StatuteIndex.build((law.title, article) for law, _, held in texts() for article in held)
    assert len(index) == 8
    assert index.search(["犬只伤人"], 1)[0][0].title == "宠物登记条例"
    assert candidate_bases(index, ["犬只伤人"], 1)[0][0].rank is None


def test_articles_of_a_version_in_two_places_are_refused() -> None:
    pairs = [(law.title, article) for law, _, held in texts() for article in held]
    with pytest.raises(ValueError, match="follow each other"):
        StatuteIndex.build([*pairs[1:], pairs[0]])


def test_suggestions_say_what_they_are() -> None:
    (found,) = candidate_bases(INDEX, ["由综合执法队修复损坏的路灯"], 2, "云州")
    assert [type(each) for each in found] == [BasisSuggestion] * 2
    assert (found[0].law, found[0].rank, found[0].adopted, found[0].effective) == (
        "中华人民共和国路灯管理法", Rank.LAW, "2020-01-01", "2020-01-01",
    )  # fmt: skip
    assert "未经核实" in found[0].note


def test_saved_and_loaded(tmp_path: Path) -> None:
    index = INDEX.learn(["灯不亮", "灯不亮怎么办"], [[("中华人民共和国路灯管理法", ArticleNumber(2))]] * 2)
    index.save(tmp_path / "index")
    loaded = StatuteIndex.load(tmp_path / "index")
    questions = [question for question, *_ in FOUND]
    assert loaded.search(questions, 8) == index.search(questions, 8)
    assert candidate_bases(loaded, questions, 3) == candidate_bases(index, questions, 3)
    assert not list(tmp_path.glob("**/*.pkl"))


def test_other_format_is_refused(tmp_path: Path) -> None:
    INDEX.save(tmp_path)
    (tmp_path / "laws.json").write_text('{"format": "other", "groups": []}', "utf-8")
    with pytest.raises(ValueError, match="build the index again"):
        StatuteIndex.load(tmp_path)


def test_learnt_words_find_what_shares_none() -> None:
    articles = [(f"第{n}号规章", Article(f"v{n}", ArticleNumber(1), "", f"第{n}号规章的一般规定。")) for n in range(40)]
    articles.append(("看护法", Article("v", ArticleNumber(1), "", "监护人应当履行抚养义务。")))
    index = StatuteIndex.build(articles)
    answer = [("看护法", ArticleNumber(1)), ("没有的法", ArticleNumber(1))]
    other = [("第7号规章", ArticleNumber(1))]
    questions = ["爸爸不管孩子", "爸爸不给钱", "爸爸走了", *["规章在哪里"] * 20]
    learnt = index.learn(questions, [answer] * 3 + [other] * 20)
    assert index.search(["爸爸呢"], 1) == [[]]
    assert learnt.search(["爸爸呢"], 1)[0][0].title == "看护法"
    assert index.learn([], []).search(["监护人"], 1) == index.search(["监护人"], 1)


def test_weights_are_those_of_the_formula() -> None:
    rows, keys = bigram_terms(["甲乙", "甲乙丙乙", "丁戊，己"])
    vocabulary, starts, documents, weights = weigh(rows, keys, 3, 1.2, 0.6, 2.0)
    assert len(vocabulary) == 4  # 甲乙, 乙丙, 丙乙, 丁戊; none across the comma
    length = np.array([1, 3, 1])
    for term in range(len(vocabulary)):
        held = slice(starts[term], starts[term + 1])
        df = starts[term + 1] - starts[term]
        idf = math.log(1 + (3 - df + 0.5) / (df + 0.5))
        expected = [2 * idf * 2.2 / (1 + 1.2 * (0.4 + 0.6 * length[d] / length.mean())) for d in documents[held]]
        assert weights[held] == pytest.approx(expected, rel=1e-5)


@given(st.lists(st.text(max_size=30), max_size=6))
def test_terms_belong_to_their_texts(questions: list[str]) -> None:
    rows, keys = bigram_terms(questions)
    assert ((keys & np.uint64(3)) == BIGRAM).all()
    alone = [len(bigram_terms([question])[1]) for question in questions]
    assert np.bincount(rows, minlength=len(questions)).tolist() == alone
    word_rows, words = word_terms(questions, segmenter())
    assert is_word(words).all()
    assert set(word_rows.tolist()) <= set(range(len(questions)))


@given(st.lists(st.text(alphabet="路灯损坏犬只修复登记，。 a1", max_size=12), max_size=5), st.integers(1, 9))
def test_the_best_k_in_order(questions: list[str], k: int) -> None:
    everything = INDEX.search(questions, len(INDEX))
    found = INDEX.search(questions, k)
    for few, every in zip(found, everything, strict=True):
        assert few == every[:k]
        assert [hit.score for hit in every] == sorted((hit.score for hit in every), reverse=True)
        assert len({(hit.version_id, hit.number) for hit in every}) == len(every)
        assert all(isinstance(hit, Hit) and hit.score > 0 for hit in every)

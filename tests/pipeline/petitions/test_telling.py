"""What marks an event: rare words and names, not common ones, numbers or signs."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.petitions.events import NAME, Sketches, group, similarity
from pipeline.petitions.features import WordTable
from pipeline.petitions.telling import WordWeights

DICTIONARY = {"的": 3e5, "没有": 6e4, "小区": 400.0, "搅拌站": 3.0, "物业": 90.0, "白": 2000.0, "鹭": 50.0, "湾": 700.0, "停": 9000.0, "夜里": 900.0, "其他": 6e7}
WEIGHTS = WordWeights(list(DICTIONARY), np.array(list(DICTIONARY.values())), ("业委会",))


def of(*texts: list[str]) -> Sketches:
    """Return the sketches of segmented texts."""
    return WEIGHTS.sketch(WordTable.of(texts))


def count(words: list[str]) -> int:
    """Return how many words a text's sketch has."""
    return int((of(words).words[0] > 0).sum())


@pytest.mark.parametrize(("words", "expected"), [
    ([], 0),
    (["没有"], 0),  # too common
    (["的", "没有", "其他"], 0),
    (["小区"], 1),
    (["小区", "小区", "小区"], 1),
    (["小区", "物业"], 2),
    (["12345", "abc", "，", "。", "\n"], 0),
    (["白"], 0),  # one character says nothing
    (["白", "鹭"], 1),  # two in a row are what an unknown name falls apart into
    (["白", "鹭", "湾"], 2),
    (["白", "，", "鹭"], 0),
    (["鹤鸣苑"], 1),
])  # fmt: skip
def test_which_words_are_telling(words: list[str], expected: int) -> None:
    assert count(words) == expected


@pytest.mark.parametrize(("words", "named"), [
    (["小区"], False),
    (["搅拌站"], False),
    (["业委会"], False),  # a term of the domain is no name, though the dictionary lacks it
    (["鹤鸣苑"], True),
    (["白", "鹭"], True),
])  # fmt: skip
def test_which_words_are_names(words: list[str], named: bool) -> None:
    assert bool(of(words).words[0, 0] & NAME) is named


def test_the_rarer_word_weighs_more() -> None:
    found = of(["小区", "搅拌站", "鹤鸣苑", "业委会"])
    one = {word: of([word]).words[0, 0] for word in ("小区", "搅拌站", "鹤鸣苑", "业委会")}
    weight = dict(zip(found.words[0].tolist(), found.weights[0].tolist(), strict=True))
    assert weight[one["鹤鸣苑"]] > weight[one["搅拌站"]] > weight[one["业委会"]] > 0
    assert weight[one["业委会"]] >= weight[one["小区"]] > 0


def test_repetition_counts_with_damping() -> None:
    once, thrice = of(["小区", "搅拌站"]), of(["小区", "小区", "小区", "搅拌站"])
    share = [s.weights[0][s.words[0] == of(["小区"]).words[0, 0]].item() for s in (once, thrice)]
    assert share[0] < share[1] < 3 * share[0]


def test_a_text_does_not_depend_on_its_batch() -> None:
    texts = [["小区", "物业"], [], ["白", "鹭"], ["湾", "鹤鸣苑"]]
    together = of(*texts).to_bytes()
    assert together == [of(text).to_bytes()[0] for text in texts]


def test_an_empty_batch() -> None:
    assert len(of()) == 0


def test_letters_about_one_thing_join_and_letters_on_one_topic_do_not() -> None:
    texts = [
        ["鹤鸣苑", "搅拌站", "夜里", "没有", "停"],
        ["请", "查", "鹤鸣苑", "北", "侧", "搅拌站"],
        ["青溪里", "搅拌站", "夜里", "没有", "停"],
    ]
    found = of(*texts)
    same, topic = similarity(found, np.array([0, 0]), np.array([1, 2])).tolist()
    assert same > topic
    joined = group(found, np.zeros(3), min_similarity=0.35, window_days=30, max_block=100)
    assert joined[:2].tolist() == [0, 0]

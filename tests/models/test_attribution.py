"""Words and their worth: the linear view shared out exactly, and a planted word found by leaving it out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import toy

from models.attribution import MOST_WORDS, linear_part, occlude, sentences, word_spans
from models.classifier import Classifier
from pipeline.petitions.prepare import masked_texts

MADE, Y = toy.learnable(60)


@pytest.fixture(scope="module")
def fitted() -> Classifier:
    return Classifier.fit(MADE, Y, 4, None)[0]  # the fourth class has no row


@pytest.mark.parametrize(("cls", "other"), [(0, 1), (2, 0), (1, 3), (3, 3)])
def test_the_parts_add_up_to_the_linear_views_difference(fitted: Classifier, cls: int, other: int) -> None:
    title, body = "反映路灯问题", "路灯坏了没人修，工资也拖欠三个月。路灯不亮。"
    one = masked_texts([title], [body], [""], toy.SEGMENTER)
    part = linear_part(fitted.views, one.features, title, body, one.words.words, cls, other)
    scores = fitted.score(one.features).views["linear"][0]
    assert part.total == pytest.approx(float(scores[cls] - scores[other]), abs=1e-4)
    assert len(part.characters) == len(one.texts[0])


def test_words_for_and_against_stand_where_they_say(fitted: Classifier) -> None:
    title, body = "反映路灯问题", "路灯坏了没人修，老板拖欠工资。路灯夜里不亮。"
    one = masked_texts([title], [body], [""], toy.SEGMENTER)
    street, labour = toy.UNITS.index("市城管局"), toy.UNITS.index("市人社局")
    part = linear_part(fitted.views, one.features, title, body, one.words.words, street, labour)
    text = one.texts[0]
    speak, oppose = word_spans(text, one.words.words, part.characters, 5)
    assert "路灯" in {span.text for span in speak}
    assert any("工资" in span.text for span in oppose)
    for span in (*speak, *oppose):
        assert text[span.start : span.end] == span.text
        assert (span.value > 0) == (span in speak)


def planted(texts: Sequence[str]) -> np.ndarray:
    """A model that knows one word, and another that speaks against it."""
    logit = np.array([2.0 * ("暗号" in text) - 1.0 * ("反例" in text) for text in texts])
    p = 1 / (1 + np.exp(-logit))
    return np.stack([p, 1 - p], 1)


def test_leaving_out_finds_the_planted_word() -> None:
    text = "标题\n这里有暗号一个。那里是反例而已，暗号又来。没有别的内容！"
    words = toy.SEGMENTER.cut([text])[0]
    found = occlude(text, words, planted)
    speak, oppose, told = found.of(text, 0, 3)
    assert (speak[0].text, speak[0].value) == ("暗号", pytest.approx(2.0))
    assert (speak[0].start, speak[0].end) == (text.index("暗号"), text.index("暗号") + 2)
    assert (oppose[0].text, oppose[0].value) == ("反例", pytest.approx(-1.0))
    assert found.looked_at == 1.0
    for span in told:
        assert text[span.start : span.end].strip() == span.text


def test_a_long_text_asks_twice_and_no_more_than_it_may() -> None:
    text = "\n" + "，".join(f"甲{i}乙" for i in range(2000)) + "。这里有暗号。"
    asked: list[int] = []

    def ask(variants: Sequence[str]) -> np.ndarray:
        asked.append(len(variants))
        return planted(variants)

    found = occlude(text, toy.SEGMENTER.cut([text])[0], ask)
    assert len(asked) == 2
    assert asked[1] <= MOST_WORDS
    assert found.looked_at < 1
    assert found.of(text, 0, 1)[0][0].text == "暗号", "words of the sentences that matter come first"


@pytest.mark.parametrize("text", ["\n", "\n，。", "\n字", ""])
def test_a_text_without_words(text: str) -> None:
    found = occlude(text, list(text), planted)
    assert found.of(text, 1, 3)[:2] == ([], [])


def test_sentences_leave_nothing_but_marks_out() -> None:
    text = "标题\n第一句。第二句！！第三句"
    assert [text[s:e] for s, e in sentences(text)] == ["标题\n", "第一句。", "第二句！！", "第三句"]

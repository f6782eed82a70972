"""Segmentation: words joined give the text back, both engines agree, domain terms stay whole."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.petitions.segment import (
    FastSegmenter,
    ReferenceSegmenter,
    lexicon_version,
    segmenter,
)

TERMS = ("业委会", "维修资金", "鹭江花苑")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=4))
def test_words_joined_give_the_text_back(texts: list[str]) -> None:
    assert ["".join(words) for words in segmenter().cut(texts)] == texts


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text("路灯不亮物业费业委会abc123，。\n 维修资金", max_size=40), max_size=4))
def test_words_joined_give_a_chinese_text_back(texts: list[str]) -> None:
    assert ["".join(words) for words in segmenter(TERMS).cut(texts)] == texts


@pytest.mark.parametrize("words", [(), TERMS])
def test_both_engines_give_the_same_words(city: Path, words: tuple[str, ...]) -> None:
    with (city / "history.csv").open(encoding="utf-8-sig") as file:
        texts = [row["诉求内容"] for row in csv.DictReader(file)]
    fast, reference = FastSegmenter(words).cut(texts), ReferenceSegmenter(words).cut(texts)
    same = sum(a == b for a, b in zip(fast, reference, strict=True))
    assert same == len(texts)


@pytest.mark.parametrize("engine", ["fast", "reference"])
def test_terms_of_the_lexicon_stay_whole(engine: str) -> None:
    text = "鹭江花苑的业委会挪用维修资金"
    assert set(TERMS) <= set(segmenter(TERMS, engine).cut([text])[0])


def test_an_engine_is_made_once_for_a_lexicon() -> None:
    assert segmenter(TERMS) is segmenter(TERMS)


def test_a_lexicon_does_not_reach_into_another_engine() -> None:
    segmenter(("怪词语啊",))
    assert "怪词语啊" not in segmenter(("业委会",)).cut(["这是怪词语啊"])[0]
    assert "怪词语啊" not in segmenter((), "reference").cut(["这是怪词语啊"])[0]


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown segmentation engine 'slow'"):
        segmenter((), "slow")


@pytest.mark.parametrize(("one", "other", "same"), [
    (("甲", "乙"), ("乙", "甲"), True),
    (("甲", "乙", "甲"), ("甲", "乙"), True),
    (("甲",), ("甲", "乙"), False),
    ((), (), True),
])  # fmt: skip
def test_version_of_a_lexicon(one: tuple[str, ...], other: tuple[str, ...], same: bool) -> None:
    assert (lexicon_version(one) == lexicon_version(other)) is same
    assert len(lexicon_version(one)) == 12

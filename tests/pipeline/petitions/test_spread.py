"""Weights of features spread over the characters: the same features as counted, and nothing lost."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.petitions.features import WordTable, character_ngram_buckets, featurise, join_text, word_buckets
from pipeline.petitions.segment import segmenter
from pipeline.petitions.spread import spread

TEXTS = st.text(alphabet="路灯坏了没人修Ab1，。 \n", max_size=30)


@given(TEXTS, TEXTS)
@settings(max_examples=40, deadline=None)
def test_the_buckets_by_place_are_those_that_are_counted(title: str, body: str) -> None:
    title, text = title.replace("\n", ""), join_text(title.replace("\n", ""), body)
    words = segmenter().cut([text])
    made = featurise([title], [body], WordTable.of(words))
    by_place = {
        "char": np.concatenate(character_ngram_buckets(text, "char")),
        "title": np.concatenate(character_ngram_buckets(title, "title")),
        "word": np.concatenate(word_buckets(words[0])),
    }
    for name, found in by_place.items():
        block = made.blocks[name]
        assert sorted(found.tolist()) == sorted(np.repeat(block.buckets, block.counts.astype(int)).tolist()), name


@given(TEXTS, TEXTS)
@settings(max_examples=40, deadline=None)
def test_the_characters_share_out_all_weight(title: str, body: str) -> None:
    title = title.replace("\n", "")
    words = segmenter().cut([join_text(title, body)])[0]
    given_out = 0.0

    def weights(block: str, buckets: np.ndarray) -> np.ndarray:
        nonlocal given_out
        values = (buckets % 7) - 3.0
        given_out += float(values.sum())
        return values

    assert spread(title, body, words, weights).sum() == pytest.approx(given_out, abs=1e-6)


def test_a_words_weight_falls_on_the_word() -> None:
    words = ["\n", "路灯", "坏", "了"]
    wanted = word_buckets(["路灯"])[0][0]
    found = spread("", "路灯坏了", words, lambda block, b: np.where((b == wanted) & (block == "word"), 2.0, 0.0))
    assert found == pytest.approx([0, 1, 1, 0, 0])

"""Words for the segmenter: the bundled terms are clean, and the dictionary is the segmenter's own."""

from __future__ import annotations

import numpy as np
import pytest

from corpora.lexicon import petition_terms, word_frequencies


def test_terms_are_words_without_remarks_or_doubles() -> None:
    terms = petition_terms()
    assert len(terms) > 100
    assert len(set(terms)) == len(terms)
    assert all(term == term.strip() and "#" not in term and len(term) >= 2 for term in terms)


@pytest.mark.parametrize("term", ["业委会", "维修资金", "物业费"])
def test_terms_that_petitions_live_on(term: str) -> None:
    assert term in petition_terms()


def test_the_dictionary_has_words_with_frequencies() -> None:
    words, counts = word_frequencies()
    assert len(words) == len(counts) > 300_000
    assert (counts > 0).all()
    assert np.isfinite(counts).all()


@pytest.mark.parametrize(("common", "rare"), [("的", "搅拌站"), ("我们", "窨井"), ("没有", "拖欠")])
def test_frequencies_are_those_of_general_chinese(common: str, rare: str) -> None:
    words, counts = word_frequencies()
    frequency = dict(zip(words, counts.tolist(), strict=True))
    assert frequency[common] > 20 * frequency.get(rare, 1.0)


def test_they_are_read_once() -> None:
    assert word_frequencies() is word_frequencies()
    assert petition_terms() is petition_terms()

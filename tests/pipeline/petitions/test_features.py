"""Hashed features: counted as one would by hand, and a text's features do not depend on its neighbours in the batch."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.places import Gazetteer, Place
from pipeline.petitions import features
from pipeline.petitions.features import (
    BUCKET_BITS,
    MAX_CHARACTERS,
    Block,
    TextFeatures,
    WordTable,
    buckets,
    featurise,
    join_text,
    word_hashes,
)

LETTERS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
CHINESE = st.text(st.sampled_from("路灯不亮物业费居民楼abcABC12 \n，。"), max_size=30)
TEXT = CHINESE | LETTERS


def cut(text: str) -> list[str]:
    """Cut into words of two characters: the features do not care where words come from."""
    return [text[i : i + 2] for i in range(0, len(text), 2)]


def made(titles: Sequence[str], bodies: Sequence[str]) -> TextFeatures:
    """Return the features of a batch."""
    return featurise(titles, bodies, WordTable.of([cut(join_text(t, b)) for t, b in zip(titles, bodies, strict=True)]))


def made_of(table: WordTable) -> Block:
    """Return the word block of segmented texts."""
    texts = len(table.ends)
    return featurise([""] * texts, [""] * texts, table).blocks["word"]


def counts(block: Block, row: int) -> dict[int, float]:
    """Return bucket → count of a row."""
    mine = block.rows == row
    return dict(zip(block.buckets[mine].tolist(), block.counts[mine].tolist(), strict=True))


def bucket_of(gram: str, seed: np.uint64) -> int:
    """Return the bucket of one n-gram by itself, hashed as the module says: mixed, and led on by the base."""
    mix, base = int(features._MIX), int(features._BASE)
    value = (ord(gram[0]) + int(seed)) * mix
    for character in gram[1:]:
        value = value * base + ord(character) * mix
    return int(buckets(np.array([value % 2**64], np.uint64))[0])


def grams(text: str) -> Counter[str]:
    """Count the 1-, 2- and 3-grams of a text."""
    return Counter(text[i : i + n] for n in (1, 2, 3) for i in range(len(text) - n + 1))


def by_bucket(counted: Counter[str], seed: np.uint64) -> dict[int, float]:
    """Return bucket → count of counted n-grams."""
    total: Counter[int] = Counter()
    for gram, count in counted.items():
        total[bucket_of(gram, seed)] += count
    return dict(total)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_characters_are_counted_as_by_hand(batch: list[tuple[str, str]]) -> None:
    titles, bodies = [t for t, _ in batch], [b for _, b in batch]
    found = made(titles, bodies)
    for row, (title, body) in enumerate(batch):
        text = join_text(title.lower(), body).lower()
        assert counts(found.blocks["char"], row) == by_bucket(grams(text), features._SEEDS["char"])
        assert counts(found.blocks["title"], row) == by_bucket(grams(title.lower()), features._SEEDS["title"])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4))
def test_words_and_pairs_are_counted_as_by_hand(batch: list[tuple[str, str]]) -> None:
    titles, bodies = [t for t, _ in batch], [b for _, b in batch]
    found = made(titles, bodies).blocks["word"]
    for row, (title, body) in enumerate(batch):
        words = cut(join_text(title, body))
        expected: Counter[int] = Counter(int(buckets(word_hashes([word]))[0]) for word in words)
        for first, second in itertools.pairwise(words):
            one, other = (int(h) for h in word_hashes([first, second]))
            pair = (one * int(features._MIX) + other) * int(features._BASE)
            expected[int(buckets(np.array([pair % 2**64], np.uint64))[0])] += 1
        assert counts(found, row) == dict(expected)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_a_row_does_not_depend_on_its_batch(batch: list[tuple[str, str]]) -> None:
    together = made([t for t, _ in batch], [b for _, b in batch])
    assert together.size == len(batch)
    for row, (title, body) in enumerate(batch):
        alone = made([title], [body])
        for name, block in together.blocks.items():
            assert counts(block, row) == counts(alone.blocks[name], 0), name


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_entries_are_by_row_unique_and_within_the_space(batch: list[tuple[str, str]]) -> None:
    for block in made([t for t, _ in batch], [b for _, b in batch]).blocks.values():
        keys = block.rows.astype(np.int64) * (1 << BUCKET_BITS) + block.buckets
        assert (np.diff(block.rows) >= 0).all()
        assert len(np.unique(keys)) == len(keys)
        assert ((block.buckets >= 0) & (block.buckets < 1 << BUCKET_BITS)).all()
        assert (block.counts >= 1).all()


@settings(max_examples=100, deadline=None)
@given(st.lists(LETTERS, max_size=6))
def test_hash_of_a_word_is_its_own(words: list[str]) -> None:
    expected = [word_hashes([word])[0] for word in words]
    assert word_hashes(words).tolist() == [int(h) for h in expected]


@pytest.mark.parametrize(("one", "other", "same"), [
    ("WiFi", "wifi", True),
    ("路灯", "路灯", True),
    ("路灯", "灯路", False),
    ("路", "路灯", False),
    ("İ", "i̇", True),
    ("", "路", False),
])  # fmt: skip
def test_hashes_of_words(one: str, other: str, same: bool) -> None:
    left, right = word_hashes([one, other]).tolist()
    assert (left == right) is same


@pytest.mark.parametrize(("title", "body", "joined"), [
    ("标题", "内容", "标题\n内容"),
    ("", "内容", "\n内容"),
    ("", "", "\n"),
    ("长" * MAX_CHARACTERS, "内容", "长" * MAX_CHARACTERS),
    ("题", "长" * MAX_CHARACTERS, "题\n" + "长" * (MAX_CHARACTERS - 2)),
])  # fmt: skip
def test_title_and_body_are_joined_and_cut(title: str, body: str, joined: str) -> None:
    assert join_text(title, body) == joined


def test_what_lies_beyond_the_limit_does_not_count() -> None:
    long = "路灯" * MAX_CHARACTERS
    one, other = made([""], [long]), made([""], [long + "物业"])
    for name in ("char", "word"):
        assert counts(one.blocks[name], 0) == counts(other.blocks[name], 0)


def test_an_empty_batch_has_no_entries() -> None:
    found = made([], [])
    assert found.size == 0
    assert [len(block.rows) for block in found.blocks.values()] == [0, 0, 0]


def test_pairs_do_not_cross_texts() -> None:
    table = WordTable.of([["路灯", "不亮"], [], ["物业"], ["收费", "不", "公开"]])
    assert table.ends.tolist() == [2, 2, 3, 6]
    found = made_of(table)
    assert [len(counts(found, row)) for row in range(4)] == [3, 0, 1, 5]


def test_lone_surrogates_are_only_characters() -> None:
    assert made([""], ["坏\ud800字"]).blocks["char"].counts.sum() == 4 + 3 + 2


def test_final_sigma_does_not_depend_on_the_next_word() -> None:
    assert word_hashes(["ΑΣ", "Α"])[0] == word_hashes(["ΑΣ"])[0]


PLACES = Gazetteer(
    [
        Place("C", "澜港市", "city"),
        Place("D", "潮东区", "district", parent="C"),
        Place("T", "沙洲镇", "town", parent="D"),
        Place("S", "沙洲街道", "subdistrict", parent="D", aliases=("老沙洲",)),
        Place("U", "东沙洲镇", "town", parent="C", aliases=("老沙洲",)),
    ]
)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("沙洲镇的路", ["T", "D", "C", "town"]),
        ("沙洲镇和沙洲镇", ["T", "D", "C", "town"] * 2),
        ("沙洲街道、潮东区", ["S", "D", "C", "subdistrict", "D", "C", "district"]),
        ("老沙洲", ["C"]),  # two places, of different kinds, in the same city
        ("别处", []),
    ],
)
def test_places_are_one_more_block(text: str, tokens: list[str]) -> None:
    texts = ["没有地名", text]
    plain = featurise(["", ""], texts, WordTable.of([[], []]))
    found = plain.with_places(PLACES.find(texts), PLACES)
    block = found.blocks.pop("place")
    assert found == plain
    expected = Counter(buckets(word_hashes(tokens)).tolist())
    assert block.rows.tolist() == [1] * len(expected)
    assert dict(zip(block.buckets.tolist(), block.counts.tolist(), strict=True)) == expected
    assert (block.rows.dtype, block.buckets.dtype, block.counts.dtype) == (np.int32, np.int32, np.float32)


def test_no_places_at_all() -> None:
    found = featurise(["", ""], ["", ""], WordTable.of([[], []])).with_places([[], []], PLACES)
    assert found.blocks["place"].rows.shape == (0,)

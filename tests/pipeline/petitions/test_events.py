"""Events: copies and letters about one thing join, others do not, and the order of the rows is no matter."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.petitions.events import NAME, SKETCH, Sketches, group, similarity

NAN = float("nan")
OPTIONS = {"min_similarity": 0.3, "window_days": 30.0, "max_block": 200}


def sketches(*petitions: dict[int, float]) -> Sketches:
    """Return the sketches of petitions given as word → weight."""
    hashes = np.zeros((len(petitions), SKETCH), np.uint32)
    weights = np.zeros((len(petitions), SKETCH), np.float32)
    for row, petition in enumerate(petitions):
        kept = sorted(petition.items(), key=lambda item: (-item[1], item[0]))[:SKETCH]
        for place, (word, weight) in enumerate(kept):
            hashes[row, place], weights[row, place] = word, weight
    return Sketches.of(hashes, weights)


def letter(topic: int, *, leave_out: int = -1, names: bool = True) -> dict[int, float]:
    """Return a letter about a topic: eight words that no other topic has, one of them perhaps left out."""
    words = range(topic * 100 + 10, topic * 100 + 26, 2)
    return {word | int(names): 5.0 for i, word in enumerate(words) if i != leave_out}


def members(first: np.ndarray) -> set[frozenset[int]]:
    """Return the groups as sets of rows."""
    return {frozenset(np.flatnonzero(first == leader).tolist()) for leader in set(first.tolist()) - {-1}}


def together(petitions: list[dict[int, float]], days: list[float] | None = None, **changed: float) -> list[int]:
    """Return the group of each petition."""
    times = np.array([0.0] * len(petitions) if days is None else days)
    return group(sketches(*petitions), times, **(OPTIONS | changed)).tolist()


# -- sketches ----------------------------------------------------------------------------------------------------------

ENTRIES = st.lists(
    st.dictionaries(st.integers(2, 2**32 - 1), st.floats(0.125, 50, width=32), max_size=SKETCH + 6), max_size=6
)


@settings(max_examples=80, deadline=None)
@given(ENTRIES)
def test_a_sketch_keeps_the_heaviest_words_at_unit_length(petitions: list[dict[int, float]]) -> None:
    found = sketches(*petitions)
    assert len(found) == len(petitions)
    for row, words in enumerate(petitions):
        count = min(len(words), SKETCH)
        weights = found.weights[row]
        assert (np.diff(weights) <= 1e-6).all()
        assert (found.words[row] > 0).sum() == count
        assert np.linalg.norm(weights) == pytest.approx(1.0 if count else 0.0, abs=1e-5)
        lightest = min((words[int(w)] for w in found.words[row, :count]), default=0)
        assert sum(weight > lightest for weight in words.values()) <= count


@settings(max_examples=80, deadline=None)
@given(ENTRIES)
def test_sketches_survive_packing(petitions: list[dict[int, float]]) -> None:
    before = sketches(*petitions)
    packed = before.to_bytes()
    assert [len(value) for value in packed] == [SKETCH * 8] * len(petitions)
    after = Sketches.from_bytes(packed)
    assert after.words.tolist() == before.words.tolist()
    assert after.weights.tolist() == before.weights.tolist()


@settings(max_examples=40, deadline=None)
@given(ENTRIES, ENTRIES)
def test_joined_sketches_are_those_of_the_parts(one: list[dict[int, float]], other: list[dict[int, float]]) -> None:
    joined = Sketches.join([sketches(*one), sketches(*other)])
    assert joined.to_bytes() == sketches(*one).to_bytes() + sketches(*other).to_bytes()
    assert len(Sketches.join([])) == 0


def test_a_petition_is_wholly_similar_to_itself_and_not_at_all_to_one_without_words() -> None:
    found = sketches(letter(1), letter(1), {}, letter(2), letter(1, names=False), letter(1, names=False))
    value = similarity(found, np.array([0, 0, 0, 2, 4]), np.array([1, 2, 3, 2, 5]))
    assert value.tolist() == pytest.approx([1, 0, 0, 0, 0.5], abs=1e-5)


@settings(max_examples=60, deadline=None)
@given(ENTRIES.filter(lambda petitions: len(petitions) > 1))
def test_similarity_is_symmetric_and_a_share(petitions: list[dict[int, float]]) -> None:
    left, right = np.triu_indices(len(petitions))
    found = sketches(*petitions)
    value = similarity(found, left, right)
    assert np.allclose(value, similarity(found, right, left))
    assert ((value >= 0) & (value <= 1 + 1e-5)).all()


# -- groups ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("petitions", "expected"), [
    ([], []),
    ([letter(1)], [-1]),
    ([{}, {}], [-1, -1]),
    ([letter(1), letter(1)], [0, 0]),
    ([letter(1), letter(2)], [-1, -1]),
    ([letter(1), letter(1, leave_out=3)], [0, 0]),
    ([letter(1), letter(2), letter(1), letter(2)], [0, 1, 0, 1]),
    ([letter(3), letter(1), letter(2), letter(1)], [-1, 1, -1, 1]),
    # One word in common makes no candidate.
    ([letter(1), letter(2) | dict([next(iter(letter(1).items()))])], [-1, -1]),
])  # fmt: skip
def test_groups(petitions: list[dict[int, float]], expected: list[int]) -> None:
    assert together(petitions) == expected


@pytest.mark.parametrize(("days", "expected"), [
    ([0, 30], [0, 0]),
    ([0, 30.1], [-1, -1]),
    ([0, NAN], [0, 0]),
    ([NAN, NAN], [0, 0]),
])  # fmt: skip
def test_far_apart_in_time_is_another_event(days: list[float], expected: list[int]) -> None:
    assert together([letter(1), letter(1)], days) == expected


def test_groups_smaller_than_wanted_are_dissolved() -> None:
    petitions = [letter(1), letter(1), letter(2), letter(2), letter(2)]
    assert together(petitions, min_size=3) == [-1, -1, 2, 2, 2]


@pytest.mark.parametrize(("least", "joined"), [
    (0.4, True),
    (0.49, True),
    (0.51, False),
    (0.6, False),
    (0.7, False),
])  # fmt: skip
def test_without_a_shared_name_only_half_of_the_similarity_counts(least: float, joined: bool) -> None:
    petitions = [letter(1, names=False), letter(1, names=False)]
    assert together(petitions, min_similarity=least) == ([0, 0] if joined else [-1, -1])


def related(number: int, topic: int = 1) -> dict[int, float]:
    """Return a letter that shares four of its eight words with the others about its topic: similar, and no copy."""
    return dict(list(letter(topic).items())[:4]) | dict(list(letter(1_000 + number).items())[:4])


def test_words_that_too_many_share_join_nobody() -> None:
    petitions = [related(i) for i in range(6)]
    assert together(petitions, max_block=5) == [-1] * 6
    assert together(petitions, max_block=6) == [0] * 6


def test_copies_join_however_many_there_are() -> None:
    assert together([letter(1)] * 6, max_block=5) == [0] * 6


@pytest.mark.parametrize("day", [25, 45])
def test_a_letter_joins_the_copies_of_a_long_campaign(day: int) -> None:
    petitions = [letter(1), letter(1), letter(1), related(1)]
    assert together(petitions, [0, 20, 40, day]) == [0, 0, 0, 0]


def test_a_chain_of_letters_is_not_one_event() -> None:
    # Each letter resembles the next, the first and the last have nothing in common.
    words = [10 * i + 11 for i in range(30)]
    chain = [dict.fromkeys(words[i : i + 6], 1.0) for i in range(0, 22, 3)]
    found = members(np.array(together(chain)))
    assert found
    assert max(map(len, found)) <= 3


def test_the_mark_of_a_name_is_the_last_bit() -> None:
    assert int(NAME) == 1


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_order_of_rows_does_not_change_who_belongs_together(data: st.DataObject) -> None:
    topics = data.draw(st.lists(st.integers(0, 4), max_size=12))
    petitions = [letter(t, leave_out=data.draw(st.integers(-1, 7))) for t in topics]
    order = data.draw(st.permutations(range(len(petitions))))
    straight = members(np.array(together(petitions)))
    turned = members(np.array(together([petitions[i] for i in order])))
    assert {frozenset(order[i] for i in part) for part in turned} == straight
    # Copies but for one word are one event, and topics do not mix.
    counted = Counter(topics)
    assert {frozenset(i for i, t in enumerate(topics) if t == topic) for topic, n in counted.items() if n > 1} == straight


@settings(max_examples=40, deadline=None)
@given(ENTRIES)
def test_a_group_is_named_after_its_first_member(petitions: list[dict[int, float]]) -> None:
    found = np.array(together(petitions, min_similarity=0.05), np.int64)
    for leader in set(found.tolist()) - {-1}:
        assert np.flatnonzero(found == leader).min() == leader
        assert (found == leader).sum() >= 2

"""The sample of a window: never more than asked for, always the same, whatever the order."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from pipeline.petitions.window import sample


@given(st.lists(st.text(min_size=1, max_size=8), unique=True, max_size=40), st.integers(1, 50))
def test_sample(ids: list[str], most: int) -> None:
    chosen = sample(ids, most)
    assert len(chosen) == min(len(ids), most)
    assert chosen == sorted(set(chosen))
    shuffled = random.Random(1).sample(ids, len(ids))
    assert {ids[i] for i in chosen} == {shuffled[i] for i in sample(shuffled, most)}

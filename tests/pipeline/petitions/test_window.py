"""The sample of a window: never more than asked for, always the same, whatever the order."""

from __future__ import annotations

import random

import pytest

from pipeline.petitions.window import sample


@pytest.mark.parametrize(("count", "most"), [(0, 1), (1, 1), (5, 9), (40, 7), (40, 40)])
def test_sample(count: int, most: int) -> None:
    ids = [f"P{i}" for i in range(count)]
    chosen = sample(ids, most)
    assert len(chosen) == min(count, most)
    assert chosen == sorted(set(chosen))
    shuffled = random.Random(1).sample(ids, count)
    assert {ids[i] for i in chosen} == {shuffled[i] for i in sample(shuffled, most)}

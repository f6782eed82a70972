"""Selection for annotation: budget, shares, reasons, groups. The letters are invented."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import SEGMENTER

from models.selection import SHARES, Pick, Signals, disagreement, margins, select, told, vectors
from pipeline.petitions.features import TextFeatures, WordTable, featurise, join_text

#: Three groups of letters that share words within the group, and one letter that is like no other.
LETTERS = [
    *[f"小区门口的路灯坏了{word}没人修理，晚上出行不方便" for word in ("三天", "一周", "半月", "很久", "多日")],
    *[f"公司拖欠工资{word}不发，劳动监察也不管" for word in ("三月", "半年", "一年", "两月")],
    *[f"渔船停靠码头收费{word}，渔民负担重" for word in ("太高", "涨价", "不公开")],
    "请问博物馆几点开门",
]


def features(texts: list[str]) -> TextFeatures:
    words = WordTable.of(SEGMENTER.cut([join_text("", text) for text in texts]))
    return featurise([""] * len(texts), texts, words)


def test_like_letters_are_near() -> None:
    points = vectors(features(LETTERS))
    near = points @ points.T
    assert near[0, 1:5].min() > 0.5
    assert near[0, 5:].max() < 0.3
    assert vectors(features(["甲"])).shape == (1, 1)


def test_representatives_without_a_model_cover_the_groups() -> None:
    picks = select(Signals(features(LETTERS)), 4)
    group = [0] * 5 + [1] * 4 + [2] * 3 + [3]
    assert sorted(group[pick.row] for pick in picks)[:3] == [0, 1, 2]
    assert {name for pick in picks for name in pick.reasons} == {"diverse"}
    assert max(pick.group for pick in picks) == 5


def test_each_reason_gets_its_share_and_every_pick_says_why() -> None:
    n = len(LETTERS)
    probabilities = np.tile([0.9, 0.06, 0.04], (n, 1))
    probabilities[5:7] = [0.4, 0.35, 0.25]
    views = {"linear": np.zeros(n, np.int64), "duty": np.zeros(n, np.int64)}
    views["duty"][[1, 2]] = [1, 2]
    cosine = np.full(n, 0.9, np.float32)
    cosine[9:12] = 0.05
    picks = select(Signals(features(LETTERS), probabilities, views, cosine, np.array([8, 3])), 7)
    why = {pick.row: pick.reasons for pick in picks}
    assert len(picks) == 7
    assert why[8][0] == "label_error"
    assert any("uncertain" in why.get(row, ()) for row in (5, 6))
    assert any("disagreement" in why.get(row, ()) for row in (1, 2))
    (new,) = (pick for pick in picks if "new" in pick.reasons)
    assert new.row in (9, 10, 11)
    assert new.group == 3
    assert "这批有 3 件同类" in "".join(told(new))


def test_a_reason_without_rows_leaves_its_share_to_the_others() -> None:
    probabilities = np.tile([0.5, 0.5], (len(LETTERS), 1))
    picks = select(Signals(features(LETTERS), probabilities), 6)
    first = [pick.reasons[0] for pick in picks]
    assert len(picks) == 6
    assert set(first) == {"uncertain", "diverse"}


@given(st.integers(1, 20), st.integers(0, 100))
@settings(deadline=None, max_examples=20)
def test_budget_order_and_determinism(count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = len(LETTERS)
    signals = Signals(
        features(LETTERS), rng.dirichlet(np.ones(4), n), {"a": rng.integers(-1, 4, n), "b": rng.integers(-1, 4, n)},
        rng.random(n).astype(np.float32), rng.permutation(n)[:3],
    )  # fmt: skip
    picks = select(signals, count)
    assert picks == select(signals, count)
    assert len(picks) == min(count, n)
    assert [pick.row for pick in picks] == sorted({pick.row for pick in picks})
    assert all(pick.reasons and set(pick.reasons) <= set(SHARES) for pick in picks)


def test_margins_and_disagreement() -> None:
    assert margins(np.array([[0.5, 0.2, 0.3], [1.0, 0.0, 0.0]])).tolist() == pytest.approx([0.2, 1.0])
    assert margins(np.ones((2, 1))).tolist() == [1, 1]
    views = {"a": np.array([1, 1, -1, -1]), "b": np.array([1, 2, 2, -1]), "c": np.array([1, 3, 2, -1])}
    assert disagreement(views, 4).tolist() == [0, 2, 0, 0]
    assert disagreement({}, 2).tolist() == [0, 0]


def test_what_cannot_be_selected() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        select(Signals(features(LETTERS)), 0)
    with pytest.raises(ValueError, match="unknown reasons: luck"):
        select(Signals(features(LETTERS)), 1, {"luck": 1.0})


def test_words_for_reasons() -> None:
    assert told(Pick(0, ("label_error", "uncertain")), ["留出模型认为是“甲”"]) == ("原标注可能有误", "系统拿不准", "留出模型认为是“甲”")

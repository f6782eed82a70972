"""From probabilities to suggestions: decision, ranking, co-handling, and the columns."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from corpora.records import PETITION_SCHEMA
from pipeline.petitions.deadline import Deadline
from pipeline.petitions.route import Batch, DecisionRule, Ranked, Reason, assemble, co_handling, rank
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id
from pipeline.petitions.urgency import Urgency

RULE = DecisionRule(0.9, 0.2, review_urgent=True)

#: (probabilities, level, calibrated, decision, a part of why)
DECISIONS = [
    ([0.95, 0.03], "normal", True, "auto", "达到直派门槛"),
    ([0.95], "normal", True, "auto", "95%"),
    ([0.90, 0.05], "elevated", True, "auto", "90%"),
    ([0.89, 0.05], "normal", True, "review", "低于直派门槛 90%"),
    ([0.95, 0.80], "normal", True, "review", "相差不足 20%"),
    ([0.99, 0.01], "urgent", True, "review", "紧急"),
    ([0.99, 0.01], "critical", True, "review", "紧急"),
    ([0.99, 0.01], "normal", False, "review", "未经校准"),
    ([0.50, 0.40], "urgent", False, "review", "紧急"),
    ([], "normal", True, "review", "没有依据"),
    ([], "urgent", False, "review", "没有依据"),
]


@pytest.mark.parametrize(("top", "level", "calibrated", "decision", "why"), DECISIONS)
def test_decisions(top: list[float], level: str, calibrated: bool, decision: str, why: str) -> None:
    found, told = RULE.decide(top, level, calibrated=calibrated)
    assert found == decision
    assert why in told


def test_urgent_petitions_may_go_straight_through_where_the_city_says_so() -> None:
    assert replace(RULE, review_urgent=False).decide([0.99, 0.01], "critical", calibrated=True)[0] == "auto"


@given(st.lists(st.floats(0, 1), max_size=5), st.sampled_from(["normal", "elevated", "urgent", "critical"]))
def test_nothing_uncalibrated_or_urgent_goes_straight_through(top: list[float], level: str) -> None:
    top = sorted(top, reverse=True)
    assert RULE.decide(top, level, calibrated=False)[0] == "review"
    if RULE.decide(top, level, calibrated=True)[0] == "auto":
        assert level not in ("urgent", "critical")
        assert top[0] >= 0.9


# -- rank --------------------------------------------------------------------------------------------------------------


@settings(max_examples=80, deadline=None)
@given(
    arrays.arrays(np.float64, st.tuples(st.integers(0, 5), st.integers(1, 40)), elements=st.sampled_from([0, 0.1, 0.2, 0.5])),
    st.integers(1, 6),
)
def test_ranking_is_a_stable_sort(probabilities: np.ndarray, top_k: int) -> None:
    found = rank(probabilities, top_k)
    expected = np.argsort(-probabilities, axis=1, kind="stable")[:, :top_k]
    assert np.array_equal(found.probabilities, np.take_along_axis(probabilities, expected, 1))
    assert np.array_equal(np.take_along_axis(probabilities, found.units, 1), found.probabilities)
    for row in found.units.tolist():
        assert len(set(row)) == len(row)


def test_ties_among_many_units_go_to_the_lower_index() -> None:
    rng = np.random.default_rng(0)
    for units in (40, 140):
        probabilities = rng.choice([0.0, 0.1, 0.2, 0.5], (100, units))
        expected = np.argsort(-probabilities, axis=1, kind="stable")[:, :5]
        assert np.array_equal(rank(probabilities, 5).units, expected)


def test_ties_among_few_units_go_to_the_lower_index() -> None:
    assert rank(np.array([[0.2, 0.2, 0.2, 0.4]]), 3).units.tolist() == [[3, 0, 1]]


# -- co-handling -------------------------------------------------------------------------------------------------------

PROBABILITIES = np.array([[0.5, 0.3, 0.1, 0.06, 0.04]])

#: (units named by the duty or the place, least probability, most, co-handling units)
CO_HANDLING = [
    ([], 0.15, 3, [(1, 0.3)]),
    ([], 0.05, 3, [(1, 0.3), (2, 0.1)]),
    ([], 0.99, 3, []),
    ([4], 0.15, 3, [(1, 0.3), (4, 0.04)]),
    ([0, 4], 0.15, 3, [(1, 0.3), (4, 0.04)]),  # the lead does not help itself
    ([1, 4, 4], 0.15, 3, [(1, 0.3), (4, 0.04)]),
    ([4], 0.05, 1, [(1, 0.3)]),
    ([4, 3], 0.05, 0, []),
]


@pytest.mark.parametrize(("extra", "least", "most", "expected"), CO_HANDLING)
def test_co_handling(extra: list[int], least: float, most: int, expected: list[tuple[int, float]]) -> None:
    assert co_handling(rank(PROBABILITIES, 3), [extra], PROBABILITIES, least, most) == [expected]


def test_co_handling_without_units() -> None:
    none = Ranked(np.zeros((2, 0), np.int64), np.zeros((2, 0)))
    assert co_handling(none, [[], []], np.zeros((2, 0)), 0.1, 3) == [[], []]


# -- assemble ----------------------------------------------------------------------------------------------------------


def batch(n: int = 2, **changed: Any) -> Batch:
    """Return what `n` suggestions are made of; the second petition has no unit."""
    petitions = pa.Table.from_pylist(
        [
            {
                "petition_id": f"P{i}", "title": "原题", "body": "原文", "submitted_at": dt.datetime(2026, 11, 20, 8),
                "address": "原址", "channel": "电话", "issue_type": "", "unit": "", "refused_units": [],
                "source": "t.csv", "row": i + 2,
            }
            for i in range(n)
        ],
        schema=PETITION_SCHEMA,
    )  # fmt: skip
    probabilities = np.tile([0.7, 0.29995, 0.00005], (n, 1))
    if n > 1:
        probabilities[1] = 0.0
    plain: dict[str, Any] = {
        "petitions": petitions, "titles": ["题"] * n, "bodies": ["文"] * n, "addresses": ["址"] * n, "channels": ["电话"] * n,
        "content_hashes": [f"{i:032d}" for i in range(n)], "issue": [("010201", 0.6)] * n,
        "issue_top": rank(np.tile([0.4, 0.6], (n, 1)), 2), "issue_labels": ["自定类", "010201"], "ranked": rank(probabilities, 3),
        "co_units": [[(1, 0.3)], []][:n] + [[]] * (n - 2), "decisions": [("review", "低")] * n,
        "reasons": [[Reason("duty", "A", "职责", ("灯", "路"), "A-1"), Reason("place", "A", "地点")], []][:n] + [[]] * (n - 2),
        "urgency": [Urgency("urgent", ("r1",), ("漏气",)), Urgency()][:n] + [Urgency()] * (n - 2),
        "deadlines": [Deadline(dt.date(2026, 11, 27), 5, "d1", "条例", ""), Deadline(None, None, "", "", "无")][:n]
        + [Deadline(None, None, "", "", "无")] * (n - 2),
        "unit_codes": ["A", "B", "C"], "unit_names": ["甲局", "乙局", "丙局"], "issue_names": {"010201": "城乡建设/绿化", "自定类": "自定类"},
        "model_version": "m+u", "config_version": "cfg-1",
    }  # fmt: skip
    return Batch(**(plain | changed))


@pytest.mark.parametrize("n", [0, 1, 2, 5])
def test_the_batch_has_the_schema_and_a_row_for_each_petition(n: int) -> None:
    table = assemble(batch(n))
    assert table.schema.equals(SUGGESTION_SCHEMA)
    assert table.num_rows == n
    table.validate(full=True)
    for field in SUGGESTION_SCHEMA:
        assert field.nullable or table[field.name].null_count == 0, field.name


def test_what_a_suggestion_says() -> None:
    first, second = assemble(batch()).to_pylist()
    assert first["suggestion_id"] == suggestion_id("P0", "0" * 32, "m+u", "cfg-1")
    assert (first["title"], first["body"], first["address"]) == ("题", "文", "址")  # masked, not as filed
    assert first["issue_type"] == {"code": "010201", "name": "城乡建设/绿化", "probability": 0.6}
    assert [issue["name"] for issue in first["issue_top_k"]] == ["城乡建设/绿化", "自定类"]
    assert first["lead_unit"] == {"code": "A", "name": "甲局", "probability": 0.7}
    assert [unit["code"] for unit in first["top_k"]] == ["A", "B"]  # C is not worth a glance
    assert first["co_units"] == [{"code": "B", "name": "乙局", "probability": 0.3}]
    assert first["reasons"][0] == {"kind": "duty", "unit": "A", "text": "职责", "words": ["灯", "路"], "reference": "A-1"}
    assert first["reasons"][1]["words"] == []
    assert first["urgency"] == {"level": "urgent", "rules": ["r1"], "words": ["漏气"]}
    assert first["deadline"]["date"] == dt.date(2026, 11, 27)
    assert first["event_group"] is None
    assert second["lead_unit"] is None
    assert second["top_k"] == second["co_units"] == second["reasons"] == []
    assert second["deadline"] == {"date": None, "working_days": None, "rule": "", "basis": "", "note": "无"}


def test_event_groups_are_taken_over() -> None:
    assert assemble(batch(event_groups=["ev_1", None]))["event_group"].to_pylist() == ["ev_1", None]


def test_petitions_in_chunks_are_one_batch() -> None:
    whole = batch(4)
    parts = pa.concat_tables([whole.petitions.slice(0, 1), whole.petitions.slice(1)])
    assert assemble(batch(4, petitions=parts)).equals(assemble(whole))


def test_a_city_without_units() -> None:
    nobody = Ranked(np.zeros((2, 0), np.int64), np.zeros((2, 0)))
    table = assemble(batch(ranked=nobody, co_units=[[], []], unit_codes=["A"], unit_names=["甲局"]))
    assert table["lead_unit"].to_pylist() == [None, None]

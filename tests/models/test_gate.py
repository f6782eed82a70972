"""The gate: what it refuses, what it lets pass, and how often it errs."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections import Counter

import numpy as np
import pytest
import toy
import world

from corpora.config import GateRules, load_config
from models.evaluation import Scores
from models.gate import GateResult, GateRow, judge, slices_of

RULES = dataclasses.replace(load_config().gate, draws=400)


def overall(result: GateResult) -> dict[str, GateRow]:
    """Return the rows of the measures by name."""
    return {row.name: row for row in result.rows if row.scope == "overall"}


def certain(truth: list[str], answers: list[str], confidence: float = 0.9, labels: tuple[str, ...] = ("甲", "乙", "丙")) -> Scores:
    """Return predictions that give each answer with one confidence."""
    rest = (1 - confidence) / (len(labels) - 1)
    probabilities = np.full((len(truth), len(labels)), rest)
    probabilities[np.arange(len(truth)), [labels.index(answer) for answer in answers]] = confidence
    return Scores(probabilities, labels, truth, Counter())


def test_a_model_against_itself() -> None:
    one = world.scores(0, 300, 5, (2.0,))[0]
    result = judge(one, one, rules=RULES)
    assert (result.passed, result.verdict, result.compared) == (True, "equal", 300)
    assert all((row.difference, row.p, row.verdict) == (0, 1, "equal") for row in result.rows)
    assert "至多差 0.0 个百分点" in result.reasons[0]


def test_equal_models_pass_at_least_as_often_as_promised() -> None:
    refused = 0
    for seed in range(60):
        slices = {"month": np.random.default_rng(seed).choice(list("12345"), 400).tolist()}
        refused += not judge(*world.scores(seed, 400, 6, (2.0, 2.0)), slices=slices, rules=RULES).passed
    assert refused <= 7, refused  # 60 × .05 = 3, plus 2.4 standard deviations; the tests are stricter than they need be


def test_three_points_less_on_two_thousand_rows_are_refused() -> None:
    results = [judge(*world.scores(seed, 2000, 8, (2.16, 2.35), shared=0.9), rules=RULES) for seed in range(20)]
    assert np.mean([overall(result)["accuracy"].difference for result in results]) == pytest.approx(-0.03, abs=0.008)
    assert sum(result.passed for result in results) <= 1
    assert all("变差 worse" in result.reasons[0] for result in results if not result.passed)


def test_a_better_model_passes() -> None:
    result = judge(*world.scores(0, 2000, 8, (2.6, 2.2)), rules=RULES)
    assert (result.passed, result.verdict) == (True, "better")
    row = overall(result)["accuracy"]
    assert row.low is not None
    assert row.high is not None
    assert row.difference is not None
    assert 0 < row.low < row.difference < row.high


def test_one_class_that_gets_worse_blocks() -> None:
    """Thirty rows of 2,000: no measure over all rows would notice."""
    truth = ["甲"] * 1200 + ["乙"] * 770 + ["丙"] * 30
    before = [*truth]
    after = [*truth[:1970], *["乙"] * 20, *["丙"] * 10]
    for i in range(0, 1970, 10):
        before[i] = "乙" if truth[i] == "甲" else "甲"
        after[i + 5] = "乙" if truth[i + 5] == "甲" else "甲"
    result = judge(certain(truth, after), certain(truth, before), rules=RULES)
    assert (result.passed, result.verdict) == (False, "worse")
    worse = {(row.scope, row.name) for row in result.rows if row.verdict == "worse"}
    assert ("class", "丙") in worse
    assert "类别 class 丙: 1.000 → 0.333（30 行 rows）" in "".join(result.reasons)
    few = dataclasses.replace(RULES, min_support=31)
    assert judge(certain(truth, after), certain(truth, before), rules=few).untested == 1


def test_one_channel_that_gets_worse_blocks() -> None:
    truth = ["甲", "乙"] * 500
    channel = ["电话"] * 900 + ["信访"] * 60 + [""] * 40
    before = ["甲" if i % 9 == 0 else label for i, label in enumerate(truth)]
    after = [*("甲" if i % 9 == 3 else label for i, label in enumerate(truth[:900])), *["乙", "甲"] * 20, *truth[940:]]
    result = judge(certain(truth, after), certain(truth, before), slices={"channel": channel}, rules=RULES)
    rows = {row.name: row for row in result.rows if row.scope == "channel"}
    assert set(rows) == {"电话", "信访"}
    assert (rows["电话"].verdict, rows["信访"].verdict, result.passed) == ("equal", "worse", False)


@pytest.mark.parametrize(("confidence", "before", "passed"), [(0.99, 0.8, False), (0.83, 0.8, True), (0.6, 0.99, True)])
def test_calibration_blocks_when_it_is_bad_and_worse(confidence: float, before: float, passed: bool) -> None:
    """Both are right in 80 of 100; .83 is worse than .80 but within what is allowed, .60 is bad but better than .99."""
    truth = ["甲", "乙"] * 250
    answers = ["丙" if i % 5 == 0 else label for i, label in enumerate(truth)]
    result = judge(certain(truth, answers, confidence), certain(truth, answers, before), rules=RULES)
    assert result.passed is passed
    assert (overall(result)["ece"].verdict == "worse") is not passed


def test_less_that_goes_straight_through_blocks() -> None:
    """The same answers and calibration; one knows which of its answers are sure."""
    truth = ["甲", "乙"] * 250
    wrong = np.arange(500) % 10 < 2
    answers = ["丙" if bad else label for bad, label in zip(wrong, truth, strict=True)]
    sharp, flat = certain(truth, answers, 0.8), certain(truth, answers, 0.8)
    for i in np.flatnonzero(~wrong)[:300]:
        sharp.probabilities[i] = [0.01, 0.01, 0.01]
        sharp.probabilities[i, sharp.labels.index(answers[i])] = 0.98
    result = judge(flat, sharp, rules=dataclasses.replace(RULES, max_ece=1.0))
    assert overall(result)["coverage"].verdict == "worse"
    assert not result.passed


def test_invalid_labels_and_too_few_rows_block() -> None:
    one = world.scores(0, 300, 5, (2.0,))[0]
    gone = judge(one, one, invalid={"c3", "别的"}, rules=RULES)
    assert (gone.passed, gone.verdict) == (False, "blocked")
    assert "今天已不存在的单位 1 个：c3" in gone.reasons[0]
    few = judge(one, one, rules=dataclasses.replace(RULES, min_rows=301))
    assert (few.passed, few.verdict) == (False, "blocked")
    assert "只有 300 行" in few.reasons[0]


def test_the_first_model_is_held_to_absolute_checks() -> None:
    one = world.scores(0, 300, 5, (2.0,))[0]
    first = judge(one, None, rules=RULES)
    assert (first.passed, first.verdict) == (True, "first")
    assert {row.name for row in first.rows} == {"accuracy", "top3_accuracy", "macro_f1", "ece", "coverage"}
    assert not judge(one, None, invalid={"c0"}, rules=RULES).passed
    truth = ["甲"] * 150 + ["乙"] * 50
    lazy = judge(certain(truth, ["甲"] * 200), None, rules=RULES)
    assert (lazy.passed, lazy.verdict) == (False, "blocked")
    assert "总猜最常见的一类 75.0%" in lazy.reasons[0]


def test_label_sets_may_differ() -> None:
    """After a reform the candidate says 新局 where the champion says 旧局, and both are right in their own terms."""
    old, new = ["旧局", "乙"] * 100, ["新局", "乙"] * 100
    labels, earlier = ("新局", "乙", "丁"), ("旧局", "乙")
    result = judge(certain(new, new, labels=labels), certain(old, old, labels=earlier), rules=RULES)
    assert (result.passed, result.verdict) == (True, "equal")
    assert {row.name for row in result.rows if row.scope == "class"} == {"新局", "乙"}


def test_what_is_not_of_the_same_rows_is_an_error() -> None:
    one, other = world.scores(0, 30, 3, (2.0,))[0], world.scores(0, 31, 3, (2.0,))[0]
    for call in (
        lambda: judge(one, other, rules=RULES),
        lambda: judge(one, one, slices={"month": ["1"] * 29}, rules=RULES),
        lambda: judge(certain([], []), None, rules=RULES),
    ):
        with pytest.raises(ValueError, match="of the same rows"):
            call()


def test_the_result_as_plain_values() -> None:
    plain = judge(*world.scores(0, 200, 4, (2.0, 2.0)), rules=RULES).as_dict()
    again = json.loads(json.dumps(plain, ensure_ascii=False))
    assert again["verdict"] == plain["verdict"]
    assert again["rows"][0].keys() == {f.name for f in dataclasses.fields(GateRow)}


def test_slices() -> None:
    rows = [
        {"body": "路" * 10, "title": "灯" * 39, "channel": "电话", "submitted_at": dt.datetime(2026, 1, 31)},
        {"body": "路" * 50, "channel": "信访", "submitted_at": dt.datetime(2026, 2, 1)},
        {"body": "路" * 500, "channel": ""},
    ]
    assert slices_of(toy.table(rows)) == {
        "channel": ["电话", "信访", ""], "length": ["0–49字", "50–199字", "500字以上"], "month": ["2026-01", "2026-02", ""],
    }  # fmt: skip
    assert slices_of(toy.table(rows[:1] * 2)) == {}


@pytest.mark.parametrize("changed", [{"alpha": 0.0}, {"draws": 10}, {"min_rows": 0}, {"precision": 1.2}])
def test_rules_out_of_range(changed: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(changed))):
        GateRules(**{**dataclasses.asdict(RULES), **changed})

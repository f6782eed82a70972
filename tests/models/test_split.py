"""What is learnt from and what is asked: each row has one place, each text one part."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import toy
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_city import small_city

from corpora.labelled import row_keys
from corpora.records import PETITION_SCHEMA
from models.city import City
from models.split import sift, unseen
from models.training import TrainingError

NONE = PETITION_SCHEMA.empty_table()
WORDS = "路灯不亮 井盖破损 公交太少 工资拖欠 学位不足 噪声扰民 树木倒伏 油烟刺鼻".split()


def letters(count: int) -> list[dict[str, Any]]:
    """Return letters of two units, all different."""
    return [
        {
            "petition_id": f"L{i:03d}", "unit": toy.UNITS[i % 2],
            "body": f"{WORDS[i % 8]}，{WORDS[i // 8 % 8]}，{WORDS[i // 64 % 8]}，请处理",
        }
        for i in range(count)
    ]  # fmt: skip


def test_every_row_has_a_place() -> None:
    rows = letters(80)
    rows[3] |= {"unit": ""}
    filed = [*rows, rows[5] | {"petition_id": "again"}, rows[6] | {"petition_id": "other", "unit": toy.UNITS[1]}]
    found = sift("unit", toy.table(filed), NONE, City(), test=0.3)
    assert found.left_out == {"no label": 1, "same text, same label": 1, "same text, different labels": 2}
    assert found.rows + sum(found.left_out.values()) == 82
    assert sorted(found.contradictory) == ["L006", "other"]
    assert found.classes == 2


@pytest.mark.parametrize("by", ["hash", "time"])
def test_no_text_is_in_both_parts(by: str) -> None:
    rows = [row | {"submitted_at": 1_700_000_000 + 1_000 * i} for i, row in enumerate(letters(80))]
    found = sift("unit", toy.table(rows), NONE, City(), by=by, test=0.3)
    assert not set(row_keys(found.train).tolist()) & set(row_keys(found.test).tolist())
    assert row_keys(found.test).tolist() == found.keys.tolist()
    assert 10 <= found.test.num_rows <= 40
    if by == "time":
        assert max(found.train["submitted_at"].to_pylist()) < min(found.test["submitted_at"].to_pylist())


def test_a_part_never_changes_by_hash() -> None:
    before = sift("unit", toy.table(letters(60)), NONE, City(), test=0.3)
    after = sift("unit", toy.table(letters(300)), NONE, City(), test=0.3)
    assert set(before.keys.tolist()) <= set(after.keys.tolist())
    assert not set(before.keys.tolist()) & set(row_keys(after.train).tolist())


def test_what_a_person_says_holds() -> None:
    filed = letters(60)
    told = [filed[4] | {"unit": toy.UNITS[2]}, filed[5]]
    found = sift("unit", toy.table(filed), toy.table(told), City(), test=0.3)
    assert found.left_out == {"corrected by a person": 1, "same text, same label": 1}
    labels = dict(zip(*(found.train[name].to_pylist() + found.test[name].to_pylist() for name in ("petition_id", "unit")), strict=True))
    assert labels["L004"] == toy.UNITS[2]


def test_people_who_contradict_each_other_decide_nothing() -> None:
    filed = letters(60)
    told = [filed[4] | {"unit": unit} for unit in toy.UNITS[:2]]
    assert sift("unit", toy.table(filed), toy.table(told), City(), test=0.3).left_out == {"same text, different labels": 3}


def test_personal_data_is_gone_before_anything_is_compared() -> None:
    rows = letters(60)
    for i, number in ((0, "13912345678"), (1, "13812345678")):
        rows[i] = rows[2] | {"petition_id": f"N{i}", "body": f"路灯不亮，请回电{number}谢谢"}
    found = sift("unit", toy.table(rows), NONE, City(), test=0.3)
    assert found.left_out == {"same text, same label": 1}
    assert not any("139" in text or "138" in text for table in (found.train, found.test) for text in table["body"].to_pylist())


def test_units_outside_the_directory(tmp_path: Any) -> None:
    rows = [row | {"unit": ("市人社局", "市教育局", "某某局")[i % 3]} for i, row in enumerate(letters(60))]
    found = sift("unit", toy.table(rows), NONE, small_city(tmp_path), test=0.3)
    assert found.left_out == {"label outside the directory": 20}


REPLY = "您的来信收悉，现答复如下：路灯已修好，感谢您对城管工作的支持。"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "0 usable rows"),
        (letters(3), "3 usable rows with a unit label, at least 20"),
        ([row | {"unit": ""} for row in letters(30)], "no label: 30"),
        ([row | {"unit": toy.UNITS[0]} for row in letters(30)], "have the same unit"),
        ([row | {"body": f"{row['body']}。{REPLY}"} for row in letters(30)], "30 of 30 texts hold a unit's reply"),
        ([row | {"body": "路灯不亮", "unit": toy.UNITS[i % 2]} for i, row in enumerate(letters(30))], "different labels: 30"),
    ],
    ids=["nothing", "three rows", "no labels", "one class", "replies", "contradictions only"],
)
def test_refused(rows: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        sift("unit", toy.table(rows) if rows else NONE, NONE, City(), test=0.3, least=20)


def test_a_time_split_needs_times() -> None:
    with pytest.raises(TrainingError, match="split by hash"):
        sift("unit", toy.table(letters(30)), NONE, City(), by="time")


def test_a_few_quoted_replies_are_left_out_alone() -> None:
    rows = letters(60)
    rows[0] |= {"body": f"上次的答复我不满意：{REPLY}"}
    assert sift("unit", toy.table(rows), NONE, City(), test=0.3).left_out == {"text holds a reply": 1}


@given(st.lists(st.integers(0, 2**64 - 1), max_size=20), st.lists(st.integers(0, 2**64 - 1), max_size=20))
@settings(max_examples=30, deadline=None)
def test_unseen(keys: list[int], learnt: list[int]) -> None:
    found = unseen(np.array(keys, np.uint64), np.array(learnt, np.uint64))
    assert found.tolist() == [key not in learnt for key in keys]
    assert unseen(np.array(keys, np.uint64), None).all()

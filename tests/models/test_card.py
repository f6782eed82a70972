"""The card says what the manifest says, and nothing personal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import toy

from models.card import card, data_of
from models.city import City
from models.training import train

KEYS = np.array([3, 1, 2], np.uint64)


def test_a_trained_version_carries_its_card(tmp_path: Path) -> None:
    saved = train("unit", toy.labelled(45), City(), tmp_path).saved
    text = (saved.folder / "card.md").read_text("utf-8")
    assert text == card(saved.manifest)
    for told in (
        f"# 承办单位模型 {saved.version}", "45 件标注来件，2026-01-01 至 2026-01-02", "来源：toy.csv", "| 市城管局 | 15 |", "可给出 3 类",
        "不足 200 件，仅供参考", "首选正确率 accuracy", "| 95% |", "由人复核", "minqing 0.", saved.manifest["data"]["fingerprint"],
    ):  # fmt: skip
        assert told in text
    assert "请尽快处理" not in text


@pytest.mark.parametrize("manifest", [{}, {"target": "unit", "rows": 3, "measures": None, "model": {"labels": ["甲"]}}])
def test_old_manifests_have_a_card_too(manifest: dict[str, Any]) -> None:
    text = card(manifest)
    assert "来源未记录" in text
    assert "没有留出检验" in text


def test_issue_types_are_named() -> None:
    text = card({"target": "issue_type", "data": {"rows": 1, "labels": {"010202": 1}, "sources": [], "fingerprint": "", "from": None}})
    assert "| 010202 " in text
    assert "| 010202 |" not in text


def test_no_number_of_a_person_and_no_markup_gets_in() -> None:
    rows = [{"body": "文", "source": "/data/张 13800138000|的*来件.xlsx"}] * 3
    data = data_of(toy.table(rows), ["甲|乙", "甲|乙", "<b>丙"], KEYS)
    text = card({"target": "unit", "data": data})
    assert "13800138000" not in str(data)
    assert "/data" not in str(data)
    assert "13800138000" not in text
    assert "| 甲\\|乙 | 2 |" in text
    assert "<b>" not in text.replace("\\<b\\>", "")


def test_the_fingerprint_is_of_texts_and_labels_whatever_their_order() -> None:
    table = toy.table([{"body": "文"}] * 3)
    one = data_of(table, ["甲", "乙", "丙"], KEYS)["fingerprint"]
    assert data_of(table, ["丙", "乙", "甲"], KEYS[::-1])["fingerprint"] == one
    assert data_of(table, ["乙", "甲", "丙"], KEYS)["fingerprint"] != one
    assert data_of(table, ["甲", "乙", "丙"], KEYS + np.uint64(1))["fingerprint"] != one

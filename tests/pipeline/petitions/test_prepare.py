"""Preparation: cleaned and masked texts with their features, and the hash of a petition as filed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.records import PETITION_SCHEMA
from pipeline.petitions.features import featurise, join_text
from pipeline.petitions.prepare import content_hashes, prepare
from pipeline.petitions.segment import segmenter

SEGMENTER = segmenter()
WORDS = st.text("路灯不亮 物业费\nabc，。：13800138000", max_size=25)


def batch(*rows: dict[str, Any]) -> pa.Table:
    """Return a petition batch; what a row leaves out is empty."""
    plain = {
        "petition_id": "P", "title": "", "body": "", "submitted_at": dt.datetime(2026, 11, 20, 8), "address": "",
        "channel": "", "issue_type": "", "unit": "", "refused_units": [], "source": "t.csv", "row": 2,
    }  # fmt: skip
    return pa.Table.from_pylist([plain | row for row in rows], schema=PETITION_SCHEMA)


def test_texts_are_cleaned_and_masked_and_counted() -> None:
    made = prepare(
        batch(
            {"title": "求助 13800138000", "body": "<p>联系人：张先生</p>", "address": "浙C12345旁"},
            {"title": "", "body": "請修路燈"},
        ),
        SEGMENTER,
    )
    assert made.titles == ["求助 〔手机号〕", ""]
    assert made.bodies == ["联系人：〔姓名〕", "请修路灯"]
    assert made.addresses[0].startswith("〔车牌号〕")
    assert made.masked == {"手机号": 1, "姓名": 1, "车牌号": 1}
    assert made.texts == [join_text(t, b) for t, b in zip(made.titles, made.bodies, strict=True)]


def test_personal_data_reaches_neither_words_nor_features() -> None:
    secret = prepare(batch({"body": "请回电13800138000，谢谢"}), SEGMENTER)
    other = prepare(batch({"body": "请回电13900139000，谢谢"}), SEGMENTER)
    assert not any("138" in word for word in secret.words.words)
    for name, block in secret.features.blocks.items():
        assert block.buckets.tolist() == other.features.blocks[name].buckets.tolist()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(WORDS, WORDS), max_size=4))
def test_words_and_features_are_those_of_the_masked_texts(rows: list[tuple[str, str]]) -> None:
    made = prepare(batch(*({"title": t, "body": b} for t, b in rows)), SEGMENTER)
    assert "".join(made.words.words) == "".join(made.texts)
    again = featurise(made.titles, made.bodies, made.words)
    for name, block in made.features.blocks.items():
        assert block.buckets.tolist() == again.blocks[name].buckets.tolist()
        assert block.counts.tolist() == again.blocks[name].counts.tolist()


def test_an_empty_batch() -> None:
    made = prepare(batch(), SEGMENTER)
    assert (made.titles, made.bodies, made.addresses, made.texts) == ([], [], [], [])
    assert made.features.size == 0
    assert content_hashes(batch()) == []


BASE = {"petition_id": "P1", "title": "题", "body": "文", "address": "路", "refused_units": ["甲"]}


@pytest.mark.parametrize("change", [
    {"petition_id": "P2"},
    {"title": "题二"},
    {"body": "文二"},
    {"address": ""},
    {"submitted_at": None},
    {"submitted_at": dt.datetime(2026, 11, 20, 9)},
    {"title": "", "body": "题文"},
])  # fmt: skip
def test_another_petition_has_another_hash(change: dict[str, Any]) -> None:
    one, other = content_hashes(batch(BASE, BASE | change))
    assert one != other
    assert len(one) == len(other) == 32


@pytest.mark.parametrize(
    "change", [{"issue_type": "010201"}, {"unit": "甲"}, {"source": "u.csv"}, {"row": 9}, {"refused_units": []}]
)
def test_labels_and_places_in_a_file_are_no_part_of_the_hash(change: dict[str, Any]) -> None:
    one, other = content_hashes(batch(BASE, BASE | change))
    assert one == other


def test_another_channel_has_another_hash() -> None:
    # Deadline rules look at the channel.
    one, other = content_hashes(batch(BASE | {"channel": "电话"}, BASE | {"channel": "信访局"}))
    assert one != other

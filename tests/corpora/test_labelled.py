"""Corpora as Hugging Face datasets: parts that share no letter, and the way there and back. All rows are invented."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.labelled import from_datasets, load, row_keys, split_of, to_datasets
from corpora.records import PETITION_SCHEMA


def rows(bodies: list[str], titles: list[str] | None = None, units: list[str] | None = None, days: list[int | None] | None = None) -> pa.Table:
    n = len(bodies)
    start = dt.datetime(2026, 1, 1, 8)
    return pa.table(
        {
            "petition_id": [f"00{i}" for i in range(n)], "title": titles or [""] * n, "body": bodies,
            "submitted_at": [None if d is None else start + dt.timedelta(days=d) for d in (days or range(n))],
            "address": [""] * n, "channel": ["来信"] * n, "issue_type": [""] * n, "unit": units or ["甲局"] * n,
            "refused_units": [[]] * n, "source": ["a.csv"] * n, "row": list(range(2, n + 2)),
        },
        PETITION_SCHEMA,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("路灯不亮", " 路灯\n不亮\u3000", True),
        ("3号楼漏水，电话12", "5号楼漏水，电话98", True),
        ("３号楼（东）", "4号楼(东)", True),
        ("路灯不亮", "路灯亮", False),
        ("3号楼", "13号楼", False),
    ],
)
def test_keys(one: str, other: str, same: bool) -> None:
    a, b = row_keys(rows([one, other]))
    assert bool(a == b) is same


def test_title_and_body_are_one_text() -> None:
    a, b = row_keys(rows(["不亮三天了", "路灯不亮三天了"], ["路灯", ""]))
    assert a == b


def test_keys_are_the_same_everywhere() -> None:
    assert row_keys(rows(["路灯不亮"])).tolist() == [849718561212377481]


def test_split_by_hash_stays_and_has_the_shares() -> None:
    table = rows([f"第{'甲乙丙丁戊己庚辛壬癸'[i % 10]}{chr(0x4E00 + i)}件" for i in range(2000)])
    parts = split_of(table, "hash", 0.2, 0.1)
    assert abs((parts == "test").mean() - 0.2) < 0.03
    assert abs((parts == "validation").mean() - 0.1) < 0.03
    turned = np.arange(2000)[::-1]
    assert (split_of(table.take(turned), "hash", 0.2, 0.1) == parts[turned]).all()


def test_split_by_time() -> None:
    table = rows([chr(0x4E00 + i) for i in range(10)], days=[9, 8, 7, 6, 5, 4, 3, 2, 1, None])
    assert split_of(table, "time", 0.2, 0.1).tolist() == ["test", "test", "validation", *["train"] * 7]


def test_a_letter_sent_again_stands_where_it_came_last() -> None:
    table = rows(["甲", "乙", "丙", "丁", "甲"])
    assert split_of(table, "time", 0.2).tolist() == ["test", "train", "train", "train", "test"]


def test_rows_of_one_moment_stay_together() -> None:
    table = rows(["甲", "乙", "丙", "丁"], days=[0, 1, 1, 1])
    assert split_of(table, "time", 0.25).tolist() == ["train", "test", "test", "test"]


@given(st.lists(st.sampled_from("甲乙丙丁戊1２ "), max_size=30), st.sampled_from(["hash", "time"]))
@settings(deadline=None)
def test_no_text_in_two_parts(bodies: list[str], by: str) -> None:
    table = rows(bodies)
    parts = split_of(table, by, 0.3, 0.2)
    assert parts.shape == (len(bodies),)
    keys = row_keys(table)
    for key in set(keys.tolist()):
        assert len(set(parts[keys == key].tolist())) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"by": "size"}, "by hash or by time"), ({"test": 1.0}, "below 1"), ({"test": 0.6, "validation": 0.5}, "below 1"),
        ({"test": -0.1}, "0 or more"), ({"by": "time"}, "no row has a time"),
    ],
)  # fmt: skip
def test_what_cannot_be_split(options: dict, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        split_of(rows(["甲"], days=[None]), **options)


def test_there_and_back(tmp_path: Path) -> None:
    table = rows(["甲" * i for i in range(1, 7)], units=["乙局", "甲局"] * 3, days=[0, 1, 2, 3, 4, None])
    table = table.set_column(8, "refused_units", pa.array([["丙局"], [], [], [], [], ["丁局", "戊局"]], pa.list_(pa.string())))
    parts = np.array(["train", "train", "test", "train", "validation", "train"])
    corpus = to_datasets(table, "unit", parts)
    assert list(corpus) == ["train", "validation", "test"]
    assert corpus["train"].features["unit"].names == ["乙局", "甲局"]
    assert corpus["test"]["unit"][:] == [0]
    corpus.save_to_disk(str(tmp_path / "one"))
    again = load(tmp_path / "one")
    for part, dataset in corpus.items():  # loading counts as a step and has a mark of its own; the folder keeps ours
        state = json.loads((tmp_path / "one" / part / "state.json").read_text("utf-8"))
        assert state["_fingerprint"] == dataset._fingerprint
    assert [again[part]._fingerprint for part in again] == [load(tmp_path / "one")[part]._fingerprint for part in again]
    back, told = from_datasets(again, "unit")
    assert back.schema.equals(PETITION_SCHEMA)
    order = np.concatenate([np.flatnonzero(parts == part) for part in corpus])
    assert back.to_pylist() == table.take(order).to_pylist()
    assert (told == parts[order]).all()


def test_fingerprints_follow_the_content() -> None:
    def marks(table: pa.Table, **options: list[str]) -> list[str]:
        made = to_datasets(table, "unit", np.array(["train"] * table.num_rows), **options)
        return [made[part]._fingerprint for part in made]

    one = rows(["甲", "乙"])
    assert marks(one) == marks(pa.concat_tables([one.slice(0, 1), one.slice(1)]))
    assert marks(one) != marks(rows(["甲", "丙"]))
    assert marks(one) != marks(one, names=["甲局", "乙局"])


def test_what_is_no_corpus() -> None:
    import datasets

    with pytest.raises(ValueError, match="no labelled rows"):
        to_datasets(rows([]), "unit", np.array([]))
    with pytest.raises(ValueError, match="1 of 2 rows have no label"):
        to_datasets(rows(["甲", "乙"], units=["甲局", ""]), "unit", np.array(["train"] * 2))
    with pytest.raises(ValueError, match="no column petition_id"):
        from_datasets(datasets.DatasetDict(train=datasets.Dataset.from_dict({"text": ["甲"]})), "unit")
    with pytest.raises(FileNotFoundError):
        load(Path("/nowhere"))

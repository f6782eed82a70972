"""A period of the store: the newest suggestion of each petition, by the day it was filed or routed."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import synthetic

from dispatch.files import payloads
from dispatch.period import stored_window
from dispatch.store import Store
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA
from pipeline.petitions.window import WINDOW_SCHEMA, window_of

DAY = date(2024, 5, 6)


def table(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SUGGESTION_SCHEMA)


def stored(url: str, *chunks: pa.Table) -> Store:
    store = Store.open(url)
    store.begin_run("r", inputs_digest="d", model_version="m", config_version="c", started_at=datetime(2024, 5, 9, 1))
    for chunk in chunks:
        store.write_chunk("r", chunk, payloads(chunk))
    return store


def test_the_store_gives_the_columns_that_routing_gives(store_url: str) -> None:
    rows = [row | {"submitted_at": datetime(2024, 5, 6, 9)} for row in synthetic.rows(30)]
    rows[3]["reasons"] = [{"kind": "refused", "unit": "LG-D01", "text": "已退单", "words": [], "reference": ""}]
    with stored(store_url, table(rows)) as store:
        found, read = stored_window(store, DAY, DAY, 100)
    assert (read, found.schema) == (30, WINDOW_SCHEMA)
    filed = pa.table({name: [kind] * 30 for name, kind in (("unit", ""), ("issue_type", ""))})
    routed = window_of(table(rows), filed.append_column("refused_units", pa.array([[]] * 30, pa.list_(pa.string()))))
    rounded = [
        row | {name: None if row[name] is None else round(row[name], 4) for name in ("unit_probability", "issue_probability")}
        for row in routed.to_pylist()
    ]
    assert found.to_pylist() == sorted(rounded, key=lambda row: row["petition_id"])
    assert [row["refused"] for row in found.to_pylist()].count(["LG-D01"]) == 1


def test_days_and_revisions(store_url: str) -> None:
    rows = synthetic.rows(4)
    for row, moment in zip(rows, (datetime(2024, 5, 5, 23, 59), datetime(2024, 5, 6), datetime(2024, 5, 7), None), strict=True):
        row["submitted_at"] = moment
    again = dict(rows[1], suggestion_id="sg_again", model_version="m-new")
    with stored(store_url, table(rows), table([again])) as store:
        found, _ = stored_window(store, DAY, DAY, 100)
        assert (found["petition_id"].to_pylist(), found["model_version"].to_pylist()) == ([rows[1]["petition_id"]], ["m-new"])
        undated, _ = stored_window(store, date(2024, 5, 9), date(2024, 5, 9), 100)
        assert undated["petition_id"].to_pylist() == [rows[3]["petition_id"]]
        assert stored_window(store, date(2020, 1, 1), date(2020, 1, 2), 100)[0].num_rows == 0


def test_more_than_wanted(store_url: str) -> None:
    rows = [row | {"submitted_at": datetime(2024, 5, 6, 9)} for row in synthetic.rows(30)]
    with stored(store_url, table(rows)) as store:
        found, read = stored_window(store, DAY, DAY, 10)
        assert (found.num_rows, read) == (10, 30)
        assert stored_window(store, DAY, DAY, 10)[0].equals(found)


def test_a_petition_without_any_type(store_url: str) -> None:
    (row,) = synthetic.rows(1)
    row |= {"submitted_at": datetime(2024, 5, 6, 9), "issue_top_k": [], "lead_unit": None, "top_k": []}
    with stored(store_url, table([row])) as store:
        (found,) = stored_window(store, DAY, DAY, 10)[0].to_pylist()
    assert (found["issue"], found["unit"]) == (None, None)
    filed = pa.table({"unit": [""], "issue_type": [""], "refused_units": pa.array([["旧局"]], pa.list_(pa.string()))})
    (routed,) = window_of(table([row]), filed).to_pylist()
    assert (routed["issue"], routed["refused"]) == (None, ["旧局"])

"""A period of the store as columns: its petitions with their newest suggestion."""

from __future__ import annotations

import datetime as dt
from typing import Any

import orjson
import pyarrow as pa
from sqlalchemy import Row, and_, case, select

from dispatch.store import Store
from dispatch.store.tables import petitions, runs, suggestions
from pipeline.petitions.window import WINDOW_SCHEMA, sample


def stored_window(store: Store, since: dt.date, until: dt.date, most: int) -> tuple[pa.Table, int]:
    """Return the petitions of a period with their newest suggestion.

    A petition belongs to the day it was filed on; without one, to the day of the run that suggested a unit for it.

    Args:
        store: where they are.
        since: first day.
        until: last day.
        most: rows to return at the most; a fixed sample of them where there are more.

    Returns:
        Rows with `WINDOW_SCHEMA`, without labels, ordered by id; and how many petitions the period has.
    """
    newest = and_(suggestions.c.petition_id == petitions.c.petition_id, suggestions.c.revision == petitions.c.revision)
    joined = petitions.join(suggestions, newest).join(runs, suggestions.c.run_id == runs.c.run_id)
    moment = case((petitions.c.submitted_at.is_(None), runs.c.started_at), else_=petitions.c.submitted_at)
    first, last = dt.datetime.combine(since, dt.time()), dt.datetime.combine(until + dt.timedelta(days=1), dt.time())
    within = and_(moment >= first, moment < last)
    ids = [pid for (pid,) in store.rows(select(petitions.c.petition_id).select_from(joined).where(within))]
    ids.sort()
    chosen = [ids[i] for i in sample(ids, most)]
    texts = (petitions.c.petition_id, petitions.c.title, petitions.c.body, petitions.c.channel)
    query = select(*texts, moment.label("moment"), suggestions.c.model_version, suggestions.c.payload)
    found = store.rows(query.select_from(joined), petitions.c.petition_id, chosen)
    rows = sorted((_row(row) for row in found), key=lambda row: row["petition_id"])
    return pa.Table.from_pylist(rows, WINDOW_SCHEMA), len(ids)


def _row(row: Row[Any]) -> dict[str, Any]:
    payload = orjson.loads(row.payload)
    lead, issues = payload["lead_unit"] or {}, payload["issue_top_k"] or [{}]
    return {
        "petition_id": row.petition_id,
        "title": row.title,
        "body": row.body,
        "channel": row.channel,
        "day": row.moment.date(),
        "model_version": row.model_version,
        "unit": lead.get("code"),
        "unit_probability": lead.get("probability"),
        "issue": issues[0].get("code"),
        "issue_probability": issues[0].get("probability"),
        "refused": [reason["unit"] for reason in payload["reasons"] if reason["kind"] == "refused"],
        "unit_label": "",
        "issue_label": "",
    }

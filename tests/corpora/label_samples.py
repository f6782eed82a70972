"""Invented petitions given out for annotation, for the tests of the label round trip."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pyarrow as pa

from corpora.label_records import Export, Job, Task
from corpora.label_store import save_export
from corpora.records import PETITION_SCHEMA

#: A unit of each fate: there, gone with one successor, gone with two, gone without.
UNITS = """format: minqing/units/1
city: {name: 临湾市, code: LW}
units:
  - {code: "01", name: 市城管局, aliases: [城管], kind: department, area: [LW]}
  - {code: "02", name: 市教育局, kind: department, area: [LW]}
  - {code: "03", name: 服务中心, kind: department, area: [LW]}
  - {code: "04", name: "服务中心（东区）", kind: station, area: [LW]}
  - {code: G1, name: 市园林局, kind: department, area: [LW], valid_to: 2024-12-31, successor: ["01"]}
  - {code: G2, name: 市建委, kind: department, area: [LW], valid_to: 2024-12-31, successor: ["01", "02"]}
  - {code: G3, name: 市盐务局, kind: department, area: [LW], valid_to: 2024-12-31}
"""
DAY = dt.date(2026, 11, 1)
SHOWN = {"01": "市城管局", "02": "市教育局", "03": "服务中心", "04": "服务中心（东区）"}


def table(ids: list[str], bodies: list[str] | None = None, titles: list[str] | None = None) -> pa.Table:
    n = len(ids)
    return pa.table(
        {
            "petition_id": ids, "title": titles or [f"第{i}件" for i in range(n)],
            "body": bodies or [f"路灯坏了{'很' * i}久。\n请修。" for i in range(n)], "submitted_at": [dt.datetime(2026, 1, 2, 3, 4)] * n,
            "address": ["幸福路"] * n, "channel": ["来信"] * n, "issue_type": [""] * n, "unit": [""] * n, "refused_units": [[]] * n,
            "source": ["a.csv"] * n, "row": list(range(2, n + 2)),
        },
        PETITION_SCHEMA,
    )  # fmt: skip


def export(root: Path, rows: pa.Table, target: str = "unit", suggestion: str = "01", model: str = "m1") -> Export:
    choices = list(SHOWN) if target == "unit" else ["01", "0102", "自定类"]
    picks = [
        {"petition_id": name, "suggestion": suggestion, "probability": 0.61, "alternatives": [["02", 0.3]], "why": ["系统拿不准"]}
        for name in rows["petition_id"].to_pylist()
    ]
    manifest = {"model": model, "choices": choices, "blind": not suggestion, "picks": picks}
    return save_export(root, target, rows, manifest, UNITS.encode() if target == "unit" else None)


def job(given: Export) -> Job:
    rows = given.table
    tasks = [
        Task(
            rows["petition_id"][i].as_py(), rows["title"][i].as_py(), rows["body"][i].as_py(), "幸福路", "2026-01-02 03:04",
            suggestion=SHOWN.get(pick["suggestion"], pick["suggestion"]), probability=0.61, alternatives=(("市教育局", 0.3),), why=("系统拿不准",),
        )
        for i, pick in enumerate(given.manifest["picks"])
    ]  # fmt: skip
    choices = tuple(SHOWN.values()) if given.target == "unit" else tuple(given.manifest["choices"])
    return Job(given.id, given.target, "m1", choices, tuple(tasks))

"""Small invented petitions of three kinds, and their features."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from corpora.records import PETITION_SCHEMA
from corpora.units import UnitDirectory
from models.given import GivenScores
from pipeline.petitions.features import TextFeatures, WordTable, featurise, join_text
from pipeline.petitions.segment import segmenter

#: kind → (things, what is wrong with them)
KINDS = {
    "市城管局": (("路灯", "窨井盖", "垃圾桶", "流动摊点", "广告牌"), ("坏了没人修", "占着人行道", "臭气熏天", "夜里不亮")),
    "市人社局": (("工资", "社保", "加班费", "工伤赔偿", "劳动合同"), ("拖欠三个月", "公司不给办", "老板不肯签", "一直没有发")),
    "市教育局": (("学区", "幼儿园", "补课班", "校服", "营养餐"), ("收费太贵", "名额不公开", "强制要求购买", "老师态度差")),
}
UNITS = tuple(sorted(KINDS))
SEGMENTER = segmenter()


def letters(count: int, kinds: Sequence[str] = UNITS) -> tuple[list[str], list[str], list[int]]:
    """Return titles, bodies and kinds (index) of `count` letters, the kinds in turns; no two are the same."""
    titles, bodies, y = [], [], []
    pairs = {kind: itertools.cycle(itertools.product(*KINDS[kind])) for kind in kinds}
    for i in range(count):
        kind = kinds[i % len(kinds)]
        thing, wrong = next(pairs[kind])
        titles.append(f"反映{thing}问题")
        bodies.append(f"您好，{thing}{wrong}，已经{i % 40 + 2}天了，请尽快处理，编号{i}。")
        y.append(i % len(kinds))
    return titles, bodies, y


def features(titles: Sequence[str], bodies: Sequence[str]) -> TextFeatures:
    """Return the features of texts."""
    texts = [join_text(title, body) for title, body in zip(titles, bodies, strict=True)]
    return featurise(titles, bodies, WordTable.of(SEGMENTER.cut(texts)))


def learnable(count: int, kinds: Sequence[str] = UNITS) -> tuple[TextFeatures, np.ndarray]:
    """Return features and class indices of `count` letters."""
    titles, bodies, y = letters(count, kinds)
    return features(titles, bodies), np.array(y, np.int64)


def given(made: TextFeatures, views: dict[str, np.ndarray]) -> GivenScores:
    """Return given views with no duty, place or name behind them."""
    return GivenScores(made, views, np.full((made.size, 0), -1), [{}] * made.size, [{}] * made.size)


def table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    """Return a petition batch; what a row leaves out is empty, ids count up."""
    plain = {
        "title": "", "body": "", "submitted_at": None, "address": "", "channel": "", "issue_type": "", "unit": "",
        "refused_units": [], "source": "toy.csv",
    }  # fmt: skip
    return pa.Table.from_pylist(
        [{"petition_id": f"T{i:04d}", "row": i + 2} | plain | row for i, row in enumerate(rows)], schema=PETITION_SCHEMA
    )


def labelled(count: int, *, titles: bool = True, timed: bool = True, issues: bool = False) -> pa.Table:
    """Return `count` labelled petitions."""
    heads, bodies, y = letters(count)
    issue = ("010202", "120201", "030101")
    return table(
        [
            {
                "title": head if titles else "", "body": body, "unit": UNITS[kind],
                "issue_type": issue[kind] if issues else "",
                "submitted_at": dt.datetime(2026, 1, 1) + dt.timedelta(hours=i) if timed else None,
            }
            for i, (head, body, kind) in enumerate(zip(heads, bodies, y, strict=True))
        ]
    )  # fmt: skip


def directory() -> UnitDirectory:
    """Return the directory of the three units, known by name alone."""
    return UnitDirectory.from_labels(UNITS)

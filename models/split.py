"""What a retraining may learn from, and what it is asked: labelled rows checked, once each, and parted for good.

    usable = sift(target, table, corrections, city, by="hash", test=0.15)
    usable.train, usable.test                    # tables; no text is in both
    sum(usable.left_out.values()) + usable.rows  # = rows given

Texts are masked before anything is compared or kept, so that a key of a row is one of its masked text everywhere.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.issue_tree import IssueTree
from corpora.labelled import row_keys, split_of
from models.city import City
from models.training import TrainingError, usable_labels
from pipeline.petitions.prepare import PART_ROWS, masked

Keys = npt.NDArray[np.uint64]
#: How a unit answers (收悉 … 现答复如下). A resident who quotes an answer writes the like, so a few rows of the kind are left
#: out; a column full of it is not the petition.
_REPLY = re.compile(
    r"现(?:将[^。]{0,20})?(?:答复|回复)如下|(?:来信|留言|诉求|反映的问题)(?:已)?收悉|感谢您(?:对[^。]{0,20}的)?(?:理解|支持|关注|监督)"
    r"|(?:回复|答复)(?:单位|部门|内容|时间)[:：]"
)
_REPLY_SHARE = 0.1
#: Ids named in a message or kept as examples.
_NAMED = 20


@dataclass(frozen=True)
class Usable:
    """Labelled rows that may be used.

    Attributes:
        train, test: rows of `PETITION_SCHEMA`, masked; their keys are disjoint.
        keys: keys of the test rows, shape (test rows,).
        left_out: reason → rows.
        contradictory: ids of rows whose text bears several labels, at most a few of them.
        small: classes with a single row, at most a few of them.
        classes: number of different labels.
    """

    train: pa.Table
    test: pa.Table
    keys: Keys
    left_out: Counter[str]
    contradictory: tuple[str, ...]
    small: tuple[str, ...]
    classes: int

    @property
    def rows(self) -> int:
        """Rows of both parts."""
        return int(self.train.num_rows + self.test.num_rows)


def sift(
    target: str, filed: pa.Table, corrections: pa.Table, city: City, *, by: str = "hash", test: float = 0.15, least: int = 2
) -> Usable:
    """Check labelled rows, keep each text once, and part them.

    Args:
        target: `issue_type` or `unit`.
        filed: rows of `PETITION_SCHEMA` with labels as filed.
        corrections: the same with labels that people gave; where a text is in both, these hold.
        city: labels must be units of its directory, if it has one.
        by: `hash` (a text's part never changes) or `time` (the newest are the test); see `corpora.labelled.split_of`.
        test: wanted share of test rows.
        least: rows that must remain.

    Raises:
        TrainingError: if too few rows or classes remain, or the texts hold the units' replies.
    """
    table = pa.concat_tables([filed, corrections]).combine_chunks()
    labels, left_out = usable_labels(target, table, city, IssueTree.load())
    known = np.flatnonzero([label is not None for label in labels])
    names = np.array([label for label in labels if label is not None], object)
    corrected = known >= filed.num_rows
    table = _masked(table.take(pa.array(known)))
    replies = _replies(table)
    if replies.sum() > _REPLY_SHARE * max(len(replies), 1):
        msg = (
            f"{int(replies.sum())} of {len(replies)} texts hold a unit's reply (现答复如下 …), which was not there when the "
            "petition was filed: name the column of the petition with --map body=…"
        )
        raise TrainingError(msg)
    keys = row_keys(table)
    keep, contradictory, reasons = _once(keys, names, corrected, ~replies)
    reasons["text holds a reply"] = int(replies.sum())
    left_out.update({reason: count for reason, count in reasons.items() if count})
    ids = table["petition_id"].take(pa.array(contradictory[:_NAMED])).to_pylist()
    table, names, keys = table.take(pa.array(keep)), names[keep], keys[keep]
    counts = Counter(names.tolist())
    _check(target, len(keep), counts, left_out, least)
    asked = _parts(table, by, test) == "test"
    if len(set(names[~asked].tolist())) < 2:
        msg = f"the rows to learn from hold one {target} only once the test rows are set aside; give more rows"
        raise TrainingError(msg)
    small = sorted(name for name, count in counts.items() if count == 1)
    return Usable(
        table.filter(pa.array(~asked)), table.filter(pa.array(asked)), keys[asked], left_out, tuple(ids),
        tuple(small[:_NAMED]), len(counts),
    )  # fmt: skip


def unseen(keys: Keys, learnt: npt.NDArray[Any] | None) -> npt.NDArray[np.bool_]:
    """Return which keys are not among those a version has learnt from; all of them where it did not keep any."""
    if learnt is None:
        return np.ones(len(keys), bool)
    return ~np.isin(keys, learnt)


def _masked(table: pa.Table) -> pa.Table:
    parts = [masked(table.slice(start, PART_ROWS)) for start in range(0, table.num_rows, PART_ROWS)]
    return pa.concat_tables(parts or [table]).combine_chunks()


def _replies(table: pa.Table) -> npt.NDArray[np.bool_]:
    # Two signs of three: one alone stands in letters that quote.
    return np.array([len(set(_REPLY.findall(body))) >= 2 for body in table["body"].to_pylist()], bool)


def _once(
    keys: Keys, names: npt.NDArray[np.object_], corrected: npt.NDArray[np.bool_], usable: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], Counter[str]]:
    """Return the row that stands for each text, rows of texts with several labels, and what happened to the others."""
    keep: list[int] = []
    against: list[int] = []
    reasons: Counter[str] = Counter()
    rows = np.flatnonzero(usable)
    rows = rows[np.argsort(keys[rows], kind="stable")]
    ends = np.flatnonzero(np.diff(keys[rows])) + 1
    for group in np.split(rows, ends) if len(rows) else []:
        told = group[corrected[group]]
        mine = told if len(told) else group
        if len(set(names[mine].tolist())) > 1:
            against += group.tolist()
            reasons["same text, different labels"] += len(group)
            continue
        keep.append(int(mine[-1]))
        overruled = int((names[group] != names[mine[-1]]).sum())
        reasons["corrected by a person"] += overruled
        reasons["same text, same label"] += len(group) - 1 - overruled
    return np.array(sorted(keep), np.int64), np.array(sorted(against), np.int64), reasons


def _check(target: str, rows: int, counts: Counter[str], left_out: Counter[str], least: int) -> None:
    told = ", ".join(f"{reason}: {count}" for reason, count in left_out.items()) or "none"
    if rows < least:
        msg = f"{rows} usable rows with a {target} label, at least {least} are needed (retrain.min_rows); left out: {told}"
        raise TrainingError(msg)
    if len(counts) < 2:
        msg = f"all {rows} usable rows have the same {target}: {next(iter(counts))}; at least two are needed (left out: {told})"
        raise TrainingError(msg)


def _parts(table: pa.Table, by: str, test: float) -> npt.NDArray[np.str_]:
    try:
        return split_of(table, by, test)
    except ValueError as error:
        raise TrainingError(str(error)) from error

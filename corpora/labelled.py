"""Labelled corpora as Hugging Face `datasets`: the classes as `ClassLabel`, parts that share no letter, a fingerprint of the content.

    parts = split_of(table, by="hash")                      # "train" | "validation" | "test" for each row
    to_datasets(table, "unit", parts).save_to_disk("corpus/")
    table, parts = from_datasets(load("corpus/"), "unit")

The columns are those of `PETITION_SCHEMA`; the target's column holds the class instead of the text.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.records import PETITION_SCHEMA

PARTS = ("train", "validation", "test")
_SPACE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_DIGIT = re.compile(r"\d")
#: Odd constant of a multiplicative hash (2^64 / golden ratio): spreads the keys before their high bits choose the part.
_MIX = np.uint64(0x9E3779B97F4A7C15)

Parts = npt.NDArray[np.str_]


def row_keys(table: pa.Table) -> npt.NDArray[np.uint64]:
    """Return a key of each row's text, shape (n,): the same for letters that differ in width, white space or digits alone.

    Title and body are read as one text, so that a letter counts as the same whether or not its first line was filed as
    its title. Order, ids, times, labels and addresses do not matter. Give masked rows where the rest of the system sees masked
    ones: a masked number is another text than the number.
    """
    import xxhash

    keys = np.empty(table.num_rows, np.uint64)
    titles, bodies = table["title"].to_pylist(), table["body"].to_pylist()
    for i, (title, body) in enumerate(zip(titles, bodies, strict=True)):
        text = _DIGIT.sub("0", _SPACE.sub("", unicodedata.normalize("NFKC", title + body)))
        keys[i] = xxhash.xxh3_64_intdigest(text.encode("utf-8", "surrogatepass"))
    return keys


def split_of(table: pa.Table, by: str = "hash", test: float = 0.15, validation: float = 0.0) -> Parts:
    """Return the part of each row, `train`, `validation` or `test`, shape (n,); rows of one key are in one part.

    By hash, a row's part depends on its text alone: it stays where it is when rows are added, now and in a year. By time,
    the latest rows are the test, those before them the validation; rows of one moment stay together, rows without time count
    as the earliest, and a letter that was sent again later stands where it came last, so that nothing is learnt that is
    asked afterwards.

    Args:
        table: rows of `PETITION_SCHEMA`.
        by: `hash` or `time`.
        test: wanted share of test rows, 0 or more, below 1.
        validation: wanted share of validation rows; together they must stay below 1.

    Raises:
        ValueError: for another `by`, shares that leave nothing to learn from, or, by time, if no row has one.
    """
    if by not in ("hash", "time"):
        msg = f"a corpus is split by hash or by time, not by {by!r}"
        raise ValueError(msg)
    if not (test >= 0 and validation >= 0 and test + validation < 1):
        msg = f"shares of test ({test}) and validation ({validation}) must be 0 or more and below 1 together"
        raise ValueError(msg)
    keys = row_keys(table)
    if by == "hash":
        place = (keys * _MIX).astype(np.float64) / 2.0**64  # even, 0 to 1
        return np.where(place < test, "test", np.where(place < test + validation, "validation", "train"))
    return np.array(PARTS)[_by_time(table, keys, test, validation)]


def _by_time(
    table: pa.Table, keys: npt.NDArray[np.uint64], test: float, validation: float
) -> npt.NDArray[np.int64]:
    """Return the index into PARTS of each row."""
    column = table["submitted_at"]
    if table.num_rows and column.null_count == table.num_rows:
        msg = "no row has a time (submitted_at): split by hash"
        raise ValueError(msg)
    filled = column.cast(pa.int64()).fill_null(np.iinfo(np.int64).min)
    seconds = filled.to_numpy()
    part = np.zeros(len(seconds), np.int64)
    ordered = np.sort(seconds)
    for share, value in ((test + validation, 1), (test, 2)):
        first = len(ordered) - round(share * len(ordered))
        if first < len(ordered):
            part[seconds >= ordered[first]] = value
    # The latest part in which a text stands: the largest index among the rows of its key.
    _, group = np.unique(keys, return_inverse=True)
    last = np.zeros(int(group.max(initial=-1)) + 1, np.int64)
    np.maximum.at(last, group, part)
    return last[group]


def to_datasets(table: pa.Table, target: str, parts: Parts, names: Sequence[str] | None = None) -> Any:  # noqa: ANN401
    """Return a `datasets.DatasetDict` with the parts that have rows, in the order of PARTS.

    Args:
        table: rows of `PETITION_SCHEMA`, each with a label in the column `target`.
        target: `issue_type` or `unit`.
        parts: the part of each row, shape (n,), as `split_of` gives them.
        names: the classes, in their order; the sorted labels by default. The same in all parts.

    Raises:
        ValueError: if a row has no label, or one that `names` does not hold; or if there are no rows.
    """
    datasets = _datasets()
    labels = table[target].to_pylist()
    if not labels:
        msg = "no labelled rows: there is nothing to make a corpus of"
        raise ValueError(msg)
    classes = tuple(names) if names is not None else tuple(sorted(set(labels)))
    at = {name: i for i, name in enumerate(classes)}
    missing = [row for row, label in enumerate(labels) if not label or label not in at]
    if missing:
        msg = f"{len(missing)} of {len(labels)} rows have no label of the classes (the first is row {missing[0]})"
        raise ValueError(msg)
    column = PETITION_SCHEMA.get_field_index(target)
    coded = table.cast(PETITION_SCHEMA).set_column(column, target, pa.array([at[label] for label in labels], pa.int64()))
    text, moment = datasets.Value("string"), datasets.Value("timestamp[s]")
    kinds = {"submitted_at": moment, "refused_units": datasets.List(text), "row": datasets.Value("int64")}
    features = datasets.Features({name: kinds.get(name, text) for name in PETITION_SCHEMA.names})
    features[target] = datasets.ClassLabel(names=list(classes))
    made = datasets.DatasetDict()
    for part in PARTS:
        rows = coded.filter(pa.array(np.asarray(parts) == part)).combine_chunks()
        if rows.num_rows:
            info = datasets.DatasetInfo(description=f"minqing: petitions with {target}", features=features)
            rows = rows.cast(features.arrow_schema)
            mark = _fingerprint(rows, target, classes, part)
            made[part] = datasets.Dataset(rows, info=info, split=datasets.NamedSplit(part), fingerprint=mark)
    return made


def from_datasets(corpus: Any, target: str) -> tuple[pa.Table, Parts]:  # noqa: ANN401 - datasets.DatasetDict
    """Return the rows of a `DatasetDict` as `to_datasets` makes it: a table of `PETITION_SCHEMA`, and the part of each row.

    Raises:
        ValueError: if a column is missing, or the target's column holds no classes.
    """
    tables, parts = [], []
    for part, dataset in corpus.items():
        missing = [name for name in PETITION_SCHEMA.names if name not in dataset.column_names]
        if missing:
            msg = f"part {part!r} has no column {', '.join(missing)}"
            raise ValueError(msg)
        feature = dataset.features[target]
        if not hasattr(feature, "int2str"):
            msg = f"part {part!r}: column {target!r} holds no classes (ClassLabel)"
            raise ValueError(msg)
        rows = dataset.with_format("arrow")[:].select(PETITION_SCHEMA.names)
        labels = pa.array([feature.int2str(label) for label in rows[target].to_pylist()], pa.string())
        rows = rows.set_column(PETITION_SCHEMA.get_field_index(target), target, labels)
        tables.append(rows.cast(PETITION_SCHEMA))
        parts += [part] * rows.num_rows
    return pa.concat_tables(tables or [PETITION_SCHEMA.empty_table()]), np.array(parts, np.str_)


def load(folder: Path) -> Any:  # noqa: ANN401 - datasets.DatasetDict
    """Return the corpus that `save_to_disk` wrote.

    Raises:
        FileNotFoundError: if there is none.
    """
    return _datasets().load_from_disk(str(folder))


def _fingerprint(rows: pa.Table, target: str, classes: Sequence[str], part: str) -> str:
    """Return 16 hex digits over content, classes and part: equal for equal corpora, on every machine and run."""
    import xxhash

    digest = xxhash.xxh3_64()
    for text in (target, part, *classes):
        digest.update(text.encode("utf-8") + b"\0")
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema.remove_metadata()) as writer:
        writer.write_table(rows.replace_schema_metadata(None))
    digest.update(sink.getvalue())
    return str(digest.hexdigest())


def _datasets() -> Any:  # noqa: ANN401 - the module; it has no types
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read once, when the library is imported
    import datasets  # type: ignore[import-untyped,unused-ignore]  # late: seconds to import

    datasets.disable_progress_bars()
    datasets.disable_caching()
    return datasets

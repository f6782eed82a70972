"""Arrow columns to Python values, column by column.

`Table.to_pylist()` builds a scalar object for every nested value and takes some hundred microseconds a row on a
suggestion; going through numpy and the flat children of the lists takes a few.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

#: Decimals kept of a probability wherever it leaves.
DECIMALS = 4
#: Up to so many texts are escaped one by one: finding the distinct ones takes longer.
_FEW = 48

T = TypeVar("T")


def whole(column: pa.ChunkedArray | pa.Array) -> Any:  # noqa: ANN401 - pyarrow's array types come without stubs
    """Return the column as one array."""
    if isinstance(column, pa.ChunkedArray):
        return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [_empty(column)])
    return column


def _empty(column: pa.ChunkedArray) -> pa.Array:
    return pa.array([], type=column.type)


def plain(column: pa.ChunkedArray | pa.Array) -> list[Any]:
    """Return a column of strings as Python values, null as None."""
    values: list[Any] = whole(column).to_numpy(zero_copy_only=False).tolist()
    return values


def iso(column: pa.ChunkedArray | pa.Array) -> Any:  # noqa: ANN401 - see whole
    """Return timestamps as an array of ISO 8601 text (`2024-05-01T08:30:00`)."""
    return pc.replace_substring(pc.cast(whole(column).cast(pa.timestamp("s"), safe=False), pa.string()), " ", "T")


def field(column: pa.ChunkedArray | pa.Array, name: str) -> Any:  # noqa: ANN401 - see whole
    """Return the child `name` of a struct column, null where the struct is null."""
    return pc.struct_field(whole(column), name)


def bounds(column: pa.ChunkedArray | pa.Array) -> list[int]:
    """Return where the rows of a list column end in its flat children; a null list is empty."""
    lengths = pc.list_value_length(whole(column))
    ends: list[int] = np.cumsum(pc.fill_null(lengths, 0) if lengths.null_count else lengths).tolist()
    return ends


def split(column: pa.ChunkedArray | pa.Array, items: Sequence[T]) -> list[list[T]]:
    """Cut `items`, the converted flat children of a list column, into one list per row."""
    ends = bounds(column)
    return [list(items[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def percents(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return probabilities as `12.3%`, null as ""."""
    values = whole(column).to_numpy(zero_copy_only=False)
    return [_PERCENTS[index] for index in _steps(values, len(_PERCENTS) - 2)]


def _steps(values: Any, steps: int) -> list[int]:  # noqa: ANN401 - numpy array
    """Return the nearest of `steps` equal steps from 0 to 1; `steps + 1` for what is no number."""
    scaled = np.rint(np.clip(values, 0.0, 1.0) * steps)
    index: list[int] = np.where(np.isnan(scaled), steps + 1, scaled).astype(np.int64).tolist()
    return index


_PERCENTS = [*(f"{step / 10:.1f}%" for step in range(1001)), ""]
_DECIMALS = [*(repr(step / 10**DECIMALS) for step in range(10**DECIMALS + 1)), "null"]

# JSON -----------------------------------------------------------------------------------------------------------------
# Fragments are plain strings. Dicts for orjson would be as quick to make, but a million containers set off full garbage
# collections, which cost more than the rest.


def quoted(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return a string column as JSON strings, null as `null`; each distinct text is escaped once."""
    array = whole(column)
    if len(array) <= _FEW:
        return [orjson.dumps(text).decode() for text in plain(array)]
    encoded = array.dictionary_encode()
    texts = [orjson.dumps(text).decode() for text in plain(encoded.dictionary)]
    texts.append("null")
    indices = pc.fill_null(encoded.indices, len(texts) - 1).to_numpy(zero_copy_only=False).tolist()
    return [texts[index] for index in indices]


def joined(column: pa.ChunkedArray | pa.Array, items: Sequence[str], between: str = ",") -> list[str]:
    """Return per row of a list column its converted items with `between` in between."""
    ends = bounds(column)
    return [between.join(items[start:end]) for start, end in zip([0, *ends], ends, strict=False)]


def scored_json(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return a column of (code, name, probability) as JSON objects, probabilities with four decimals."""
    array = whole(column)
    chances = _steps(field(array, "probability").to_numpy(zero_copy_only=False), 10**DECIMALS)
    rows = [
        f'{{"code":{code},"name":{name},"probability":{_DECIMALS[chance]}}}'
        for code, name, chance in zip(quoted(field(array, "code")), quoted(field(array, "name")), chances, strict=True)
    ]
    return _nulled(array, rows)


def scored_lists_json(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return a list column of (code, name, probability) as JSON arrays."""
    return _arrays(column, scored_json(pc.list_flatten(whole(column))))


def string_lists_json(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return a list-of-strings column as JSON arrays."""
    return _arrays(column, quoted(pc.list_flatten(whole(column))))


def reasons_json(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return the reasons column as JSON arrays of objects."""
    flat = pc.list_flatten(whole(column))
    kinds, units, texts, references = (quoted(field(flat, name)) for name in ("kind", "unit", "text", "reference"))
    words = string_lists_json(field(flat, "words"))
    items = [
        f'{{"kind":{kind},"unit":{unit},"text":{text},"words":{matched},"reference":{reference}}}'
        for kind, unit, text, matched, reference in zip(kinds, units, texts, words, references, strict=True)
    ]
    return _arrays(column, items)


def urgencies_json(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return the urgency column as JSON objects."""
    levels = quoted(field(column, "level"))
    rules, words = string_lists_json(field(column, "rules")), string_lists_json(field(column, "words"))
    return [f'{{"level":{a},"rules":{b},"words":{c}}}' for a, b, c in zip(levels, rules, words, strict=True)]


def deadlines_json(column: pa.ChunkedArray | pa.Array) -> list[str]:
    """Return the deadline column as JSON objects."""
    dates, days = quoted(pc.cast(field(column, "date"), pa.string())), field(column, "working_days").to_pylist()
    rules, bases, notes = (quoted(field(column, name)) for name in ("rule", "basis", "note"))
    return [
        f'{{"date":{date},"working_days":{"null" if count is None else count},'
        f'"rule":{rule},"basis":{basis},"note":{note}}}'
        for date, count, rule, basis, note in zip(dates, days, rules, bases, notes, strict=True)
    ]


def _arrays(column: pa.ChunkedArray | pa.Array, items: Sequence[str]) -> list[str]:
    return [f"[{row}]" for row in joined(column, items)]


def _nulled(array: Any, rows: list[str]) -> list[str]:  # noqa: ANN401 - see whole
    if array.null_count:
        for index in np.flatnonzero(array.is_null().to_numpy(zero_copy_only=False)).tolist():
            rows[index] = "null"
    return rows

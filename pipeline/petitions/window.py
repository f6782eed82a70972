"""What a period was like, as columns: the masked petitions of a window with what was suggested for them.

The store and freshly routed files give the same columns, so that drift is measured on either in the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

#: `day` is the day of filing (of the run, where none was given); `unit` and `issue` are the likeliest labels, null where
#: nothing was suggested; `refused` are the units that sent the petition back (退单); the last two are labels as filed,
#: "" where there is none.
WINDOW_SCHEMA = pa.schema(
    [
        pa.field("petition_id", pa.string(), nullable=False),
        pa.field("title", pa.string(), nullable=False),  # masked
        pa.field("body", pa.string(), nullable=False),  # masked
        pa.field("channel", pa.string(), nullable=False),  # masked
        pa.field("day", pa.date32()),
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("unit", pa.string()),
        pa.field("unit_probability", pa.float64()),
        pa.field("issue", pa.string()),
        pa.field("issue_probability", pa.float64()),
        pa.field("refused", pa.list_(pa.string()), nullable=False),
        pa.field("unit_label", pa.string(), nullable=False),
        pa.field("issue_label", pa.string(), nullable=False),
    ]
)


def window_of(suggestions: pa.Table, petitions: pa.Table) -> pa.Table:
    """Return the window columns of routed petitions.

    Args:
        suggestions: rows with `pipeline.petitions.suggestion.SUGGESTION_SCHEMA`.
        petitions: the same petitions as filed (`corpora.records.PETITION_SCHEMA`), row for row.
    """
    first = pc.list_element(_padded(suggestions["issue_top_k"]), 0)
    lead = suggestions["lead_unit"].combine_chunks()
    named = [
        [reason["unit"] for reason in reasons if reason["kind"] == "refused"]
        for reasons in suggestions["reasons"].to_pylist()
    ]
    # A unit that is in no directory gives no reason; it is told as it was filed.
    filed = petitions["refused_units"].to_pylist()
    columns = {
        **{name: suggestions[name] for name in ("petition_id", "title", "body", "channel", "model_version")},
        "day": suggestions["submitted_at"].cast(pa.date32(), safe=False),
        "unit": pc.struct_field(lead, "code"),
        "unit_probability": pc.struct_field(lead, "probability"),
        "issue": pc.struct_field(first, "code"),
        "issue_probability": pc.struct_field(first, "probability"),
        "refused": pa.array([known or list(names or ()) for known, names in zip(named, filed, strict=True)], pa.list_(pa.string())),
        "unit_label": petitions["unit"],
        "issue_label": petitions["issue_type"],
    }  # fmt: skip
    return pa.table([columns[name] for name in WINDOW_SCHEMA.names], schema=WINDOW_SCHEMA)


def sample(ids: Sequence[str], most: int) -> list[int]:
    """Return the positions of at most `most` ids, ascending: always the same ones, and none preferred by order or time."""
    if len(ids) <= most:
        return list(range(len(ids)))
    keys = [hashlib.blake2b(pid.encode("utf-8", "surrogatepass"), digest_size=8).digest() for pid in ids]
    return sorted(sorted(range(len(ids)), key=keys.__getitem__)[:most])


def _padded(lists: pa.ChunkedArray) -> pa.Array:
    """Return the lists with a null in the empty ones, so that each has a first element."""
    whole = lists.combine_chunks()
    if pc.min(pc.list_value_length(whole)).as_py() != 0:
        return whole
    return pa.array([items or [None] for items in whole.to_pylist()], whole.type)

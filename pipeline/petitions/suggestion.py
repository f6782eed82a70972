"""The routing suggestion: its columns between the floors, and its identity.

A batch of suggestions is an Arrow table with `SUGGESTION_SCHEMA`; row for row it also carries the masked petition, so
that one table feeds the store, the files and the report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pyarrow as pa

#: A unit or issue type with its calibrated probability.
SCORED_UNIT = pa.struct([("code", pa.string()), ("name", pa.string()), ("probability", pa.float64())])
SCORED_ISSUE = pa.struct([("code", pa.string()), ("name", pa.string()), ("probability", pa.float64())])

#: `kind` is one of duty, words, place, similar, history, name, refused; `text` is the sentence shown to a person;
#: `unit` the unit it speaks for; `words` the matched words; `reference` a duty id, place code or petition id.
REASON = pa.struct(
    [
        ("kind", pa.string()),
        ("unit", pa.string()),
        ("text", pa.string()),
        ("words", pa.list_(pa.string())),
        ("reference", pa.string()),
    ]
)

#: `level` is one of normal, elevated, urgent, critical; `rules` are rule ids; `words` the matched words.
URGENCY = pa.struct(
    [("level", pa.string()), ("rules", pa.list_(pa.string())), ("words", pa.list_(pa.string()))]
)

#: `date` is the last day to answer (null if the calendar does not reach it or the petition has no date), `rule` the id
#: of the rule, `basis` its legal source, `note` why there is no date.
DEADLINE = pa.struct(
    [
        ("date", pa.date32()),
        ("working_days", pa.int32()),
        ("rule", pa.string()),
        ("basis", pa.string()),
        ("note", pa.string()),
    ]
)

SUGGESTION_SCHEMA = pa.schema(
    [
        pa.field("suggestion_id", pa.string(), nullable=False),
        pa.field("petition_id", pa.string(), nullable=False),
        pa.field("content_hash", pa.string(), nullable=False),  # 32 hex digits over what was filed (see prepare.content_hashes)
        pa.field("source", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("title", pa.string(), nullable=False),  # masked
        pa.field("body", pa.string(), nullable=False),  # masked
        pa.field("address", pa.string(), nullable=False),  # masked
        pa.field("channel", pa.string(), nullable=False),
        pa.field("submitted_at", pa.timestamp("s")),
        pa.field("refused_units", pa.list_(pa.string()), nullable=False),  # names or codes: filed, or known to the store
        pa.field("issue_type", SCORED_ISSUE, nullable=False),
        pa.field("issue_top_k", pa.list_(SCORED_ISSUE), nullable=False),
        pa.field("lead_unit", SCORED_UNIT),  # null where nothing speaks for any unit
        pa.field("co_units", pa.list_(SCORED_UNIT), nullable=False),
        pa.field("top_k", pa.list_(SCORED_UNIT), nullable=False),
        pa.field("decision", pa.string(), nullable=False),  # auto | review
        pa.field("decision_why", pa.string(), nullable=False),
        pa.field("reasons", pa.list_(REASON), nullable=False),
        pa.field("urgency", URGENCY, nullable=False),
        pa.field("deadline", DEADLINE, nullable=False),
        pa.field("event_group", pa.string()),  # null for a petition that stands alone
        pa.field("model_version", pa.string(), nullable=False),
        pa.field("config_version", pa.string(), nullable=False),
    ]
)


def suggestion_id(
    petition_id: str, content_hash: str, model_version: str, config_version: str, refused: Iterable[str] = ()
) -> str:
    """Return the deterministic id of a suggestion: `sg_` and 24 hex digits over its inputs.

    `refused` are the codes of the units that were ruled out, in any order: however a refusal became known, by an export
    or by a decision, the petition routed again gets the same id.
    """
    text = "\x1f".join((petition_id, content_hash, model_version, config_version, *sorted(set(refused))))
    return "sg_" + hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

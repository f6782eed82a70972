"""Tables of the store: portable SQLAlchemy Core, nothing that SQLite alone understands."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("run_id", String(80), primary_key=True),
    Column("started_at", DateTime, nullable=False),
    Column("finished_at", DateTime),
    Column("inputs_digest", String(80), nullable=False),
    Column("read", BigInteger),
    Column("routed", BigInteger),
    Column("rejected", BigInteger),
    Column("model_version", Text, nullable=False),
    Column("config_version", Text, nullable=False),
    Column("status", String(20), nullable=False),  # running | finished | failed
)

#: One row a petition, as its newest revision left it. Text is masked before it comes here.
petitions = Table(
    "petitions",
    metadata,
    Column("petition_id", String(80), primary_key=True),
    Column("content_hash", String(32), nullable=False),
    Column("revision", Integer, nullable=False),  # revision of the newest suggestion
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("submitted_at", DateTime),
    Column("source", Text, nullable=False),
    Column("row", BigInteger, nullable=False),
    Column("event_group", String(80)),
    Column("sketch", LargeBinary),
    Column("first_run_id", String(80), ForeignKey("runs.run_id"), nullable=False),
    Index("petitions_by_event", "event_group", "submitted_at", "petition_id"),  # all that events are counted from
    Index("petitions_by_time", "submitted_at"),
)

#: Every suggestion ever given; `payload` is the line of `suggestions.jsonl`.
suggestions = Table(
    "suggestions",
    metadata,
    Column("suggestion_id", String(40), primary_key=True),
    Column("petition_id", String(80), ForeignKey("petitions.petition_id"), nullable=False),
    Column("revision", Integer, nullable=False),  # from 1, without holes, per petition
    Column("content_hash", String(32), nullable=False),
    Column("decision", String(20), nullable=False),
    Column("lead_unit", Text),
    Column("lead_probability", Float),
    Column("issue_code", Text),
    Column("urgency_level", String(20), nullable=False),
    Column("deadline", Date),
    Column("event_group", String(80)),
    Column("model_version", Text, nullable=False),
    Column("config_version", Text, nullable=False),
    Column("run_id", String(80), ForeignKey("runs.run_id"), nullable=False),
    Column("payload", Text, nullable=False),
    UniqueConstraint("petition_id", "revision", name="suggestions_by_petition"),
)

#: Derived from `petitions.event_group`; kept so that a reader need not group the whole history.
events = Table(
    "events",
    metadata,
    Column("event_group", String(80), primary_key=True),
    Column("first_petition_id", String(80), ForeignKey("petitions.petition_id"), nullable=False),
    Column("size", Integer, nullable=False),
    Column("first_at", DateTime),
    Column("last_at", DateTime),
    Column("title", Text, nullable=False),
)

#: Rows that were not routed, without their raw content (that is in the quarantine file).
rejections = Table(
    "rejections",
    metadata,
    Column("run_id", String(80), ForeignKey("runs.run_id"), primary_key=True),
    Column("source", Text, primary_key=True),
    Column("row", BigInteger, primary_key=True),
    Column("code", String(80), primary_key=True),
    Column("reason", Text, nullable=False),
)

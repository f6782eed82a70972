"""Outbox, subscribers, deliveries, decisions, refusals, users, keys, audit trail; what queues need of petitions.

What an older store holds is announced too: outbox and pulls begin with the suggestions in the order of their runs.
"""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

#: Newest suggestion of a petition → columns of the petition.
_NEWEST = {
    "suggestion_id": "s.suggestion_id",
    "unit": "s.lead_unit",
    "issue_top": "substr(s.issue_code, 1, 2)",
    "urgency_rank": "CASE s.urgency_level WHEN 'critical' THEN 0 WHEN 'urgent' THEN 1 WHEN 'elevated' THEN 2 ELSE 3 END",
    "due": "coalesce(s.deadline, '9999-12-31')",
    "decision": "s.decision",
}


def upgrade() -> None:
    """Make the tables, and fill what can be known of older rows."""
    _petitions()
    _outbox()
    _deliveries()
    _decisions()
    _people()
    _records()


def _petitions() -> None:
    for column in (
        sa.Column("refused_units", sa.Text, nullable=False, server_default="[]"),
        sa.Column("suggestion_id", sa.String(40), nullable=False, server_default=""),
        sa.Column("unit", sa.String(80)),
        sa.Column("issue_top", sa.String(20)),
        sa.Column("urgency_rank", sa.Integer, nullable=False, server_default="3"),
        sa.Column("due", sa.Date, nullable=False, server_default="9999-12-31"),
        sa.Column("decision", sa.String(20), nullable=False, server_default="review"),
        sa.Column("state", sa.String(20), nullable=False, server_default="open"),
    ):
        op.add_column("petitions", column)
    names, values = ", ".join(_NEWEST), ", ".join(_NEWEST.values())
    op.execute(
        f"UPDATE petitions SET ({names}) = (SELECT {values} FROM suggestions s "  # noqa: S608 - constants of this file
        "WHERE s.petition_id = petitions.petition_id AND s.revision = petitions.revision) "
        "WHERE EXISTS (SELECT 1 FROM suggestions s WHERE s.petition_id = petitions.petition_id AND s.revision = petitions.revision)"
    )
    op.create_index("petitions_queue", "petitions", ["state", "urgency_rank", "due", "petition_id"])
    op.create_index("petitions_queue_by_unit", "petitions", ["state", "unit", "urgency_rank", "due", "petition_id"])
    op.create_index("petitions_queue_by_issue", "petitions", ["state", "issue_top", "urgency_rank", "due", "petition_id"])
    op.create_index("events_by_first", "events", ["first_petition_id"])


def _outbox() -> None:
    op.create_table(
        "counters",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "outbox",
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.String(80), nullable=False, unique=True),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("petition_id", sa.String(80), nullable=False),
        sa.Column("suggestion_id", sa.String(40), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("payload", sa.Text),
    )
    at = sa.bindparam("at", dt.datetime.now(dt.UTC).replace(tzinfo=None), sa.DateTime)
    op.get_bind().execute(
        sa.text(
            "INSERT INTO outbox (position, message_id, kind, petition_id, suggestion_id, revision, at) "
            "SELECT n, suggestion_id, 'suggestion.made', petition_id, suggestion_id, revision, :at FROM ("
            "SELECT row_number() OVER (ORDER BY r.started_at, r.run_id, s.revision, s.petition_id) AS n, s.suggestion_id, "
            "s.petition_id, s.revision FROM suggestions s JOIN runs r ON r.run_id = s.run_id) made"
        ).bindparams(at)
    )
    op.execute("INSERT INTO counters (name, value) SELECT 'outbox', coalesce(max(position), 0) FROM outbox")
    op.execute("INSERT INTO counters (name, value) VALUES ('audit', 0)")
    op.create_index("outbox_by_petition", "outbox", ["petition_id", "position"])


def _deliveries() -> None:
    op.create_table(
        "subscribers",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("secrets", sa.Text, nullable=False),
        sa.Column("filters", sa.Text, nullable=False),
        sa.Column("settings", sa.Text, nullable=False),
        sa.Column("active", sa.Integer, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "deliveries",
        sa.Column("subscriber", sa.String(80), sa.ForeignKey("subscribers.name"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("petition_id", sa.String(80), nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.DateTime, nullable=False),
        sa.Column("lease_until", sa.DateTime),
        sa.Column("worker", sa.String(80)),
        sa.Column("answer", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("done_at", sa.DateTime),
    )
    op.create_index("deliveries_due", "deliveries", ["subscriber", "status", "next_at"])
    op.create_index("deliveries_by_petition", "deliveries", ["subscriber", "petition_id", "position"])


def _decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.String(40), primary_key=True),
        sa.Column("suggestion_id", sa.String(40), sa.ForeignKey("suggestions.suggestion_id"), nullable=False),
        sa.Column("petition_id", sa.String(80), sa.ForeignKey("petitions.petition_id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("unit", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("source", sa.String(20), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("request_id", sa.String(120), unique=True),
        sa.UniqueConstraint("suggestion_id", "number", name="decisions_by_suggestion"),
    )
    op.create_index("decisions_by_petition", "decisions", ["petition_id", "at"])
    op.create_index("decisions_by_time", "decisions", ["at"])
    op.create_table(
        "refusals",
        sa.Column("petition_id", sa.String(80), sa.ForeignKey("petitions.petition_id"), primary_key=True),
        sa.Column("unit", sa.String(80), primary_key=True),
        sa.Column("decision_id", sa.String(40), sa.ForeignKey("decisions.decision_id"), nullable=False),
        sa.Column("at", sa.DateTime, nullable=False),
    )
    op.create_index("refusals_by_decision", "refusals", ["decision_id"])


def _people() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(20), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("hash", sa.String(80), nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime),
        sa.Column("revoked_at", sa.DateTime),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("active", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("locked_until", sa.DateTime),
        sa.Column("created_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "sessions",
        sa.Column("token_hash", sa.String(64), primary_key=True),
        sa.Column("user", sa.String(80), sa.ForeignKey("users.name"), nullable=False),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime, nullable=False),
        sa.Column("expires_at", sa.DateTime, nullable=False),
    )


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime, nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("object", sa.String(120), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("audit_by_object", "audit", ["object", "at"])
    op.create_table(
        "aggregates",
        sa.Column("month", sa.String(7), primary_key=True),
        sa.Column("lead_unit", sa.String(80), primary_key=True),
        sa.Column("issue_code", sa.String(80), primary_key=True),
        sa.Column("urgency_level", sa.String(20), primary_key=True),
        sa.Column("decision", sa.String(20), primary_key=True),
        sa.Column("verdict", sa.String(20), primary_key=True),
        sa.Column("petitions", sa.BigInteger, nullable=False),
    )

"""Runs, petitions, suggestions, events and rejections, as stores without a version number have them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        sa.Column("run_id", sa.String(80), primary_key=True),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
        sa.Column("inputs_digest", sa.String(80), nullable=False),
        sa.Column("read", sa.BigInteger),
        sa.Column("routed", sa.BigInteger),
        sa.Column("rejected", sa.BigInteger),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("config_version", sa.Text, nullable=False),
        sa.Column("status", sa.String(20), nullable=False),
    )
    op.create_table(
        "petitions",
        sa.Column("petition_id", sa.String(80), primary_key=True),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("submitted_at", sa.DateTime),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("row", sa.BigInteger, nullable=False),
        sa.Column("event_group", sa.String(80)),
        sa.Column("sketch", sa.LargeBinary),
        sa.Column("first_run_id", sa.String(80), sa.ForeignKey("runs.run_id"), nullable=False),
    )
    op.create_index("petitions_by_event", "petitions", ["event_group", "submitted_at", "petition_id"])
    op.create_index("petitions_by_time", "petitions", ["submitted_at"])
    op.create_table(
        "suggestions",
        sa.Column("suggestion_id", sa.String(40), primary_key=True),
        sa.Column("petition_id", sa.String(80), sa.ForeignKey("petitions.petition_id"), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("content_hash", sa.String(32), nullable=False),
        sa.Column("decision", sa.String(20), nullable=False),
        sa.Column("lead_unit", sa.Text),
        sa.Column("lead_probability", sa.Float),
        sa.Column("issue_code", sa.Text),
        sa.Column("urgency_level", sa.String(20), nullable=False),
        sa.Column("deadline", sa.Date),
        sa.Column("event_group", sa.String(80)),
        sa.Column("model_version", sa.Text, nullable=False),
        sa.Column("config_version", sa.Text, nullable=False),
        sa.Column("run_id", sa.String(80), sa.ForeignKey("runs.run_id"), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.UniqueConstraint("petition_id", "revision", name="suggestions_by_petition"),
    )
    op.create_table(
        "events",
        sa.Column("event_group", sa.String(80), primary_key=True),
        sa.Column("first_petition_id", sa.String(80), sa.ForeignKey("petitions.petition_id"), nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("first_at", sa.DateTime),
        sa.Column("last_at", sa.DateTime),
        sa.Column("title", sa.Text, nullable=False),
    )
    op.create_table(
        "rejections",
        sa.Column("run_id", sa.String(80), sa.ForeignKey("runs.run_id"), primary_key=True),
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("row", sa.BigInteger, primary_key=True),
        sa.Column("code", sa.String(80), primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
    )

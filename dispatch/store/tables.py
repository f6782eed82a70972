"""Tables of the store: portable SQLAlchemy Core, nothing that SQLite alone understands."""

from __future__ import annotations

import datetime

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

#: `petitions.state` of a petition that waits for a person's decision.
OPEN = "open"
#: `petitions.due` where no deadline is known: sorts last, on every database.
NO_DEADLINE = datetime.date(9999, 12, 31)

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
    Column("refused_units", Text, nullable=False, server_default="[]"),  # JSON: names or codes, as filed and as known then
    Column("first_run_id", String(80), ForeignKey("runs.run_id"), nullable=False),
    # Of the newest suggestion, and what became of it: what queues are filtered and ordered by, without a join.
    Column("suggestion_id", String(40), nullable=False, server_default=""),
    Column("unit", String(80)),  # code; who has it: suggested while open, then whom it was given to, none once refused
    Column("issue_top", String(20)),  # first level of the issue type
    Column("urgency_rank", Integer, nullable=False, server_default="3"),  # 0 critical … 3 normal
    Column("due", Date, nullable=False, server_default="9999-12-31"),  # deadline; NO_DEADLINE where there is none
    Column("decision", String(20), nullable=False, server_default="review"),  # auto | review
    Column("state", String(20), nullable=False, server_default=OPEN),  # open | accepted | reassigned | refused
    Index("petitions_by_event", "event_group", "submitted_at", "petition_id"),  # all that events are counted from
    Index("petitions_by_time", "submitted_at"),
    Index("petitions_queue", "state", "urgency_rank", "due", "petition_id"),
    Index("petitions_queue_by_unit", "state", "unit", "urgency_rank", "due", "petition_id"),
    Index("petitions_queue_by_issue", "state", "issue_top", "urgency_rank", "due", "petition_id"),
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
    Index("events_by_first", "first_petition_id"),
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

# What happens to a suggestion after it was made. Times of these tables are UTC without zone. ------------------------------

#: Numbers given out in order of commit: `UPDATE … RETURNING` holds the row until the transaction ends, so whoever has seen
#: position n has seen all below it. A sequence of the database would not do: its numbers become visible in any order.
counters = Table(
    "counters",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

#: What receivers must hear, written in the transaction that makes it true.
outbox = Table(
    "outbox",
    metadata,
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("message_id", String(80), nullable=False, unique=True),  # idempotency key: the same however often it is sent; suggestion.made: suggestion_id
    Column("kind", String(40), nullable=False),  # suggestion.made | suggestion.regrouped | decision.made
    Column("petition_id", String(80), nullable=False),
    Column("suggestion_id", String(40), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("at", DateTime, nullable=False),
    Column("payload", Text),  # null: the suggestion's own payload as it stands
    Index("outbox_by_petition", "petition_id", "position"),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("kind", String(20), nullable=False),  # webhook | folder
    Column("address", Text, nullable=False),  # URL, or path of the folder
    Column("secrets", Text, nullable=False),  # signing secrets, newest first, separated by blanks; "" for a folder
    Column("filters", Text, nullable=False),  # JSON
    Column("settings", Text, nullable=False),  # JSON: format, timeouts, attempts
    Column("active", Integer, nullable=False),
    Column("position", BigInteger, nullable=False),  # of the outbox: what lies above has no delivery yet
    Column("created_at", DateTime, nullable=False),
)

#: One row a message and subscriber.
deliveries = Table(
    "deliveries",
    metadata,
    Column("subscriber", String(80), ForeignKey("subscribers.name"), primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    Column("petition_id", String(80), nullable=False),
    Column("status", String(20), nullable=False),  # pending | sending | delivered | dead | skipped
    Column("attempts", Integer, nullable=False),
    Column("next_at", DateTime, nullable=False),
    Column("lease_until", DateTime),  # of the worker that is sending
    Column("worker", String(80)),
    Column("answer", Integer),  # HTTP status of the last attempt
    Column("error", Text),  # of the last attempt, without what the receiver wrote
    Column("done_at", DateTime),
    Index("deliveries_due", "subscriber", "status", "next_at"),
    Index("deliveries_by_petition", "subscriber", "petition_id", "position"),
)

#: What people said of suggestions; the newest of a suggestion counts.
decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("suggestion_id", String(40), ForeignKey("suggestions.suggestion_id"), nullable=False),
    Column("petition_id", String(80), ForeignKey("petitions.petition_id"), nullable=False),
    Column("number", Integer, nullable=False),  # from 1, without holes, per suggestion
    Column("verdict", String(20), nullable=False),  # accepted | reassigned | refused
    Column("unit", Text),  # accepted, reassigned: that takes it on; refused: that sent it back
    Column("reason", Text, nullable=False),  # masked
    Column("actor", String(80), nullable=False),  # user or API key
    Column("source", String(20), nullable=False),  # api | console
    Column("at", DateTime, nullable=False),
    Column("request_id", String(120), unique=True),  # Idempotency-Key of the request, with the actor
    UniqueConstraint("suggestion_id", "number", name="decisions_by_suggestion"),
    Index("decisions_by_petition", "petition_id", "at"),
    Index("decisions_by_time", "at"),
)

#: Units that sent a petition back (退单): never suggested for it again.
refusals = Table(
    "refusals",
    metadata,
    Column("petition_id", String(80), ForeignKey("petitions.petition_id"), primary_key=True),
    Column("unit", String(80), primary_key=True),  # code
    Column("decision_id", String(40), ForeignKey("decisions.decision_id"), nullable=False),
    Column("at", DateTime, nullable=False),
    Index("refusals_by_decision", "decision_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(20), primary_key=True),  # public part of the key
    Column("name", String(80), nullable=False),
    Column("hash", String(80), nullable=False),
    Column("scopes", Text, nullable=False),  # separated by blanks
    Column("created_at", DateTime, nullable=False),
    Column("expires_at", DateTime),
    Column("revoked_at", DateTime),
)

#: Reviewers of the console.
users = Table(
    "users",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("hash", Text, nullable=False),
    Column("role", String(20), nullable=False),  # reviewer | supervisor
    Column("active", Integer, nullable=False),
    Column("failures", Integer, nullable=False),  # wrong passwords in a row
    Column("locked_until", DateTime),
    Column("created_at", DateTime, nullable=False),
)

sessions = Table(
    "sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("user", String(80), ForeignKey("users.name"), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("created_at", DateTime, nullable=False),
    Column("expires_at", DateTime, nullable=False),
)

#: Who did what: decisions, keys, subscribers, replays, purges, logins.
audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", DateTime, nullable=False),
    Column("actor", String(80), nullable=False),
    Column("action", String(40), nullable=False),
    Column("object", String(120), nullable=False),
    Column("detail", Text, nullable=False),  # JSON without personal data
    Index("audit_by_object", "object", "at"),
)

#: What is kept of petitions that were purged: counts.
aggregates = Table(
    "aggregates",
    metadata,
    Column("month", String(7), primary_key=True),  # 2026-11, of filing; "" where unknown
    Column("lead_unit", String(80), primary_key=True),
    Column("issue_code", String(80), primary_key=True),
    Column("urgency_level", String(20), primary_key=True),
    Column("decision", String(20), primary_key=True),
    Column("verdict", String(20), primary_key=True),  # of the last decision; "" for none
    Column("petitions", BigInteger, nullable=False),
)

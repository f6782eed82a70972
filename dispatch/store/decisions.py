"""What people say of suggestions: accepted, reassigned, refused (退单); and what that rules out from now on."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, insert, select, update

from dispatch.store.engine import batches
from dispatch.store.outbox import DECIDED, Message, announce, note, now, take_numbers
from dispatch.store.tables import decisions, petitions, refusals, suggestions

ACCEPTED, REASSIGNED, REFUSED = "accepted", "reassigned", "refused"
VERDICTS = (ACCEPTED, REASSIGNED, REFUSED)


class DecisionError(ValueError):
    """A decision that makes no sense; the message says why. Nothing was changed."""


class UnknownSuggestionError(DecisionError):
    """There is no such suggestion."""


class ConflictError(DecisionError):
    """Somebody was quicker, or the suggestion has been superseded.

    Attributes:
        current: the suggestion that counts now.
        number: how many decisions it has.
    """

    def __init__(self, message: str, current: str, number: int) -> None:
        super().__init__(message)
        self.current, self.number = current, number


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as stored; `number` counts those of the suggestion from 1, `at` is UTC without zone.

    `unit` takes the petition on (accepted, reassigned) or sent it back (refused).
    """

    decision_id: str
    suggestion_id: str
    petition_id: str
    revision: int
    number: int
    verdict: str
    unit: str
    reason: str
    actor: str
    source: str
    at: dt.datetime


def decide(
    connection: Connection,
    suggestion_id: str,
    *,
    verdict: str,
    unit: str | None,
    reason: str,
    actor: str,
    source: str,
    expected: int | None = None,
    request_id: str | None = None,
) -> Decision:
    """Record a decision, what it rules out, its message to receivers and its line of the audit trail, in this transaction.

    Args:
        connection: of a transaction that writes.
        suggestion_id: must be its petition's newest.
        verdict: one of `VERDICTS`.
        unit: code, valid (the caller checks): that takes it on, or sent it back; the lead, or whom it was assigned to, by default.
        reason: masked; needed for a refusal.
        actor: user or API key.
        source: `api` or `console`.
        expected: how many decisions of this suggestion the person had seen; None: does not matter.
        request_id: the same request again gives the same decision.

    Raises:
        UnknownSuggestionError: if there is no such suggestion.
        ConflictError: if it is not the newest, was decided meanwhile, was refused, or `request_id` was used for something else.
        DecisionError: if verdict, unit or reason are missing or contradict.
    """
    take_numbers(connection, "outbox", 0)  # writers of one petition one after the other
    if request_id and (same := _by_request(connection, request_id)):
        if (same.suggestion_id, same.verdict) != (suggestion_id, verdict) or (unit and same.unit != unit):
            msg = "this idempotency key was used for another decision"
            raise ConflictError(msg, same.suggestion_id, same.number)
        return same
    found = _suggestion(connection, suggestion_id)
    last = last_decision(connection, suggestion_id)
    number = last.number if last else 0
    if found.revision != found.newest:
        current = select(suggestions.c.suggestion_id).where(
            suggestions.c.petition_id == found.petition_id, suggestions.c.revision == found.newest
        )
        msg = f"revision {found.revision} of petition {found.petition_id} was superseded by revision {found.newest}"
        raise ConflictError(msg, connection.execute(current).scalar_one(), number)
    if expected is not None and expected != number:
        msg = f"somebody else decided meanwhile: {last.verdict if last else 'nothing'}"
        raise ConflictError(msg, suggestion_id, number)
    if last and last.verdict == REFUSED:
        msg = "this suggestion was refused; a newer one replaces it"
        raise ConflictError(msg, suggestion_id, number)
    made = Decision(
        decision_id="dc_" + uuid.uuid4().hex[:24],
        suggestion_id=suggestion_id,
        petition_id=found.petition_id,
        revision=found.revision,
        number=number + 1,
        verdict=verdict,
        unit=_unit(verdict, unit, found.lead_unit, last),
        reason=_reason(verdict, reason),
        actor=actor,
        source=source,
        at=now(),
    )
    row = {name: getattr(made, name) for name in Decision.__slots__ if name != "revision"}
    connection.execute(insert(decisions).values(**row, request_id=request_id))
    held = None if verdict == REFUSED else made.unit
    connection.execute(update(petitions).where(petitions.c.petition_id == found.petition_id).values(state=verdict, unit=held))
    if verdict == REFUSED and made.unit not in refused_units(connection, [found.petition_id]).get(found.petition_id, ()):
        connection.execute(
            insert(refusals).values(petition_id=found.petition_id, unit=made.unit, decision_id=made.decision_id, at=made.at)
        )
    announce(connection, [Message(made.decision_id, DECIDED, found.petition_id, suggestion_id, found.revision, payload(made))])
    note(connection, actor, f"decision.{verdict}", suggestion_id, decision=made.decision_id, unit=made.unit, source=source)
    return made


def payload(decision: Decision) -> str:
    """Return a decision as receivers hear it."""
    plain = {name: getattr(decision, name) for name in Decision.__slots__}
    return orjson.dumps(plain | {"at": decision.at.isoformat(timespec="milliseconds") + "Z"}).decode()


def last_decision(connection: Connection, suggestion_id: str) -> Decision | None:
    """Return the decision that counts, or None."""
    query = _query().where(decisions.c.suggestion_id == suggestion_id).order_by(decisions.c.number.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _decision(row) if row else None


def refused_units(connection: Connection, petition_ids: list[str]) -> dict[str, list[str]]:
    """Return the codes of the units that sent petitions back, in order; petitions without any are left out."""
    query = select(refusals.c.petition_id, refusals.c.unit).order_by(refusals.c.petition_id, refusals.c.at, refusals.c.unit)
    found: dict[str, list[str]] = {}
    for batch in batches(petition_ids):
        for pid, unit in connection.execute(query.where(refusals.c.petition_id.in_(batch))):
            found.setdefault(pid, []).append(unit)
    return found


def _by_request(connection: Connection, request_id: str) -> Decision | None:
    row = connection.execute(_query().where(decisions.c.request_id == request_id)).one_or_none()
    return _decision(row) if row else None


def _query() -> Select[Any]:
    columns = [decisions.c[name] for name in Decision.__slots__ if name != "revision"]
    return select(*columns, suggestions.c.revision).join(suggestions, decisions.c.suggestion_id == suggestions.c.suggestion_id)


def _decision(row: Row[Any]) -> Decision:
    return Decision(**row._mapping)


def _suggestion(connection: Connection, suggestion_id: str) -> Row[Any]:
    query = (
        select(suggestions.c.petition_id, suggestions.c.revision, suggestions.c.lead_unit, petitions.c.revision.label("newest"))
        .join(petitions, petitions.c.petition_id == suggestions.c.petition_id)
        .where(suggestions.c.suggestion_id == suggestion_id)
    )
    found = connection.execute(query).one_or_none()
    if found is None:
        msg = f"there is no suggestion {suggestion_id[:80]}"
        raise UnknownSuggestionError(msg)
    return found


def _unit(verdict: str, unit: str | None, lead: str | None, last: Decision | None) -> str:
    holder = last.unit if last else lead
    if verdict == REFUSED:
        unit = unit or holder
    elif verdict == ACCEPTED:
        if unit and unit != lead:
            msg = f"accepted means the suggested unit {lead}; another one is a reassignment"
            raise DecisionError(msg)
        unit = lead
    elif verdict == REASSIGNED:
        if unit == lead:
            msg = f"{lead} is the suggested unit; that is no reassignment but acceptance"
            raise DecisionError(msg)
    else:
        msg = f"verdict must be one of {', '.join(VERDICTS)}, not {verdict[:40]!r}"
        raise DecisionError(msg)
    if not unit:
        msg = f"a petition that is {verdict} needs a unit, and the suggestion names none"
        raise DecisionError(msg)
    return unit


def _reason(verdict: str, reason: str) -> str:
    if verdict == REFUSED and not reason.strip():
        msg = "a refusal needs a reason"
        raise DecisionError(msg)
    return reason.strip()

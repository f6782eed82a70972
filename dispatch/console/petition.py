"""All that the page of a petition shows: its text with the words that reasons rest on, the units, and what happened so far."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, select

from dispatch.console.queries import Key, Line, lines
from dispatch.console.show import Piece, pieces
from dispatch.labels import headings
from dispatch.store.decisions import Decision, last_decision
from dispatch.store.outbox import MADE
from dispatch.store.tables import NO_DEADLINE, decisions, outbox, petitions, refusals, suggestions

#: Petitions of the same event that are listed.
MEMBERS = 8


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason as numbered on the page; `link` is the id of a stored petition it refers to, `basis` a duty's statute."""

    number: int
    kind: str
    text: str
    reference: str
    link: str
    basis: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A unit that was suggested, the best first, with what speaks for it; `key` is the one to press, "" for none."""

    code: str
    name: str
    probability: float
    lead: bool
    key: str
    reasons: Sequence[Reason]


@dataclass(frozen=True, slots=True)
class Step:
    """A line of the history: a suggestion (`verdict` is "") or a decision."""

    at: dt.datetime | None
    revision: int
    verdict: str
    unit: str
    share: float | None
    reason: str
    actor: str
    source: str
    model: str


@dataclass(frozen=True, slots=True)
class View:
    """A petition as its page shows it.

    Attributes:
        said: payload of the newest suggestion.
        expected: decisions of it so far; goes with every form, so that nobody decides over another.
        last: the decision that counts, if there is one.
        refused: units that sent it back.
    """

    row: Any
    key: Key
    heading: str
    title: Sequence[Piece]
    body: Sequence[Piece]
    said: Mapping[str, Any]
    suggestion_id: str
    expected: int
    last: Decision | None
    choices: Sequence[Choice]
    others: Sequence[Reason]
    steps: Sequence[Step]
    members: Sequence[Line]
    refused: Sequence[str]
    due: dt.date | None


def view(connection: Connection, petition_id: str, names: Mapping[str, str], basis: Callable[[str], str]) -> View | None:
    """Return what the page of a petition shows, None if there is no such petition.

    Args:
        connection: reads.
        petition_id: which.
        names: names of units by code.
        basis: tells the statute of a duty item by its number, "" where it is not known.
    """
    columns = [column for column in petitions.c if column.name != "sketch"]
    row = connection.execute(select(*columns).where(petitions.c.petition_id == petition_id)).one_or_none()
    if row is None:
        return None
    history = connection.execute(
        select(
            suggestions.c.suggestion_id, suggestions.c.revision, suggestions.c.lead_unit, suggestions.c.lead_probability,
            suggestions.c.model_version, suggestions.c.payload,
        ).where(suggestions.c.petition_id == petition_id).order_by(suggestions.c.revision)
    ).all()  # fmt: skip
    newest = history[-1]
    said = orjson.loads(newest.payload)
    names = {**names, **{unit["code"]: unit["name"] for unit in said["top_k"]}}
    numbered = _reasons(connection, said["reasons"], basis)
    last = last_decision(connection, newest.suggestion_id)
    words = [(item.number, reason["words"]) for item, reason in zip(numbered, said["reasons"], strict=True)]
    title, body = (pieces(text, words, said["urgency"]["words"]) for text in (row.title, row.body))
    sent_back = connection.scalars(select(refusals.c.unit).where(refusals.c.petition_id == petition_id).order_by(refusals.c.at))
    return View(
        row=row,
        key=Key(row.urgency_rank, row.due, row.petition_id),
        heading=headings([row.title], [row.body])[0],
        title=title,
        body=body,
        said=said,
        suggestion_id=newest.suggestion_id,
        expected=last.number if last else 0,
        last=last,
        choices=_choices(said, numbered),
        others=[
            item for item, reason in zip(numbered, said["reasons"], strict=True)
            if reason["unit"] not in {unit["code"] for unit in said["top_k"]}
        ],
        steps=_steps(connection, petition_id, history, names),
        members=_members(connection, row.event_group, petition_id),
        refused=[names.get(code, code) for code in sent_back],
        due=None if row.due == NO_DEADLINE else row.due,
    )  # fmt: skip


def where_from(connection: Connection, suggestion_id: str) -> str | None:
    """Return the id of the petition that a suggestion is for."""
    return connection.execute(select(suggestions.c.petition_id).where(suggestions.c.suggestion_id == suggestion_id)).scalar_one_or_none()


def _reasons(connection: Connection, found: Sequence[Mapping[str, Any]], basis: Callable[[str], str]) -> list[Reason]:
    similar = [reason["reference"] for reason in found if reason["kind"] == "similar" and reason["reference"]]
    known = set(connection.scalars(select(petitions.c.petition_id).where(petitions.c.petition_id.in_(similar)))) if similar else set()
    return [
        Reason(
            number, reason["kind"], reason["text"], reason["reference"],
            reason["reference"] if reason["reference"] in known else "", basis(reason["reference"]) if reason["kind"] == "duty" else "",
        )
        for number, reason in enumerate(found, 1)
    ]  # fmt: skip


def _choices(said: Mapping[str, Any], numbered: Sequence[Reason]) -> list[Choice]:
    lead = said["lead_unit"] and said["lead_unit"]["code"]
    found = []
    for place, unit in enumerate(said["top_k"], 1):
        mine = [item for item, reason in zip(numbered, said["reasons"], strict=True) if reason["unit"] == unit["code"]]
        key = str(place) if place <= 9 else ""
        found.append(Choice(unit["code"], unit["name"], unit["probability"], unit["code"] == lead, key, mine))
    return found


def _steps(connection: Connection, petition_id: str, history: Sequence[Any], names: Mapping[str, str]) -> list[Step]:
    made = select(outbox.c.suggestion_id, outbox.c.at).where(outbox.c.petition_id == petition_id, outbox.c.kind == MADE)
    times = {row.suggestion_id: row.at for row in connection.execute(made)}
    columns = (decisions.c[name] for name in ("suggestion_id", "number", "verdict", "unit", "reason", "actor", "source", "at"))
    said: dict[str, list[Any]] = {}
    for row in connection.execute(select(*columns).where(decisions.c.petition_id == petition_id).order_by(decisions.c.number)):
        said.setdefault(row.suggestion_id, []).append(row)
    found = []
    for item in history:
        payload = orjson.loads(item.payload)["lead_unit"]
        unit = payload["name"] if payload else ""
        found.append(Step(times.get(item.suggestion_id), item.revision, "", unit, item.lead_probability, "", "", "", item.model_version))
        found += [
            Step(row.at, item.revision, row.verdict, names.get(row.unit, row.unit or ""), None, row.reason, row.actor, row.source, "")
            for row in said.get(item.suggestion_id, ())
        ]
    return found


def _members(connection: Connection, group: str | None, petition_id: str) -> list[Line]:
    if group is None:
        return []
    query = (
        select(petitions.c.petition_id)
        .where(petitions.c.event_group == group, petitions.c.petition_id != petition_id)
        .order_by(petitions.c.submitted_at, petitions.c.petition_id)
        .limit(MEMBERS)
    )
    return lines(connection, connection.scalars(query).all())

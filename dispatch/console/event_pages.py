"""Events: petitions about one thing, decided together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter
from sqlalchemy import Connection, case, func, select
from starlette.responses import Response

from dispatch import feedback
from dispatch.console import queries
from dispatch.console.petition_pages import may_change, number, request_id, trouble
from dispatch.console.queries import Line
from dispatch.console.queue_pages import names
from dispatch.console.web import Page, PageError, Poster, Reader, new_token
from dispatch.store.decisions import ACCEPTED, REASSIGNED, ConflictError, DecisionError, last_decision
from dispatch.store.tables import OPEN, decisions, events, petitions, suggestions

router = APIRouter()
#: Events that are listed, the ones with most to decide first; and members that are shown and decided at once.
LISTED, MEMBERS = 100, 300
_p = petitions.c


@dataclass(frozen=True, slots=True)
class Event:
    """An event with anything to decide."""

    group: str
    title: str
    size: int
    open: int
    urgent: int
    first_at: object
    last_at: object


@dataclass(frozen=True, slots=True)
class Member:
    """A petition of the event, how many decisions its suggestion has, and who made the last one."""

    line: Line
    expected: int
    actor: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one petition: `done`, `conflict` or `failed`, and why."""

    petition_id: str
    kind: str
    why: str


@router.get("/events")
def listing(page: Reader) -> Response:
    """List the events that have anything to decide."""

    def make() -> list[Event]:
        with page.service.store.reading() as connection:
            return _open_events(connection)

    return page.render("events.html.j2", events=page.request.app.state.console_cached.get("events", make), most=LISTED)


@router.get("/events/{group:path}")
def show(page: Reader, group: str) -> Response:
    """Show an event and its petitions."""
    return _show(page, group[:80])


@router.post("/events")
def decide(page: Poster) -> Response:
    """Decide on all ticked petitions: each as suggested, or all to one unit. What cannot be done is told, the rest is done."""
    group, how = page.said("event")[:80], page.said("how")
    ticked = page.form.get("member", [])[:MEMBERS]
    if not ticked:
        return _show(page, group, status=422, wrong="trouble.none")
    code = page.service.scorer.resolve(page.said("unit")) if how == "unit" else None
    if how not in ("own", "unit") or (how == "unit" and code is None):
        return _show(page, group, status=422, wrong="trouble.unit")
    results = [_decide(page, text, code) for text in ticked]
    page.request.app.state.console_cached.forget()
    return _show(page, group, results=results)


def _decide(page: Page, text: str, code: str | None) -> Result:
    suggestion, _, expected = text[:60].partition(":")
    with page.service.store.reading() as connection:
        columns = (suggestions.c.petition_id, suggestions.c.lead_unit)
        found = connection.execute(select(*columns).where(suggestions.c.suggestion_id == suggestion)).one_or_none()
        last = last_decision(connection, suggestion) if found else None
    if found is None:
        return Result(suggestion, "failed", page.text("error.nothing"))
    if not may_change(page, last):
        return Result(found.petition_id, "conflict", page.text("trouble.theirs", who=last.actor if last else ""))
    verdict = ACCEPTED if code is None or code == found.lead_unit else REASSIGNED
    try:
        feedback.record(
            page.service.store, page.service.scorer, suggestion, verdict=verdict, unit=code if verdict == REASSIGNED else None,
            actor=page.who.user.name, source="console", expected=number(expected),
            request_id=request_id(page, page.said("request"), suggestion),
        )  # fmt: skip
    except ConflictError:
        return Result(found.petition_id, "conflict", page.text("trouble.conflict"))
    except DecisionError as error:
        return Result(found.petition_id, "failed", trouble(page, error))
    return Result(found.petition_id, "done", page.text(f"verdict.{verdict}"))


def _show(page: Page, group: str, *, status: int = 200, wrong: str = "", results: Sequence[Result] = ()) -> Response:
    with page.service.store.reading() as connection:
        event = connection.execute(select(events).where(events.c.event_group == group)).one_or_none()
        if event is None:
            raise PageError(404, "error.nothing")
        query = (
            select(_p.petition_id)
            .where(_p.event_group == group)
            .order_by(case((_p.state == OPEN, 0), else_=1), _p.urgency_rank, _p.due, _p.petition_id)
            .limit(MEMBERS)
        )
        found = queries.lines(connection, connection.scalars(query).all())
        said = _last(connection, [line.suggestion_id for line in found])
    members = [Member(line, *said.get(line.suggestion_id, (0, ""))) for line in found]
    leads = Counter(line.unit for line in found if line.unit and line.state == OPEN)
    return page.render(
        "event.html.j2", status=status, event=event, members=members, wrong=page.text(wrong) if wrong else "", results=results,
        tally=Counter(result.kind for result in results), shared=leads.most_common(1)[0][0] if leads else "", leads=leads,
        names=names(page), units=page.service.scorer.units(), request_id=new_token(), most=MEMBERS,
    )  # fmt: skip


def _last(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
    query = select(decisions.c.suggestion_id, decisions.c.number, decisions.c.actor).where(decisions.c.suggestion_id.in_(ids))
    return {key: (count, actor) for key, count, actor in connection.execute(query.order_by(decisions.c.number))}


def _open_events(connection: Connection) -> list[Event]:
    waiting = (
        select(_p.event_group, func.count().label("open"), func.sum(case((_p.urgency_rank <= 1, 1), else_=0)).label("urgent"))
        .where(_p.state == OPEN, _p.event_group.is_not(None))
        .group_by(_p.event_group)
        .order_by(func.count().desc(), _p.event_group)
        .limit(LISTED)
        .subquery()
    )
    query = select(events, waiting.c.open, waiting.c.urgent).join_from(waiting, events, events.c.event_group == waiting.c.event_group)
    rows = connection.execute(query.order_by(waiting.c.open.desc(), events.c.event_group))
    return [Event(row.event_group, row.title, row.size, row.open, row.urgent, row.first_at, row.last_at) for row in rows]

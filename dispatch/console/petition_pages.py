"""The page of a petition, and what a reviewer decides there."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from urllib.parse import parse_qsl

from fastapi import APIRouter
from starlette.responses import Response

from dispatch import feedback
from dispatch.console import petition, queries
from dispatch.console.filters import Filters
from dispatch.console.queue_pages import names, wanted
from dispatch.console.show import path
from dispatch.console.units import find_units
from dispatch.console.web import Page, PageError, Poster, Reader, new_token
from dispatch.scoring import UnitChoice
from dispatch.store.decisions import (
    ACCEPTED,
    REASSIGNED,
    REFUSED,
    ConflictError,
    Decision,
    DecisionError,
    UnknownSuggestionError,
)

router = APIRouter()
#: Reasons for sending a petition back; they are stored in Chinese, whoever picks them.
REASONS = {
    "duty": "非本单位职责", "place": "不属本单位辖区", "level": "应由上级或下级单位办理", "duplicate": "重复件，已由其他单位办理",
    "unclear": "诉求不清，无法办理", "other": "其他",
}  # fmt: skip
_MAX_REASON = 500


@router.get("/petitions/{petition_id:path}")
def show(page: Reader, petition_id: str) -> Response:
    """Show a petition."""
    return show_petition(page, petition_id, wanted(page))


@router.get("/units")
def units(page: Reader) -> Response:
    """Show the units that a search finds, as a part of a petition's page."""
    return page.render("units.html.j2", found=_found(page, page.request.query_params.get("find", "")), find=page.request.query_params.get("find", ""))


@router.post("/decisions")
def decide(page: Poster) -> Response:
    """Record what the reviewer decided, and go on to the next petition; a conflict shows what the other did."""
    suggestion, filters = page.said("suggestion")[:80], Filters.of(dict(parse_qsl(page.said("ctx"))))
    with page.service.store.reading() as connection:
        petition_id = petition.where_from(connection, suggestion)
        if petition_id is None:
            raise PageError(404, "error.nothing")
        seen = petition.view(connection, petition_id, {}, lambda _: "")
        following = queries.neighbour(connection, filters, dt.date.today(), seen.key) if seen else None
    if seen and seen.last and suggestion == seen.suggestion_id and not may_change(page, seen.last):
        if number(page.said("expected")) != seen.expected:  # they were quicker; else the page had said it
            return show_petition(page, petition_id, filters, status=409, trouble=page.text("trouble.conflict"), conflict=True)
        return show_petition(page, petition_id, filters, status=403, trouble=page.text("trouble.theirs", who=seen.last.actor))
    try:
        outcome = feedback.record(
            page.service.store, page.service.scorer, suggestion, **said(page), actor=page.who.user.name, source="console",
            expected=number(page.said("expected")), request_id=request_id(page, page.said("request"), suggestion),
        )  # fmt: skip
    except UnknownSuggestionError as error:
        raise PageError(404, "error.nothing") from error
    except ConflictError:
        return show_petition(page, petition_id, filters, status=409, trouble=page.text("trouble.conflict"), conflict=True)
    except DecisionError as error:
        return show_petition(page, petition_id, filters, status=422, trouble=trouble(page, error))
    page.request.app.state.console_claims.leave(petition_id, page.who.user.name)
    verdict = outcome.decision.verdict
    onward = petition_id if verdict == REFUSED else following  # who refused sees what is suggested instead
    where = path("petitions", onward) if onward else "/queue"
    return page.go(where + (f"?{filters.query}" if filters.query else ""), f"notice.{verdict}", petition_id)


def show_petition(
    page: Page, petition_id: str, filters: Filters, *, status: int = 200, trouble: str = "", conflict: bool = False
) -> Response:
    """Return the page of a petition.

    Raises:
        PageError: if there is no such petition.
    """
    with page.service.store.reading() as connection:
        found = petition.view(connection, petition_id[:80], names(page), page.service.scorer.basis)
        if found is None:
            raise PageError(404, "error.nothing")
        today = dt.date.today()
        before, after = (queries.neighbour(connection, filters, today, found.key, back=back) for back in (True, False))
    claims, user = page.request.app.state.console_claims, page.who.user
    if page.request.query_params.get("take") == "1":
        claims.take(petition_id, user.name)
    find = page.request.query_params.get("find", "")
    return page.render(
        "petition.html.j2", status=status, p=found, filters=filters, before=before, after=after, trouble=trouble, conflict=conflict,
        other=claims.look(petition_id, user.name), may=may_change(page, found.last), reasons_why=REASONS, request_id=new_token(),
        names=names(page), find=find, found=_found(page, find), max_reason=_MAX_REASON,
    )  # fmt: skip


def said(page: Page) -> Mapping[str, str]:
    """Return verdict, unit and reason of a form.

    Raises:
        DecisionError: if the unit is none, or a refusal says no reason.
    """
    verdict, unit, reason = page.said("verdict"), page.said("unit"), page.said("reason")[:_MAX_REASON]
    picked = REASONS.get(page.said("why"), "")
    if verdict == "pick":  # whichever unit: the suggested one is an acceptance
        verdict = ACCEPTED if unit == page.said("lead") else REASSIGNED
    if verdict == REFUSED:
        if not picked or (page.said("why") == "other" and not reason):
            raise DecisionError("trouble.reason")
        reason = "：".join(part for part in (picked, reason) if part)
        unit = ""
    elif verdict == ACCEPTED:
        unit = ""
    elif verdict == REASSIGNED and page.service.scorer.resolve(unit) is None:
        raise DecisionError("trouble.unit")
    return {"verdict": verdict, "unit": unit, "reason": reason}


def trouble(page: Page, error: DecisionError) -> str:
    """Return why a decision was not taken, in the reader's language."""
    key = str(error)
    return page.text(key) if key.startswith("trouble.") else page.text("trouble.other", why=key)


def may_change(page: Page, last: Decision | None) -> bool:
    """Whether the reader may decide: anyone while nobody has, then who did, and supervisors."""
    user = page.who.user
    return last is None or user.supervisor or (last.actor == user.name and last.source == "console")


def number(text: str) -> int:
    """Return how many decisions the reader had seen; a form without it has seen none."""
    return int(text) if text.isdecimal() and len(text) < 7 else 0


def request_id(page: Page, token: str, suggestion: str) -> str:
    """Return an id of a form: sent twice, it decides once."""
    return f"console:{page.who.token_hash[:16]}:{token[:40] or new_token()}:{suggestion[:40]}"


def _found(page: Page, text: str) -> list[UnitChoice]:
    return find_units(page.service.scorer.units(), text)

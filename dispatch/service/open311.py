"""A read view for Open311 clients (GeoReport v2).

Services are the issue types of the first two levels, because a service is what a resident asks about; the unit that has it
is `agency_responsible`. A request is open until a unit has taken it on (accepted or reassigned); what the unit does then is
not known here. Neither body nor address is shown, and the masked title only where the operator allows it.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal
from xml.sax.saxutils import escape

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection, Row, Select, func, select
from starlette.concurrency import run_in_threadpool

from corpora.dates import CHINA
from corpora.issue_tree import IssueTree
from dispatch.service.auth import bearer, check
from dispatch.service.bodies import json_answer
from dispatch.service.context import service_of
from dispatch.service.openapi import MAYBE_KEY, problems
from dispatch.service.problems import Problem
from dispatch.service.schemas import Request311, Service311
from dispatch.store.decisions import ACCEPTED, REASSIGNED
from dispatch.store.tables import NO_DEADLINE, decisions, petitions, suggestions

router = APIRouter(prefix="/open311/v2", tags=["open311"])
#: Digits of an issue code that make a service.
_LEVELS = 4
#: Requests a client may page through; beyond it must narrow its filters.
_REACH = 10_000
#: Characters that XML cannot hold at all.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAKEN = (ACCEPTED, REASSIGNED)
_Time = Annotated[
    str | None, Query(description="ISO 8601; without zone it is China Standard Time.", pattern=r"^\d{4}-\d{2}-\d{2}(T[0-9:.]{4,15}(Z|[+-]\d{2}:\d{2})?)?$")
]
_Jurisdiction = Annotated[str | None, Query(description="Accepted and passed over: there is one city.", max_length=200)]


@router.get("/services.xml", include_in_schema=False)
@router.get("/services.json", summary="Services", operation_id="services311", openapi_extra=MAYBE_KEY, response_model=list[Service311], responses=problems())
async def services(request: Request, jurisdiction_id: _Jurisdiction = None) -> Response:
    """Return the issue types of the first two levels."""
    del jurisdiction_id
    await _allowed(request)
    tree = IssueTree.load()
    found = [
        {
            "service_code": str(node.code), "service_name": node.name, "description": tree.path_name(node.code), "metadata": False,
            "type": "realtime", "keywords": "", "group": tree[node.code[:2]].name,
        }
        for node in tree.nodes
        if len(node.code) <= _LEVELS
    ]  # fmt: skip
    return _answer(request, found, "services", "service")


@router.get("/requests.xml", include_in_schema=False)
@router.get("/requests.json", summary="Requests", operation_id="requests311", openapi_extra=MAYBE_KEY, response_model=list[Request311], responses=problems(400))
async def requests(
    request: Request,
    jurisdiction_id: _Jurisdiction = None,
    service_request_id: Annotated[str | None, Query(description="Ids separated by commas; the other filters do not count then.", max_length=4_000)] = None,
    service_code: Annotated[str | None, Query(description="Codes separated by commas; those below count.", pattern=r"^[0-9]{2,6}(,[0-9]{2,6}){0,49}$")] = None,
    start_date: _Time = None,
    end_date: _Time = None,
    status: Annotated[Literal["open", "closed", "open,closed", "closed,open"] | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=_REACH)] = 1,
    page_size: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """Return requests, the latest filed first."""
    del jurisdiction_id
    await _allowed(request)
    if page * page_size > _REACH:
        raise Problem(422, "invalid", f"最多翻到第 {_REACH:,} 条，请缩小范围 narrow the filters to see more than {_REACH:,}")
    if service_request_id is not None:
        wanted = [part for part in service_request_id.split(",") if part and "\x00" not in part][:100]
        query = _query().where(petitions.c.petition_id.in_(wanted))
    else:
        query = _filtered(_query(), service_code, start_date, end_date, status)
    return _answer(request, await _read(request, query, page_size, (page - 1) * page_size), "service_requests", "request")


@router.get("/requests/{service_request_id:path}.xml", include_in_schema=False)
@router.get("/requests/{service_request_id:path}.json", summary="One request", operation_id="request311", openapi_extra=MAYBE_KEY, response_model=list[Request311], responses=problems(404))
async def one(request: Request, service_request_id: str, jurisdiction_id: _Jurisdiction = None) -> Response:
    """Return one request, in a list as GeoReport wants it."""
    del jurisdiction_id
    await _allowed(request)
    found = []
    if "\x00" not in service_request_id:
        found = await _read(request, _query().where(petitions.c.petition_id == service_request_id))
    if not found:
        raise Problem(404, "unknown-request", "没有这条请求 no such service request")
    return _answer(request, found, "service_requests", "request")


def _answer(request: Request, rows: list[dict[str, Any]], root: str, item: str) -> Response:
    """Return rows in the form that the address names."""
    if not request.url.path.endswith(".xml"):
        return json_answer(request, rows, tag=True)
    lines = ["".join(f"<{name}>{_xml(value)}</{name}>" for name, value in row.items()) for row in rows]
    text = "".join(f"<{item}>{line}</{item}>" for line in lines)
    return Response(f'<?xml version="1.0" encoding="utf-8"?><{root}>{text}</{root}>', media_type="application/xml")


def _xml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else escape(_NOT_XML.sub("", str(value)))


async def _allowed(request: Request) -> None:
    if not service_of(request).settings.open311_public:
        await check(request, ["open311:read"], await bearer(request))


def _query() -> Select[Any]:
    p, s = petitions.c, suggestions.c
    last = select(func.max(decisions.c.at)).where(decisions.c.petition_id == p.petition_id).correlate(petitions).scalar_subquery()
    columns = (p.petition_id, p.title, p.state, p.unit, p.submitted_at, p.due, s.issue_code, last.label("decided_at"))
    return select(*columns).join(suggestions, s.suggestion_id == p.suggestion_id)


def _filtered(query: Select[Any], codes: str | None, start: str | None, end: str | None, status: str | None) -> Select[Any]:
    p, s = petitions.c, suggestions.c
    if codes is not None:
        wanted = [s.issue_code.startswith(code, autoescape=True) for code in codes.split(",")]
        first, *rest = wanted
        for other in rest:
            first = first | other
        # The first level alone has a column with an index; the rest narrows what it finds.
        query = query.where(p.issue_top.in_(sorted({code[:2] for code in codes.split(",")})), first)
    if start is not None:
        query = query.where(p.submitted_at >= _local("start_date", start))
    if end is not None:
        query = query.where(p.submitted_at <= _local("end_date", end))
    if status == "open":
        query = query.where(p.state.not_in(_TAKEN))
    elif status == "closed":
        query = query.where(p.state.in_(_TAKEN))
    return query


def _local(name: str, text: str) -> dt.datetime:
    """Return a time as petitions have it: China Standard Time without zone.

    Raises:
        Problem: 422, if it is none.
    """
    try:
        moment = dt.datetime.fromisoformat(text)
        return moment if moment.tzinfo is None else moment.astimezone(CHINA).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise Problem(422, "invalid", "时间不存在 there is no such time", errors=[{"where": f"query.{name}", "code": "datetime"}]) from None


async def _read(request: Request, query: Select[Any], limit: int = 1, offset: int = 0) -> list[dict[str, Any]]:
    service = service_of(request)

    def read() -> list[dict[str, Any]]:
        with service.store.reading() as connection:
            rows = _latest_first(connection, query, limit, offset)
            return _shown(rows, titles=service.settings.open311_titles, names=_unit_names(request))

    return await run_in_threadpool(read)


def _latest_first(connection: Connection, query: Select[Any], limit: int, offset: int) -> list[Row[Any]]:
    """Return a page, the latest filed first, those without a time at the end.

    In two steps, since databases do not agree on where null goes: so the index by time serves on each of them.
    """
    p = petitions.c
    dated = query.where(p.submitted_at.is_not(None))
    rows = list(connection.execute(dated.order_by(p.submitted_at.desc(), p.petition_id).limit(limit).offset(offset)))
    if len(rows) < limit:
        before = len(rows) + offset if rows else connection.execute(select(func.count()).select_from(dated.subquery())).scalar_one()
        undated = query.where(p.submitted_at.is_(None)).order_by(p.petition_id)
        rows += connection.execute(undated.limit(limit - len(rows)).offset(max(0, offset - before))).all()
    return rows


def _unit_names(request: Request) -> dict[str, str]:
    return {unit.code: unit.name for unit in service_of(request).scorer.units()}


def _shown(rows: list[Row[Any]], *, titles: bool, names: dict[str, str]) -> list[dict[str, Any]]:
    tree = IssueTree.load()
    found = []
    for row in rows:
        code = (row.issue_code or "")[:_LEVELS]
        service = tree[code].name if code in tree else row.issue_code or ""
        taken = row.state in _TAKEN
        unit = names.get(row.unit, row.unit) if row.unit else None
        found.append(
            {
                "service_request_id": row.petition_id,
                "status": "closed" if taken else "open",
                "status_notes": f"已由{unit}受理" if taken else None,
                "service_name": service,
                "service_code": code,
                "description": (row.title if titles else "") or service,
                "agency_responsible": unit if taken else None,
                "service_notice": None,
                "requested_datetime": _zoned(row.submitted_at),
                "updated_datetime": _zoned(row.decided_at, dt.UTC) or _zoned(row.submitted_at),
                "expected_datetime": None if row.due == NO_DEADLINE else _zoned(dt.datetime.combine(row.due, dt.time(23, 59, 59))),
                "address": None, "address_id": None, "zipcode": None, "lat": None, "long": None, "media_url": None,
            }
        )  # fmt: skip
    return found


def _zoned(moment: dt.datetime | None, zone: dt.tzinfo = CHINA) -> str | None:
    return None if moment is None else moment.replace(tzinfo=zone).astimezone(CHINA).isoformat(timespec="seconds")

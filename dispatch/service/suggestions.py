"""Petitions scored now, and suggestions to pull."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, Query, Request, Response, Security
from starlette.concurrency import run_in_threadpool

from dispatch.live import Scored
from dispatch.service import queries
from dispatch.service.auth import authorize
from dispatch.service.batching import BusyError
from dispatch.service.bodies import json_answer, read_json
from dispatch.service.context import Service, service_of
from dispatch.service.intake import Intake, Refusal, take_in
from dispatch.service.keys import Key
from dispatch.service.logs import failure, log
from dispatch.service.openapi import body, etag, problems
from dispatch.service.problems import Problem
from dispatch.service.schemas import OneSuggestion, Page, Petition, Petitions, ScoredMany
from dispatch.service.schemas import Scored as ScoredBody

router = APIRouter(prefix="/v1", tags=["suggestions"])
SUGGESTION_ID = re.compile(r"sg_[0-9a-f]{24}")
#: 2⁶³ − 1 is the largest whole number that both databases hold.
MAX_POSITION = 2**63 - 1


@router.post(
    "/suggestions", summary="Score petitions", operation_id="score",
    responses={200: {"model": ScoredBody | ScoredMany, "headers": {"ETag": etag()}}, **problems(400, 408, 413, 415, 422, 503)},
    openapi_extra=body(Petition, Petitions),
)  # fmt: skip
async def score(
    request: Request,
    _key: Annotated[Key, Security(authorize, scopes=["suggestions:write"])],
    store: Annotated[bool, Query(description="Store the suggestion and announce it; the same request again changes nothing.")] = True,
) -> Response:
    """Return the suggestion for one petition, or for each of many. One that does not fit does not stop the others."""
    service = service_of(request)
    value = await read_json(request)
    if isinstance(value, dict) and "petitions" in value:
        items = _many(value, service)
        intake = take_in(items)
        return await _batch(request, service, len(items), intake, store=store)
    intake = take_in([value])
    if intake.bad:
        service.metrics.petitions.labels("rejected").inc()
        raise Problem(422, "invalid-petition", intake.bad[0].reason, code=intake.bad[0].code)
    try:
        found = await service.batcher.score(intake.good[0], store=store)
    except BusyError as error:
        raise _busy(service, error) from None
    _count(service, [found])
    answer = Response(_line(found), media_type="application/json")
    answer.headers["ETag"] = f'"{found.suggestion_id}.{found.revision or 0}"'
    return answer


def _many(value: dict[str, Any], service: Service) -> list[Any]:
    """Return the petitions of a batch as sent.

    Raises:
        Problem: 422, if it is no list, is empty or too long, or something stands beside it.
    """
    items = value["petitions"]
    most = service.settings.max_petitions
    if len(value) > 1 or not isinstance(items, list) or not 1 <= len(items) <= most:
        detail = f"petitions 应为 1 至 {most} 件的列表，旁边别无他物 petitions must be a list of 1 to {most}, and nothing beside it"
        raise Problem(422, "invalid", detail, errors=[{"where": "body.petitions", "code": "list"}])
    return items


async def _batch(request: Request, service: Service, read: int, intake: Intake, *, store: bool) -> Response:
    try:
        found = await service.batcher.score_many(intake.good, store=store) if intake.good else []
    except BusyError as error:
        raise _busy(service, error) from None
    bad = list(intake.bad)
    lines: list[Any] = []
    for place, item in zip(intake.places, found, strict=True):
        if isinstance(item, Exception):
            log(logging.ERROR, "failure", request_id=request.scope["request_id"], **failure(type(item), item.__traceback__))
            bad.append(Refusal(place, "failed", "出错了，可以再试 it could not be scored or stored; try again"))
        else:
            lines.append(orjson.Fragment(_line(item)))
    rejected = [asdict(item) for item in sorted(bad, key=lambda item: item.index)]
    _count(service, [item for item in found if isinstance(item, Scored)], len(bad))
    return json_answer(
        request,
        {"read": read, "routed": len(lines), "rejected_count": len(bad), "suggestions": lines, "rejected": rejected},
    )


def _line(item: Scored) -> bytes:
    revision = b"null" if item.revision is None else str(item.revision).encode()
    return b'{"suggestion":' + item.payload + b',"revision":' + revision + b',"new":' + (b"true}" if item.new else b"false}")


def _count(service: Service, found: Sequence[Scored], rejected: int = 0) -> None:
    new = sum(item.new for item in found)
    for outcome, count in (("new", new), ("unchanged", len(found) - new), ("rejected", rejected)):
        if count:
            service.metrics.petitions.labels(outcome).inc(count)


def _busy(service: Service, error: BusyError) -> Problem:
    service.metrics.limited.labels("queue").inc()
    return Problem(503, "busy", "等待的诉求过多，请稍后再试 too many petitions wait", {"Retry-After": str(error.retry_after)})


@router.get(
    "/suggestions", summary="Pull suggestions", operation_id="pull", response_model=Page,
    responses=problems(409, 422),
)  # fmt: skip
async def pull(
    request: Request,
    _key: Annotated[Key, Security(authorize, scopes=["suggestions:read"])],
    after: Annotated[int, Query(ge=0, le=MAX_POSITION, description="Position up to which everything is known; 0 from the beginning.")] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    unit: Annotated[str | None, Query(min_length=1, max_length=80, description="Code of the lead unit.")] = None,
    decision: Annotated[Literal["auto", "review"] | None, Query()] = None,
    issue: Annotated[str | None, Query(pattern=r"^([0-9]{2}){1,3}$", description="Code of an issue type; those below count.")] = None,
) -> Response:
    """Return what was announced after a position, in the order in which it became true.

    Who remembers `after` of the answer misses nothing and sees nothing twice, whatever is written meanwhile.
    """
    filters = queries.Filters(_text(unit), _text(issue), decision)

    def read() -> queries.Found:
        with service_of(request).store.reading() as connection:
            return queries.announced(connection, after, limit, filters)

    found = await run_in_threadpool(read)
    if after > found.head:
        detail = "位置超出了发件箱；存储若是从备份恢复的，请从 0 重新拉取 the store is not that far: if it was restored, begin again"
        raise Problem(409, "position-ahead", detail, head=found.head)
    asked = {"unit": unit, "decision": decision, "issue": issue}
    given = {name: value for name, value in asked.items() if value is not None}
    items = [
        {"position": row.position, "kind": row.kind, "at": f"{row.at.isoformat(timespec='milliseconds')}Z", "revision": row.revision,
         "suggestion": orjson.Fragment(row.payload)}
        for row in found.rows
    ]  # fmt: skip
    link = f"/v1/suggestions?{urlencode({'after': found.after, 'limit': limit, **given})}"
    answer = json_answer(request, {"items": items, "after": found.after, "head": found.head, "more": found.after < found.head, "next": link})
    answer.headers["Link"] = f'<{link}>; rel="next"'
    return answer


@router.get(
    "/suggestions/{suggestion_id}", summary="One suggestion", operation_id="suggestion",
    responses={200: {"model": OneSuggestion, "headers": {"ETag": etag()}}, 304: {"description": "As the client has it."}, **problems(404)},
)  # fmt: skip
async def one(
    request: Request,
    suggestion_id: str,
    _key: Annotated[Key, Security(authorize, scopes=["suggestions:read"])],
) -> Response:
    """Return a suggestion, whether it is its petition's newest, and the decisions on it."""
    if SUGGESTION_ID.fullmatch(suggestion_id):

        def read() -> dict[str, Any] | None:
            with service_of(request).store.reading() as connection:
                return queries.suggestion(connection, suggestion_id)

        if (found := await run_in_threadpool(read)) is not None:
            return json_answer(request, found, tag=True)
    raise Problem(404, "unknown-suggestion", "没有这条建议 no such suggestion")


def _text(value: str | None) -> str | None:
    """Return a filter; PostgreSQL takes no NUL, and no unit or issue has one."""
    if value is not None and "\x00" in value:
        raise Problem(422, "invalid", "参数里有控制字符 a parameter holds control characters")
    return value

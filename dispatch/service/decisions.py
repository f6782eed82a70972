"""Decisions that dispatch systems report back, and the history of a petition."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Request, Response, Security
from starlette.concurrency import run_in_threadpool

from dispatch import feedback
from dispatch.service import queries
from dispatch.service.auth import authorize
from dispatch.service.bodies import json_answer, read_json, validated
from dispatch.service.context import service_of
from dispatch.service.keys import Key
from dispatch.service.openapi import body, etag, problems
from dispatch.service.problems import Problem
from dispatch.service.schemas import Decided, History, NewDecision
from dispatch.service.suggestions import SUGGESTION_ID
from dispatch.store.decisions import ConflictError, DecisionError, UnknownSuggestionError, payload

router = APIRouter(prefix="/v1")
_PETITION_ID = re.compile(r"[^\s\x00-\x1f\x7f]{1,80}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_IDEMPOTENCY = r"^[\x21-\x7e]{1,200}$"


@router.post(
    "/suggestions/{suggestion_id}/decision", tags=["decisions"], summary="Report a decision", operation_id="decide",
    responses={200: {"model": Decided}, **problems(400, 404, 408, 409, 413, 415, 422)}, openapi_extra=body(NewDecision),
)  # fmt: skip
async def decide(
    request: Request,
    suggestion_id: str,
    key: Annotated[Key, Security(authorize, scopes=["decisions:write"])],
    idempotency_key: Annotated[
        str | None,
        Header(pattern=_IDEMPOTENCY, description="The same key with the same decision again gives the decision recorded first."),
    ] = None,
) -> Response:
    """Record what people decided: accepted, reassigned to another unit, or refused by the unit that has it (退单).

    A refused petition is routed again at once, never to that unit: `replacement` is its new suggestion.
    """
    service = service_of(request)
    given = validated(NewDecision, await read_json(request))
    if not SUGGESTION_ID.fullmatch(suggestion_id):
        raise Problem(404, "unknown-suggestion", "没有这条建议 no such suggestion")
    if any(_CONTROL.search(text) for text in (given.reason, given.unit or "")):
        raise Problem(422, "invalid", "文字里有控制字符 the text holds control characters")

    def record() -> feedback.Outcome:
        if given.unit is not None and service.scorer.resolve(given.unit) is None:
            raise Problem(422, "unknown-unit", "今天没有这个代码、名称或别名的单位 no unit of today has this code, name or alias")
        return feedback.record(
            service.store, service.scorer, suggestion_id, verdict=given.verdict, unit=given.unit, reason=given.reason,
            actor=key.actor, source="api", expected=given.expected, request_id=_request_id(key, idempotency_key),
        )  # fmt: skip

    try:
        outcome = await run_in_threadpool(record)
    except UnknownSuggestionError:
        raise Problem(404, "unknown-suggestion", "没有这条建议 no such suggestion") from None
    except ConflictError as error:
        raise Problem(409, "conflict", str(error), current=error.current, number=error.number) from None
    except DecisionError as error:
        raise Problem(422, "invalid-decision", str(error)) from None
    service.metrics.decisions.labels(given.verdict).inc()
    return json_answer(request, {"decision": orjson.Fragment(payload(outcome.decision)), "replacement": outcome.replacement})


def _request_id(key: Key, given: str | None) -> str | None:
    """Return what the store keeps of an idempotency key: two clients may choose the same."""
    if given is None:
        return None
    return "ik_" + hashlib.blake2b(f"{key.actor}\x1f{given}".encode(), digest_size=20).hexdigest()


@router.get(
    "/petitions/{petition_id:path}", tags=["petitions"], summary="History of a petition", operation_id="petition",
    responses={200: {"model": History, "headers": {"ETag": etag()}}, 304: {"description": "As the client has it."}, **problems(404)},
)  # fmt: skip
async def petition(
    request: Request,
    petition_id: str,
    key: Annotated[Key, Security(authorize, scopes=["suggestions:read"])],
) -> Response:
    """Return all suggestions and decisions of a petition; its masked text with the scope petitions:read alone."""
    if _PETITION_ID.fullmatch(petition_id):

        def read() -> dict[str, Any] | None:
            with service_of(request).store.reading() as connection:
                return queries.history(connection, petition_id, text="petitions:read" in key.scopes)

        if (found := await run_in_threadpool(read)) is not None:
            return json_answer(request, found, tag=True)
    raise Problem(404, "unknown-petition", "没有这件诉求 no such petition")

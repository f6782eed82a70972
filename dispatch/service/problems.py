"""Errors as `application/problem+json` (RFC 9457): one form for all, and nothing of what was sent comes back in it."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import BrokenExecutor
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException as StarletteHTTPException

from dispatch.service.scoring import WorkError

MEDIA_TYPE = "application/problem+json"

#: Titles by the last part of `type`; all that there are.
TITLES = {
    "bad-request": "请求无法识别 the request cannot be understood",
    "malformed-json": "不是有效的 JSON not valid JSON",
    "unauthorized": "需要有效的密钥 a valid API key is needed",
    "forbidden": "密钥没有这项权限 the key lacks this scope",
    "not-found": "没有这个地址 no such address",
    "unknown-suggestion": "没有这条建议 no such suggestion",
    "unknown-petition": "没有这件诉求 no such petition",
    "unknown-request": "没有这条请求 no such service request",
    "method-not-allowed": "不支持这个方法 method not allowed here",
    "timeout": "请求体没有按时到达 the body did not arrive in time",
    "conflict": "与现状冲突 in conflict with how things stand",
    "position-ahead": "位置超出了发件箱 the position lies beyond the outbox",
    "body-too-large": "请求体过大 the body is too large",
    "header-too-large": "请求头过大 the headers are too large",
    "unsupported-media-type": "请求体应为 JSON the body must be JSON",
    "invalid": "内容不符合要求 the content does not fit",
    "invalid-petition": "诉求不符合要求 the petition does not fit",
    "unknown-unit": "没有这个单位 no such unit",
    "invalid-decision": "决定不成立 the decision makes no sense",
    "too-many-requests": "请求过于频繁 too many requests",
    "internal": "内部错误 internal error",
    "busy": "服务繁忙 the service is busy",
    "unavailable": "暂时无法服务 the service is not available for now",
}
_OF_STATUS = {
    400: "bad-request", 401: "unauthorized", 403: "forbidden", 404: "not-found", 405: "method-not-allowed", 408: "timeout",
    409: "conflict", 413: "body-too-large", 415: "unsupported-media-type", 422: "invalid", 429: "too-many-requests",
    431: "header-too-large", 500: "internal", 503: "unavailable",
}  # fmt: skip


_AWAY = frozenset({OperationalError.__name__, InterfaceError.__name__, PoolTimeout.__name__})


class Problem(HTTPException):
    """An error that the client is told of.

    Args:
        status: of the answer.
        kind: key of `TITLES`.
        detail: a sentence, without anything that was sent.
        headers: of the answer.
        more: further members.
    """

    def __init__(self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:  # noqa: ANN401 - plain JSON
        super().__init__(status, detail, dict(headers or {}))
        self.kind, self.more = kind, more


def body(status: int, kind: str, detail: str, request_id: str, **more: Any) -> bytes:  # noqa: ANN401 - plain JSON
    """Return the members of a problem as JSON; `instance` names the request, as the log does."""
    known: dict[str, Any] = {
        "type": f"urn:minqing:problem:{kind}",
        "title": TITLES.get(kind, ""),
        "status": status,
        "detail": detail,
        "instance": f"urn:minqing:request:{request_id}",
    }
    return orjson.dumps(known | more)


def answer(request: Request, problem: Problem) -> Response:
    """Return a problem as the answer to a request."""
    request_id = request.scope.get("request_id", "")
    content = body(problem.status_code, problem.kind, str(problem.detail), request_id, **problem.more)
    return Response(content, problem.status_code, problem.headers, MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Have every error that a handler raises answered as a problem."""

    async def told(request: Request, error: Exception) -> Response:
        problem = as_problem(error)
        if problem.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # the first route that fits names its own methods alone
            problem.headers = {"Allow": _methods(app, request) or (problem.headers or {}).get("Allow", "")}
        return answer(request, problem)

    for kind in (StarletteHTTPException, RequestValidationError):
        app.add_exception_handler(kind, told)


def _methods(app: FastAPI, request: Request) -> str:
    """Return what may be done at the address of a request, as far as the API knows it."""
    template = str(getattr(request.scope.get("route"), "path", "")).replace(":path}", "}")
    return ", ".join(sorted(name.upper() for name in app.openapi()["paths"].get(template, ())))


def as_problem(error: Exception) -> Problem:
    """Return what a client hears of an exception."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        # Place and kind of each error; pydantic's `input` and `ctx` hold what was sent.
        found = [{"where": _where(item["loc"]), "code": str(item["type"])} for item in error.errors()[:20]]
        return Problem(422, "invalid", "参数不符合要求 parameters do not fit: see errors", errors=found)
    if isinstance(error, StarletteHTTPException):
        status = error.status_code
        kind = _OF_STATUS.get(status, "internal" if status >= 500 else "bad-request")
        return Problem(status, kind, HTTPStatus(status).phrase, error.headers)
    away = isinstance(error, WorkError) and str(error) in _AWAY  # told by the process that scores
    if away or isinstance(error, OperationalError | InterfaceError | PoolTimeout | BrokenExecutor):
        return Problem(503, "unavailable", "存储或评分暂时不可用 store or scoring is not available for now", {"Retry-After": "5"})
    return Problem(500, "internal", "出错了，请凭请求号查日志 something went wrong; the log has it under the request id")


def _where(place: tuple[Any, ...]) -> str:
    # Names of parameters are ours; what follows a mapping's key may be the client's.
    return ".".join(str(part) for part in place[:2])[:80]

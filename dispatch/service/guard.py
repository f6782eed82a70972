"""The outermost layer: request ids, limits on bodies and on requests at a time, headers of safety, the log, the metrics."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dispatch.service import problems
from dispatch.service.logs import failure, log
from dispatch.service.metrics import Metrics
from dispatch.service.problems import Problem, as_problem
from dispatch.service.settings import ServiceSettings

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")
_SAFETY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "cross-origin-resource-policy": "same-origin",
}
#: Answered however busy the service is.
_ALWAYS = ("/healthz",)


@dataclass(slots=True)
class _Course:
    """How far a request has come."""

    scope: Scope
    started: float
    deadline: float
    status: int = 0
    received: int = 0
    complete: bool = False
    problem: Problem | None = None
    replaced: bool = False  # the answer tells of `problem`, not what the application made
    told: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class Guard:
    """ASGI middleware around everything but the answer to what no handler caught."""

    def __init__(self, app: ASGIApp, settings: ServiceSettings, metrics: Metrics) -> None:
        self._app, self._settings, self._metrics = app, settings, metrics
        self._active = 0
        self._safety = {**_SAFETY, **({"strict-transport-security": "max-age=31536000"} if settings.tls else {})}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "websocket":  # there are none
                await receive()
                await send({"type": "websocket.close", "code": 1000})
                return
            await self._app(scope, receive, send)
            return
        now = time.monotonic()
        course = _Course(scope, now, now + self._settings.body_seconds)
        scope["request_id"] = _request_id(scope)
        scope["answer_headers"] = course.headers
        self._active += 1
        self._metrics.active.set(self._active)
        try:
            await self._through(course, receive, send)
        finally:
            self._active -= 1
            self._metrics.active.set(self._active)
            self._tell(course)

    async def _through(self, course: _Course, receive: Receive, send: Send) -> None:
        scope = course.scope

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                if course.problem is not None:
                    course.replaced = True
                    message = self._instead(course)
                course.status = message["status"]
                message = {**message, "headers": self._headers(course, message["headers"])}
            elif course.replaced:
                if course.told:
                    return
                course.told = True
                message = {"type": "http.response.body", "body": _content(course)}
            await send(message)

        async def receiving() -> Message:
            return await self._receive(course, receive)

        try:
            if self._active > self._settings.concurrent and scope["path"] not in _ALWAYS:
                self._metrics.limited.labels("concurrency").inc()
                raise Problem(503, "busy", "请求过多，请稍后再试 too many requests at the same time", {"Retry-After": "1"})
            _check_headers(scope, self._settings)
            await self._app(scope, receiving, sending)
        except ClientDisconnect:
            course.status = course.status or 499  # nobody hears it; the log does
        except Exception as error:
            problem = as_problem(error)
            if problem is not error:
                kind, _, trace = sys.exc_info()
                log(logging.ERROR, "failure", request_id=scope["request_id"], **failure(kind or Exception, trace))
            if course.status:
                raise RuntimeError("failed after the answer had begun") from None  # the server closes the connection
            course.problem = problem
            await sending({"type": "http.response.start", "status": problem.status_code, "headers": []})
            await sending({"type": "http.response.body", "body": b""})

    async def _receive(self, course: _Course, receive: Receive) -> Message:
        """Take the next piece of the body, if it comes in time and fits."""
        if course.complete:
            return await receive()  # waits for the client to go
        if course.problem is not None:
            raise course.problem
        try:
            async with asyncio.timeout(max(0.0, course.deadline - time.monotonic())):
                message = await receive()
        except TimeoutError:
            seconds = f"{self._settings.body_seconds:g}"
            course.problem = Problem(408, "timeout", f"请求体须在 {seconds} 秒内到达 the body must arrive within {seconds} s", {"Connection": "close"})
            raise course.problem from None
        if message["type"] == "http.request":
            course.received += len(message.get("body", b""))
            course.complete = not message.get("more_body", False)
            if course.received > self._settings.max_body:
                course.problem = _too_large(self._settings)
                raise course.problem
        return message

    def _instead(self, course: _Course) -> Message:
        """Begin the answer that tells of a problem, whatever the application made of it."""
        problem = course.problem
        assert problem is not None  # noqa: S101 - narrows the type
        content = _content(course)
        given = {"content-type": problems.MEDIA_TYPE, "content-length": str(len(content)), **(problem.headers or {})}
        headers = [(name.lower().encode(), value.encode()) for name, value in given.items()]
        return {"type": "http.response.start", "status": problem.status_code, "headers": headers}

    def _headers(self, course: _Course, given: Any) -> list[tuple[bytes, bytes]]:  # noqa: ANN401 - pairs of bytes
        headers = list(given)
        there = {name.lower() for name, _ in headers}
        more = {**self._safety, **course.headers, "x-request-id": course.scope["request_id"]}
        if not course.complete and _has_body(course.scope):
            more["connection"] = "close"  # what nobody reads must not keep the connection
        headers += [(name.encode(), value.encode()) for name, value in more.items() if name.encode() not in there]
        return headers

    def _tell(self, course: _Course) -> None:
        """Count and log a request that is over."""
        scope, seconds = course.scope, time.monotonic() - course.started
        route = route_of(scope)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        self._metrics.observe(method, route, course.status, seconds)
        log(
            logging.INFO, "request", request_id=scope["request_id"], key=scope.get("key_id"), method=method, route=route,
            status=course.status, ms=round(seconds * 1000, 1),
        )  # fmt: skip


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})


def route_of(scope: Scope) -> str:
    """Return the template of the route that took a request; a path itself may hold anything."""
    route = scope.get("route")
    return str(getattr(route, "path", "")) or "unmatched"


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id":
            text = str(value, "latin-1")
            if _REQUEST_ID.fullmatch(text):
                return text
    return uuid.uuid4().hex


def _has_body(scope: Scope) -> bool:
    return any(name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in scope["headers"])


def _check_headers(scope: Scope, settings: ServiceSettings) -> None:
    """Refuse what can be refused before a byte of the body is read."""
    if sum(len(name) + len(value) + 4 for name, value in scope["headers"]) + len(scope.get("raw_path") or b"") > settings.max_header:
        raise Problem(431, "header-too-large", "请求头过大 the headers are too large", {"Connection": "close"})
    for name, value in scope["headers"]:
        if name == b"content-length" and (not value.isdigit() or len(value) > 18 or int(value) > settings.max_body):
            raise _too_large(settings)


def _too_large(settings: ServiceSettings) -> Problem:
    limit = f"{settings.max_body:,}"
    return Problem(413, "body-too-large", f"请求体上限 {limit} 字节 the body may have {limit} bytes", {"Connection": "close"})


def _content(course: _Course) -> bytes:
    problem = course.problem
    assert problem is not None  # noqa: S101 - narrows the type
    return problems.body(problem.status_code, problem.kind, str(problem.detail), course.scope["request_id"], **problem.more)

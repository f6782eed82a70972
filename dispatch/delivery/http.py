"""One attempt to hand a message to a receiver by HTTP, and what its answer means."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache

import certifi
import httpx
import orjson

from dispatch.delivery.envelope import CONTENT_TYPE
from dispatch.delivery.retry import retry_after
from dispatch.delivery.signing import TOLERANCE, sign
from dispatch.delivery.subscribers import Settings

#: Bytes of an answer that are looked at; none is kept.
MOST_ANSWER = 65_536
_GONE, _TOO_MANY, _UNAVAILABLE = 410, 429, 503
#: 4xx that say nothing against the message: timeout, too early, too many.
_PASSING = frozenset({408, 425, 429})
#: Answers that speak of the message; any other failure speaks of the receiver or the way there.
_ABOUT_MESSAGE = frozenset({400, 406, 409, 413, 415, 422})


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of an attempt.

    Attributes:
        ok: the receiver has it.
        answer: HTTP status, if there was one.
        error: what went wrong, without anything the receiver wrote.
        refused: the receiver understood and said no; more attempts will hardly help.
        gone: the receiver wants nothing any more (410).
        wait: seconds that the receiver asked for.
        receiver: the failure is about the receiver as a whole, so other messages will hardly fare better.
    """

    ok: bool
    answer: int | None = None
    error: str | None = None
    refused: bool = False
    gone: bool = False
    wait: float | None = None
    receiver: bool = False


@cache
def _trust() -> ssl.SSLContext:
    """Return whom to believe: the machine's own list of authorities, where a city adds its own, and the one of browsers."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def client(settings: Settings) -> httpx.AsyncClient:
    """Return a client with one connection, which is kept: redirects not followed, certificates checked, no proxy.

    Whoever sends many at once has as many clients: a pool looks at all its connections for each request, which for ten takes
    longer than the request.
    """
    return httpx.AsyncClient(
        timeout=httpx.Timeout(settings.read_seconds, connect=settings.connect_seconds, pool=None),
        limits=httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=30),
        verify=_trust(),
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": "minqing", "Accept": "*/*", "Accept-Encoding": "identity"},
    )


async def attempt(
    http: httpx.AsyncClient, address: str, body: bytes, message_id: str, secrets: list[str], settings: Settings
) -> Attempt:
    """Post a signed message once."""
    headers = sign(message_id, dt.datetime.now(dt.UTC), body, secrets) | {"Content-Type": CONTENT_TYPE}
    try:
        async with (
            asyncio.timeout(settings.total_seconds),
            http.stream("POST", address, content=body, headers=headers) as answer,
        ):
            text = await _read(answer)
    except TimeoutError:
        return Attempt(False, error=f"no whole answer within {settings.total_seconds:g} s", receiver=True)
    except httpx.TimeoutException as error:
        kind = "connection" if isinstance(error, httpx.ConnectTimeout) else "answer"
        return Attempt(False, error=f"no {kind} in time", receiver=True)
    except httpx.RequestError as error:  # its text may quote what came
        return Attempt(False, error=f"connection failed: {type(error).__name__}", receiver=True)
    except (httpx.InvalidURL, ValueError, OSError) as error:
        return Attempt(False, error=f"cannot send: {type(error).__name__}", receiver=True)
    return judged(answer, text, dt.datetime.now(dt.UTC))


async def _read(answer: httpx.Response) -> bytes | None:
    """Return the body, None if it is longer than it may be."""
    parts, size = [], 0
    async for part in answer.aiter_raw():
        size += len(part)
        if size > MOST_ANSWER:
            return None
        parts.append(part)
    return b"".join(parts)


def judged(answer: httpx.Response, text: bytes | None, now: dt.datetime) -> Attempt:
    """Return what an answer means."""
    status = answer.status_code
    if answer.is_success:
        garbage = _garbage(answer, text)
        return Attempt(not garbage, status, f"HTTP {status}, but {garbage}" if garbage else None, receiver=bool(garbage))
    if status == _GONE:
        return Attempt(False, status, "HTTP 410: the receiver wants nothing any more", gone=True, receiver=True)
    wait = retry_after(answer.headers.get("Retry-After"), now) if status in (_TOO_MANY, _UNAVAILABLE) else None
    error = f"HTTP {status}"
    if 300 <= status < 400:
        error += ": redirects are not followed"
    elif skew := _skew(answer, now):
        error += f"; the receiver's clock differs by {skew:.0f} s"
    refused = 300 <= status < 500 and status not in _PASSING
    return Attempt(False, status, error, refused=refused, wait=wait, receiver=status not in _ABOUT_MESSAGE)


def _garbage(answer: httpx.Response, text: bytes | None) -> str | None:
    """Return why a success is not believed: a log-in page or a broken proxy answers 200 as well."""
    if text is None:
        return f"the answer is longer than {MOST_ANSWER} bytes"
    if not text.strip():
        return None
    kind = answer.headers.get("Content-Type", "text/plain").partition(";")[0].strip().lower()
    if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
        return "the answer is packed, which was not asked for"
    if kind == "application/json" or kind.endswith("+json"):
        try:
            orjson.loads(text)
        except orjson.JSONDecodeError:
            return "the answer calls itself JSON and is none"
        return None
    if kind != "text/plain":
        return "the answer is neither empty, JSON nor plain text: a web page?"
    try:
        text.decode()
    except UnicodeDecodeError:
        return "the answer is no text"
    return None


def _skew(answer: httpx.Response, now: dt.datetime) -> float:
    """Return by how many seconds the clocks differ, 0 where that cannot be why a signature was refused."""
    try:
        there = parsedate_to_datetime(answer.headers.get("Date", ""))
        differs = (there - now).total_seconds()
    except (ValueError, TypeError):
        return 0.0
    return differs if abs(differs) > TOLERANCE else 0.0

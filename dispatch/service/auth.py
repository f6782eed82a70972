"""Who may do what: a bearer key with the scope that a route asks for."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import Request, Security
from fastapi.openapi.models import HTTPBearer as HTTPBearerModel
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase

from dispatch.service.context import service_of
from dispatch.service.keys import Key
from dispatch.service.limits import Buckets, is_loopback, network
from dispatch.service.problems import Problem

#: The same whatever was wrong: absent, malformed, unknown, wrong, expired or revoked.
_NO_KEY = "请在 Authorization: Bearer 里给出有效的密钥 give a valid key as Authorization: Bearer"


class _Bearer(SecurityBase):
    """Tells the OpenAPI document of the scheme; the key itself is checked below."""

    def __init__(self) -> None:
        self.model = HTTPBearerModel(description="`mq_…`, made by `minqing keys add`.")
        self.scheme_name = "key"

    async def __call__(self, request: Request) -> str:
        """Return the text of the key, "" if there is none."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        return text.strip() if scheme.lower() == "bearer" else ""


bearer = _Bearer()


async def authorize(request: Request, scopes: SecurityScopes, text: Annotated[str, Security(bearer)]) -> Key:
    """Return the key of a request that may do what the route asks for.

    Raises:
        Problem: 401 without saying what was wrong, 403 for a missing scope, 429 for too many guesses or requests.
    """
    return await check(request, scopes.scopes, text)


async def check(request: Request, scopes: list[str], text: str) -> Key:
    """Do what `authorize` says."""
    service = service_of(request)
    client = network(request.client.host) if request.client else ""
    if not service.guesses.take(client, 0).ok:
        wait = service.guesses.take(client, 0).wait
        service.metrics.limited.labels("guesses").inc()
        raise Problem(429, "too-many-requests", "失败次数过多 too many failed attempts from this address", {"Retry-After": str(wait)})
    key = await service.keys.find(text)
    if key is None:
        service.guesses.take(client)
        service.metrics.limited.labels("key").inc()
        raise Problem(401, "unauthorized", _NO_KEY, {"WWW-Authenticate": 'Bearer realm="minqing"'})
    request.scope["key_id"] = key.key_id
    _count(request, service.rates, key)
    missing = [scope for scope in scopes if scope not in key.scopes]
    if missing:
        told = {"WWW-Authenticate": f'Bearer realm="minqing", error="insufficient_scope", scope="{" ".join(missing)}"'}
        raise Problem(403, "forbidden", f"密钥缺少 {', '.join(missing)} the key lacks {', '.join(missing)}", told)
    return key


def _count(request: Request, rates: Buckets, key: Key) -> None:
    allowed = rates.take(key.key_id)
    headers = request.scope["answer_headers"]
    full = math.ceil(rates.burst / rates.rate)
    headers["ratelimit-policy"] = f'"key";q={rates.burst};w={full}'
    headers["ratelimit"] = f'"key";r={allowed.left};t={allowed.wait}'
    if not allowed.ok:
        service_of(request).metrics.limited.labels("rate").inc()
        raise Problem(429, "too-many-requests", "这个密钥的请求过于频繁 too many requests with this key", {"Retry-After": str(allowed.wait)})


def from_this_machine(request: Request) -> bool:
    """Tell whether a request comes from this machine itself and was not handed on by a proxy."""
    handed_on = any(name in request.headers for name in ("forwarded", "x-forwarded-for", "x-real-ip"))
    return bool(request.client and is_loopback(request.client.host) and not handed_on)

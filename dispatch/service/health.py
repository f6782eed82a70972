"""Whether the process is alive, whether it can work, and its metrics."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from dispatch.service.auth import bearer, check, from_this_machine
from dispatch.service.bodies import json_answer
from dispatch.service.context import Service, service_of
from dispatch.service.openapi import MAYBE_KEY, problems
from dispatch.service.schemas import Health, Ready
from dispatch.store import schema

router = APIRouter(tags=["operation"])
#: Seconds after which a store that says nothing counts as away.
_PATIENCE = 3.0


@router.get("/healthz", summary="Alive", operation_id="healthz", response_model=Health, responses=problems(keyless=True))
async def healthz(request: Request) -> Response:
    """Tell that the process answers; nothing else is looked at."""
    return json_answer(request, {"status": "ok"})


@router.get(
    "/readyz", summary="Ready", operation_id="readyz", response_model=Ready,
    responses={**problems(keyless=True), 503: {"model": Ready, "description": "Something is not well."}},
)  # fmt: skip
async def readyz(request: Request) -> Response:
    """Tell whether the store answers and has the shape this program needs, models are loaded and petitions are taken."""
    service = service_of(request)
    try:
        async with asyncio.timeout(_PATIENCE):
            store, current = await run_in_threadpool(_store, service)
    except TimeoutError:
        store = current = False
    checks = {"store": store, "schema": current, "models": bool(service.scorer.model_version), "queue": service.running}
    ready = all(checks.values())
    return json_answer(request, {"status": "ready" if ready else "not ready", "checks": checks}, 200 if ready else 503)


def _store(service: Service) -> tuple[bool, bool]:
    try:
        with service.store.reading() as connection:
            return True, schema.version(connection) == schema.HEAD
    except SQLAlchemyError:
        return False, False


@router.get(
    "/metrics", summary="Metrics", operation_id="metrics", openapi_extra=MAYBE_KEY, response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}, **problems()},
)  # fmt: skip
async def metrics(request: Request) -> Response:
    """Return the metrics for Prometheus: to this machine, or with a key that has the scope metrics:read."""
    service = service_of(request)
    if not service.settings.public_metrics and not from_this_machine(request):
        await check(request, ["metrics:read"], await bearer(request))
    return Response(await run_in_threadpool(service.metrics.text), media_type=CONTENT_TYPE_LATEST)

"""The application, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from dispatch import console
from dispatch.service import decisions, health, open311, openapi, problems, suggestions
from dispatch.service.context import Service
from dispatch.service.guard import Guard


def create_app(service: Service) -> FastAPI:
    """Return the application over the parts of a service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await service.batcher.start()
        service.running = True
        try:
            yield
        finally:
            service.running = False
            await service.batcher.stop()

    # The pages of documentation that FastAPI offers load their scripts from the network.
    app = FastAPI(title="minqing 民情", version="1", docs_url=None, redoc_url=None, redirect_slashes=False, lifespan=lifespan)
    app.state.service = service
    problems.install(app)
    openapi.install(app)
    app.add_middleware(Guard, settings=service.settings, metrics=service.metrics)
    app.include_router(health.router)
    app.include_router(suggestions.router)
    app.include_router(decisions.router)
    if service.settings.open311:
        app.include_router(open311.router)
    console.install(app, service)
    return app

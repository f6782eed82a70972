"""The application, put together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.util import find_spec

from fastapi import FastAPI

from dispatch.service.context import Service


def create_app(service: Service) -> FastAPI:
    """Return the application over the parts of a service."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield

    app = FastAPI(title="minqing 民情", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    if find_spec("dispatch.console"):
        from dispatch.console import install

        install(app, service)
    return app

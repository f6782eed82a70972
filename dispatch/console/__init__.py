"""The console for reviewers: server-rendered pages behind a login, served by the process of the HTTP service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastapi import FastAPI

    from dispatch.service.context import Service

#: Logins looked at or waiting at the same time; each takes a thread that requests need too. More are told to come again.
DOOR = 8


def install(app: FastAPI, service: Service) -> None:
    """Add the pages of the console to an application whose state holds the service."""
    from dispatch.console import door, event_pages, files, petition_pages, queue_pages
    from dispatch.console.live import Cached, Claims
    from dispatch.console.web import add_error_pages

    app.state.console_door = asyncio.Semaphore(DOOR)
    app.state.console_cached, app.state.console_claims = Cached(), Claims()
    add_error_pages(app)
    for part in (door, queue_pages, petition_pages, event_pages, files):
        app.include_router(part.router, include_in_schema=False)
    files.mount(app)

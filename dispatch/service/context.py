"""What every request of the service works with."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request

from dispatch.scoring import Scorer
from dispatch.service.settings import ServiceSettings
from dispatch.store import Store


@dataclass(slots=True)
class Service:
    """The parts of a running service; `app.state.service` in handlers, or `service_of(request)`.

    Attributes:
        store: blocking: call it in a thread.
        scorer: blocking: call it in a thread.
        watch_history: lines of `minqing watch` (JSONL), for the console; need not exist.
    """

    store: Store
    scorer: Scorer
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    watch_history: Path | None = None


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    found: Service = request.app.state.service
    return found

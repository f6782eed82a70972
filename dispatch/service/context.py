"""What every request of the service works with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fastapi import Request
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric

from dispatch.scoring import Scorer
from dispatch.service.batching import Batcher
from dispatch.service.keys import KeyRing
from dispatch.service.limits import Buckets
from dispatch.service.metrics import Metrics, StoreCollector
from dispatch.service.scoring import Maker
from dispatch.service.settings import ServiceSettings
from dispatch.store import Store


@dataclass(slots=True)
class Service:
    """The parts of a running service; `app.state.service` in handlers, or `service_of(request)`.

    Attributes:
        store: blocking: call it in a thread.
        scorer: blocking: call it in a thread.
        watch_history: lines of `minqing watch` (JSONL), for the console; need not exist.
        scorer_error: why the newest models or files do not serve; "" where they do.
        make: makes scorer and store in another process, where petitions are scored then; None: here, in a thread.
        running: petitions are taken.
        batcher: scores single petitions together; runs while the application does.
        keys, rates, guesses: who may ask, and how much.
    """

    store: Store
    scorer: Scorer
    settings: ServiceSettings = field(default_factory=ServiceSettings)
    watch_history: Path | None = None
    metrics: Metrics = field(default_factory=Metrics)
    scorer_error: Callable[[], str] = lambda: ""
    make: Maker | None = None
    running: bool = False
    batcher: Batcher = field(init=False)
    keys: KeyRing = field(init=False)
    rates: Buckets = field(init=False)
    guesses: Buckets = field(init=False)

    def __post_init__(self) -> None:
        """Make the parts that follow from the settings."""
        settings = self.settings
        self.batcher = Batcher(self.scorer, self.store, heard=self._heard, make=self.make)
        self.keys = KeyRing(self.store, settings.key_cache_seconds)
        self.rates = Buckets(settings.rate, settings.burst)
        self.guesses = Buckets(settings.guesses / 60, settings.guesses)
        self.metrics.registry.register(StoreCollector(self))

    def _heard(self, rows: int, seconds: float) -> None:
        self.metrics.batch_rows.observe(rows)
        self.metrics.batch_seconds.observe(seconds)

    def more_metrics(self) -> Iterable[Metric]:
        """Return what the parts say of themselves."""
        yield GaugeMetricFamily("minqing_petitions_waiting", "Petitions that no batch has taken yet.", value=self.batcher.waiting)
        failed = bool(self.scorer_error())
        yield GaugeMetricFamily("minqing_champion_failed", "Whether a newer champion or file could not be taken into service.", value=failed)


def service_of(request: Request) -> Service:
    """Return the service that a request came to."""
    found: Service = request.app.state.service
    return found

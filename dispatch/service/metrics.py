"""Metrics for Prometheus: of the process as it runs, and of the store as it stands when asked."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from dispatch.delivery.queue import UNFINISHED
from dispatch.store.outbox import now
from dispatch.store.tables import OPEN, api_keys, counters, deliveries, outbox, petitions, subscribers

if TYPE_CHECKING:
    from dispatch.service.context import Service

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_ROWS = (1, 2, 4, 8, 16, 32, 64)
#: Seconds for which what the store said is told again: many may ask for the metrics.
_KEPT = 5.0


class Metrics:
    """The registry of one application and what is counted in it; labels are routes and states, never a petition's."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nothing reads
        self.registry = CollectorRegistry(auto_describe=False)
        self.requests = Counter("minqing_http_requests", "Requests answered.", ["method", "route", "status"], registry=self.registry)
        self.seconds = Histogram("minqing_http_seconds", "From the first line to the last byte.", ["route"], buckets=_SECONDS, registry=self.registry)
        self.active = Gauge("minqing_http_active", "Requests being answered.", registry=self.registry)
        self.limited = Counter("minqing_http_limited", "Requests turned away.", ["why"], registry=self.registry)
        self.batch_rows = Histogram("minqing_batch_petitions", "Petitions scored in one call.", buckets=_ROWS, registry=self.registry)
        self.batch_seconds = Histogram("minqing_batch_seconds", "Seconds of one call, storing included.", buckets=_SECONDS, registry=self.registry)
        self.petitions = Counter("minqing_petitions", "Petitions that came in.", ["outcome"], registry=self.registry)
        self.decisions = Counter("minqing_decisions", "Decisions recorded by the API.", ["verdict"], registry=self.registry)

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        self.requests.labels(method, route, str(status)).inc()
        self.seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)


class StoreCollector(Collector):
    """What the store, the scorer and the batcher say when the metrics are asked for. Blocking: ask in a thread."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kept: list[Metric] = []
        self._at = -float("inf")

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the store when the collector is registered."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics."""
        yield from self._models()
        if time.monotonic() - self._at > _KEPT:
            try:
                self._kept = list(self._store())
                up = 1
            except SQLAlchemyError:
                self._kept, up = [], 0
            self._kept.append(_gauge("minqing_store_up", "Whether the store answers.", up))
            self._at = time.monotonic()
        yield from self._kept

    def _models(self) -> Iterator[Metric]:
        scorer = self._service.scorer
        info = GaugeMetricFamily("minqing_champion_info", "Versions in service; always 1.", labels=["model", "config"])
        info.add_metric([scorer.model_version, scorer.config_version], 1)
        yield info
        yield from self._service.more_metrics()

    def _store(self) -> Iterator[Metric]:
        with self._service.store.reading() as connection:
            head = connection.execute(select(counters.c.value).where(counters.c.name == "outbox")).scalar_one_or_none() or 0
            yield _gauge("minqing_outbox_position", "Last position of the outbox.", head)
            lag = GaugeMetricFamily("minqing_outbox_lag", "Messages that are not fanned out to the subscriber yet.", labels=["subscriber"])
            age = GaugeMetricFamily("minqing_outbox_oldest_seconds", "Age of the oldest message not fanned out.", labels=["subscriber"])
            for name, position in connection.execute(select(subscribers.c.name, subscribers.c.position).where(subscribers.c.active == 1)):
                lag.add_metric([name], max(0, head - position))
                first = select(outbox.c.at).where(outbox.c.position > position).order_by(outbox.c.position).limit(1)
                at = connection.execute(first).scalar_one_or_none()
                age.add_metric([name], max(0.0, (now() - at).total_seconds()) if at else 0.0)
            yield lag
            yield age
            states = GaugeMetricFamily("minqing_deliveries", "Deliveries that are not done, by state.", labels=["subscriber", "status"])
            query = select(deliveries.c.subscriber, deliveries.c.status, func.count()).where(deliveries.c.status.in_(UNFINISHED))
            for subscriber, status, count in connection.execute(query.group_by(deliveries.c.subscriber, deliveries.c.status)):
                states.add_metric([subscriber, status], count)
            yield states
            undecided = select(func.count()).select_from(petitions).where(petitions.c.state == OPEN)
            yield _gauge("minqing_petitions_undecided", "Petitions that wait for a decision.", connection.execute(undecided).scalar_one())
            usable = select(func.min(api_keys.c.expires_at)).where(api_keys.c.revoked_at.is_(None), api_keys.c.expires_at > now())
            ends = connection.execute(usable).scalar_one_or_none()
            if ends is not None:
                left = (ends - now()).total_seconds()
                yield _gauge("minqing_api_key_next_expiry_seconds", "Until the next API key expires.", left)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, value=value)

"""The service, put together from models, store and settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits

from corpora.workspace import store_address, workspace
from dispatch.service import Service, ServiceSettings
from dispatch.service.server import Address, serve
from dispatch.store import Store
from flows.scoring import LiveScorer

#: Between two looks for another champion, here; where petitions are scored it is a second.
_SECONDS = 5.0


def scorer_and_store(units: Path | None, places: Path | None, config: Path | None) -> tuple[LiveScorer, Store]:
    """Return what scores and keeps petitions, in the process that does so."""
    threadpool_limits(1)
    scorer = LiveScorer(units, places, config)
    scorer.start()
    return scorer, Store.open(store_address())


def run(
    address: Address,
    units: Path | None,
    places: Path | None,
    config: Path | None,
    reports: Mapping[str, Path],
    switches: Mapping[str, Any],
    listening: Callable[[str], None],
) -> None:
    """Serve until told to stop.

    Raises:
        dispatch.service.server.ServeError: if the address is not to be had.
        dispatch.store.StoreError: if the store cannot be opened.
        models.serving.NotReadyError: if there is neither a unit directory nor a unit model.
    """
    threadpool_limits(1)
    settings = ServiceSettings(
        tls=address.tls,
        public_metrics=switches["public_metrics"],
        open311=not switches["no_open311"],
        open311_public=switches["open311_public"],
        open311_titles=switches["open311_titles"],
        rate=switches["rate"],
        burst=max(1, int(2 * switches["rate"])),
        max_petitions=switches["max_petitions"],
        reports=dict(reports),
    )
    # This one routes refused petitions again and names units; it looks less often, so that the two do not load at the same time.
    scorer = LiveScorer(units, places, config, seconds=_SECONDS)
    with Store.open(store_address()) as store:
        history = workspace() / "watch" / "history.jsonl"
        make = partial(scorer_and_store, units, places, config)
        service = Service(store, scorer, settings, history, scorer_error=lambda: scorer.status().error, make=make)
        scorer.start()
        try:
            serve(service, address, listening)
        finally:
            scorer.stop()

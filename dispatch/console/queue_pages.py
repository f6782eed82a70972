"""The overview, the queue and the workload."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from fastapi import APIRouter
from starlette.responses import Response

from corpora.issue_tree import IssueTree
from dispatch.console import overview, queries
from dispatch.console.filters import DUE, STATES, Filters
from dispatch.console.queries import COUNTED, Key
from dispatch.console.show import path
from dispatch.console.web import Page, Reader
from dispatch.console.workload import AGES, DAYS, Workload, workload
from dispatch.labels import DECISION_NAMES, URGENCY_LEVELS

router = APIRouter()
#: Counts above the queue, by the name of their text.
CHIPS = {
    "open": Filters(), "review": Filters(decision="review"), "critical": Filters(urgency="critical"), "urgent": Filters(urgency="urgent"), "overdue": Filters(due="overdue"),
    "today": Filters(due="today"), "soon": Filters(due="soon"),
}  # fmt: skip


@router.get("/")
def front(page: Reader) -> Response:
    """Show how things stand."""
    today = dt.date.today()
    found = page.request.app.state.console_cached.get("overview", lambda: overview.overview(page.service, today))
    return page.render("overview.html.j2", now=found, load=_load(page, today), ages=AGES, levels=URGENCY_LEVELS[::-1])


@router.get("/queue")
def queue(page: Reader) -> Response:
    """Show a page of the queue, as filtered."""
    today, asked = dt.date.today(), page.request.query_params
    filters = wanted(page)
    with page.service.store.reading() as connection:
        ids = queries.beginning(connection, filters)
        if ids and filters.text in ids:
            return page.go(path("petitions", filters.text))
        shown = queries.listed(connection, filters, today, ids, after=Key.of(asked.get("after", "")), before=Key.of(asked.get("before", "")))
        count, *chips = queries.counts(connection, [filters, *CHIPS.values()], today, ids)
    return page.render(
        "queue.html.j2", shown=shown, count=count, capped=COUNTED, chips=list(zip(CHIPS, chips, (chip.query for chip in CHIPS.values()), strict=True)), filters=filters, names=names(page),
        units=page.service.scorer.units(), issues=IssueTree.load().children(None), levels=URGENCY_LEVELS[::-1], dues=DUE,
        decisions=list(DECISION_NAMES), states=STATES,
    )  # fmt: skip


@router.get("/workload")
def loads(page: Reader) -> Response:
    """Show who has how much."""
    load = _load(page, dt.date.today())
    most = max((unit.open for unit in load.units), default=1)
    return page.render("workload.html.j2", load=load, most=most, names=names(page), ages=AGES, days=DAYS)


@router.get("/help")
def help_page(page: Reader) -> Response:
    """Show what keys do."""
    return page.render("help.html.j2")


def names(page: Page) -> Mapping[str, str]:
    """Return the names of today's units by code."""
    return {unit.code: unit.name for unit in page.service.scorer.units()}


def wanted(page: Page) -> Filters:
    """Return the filters of the address; a unit may be named as people name it."""
    filters = Filters.of(page.request.query_params)
    if filters.unit and filters.unit != "-":
        filters = filters.but(unit=page.service.scorer.resolve(filters.unit) or filters.unit)
    return filters


def _load(page: Page, today: dt.date) -> Workload:
    def make() -> Workload:
        with page.service.store.reading() as connection:
            return workload(connection, today)

    found: Workload = page.request.app.state.console_cached.get("workload", make)
    return found

"""The queue in SQL against the same queue in Python: on both databases."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from console_kit import TODAY, Scorer, fill, recent
from sqlalchemy import select

from dispatch import feedback
from dispatch.console import queries
from dispatch.console.filters import Filters
from dispatch.console.queries import Key
from dispatch.console.workload import workload
from dispatch.labels import URGENCY_LEVELS
from dispatch.store import Store
from dispatch.store.tables import NO_DEADLINE, petitions

COUNT = 330


@pytest.fixture
def store(store_url):
    with Store.open(store_url) as opened:
        fill(opened, recent(COUNT))
        yield opened


def expected(filters: Filters) -> list[str]:
    def due(row):
        return row["deadline"]["date"] or NO_DEADLINE

    def wanted(row):
        unit = row["lead_unit"]["code"] if row["lead_unit"] else "-"
        spans = {
            "": True, "overdue": due(row) < TODAY, "today": due(row) == TODAY,
            "soon": TODAY <= due(row) <= TODAY + dt.timedelta(days=3),
        }  # fmt: skip
        return (
            filters.unit in ("", unit)
            and filters.urgency in ("", row["urgency"]["level"])
            and row["issue_type"]["code"].startswith(filters.issue)
            and filters.decision in ("", row["decision"])
            and filters.event in ("", row["event_group"])
            and row["petition_id"].startswith(filters.text)
            and spans[filters.due]
        )

    chosen = [row for row in recent(COUNT) if wanted(row)]
    chosen.sort(key=lambda row: (-URGENCY_LEVELS.index(row["urgency"]["level"]), due(row), row["petition_id"]))
    return [row["petition_id"] for row in chosen]


CASES = [
    Filters(), Filters(unit="LG-D01"), Filters(unit="-"), Filters(urgency="urgent"), Filters(urgency="normal"), Filters(issue="01"),
    Filters(decision="auto"), Filters(decision="review", issue="06"), Filters(due="overdue"), Filters(due="today"), Filters(due="soon"),
    Filters(event="ev_小区停水"), Filters(text="202405060000001"), Filters(unit="LG-D02", due="soon", decision="review"),
    Filters(unit="nowhere"), Filters(state="accepted"),
]  # fmt: skip


@pytest.mark.parametrize("filters", CASES, ids=str)
def test_pages_forth_and_back_give_the_queue_in_order(store, filters):
    want = [] if filters.state else expected(filters)
    with store.reading() as connection:
        ids = queries.beginning(connection, filters)
        page = queries.listed(connection, filters, TODAY, ids)
        pages = [page]
        while page.after:
            page = queries.listed(connection, filters, TODAY, ids, after=page.after)
            pages.append(page)
        assert [line.key.petition_id for page in pages for line in page.lines] == want
        assert all(len(page.lines) <= queries.PAGE for page in pages)
        assert pages[0].before is None
        back = [pages[-1]]
        while back[-1].before:
            back.append(queries.listed(connection, filters, TODAY, ids, before=back[-1].before))
        assert [line.key.petition_id for page in reversed(back) for line in page.lines] == want
        assert queries.counts(connection, [filters, Filters()], TODAY, ids) == [min(len(want), queries.COUNTED + 1), COUNT]
        for here, after in itertools.pairwise(want[:41]):
            keys = {line.key.petition_id: line.key for page in pages for line in page.lines}
            assert queries.neighbour(connection, filters, TODAY, keys[here]) == after
            assert queries.neighbour(connection, filters, TODAY, keys[after], back=True) == here
        if want:
            assert queries.neighbour(connection, filters, TODAY, pages[0].lines[0].key, back=True) is None
            assert queries.neighbour(connection, filters, TODAY, pages[-1].lines[-1].key) is None


def test_counts_stop(store, monkeypatch):
    monkeypatch.setattr(queries, "COUNTED", 20)
    with store.reading() as connection:
        assert queries.counts(connection, [Filters()], TODAY) == [21]


def test_a_line_says_what_the_queue_shows(store):
    row = next(row for row in recent(COUNT) if row["event_group"] and row["lead_unit"] and row["title"])
    with store.reading() as connection:
        line = queries.lines(connection, [row["petition_id"], "nobody"])[0]
    assert (line.heading, line.issue, line.urgency) == (row["title"], row["issue_type"]["name"], row["urgency"]["level"])
    assert line.top[0][0] == row["lead_unit"]["name"]
    assert line.event_size == sum(other["event_group"] == row["event_group"] for other in recent(COUNT))
    assert line.due == row["deadline"]["date"]


def test_a_decision_moves_a_petition_out_of_the_queue(store):
    first = expected(Filters())[0]
    with store.reading() as connection:
        line = queries.lines(connection, [first])[0]
    feedback.record(store, Scorer(), line.suggestion_id, verdict="accepted", actor="li", source="console")
    with store.reading() as connection:
        assert queries.listed(connection, Filters(), TODAY).lines[0].key.petition_id == expected(Filters())[1]
        assert [line.key.petition_id for line in queries.listed(connection, Filters(state="accepted"), TODAY).lines] == [first]
        # From where it stood one goes on to the next.
        assert queries.neighbour(connection, Filters(), TODAY, line.key) == expected(Filters())[1]


@pytest.mark.parametrize("text", ["%", "_", "\\", "20240506_", "'; DROP TABLE petitions; --"])
def test_what_is_typed_is_no_pattern(store, text):
    with store.reading() as connection:
        assert queries.beginning(connection, Filters(text=text)) == []
        assert queries.listed(connection, Filters(text=text), TODAY, []).lines == []
        assert connection.execute(select(petitions.c.petition_id)).all()


@pytest.mark.parametrize("text", ["", "x", "9.2026-01-01.a", "0.yesterday.a", "0.2026-01-01.", "-1.2026-01-01.a", "0.2026-13-01.a"])
def test_a_key_that_is_none_is_passed_over(text):
    assert Key.of(text) is None


def test_keys_survive_their_address():
    key = Key(2, dt.date(2026, 11, 26), "A.b/中 %")
    assert Key.of(key.text) == key


def test_filters_of_an_address():
    assert Filters.of({"unit": " LG-D01 ", "urgency": "urgent", "issue": "01", "due": "today", "x": "y"}) == Filters(
        unit="LG-D01", urgency="urgent", issue="01", due="today"
    )
    assert Filters.of({"urgency": "very", "issue": "1' OR", "decision": "no", "due": "never", "state": "open"}) == Filters()
    assert Filters.of(dict([pair.split("=") for pair in Filters(unit="LG-D01", due="soon").query.split("&")])) == Filters(unit="LG-D01", due="soon")


def test_workload_adds_up(store):
    rows = recent(COUNT)
    done = [row for row in rows if row["lead_unit"]][:6]
    for row, verdict in zip(done, ("accepted", "accepted", "reassigned", "refused", "accepted", "accepted"), strict=True):
        unit = "LG-E03" if verdict == "reassigned" and row["lead_unit"]["code"] != "LG-E03" else None
        feedback.record(
            store, Scorer(), row["suggestion_id"], verdict=verdict, unit=unit, reason="非本单位职责", actor="li", source="console"
        )
    with store.reading() as connection:
        load = workload(connection, TODAY)
    assert load.open == COUNT - 5  # the refused one is open again
    assert sum(load.levels.values()) == load.open
    assert load.people["li"] == {"accepted": 4, "reassigned": 1, "refused": 1}
    assert sum(sum(unit.verdicts.values()) for unit in load.units) == 6
    assert {unit.unit for unit in load.units} >= {row["lead_unit"]["code"] for row in rows[50:] if row["lead_unit"]}
    assert sum(unit.open for unit in load.units if unit.unit == "") == sum(row["lead_unit"] is None for row in rows)

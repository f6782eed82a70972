"""Who has how much: by unit with the ageing of what waits, and what was decided in the last thirty days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, case, exists, func, select

from dispatch.console.show import SOON
from dispatch.store.outbox import now
from dispatch.store.tables import NO_DEADLINE, OPEN, decisions, petitions

#: The parts of the ageing bar, the most pressing first.
AGES = ("overdue", "today", "soon", "later", "none")
DAYS = 30
_p = petitions.c


@dataclass(slots=True)
class Load:
    """Open petitions of a unit (code, "" for none) by age and by urgency rank, and decisions by verdict."""

    unit: str
    ages: dict[str, int] = field(default_factory=lambda: dict.fromkeys(AGES, 0))
    urgent: int = 0
    first_due: dt.date | None = None
    verdicts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("accepted", "reassigned", "refused"), 0))

    @property
    def open(self) -> int:
        """Petitions that wait for a decision."""
        return sum(self.ages.values())


@dataclass(frozen=True, slots=True)
class Workload:
    """All units with anything to do, the most overdue first; and decisions of people by name and verdict."""

    units: Sequence[Load]
    people: Mapping[str, Mapping[str, int]]
    levels: Mapping[int, int]

    def age(self, name: str) -> int:
        """Return how many open petitions are of an age."""
        return sum(load.ages[name] for load in self.units)

    @property
    def open(self) -> int:
        """Petitions that wait for a decision."""
        return sum(load.open for load in self.units)


def workload(connection: Connection, today: dt.date) -> Workload:
    """Count all open petitions, and the decisions of the last thirty days that still count."""
    loads: dict[str, Load] = {}
    levels: dict[int, int] = {}
    bucket = case(
        (_p.due < today, "overdue"), (_p.due == today, "today"), (_p.due <= today + dt.timedelta(days=SOON), "soon"),
        (_p.due == NO_DEADLINE, "none"), else_="later",
    )  # fmt: skip
    counted = (
        select(_p.unit, _p.urgency_rank, bucket.label("age"), func.count().label("n"), func.min(_p.due).label("first"))
        .where(_p.state == OPEN)
        .group_by(_p.unit, _p.urgency_rank, bucket)
    )
    for unit, rank, name, count, first in connection.execute(counted):
        load = loads.setdefault(unit or "", Load(unit or ""))
        load.ages[name] += count
        load.urgent += count if rank <= 1 else 0
        levels[rank] = levels.get(rank, 0) + count
        if first != NO_DEADLINE:
            load.first_due = min(load.first_due or first, first)
    later = decisions.alias()
    newest = ~exists().where(later.c.suggestion_id == decisions.c.suggestion_id, later.c.number > decisions.c.number)
    made = (
        select(decisions.c.unit, decisions.c.actor, decisions.c.verdict, func.count())
        .where(decisions.c.at >= now() - dt.timedelta(days=DAYS), newest)
        .group_by(decisions.c.unit, decisions.c.actor, decisions.c.verdict)
    )
    people: dict[str, dict[str, int]] = {}
    for unit, actor, verdict, count in connection.execute(made):
        load = loads.setdefault(unit or "", Load(unit or ""))
        load.verdicts[verdict] += count
        person = people.setdefault(actor, dict.fromkeys(load.verdicts, 0))
        person[verdict] += count
    order = sorted(loads.values(), key=lambda load: (-load.ages["overdue"], -load.open, load.unit))
    return Workload(order, dict(sorted(people.items(), key=lambda item: (-sum(item[1].values()), item[0]))), levels)

"""What of the queue a person wants to see, as a query string carries it from page to page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from urllib.parse import urlencode

from dispatch.labels import DECISION_NAMES, URGENCY_NAMES
from dispatch.store.decisions import ACCEPTED, REASSIGNED

DUE = ("overdue", "today", "soon")
STATES = (ACCEPTED, REASSIGNED)
_ISSUE = re.compile(r"[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Filters:
    """"" where a filter does not matter.

    Attributes:
        unit: code of the suggested unit; "-" where none was suggested.
        urgency: a level.
        issue: two digits, the first level of the issue tree.
        decision: auto or review.
        due: overdue, today, or soon (today and the next three days).
        event: an event group.
        text: petition ids begin so.
        state: accepted or reassigned; "" for those that wait for a decision.
    """

    unit: str = ""
    urgency: str = ""
    issue: str = ""
    decision: str = ""
    due: str = ""
    event: str = ""
    text: str = ""
    state: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """Return what a query string asks for; a value that cannot be is passed over."""
        found = {item.name: query.get(item.name, "").replace("\x00", "").strip()[:80] for item in fields(cls)}
        allowed = {"urgency": URGENCY_NAMES, "decision": DECISION_NAMES, "due": DUE, "state": STATES}
        for name, values in allowed.items():
            if found[name] not in values:
                found[name] = ""
        if not _ISSUE.fullmatch(found["issue"]):
            found["issue"] = ""
        return cls(**found)

    @property
    def query(self) -> str:
        """The query string, "" for the whole queue."""
        return urlencode(self.pairs)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Names and values of what is filtered."""
        return [(item.name, value) for item in fields(self) if (value := getattr(self, item.name))]

    @property
    def any(self) -> bool:
        """Whether anything is filtered."""
        return bool(self.query)

    def but(self, **changed: str) -> Filters:
        """Return other filters."""
        return replace(self, **changed)

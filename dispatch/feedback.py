"""A decision and what follows from it: a refused petition is routed again at once, never to that unit."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from dispatch.live import batch_of, store_scored
from dispatch.scoring import Scorer
from dispatch.store import Store
from dispatch.store.decisions import REFUSED, Decision, DecisionError, decide
from dispatch.store.refusals import with_refusals
from dispatch.store.tables import petitions
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.mask import mask_texts


@dataclass(frozen=True, slots=True)
class Outcome:
    """A decision, and the suggestion that replaces a refused one (None otherwise)."""

    decision: Decision
    replacement: str | None


def record(
    store: Store,
    scorer: Scorer,
    suggestion_id: str,
    *,
    verdict: str,
    unit: str | None = None,
    reason: str = "",
    actor: str,
    source: str,
    expected: int | None = None,
    request_id: str | None = None,
) -> Outcome:
    """Record a decision (see `dispatch.store.decisions.decide`) and route a refused petition again, in one transaction.

    Args:
        store: where the suggestion is.
        scorer: routes again.
        suggestion_id: what was decided on.
        verdict: `accepted`, `reassigned` or `refused`.
        unit: code, name or alias of a unit valid today, or None.
        reason: as written; masked here.
        actor: user or API key.
        source: `api` or `console`.
        expected: how many decisions of this suggestion the person had seen; None: does not matter.
        request_id: the same request again gives the same decision.

    Raises:
        DecisionError: as `decide` does, and if there is no such unit.
    """
    code = scorer.resolve(unit) if unit else None
    if unit and code is None:
        msg = f"no unit of today is called {unit[:80]!r}"
        raise DecisionError(msg)
    said = mask_texts(clean_texts([reason]))[0][0] if reason else ""
    with store.writing() as connection:
        made = decide(
            connection, suggestion_id, verdict=verdict, unit=code, reason=said, actor=actor, source=source, expected=expected,
            request_id=request_id,
        )  # fmt: skip
        return Outcome(made, _routed_again(connection, scorer, made) if verdict == REFUSED else None)


def _routed_again(connection: Connection, scorer: Scorer, made: Decision) -> str:
    """Write the next revision of a petition, now that one more unit has refused it; return its suggestion's id."""
    row = connection.execute(select(petitions).where(petitions.c.petition_id == made.petition_id)).one()
    if row.revision > made.revision:  # the same request again: what follows from it is there
        return str(row.suggestion_id)
    names = ("petition_id", "title", "body", "address", "channel", "submitted_at", "source", "row")
    batch = with_refusals(connection, batch_of([{name: getattr(row, name) for name in names}]))
    # As filed, it had another hash than its masked text has: filed again, it must be known again.
    hashes = [row.content_hash]
    return store_scored(connection, scorer, batch, scorer.score(batch, hashes), hashes)[0].suggestion_id

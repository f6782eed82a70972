"""Petitions scored together: order, isolation, limits and ends; with a scorer that only counts."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import BrokenExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import synthetic

from dispatch.live import batch_of
from dispatch.scoring import ScoredBatch, UnitChoice
from dispatch.service.batching import Batcher, BusyError, Scored
from dispatch.store import Store
from pipeline.petitions.prepare import content_hashes
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id


class Counting:
    """Suggests invented units; fails on a petition whose body says so; waits while `gate` is closed."""

    model_version, config_version = "m-1", "c1"

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()

    def score(self, petitions: pa.Table, hashes: Sequence[str] | None = None) -> ScoredBatch:
        ids = petitions["petition_id"].to_pylist()
        self.batches.append(ids)
        self.entered.set()
        assert self.gate.wait(30)
        if "坏" in petitions["body"].to_pylist():
            msg = "cannot be scored"
            raise ValueError(msg)
        hashes = hashes or content_hashes(petitions)
        rows = synthetic.rows(len(ids))
        for row, pid, digest, body, refused in zip(
            rows, ids, hashes, petitions["body"].to_pylist(), petitions["refused_units"].to_pylist(), strict=True
        ):
            key = suggestion_id(pid, digest, self.model_version, self.config_version, refused)
            row |= {"petition_id": pid, "content_hash": digest, "body": body, "refused_units": refused, "suggestion_id": key}
            row |= {"event_group": None, "model_version": self.model_version}
        return ScoredBatch(pa.Table.from_pylist(rows, SUGGESTION_SCHEMA), [b"s" * 8] * len(ids))

    def units(self) -> list[UnitChoice]:
        return []

    def resolve(self, name: str) -> str | None:
        return name

    def issue_name(self, code: str) -> str:
        return code


def letter(number: int, body: str = "路灯不亮") -> dict[str, Any]:
    return {"petition_id": f"B{number}", "body": body}


async def queued(scorer: Counting, batcher: Batcher) -> asyncio.Task[Scored]:
    """Have one petition in work, so that what comes next waits."""
    scorer.gate.clear()
    scorer.entered.clear()
    first = asyncio.create_task(batcher.score(letter(0), store=False))
    assert await asyncio.to_thread(scorer.entered.wait, 30)
    return first


def test_what_arrives_meanwhile_is_the_next_batch() -> None:
    async def main() -> None:
        scorer = Counting()
        batcher = Batcher(scorer, rows=8)
        await batcher.start()
        first = await queued(scorer, batcher)
        rest = [asyncio.create_task(batcher.score(letter(n), store=False)) for n in range(1, 11)]
        await asyncio.sleep(0)
        assert batcher.waiting == 10
        scorer.gate.set()
        done = await asyncio.gather(first, *rest)
        assert scorer.batches == [["B0"], [f"B{n}" for n in range(1, 9)], ["B9", "B10"]]
        assert [f'"petition_id":"B{n}"'.encode() in one.payload for n, one in enumerate(done)] == [True] * 11
        assert all(one.revision is None and not one.new for one in done)
        await batcher.stop()

    asyncio.run(main())


@pytest.mark.parametrize("bad", [{"body": "坏"}, {"body": None}, {"body": 5}, {"submitted_at": "gestern"}, {"refused_units": "甲"}])
def test_one_that_breaks_fails_alone(bad: dict[str, Any]) -> None:
    async def main() -> None:
        scorer = Counting()
        batcher = Batcher(scorer)
        await batcher.start()
        first = await queued(scorer, batcher)
        rest = [asyncio.create_task(batcher.score(letter(n) | (bad if n == 5 else {}), store=False)) for n in range(1, 12)]
        await asyncio.sleep(0)
        scorer.gate.set()
        done = await asyncio.gather(first, *rest, return_exceptions=True)
        assert [n for n, one in enumerate(done) if not isinstance(one, Scored)] == [5]
        assert isinstance(await batcher.score(letter(99), store=False), Scored)
        await batcher.stop()

    asyncio.run(main())


def test_too_many_are_refused_and_nothing_hangs_at_the_end() -> None:
    async def main() -> None:
        scorer = Counting()
        batcher = Batcher(scorer, waiting=3)
        await batcher.start()
        first = await queued(scorer, batcher)
        rest = [asyncio.create_task(batcher.score(letter(n), store=False)) for n in range(1, 4)]
        await asyncio.sleep(0)
        with pytest.raises(BusyError) as caught:
            await batcher.score(letter(4), store=False)
        assert caught.value.retry_after >= 1
        with pytest.raises(BusyError):
            await batcher.score_many([letter(5), letter(6)], store=False)
        end = asyncio.create_task(batcher.stop())
        await asyncio.sleep(0)
        with pytest.raises(BusyError):  # what comes now is not taken, what waits is finished
            await batcher.score(letter(7), store=False)
        scorer.gate.set()
        assert all(isinstance(one, Scored) for one in await asyncio.gather(first, *rest))
        await end

    asyncio.run(main())


def test_who_went_away_is_not_scored() -> None:
    async def main() -> None:
        scorer = Counting()
        batcher = Batcher(scorer)
        await batcher.start()
        first = await queued(scorer, batcher)
        gone, stays = (asyncio.create_task(batcher.score(letter(n), store=False)) for n in (1, 2))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()  # while in work
        await asyncio.sleep(0)
        scorer.gate.set()
        assert isinstance(await stays, Scored)
        assert scorer.batches == [["B0"], ["B2"]]
        await batcher.stop()

    asyncio.run(main())


def test_single_ones_do_not_stand_behind_many() -> None:
    async def main() -> None:
        scorer = Counting()
        batcher = Batcher(scorer, rows=8, many=3)
        await batcher.start()
        first = await queued(scorer, batcher)
        many = asyncio.create_task(batcher.score_many([letter(n) for n in range(100, 120)] + [letter(7, "坏")], store=False))
        await asyncio.sleep(0)
        one = asyncio.create_task(batcher.score(letter(1), store=False))
        await asyncio.sleep(0)
        scorer.gate.set()
        await one
        assert scorer.batches[1] == ["B1", "B100", "B101", "B102"]
        done = await many
        assert [isinstance(item, ValueError) for item in done] == [False] * 20 + [True]
        assert len(scorer.batches[2]) == 8
        await first
        await batcher.stop()

    asyncio.run(main())


def test_stored_in_one_transaction_with_revisions(store_url: str) -> None:
    """The same petition again is unchanged, a changed one the next revision; twice at once is one after the other."""

    async def main(store: Store) -> None:
        scorer = Counting()
        batcher = Batcher(scorer, store)
        await batcher.start()
        first = await queued(scorer, batcher)
        tasks = [asyncio.create_task(batcher.score(item)) for item in (letter(1), letter(2), letter(1), letter(1, "水管爆了"))]
        await asyncio.sleep(0)
        scorer.gate.set()
        one, two, again, changed = await asyncio.gather(*tasks)
        assert [(item.revision, item.new) for item in (one, two, again, changed)] == [(1, True), (1, True), (1, False), (2, True)]
        assert (again.payload, again.suggestion_id) == (one.payload, one.suggestion_id)
        assert scorer.batches[1:] == [["B1", "B2"], ["B1"], ["B1"]]
        with pytest.raises(ValueError, match="cannot be scored"):
            await batcher.score(letter(3, "坏"))
        assert [item.revision for item in await batcher.score_many([letter(4), letter(5)]) if isinstance(item, Scored)] == [1, 1]
        await first
        await batcher.stop()

    with Store.open(store_url) as store:
        asyncio.run(main(store))
        assert store.counts() | {"events": 0, "rejections": 0} == {
            "runs": 1, "petitions": 4, "suggestions": 5, "events": 0, "rejections": 0,
        }  # fmt: skip


def test_a_database_that_is_away_is_asked_once(store_url: str) -> None:
    async def main(store: Store) -> None:
        from sqlalchemy import text

        scorer = Counting()
        batcher = Batcher(scorer, store)
        await batcher.start()
        with store.writing() as connection:
            connection.execute(text("DROP TABLE counters"))
        done = await batcher.score_many([letter(n) for n in range(6)])
        assert not [item for item in done if isinstance(item, Scored)]
        assert len(scorer.batches) == 1
        await batcher.stop()

    with Store.open(store_url) as store:
        asyncio.run(main(store))


def test_what_is_missing_is_empty() -> None:
    row = batch_of([letter(1)]).to_pylist()[0]
    assert row == {
        "petition_id": "B1", "title": "", "body": "路灯不亮", "submitted_at": None, "address": "", "channel": "",
        "issue_type": "", "unit": "", "refused_units": [], "source": "service", "row": 1,
    }  # fmt: skip


def make_counting(address: str) -> tuple[Counting, Store]:
    """Make scorer and store in the other process."""
    return Counting(), Store.open(address)


def make_nothing() -> tuple[Counting, Store]:
    msg = "no model"
    raise ValueError(msg)


def test_in_a_process_of_its_own(tmp_path: Path) -> None:
    """It stores as the thread does, names errors, and is replaced when it dies in the middle of a batch."""

    async def main(store: Store) -> None:
        batcher = Batcher(Counting(), store, make=partial(make_counting, str(tmp_path / "store.sqlite3")))
        await batcher.start()
        one, other = await asyncio.gather(batcher.score(letter(1)), batcher.score(letter(2), store=False))
        assert (one.revision, one.new, other.revision) == (1, True, None)
        with pytest.raises(ValueError, match="cannot be scored"):
            await batcher.score(letter(3, "坏"))
        (process,) = batcher._pool._processes.values()  # type: ignore[union-attr]
        os.kill(process.pid, signal.SIGTERM)  # meant for the service as a whole, which ends in order
        many = asyncio.create_task(batcher.score_many([letter(n) for n in range(10, 60)]))
        await asyncio.sleep(0)
        process.kill()
        assert [item.revision for item in await many if isinstance(item, Scored)] == [1] * 50
        assert (await batcher.score(letter(1))).new is False
        await batcher.stop()

    with Store.open(tmp_path / "store.sqlite3") as store:
        asyncio.run(main(store))
        assert store.counts()["suggestions"] == 51


def test_a_process_that_cannot_begin_is_an_error_at_the_start() -> None:
    async def main() -> None:
        with pytest.raises(BrokenExecutor):
            await Batcher(Counting(), make=make_nothing).start()

    asyncio.run(main())


def test_an_error_that_cannot_travel_is_named() -> None:
    from sqlalchemy.exc import OperationalError

    from dispatch.service.scoring import WorkError, _portable

    told = _portable(OperationalError("INSERT", [memoryview(b"x")], Exception("disk full")))
    assert (type(told), str(told)) == (WorkError, "OperationalError")
    assert isinstance(_portable(ValueError("x")), ValueError)

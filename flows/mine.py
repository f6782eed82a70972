"""The mine flow: policy documents in, legal-basis gaps out."""

from __future__ import annotations

import datetime as dt
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.task_runners import ThreadPoolTaskRunner

from corpora.documents import read_documents
from corpora.legal import PolicyDocument
from corpora.records import Rejection
from corpora.units import CityInfo, UnitDirectory
from corpora.workspace import spool_dir, statute_index_dir, statutes_path
from flows import legal_output, mining
from flows.plan import Progress
from flows.spool import claimed, discard
from flows.workers import Workers

#: Documents of a chunk.
_CHUNK = 16


@task(name="mine", cache_policy=NO_CACHE, persist_result=False, retries=1)
def mine_chunk(workers: Workers, source: Path, target: Path, on: dt.date | None, city: CityInfo | None) -> int:
    """Mine one chunk of documents."""
    return workers.call(
        mining.mine_chunk, source, target, statutes_path(), statute_index_dir(), on, city
    )


@flow(name="mine", task_runner=ThreadPoolTaskRunner(max_workers=8))  # type: ignore[arg-type]  # Prefect's own type
def mine(
    paths: Sequence[str],
    out: str,
    on: dt.date | None = None,
    units: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Find the measures in the policy documents in `paths`, and which of them lack statutory support.

    Args:
        paths: files or folders.
        out: folder for `findings.jsonl`, `findings.xlsx`, `report.html`, `rejected.jsonl` and `run.json`.
        on: date of documents that state none.
        units: directory of the flat city whose documents these are; its orphaned duties are reported too.
        workers: processes; one per core by default.
        progress: told how far the run is.

    Returns:
        What `run.json` says.
    """
    step = progress or Progress()
    Path(out).mkdir(parents=True, exist_ok=True)
    spool = spool_dir() / f"mine-{hashlib.blake2b(str(Path(out).resolve()).encode(), digest_size=8).hexdigest()}"
    city = UnitDirectory.load(Path(units)).city if units else None
    rejected: list[Rejection] = []
    with claimed(spool):
        shutil.rmtree(spool, ignore_errors=True)  # of a run that was killed
        spool.mkdir(mode=0o700)
        with Workers(workers) as pool:
            waiting: list[PrefectFuture[int]] = []
            for number, chunk in enumerate(_chunks(paths, on, rejected)):
                source = spool / f"read-{number:06d}.pickle"
                mining.save(chunk, source)
                if number == 1:
                    pool.start()
                waiting.append(mine_chunk.submit(pool, source, _mined(spool, number), on, city))
            for number, future in enumerate(waiting, 1):
                future.result()
                step(number, len(waiting) + 1)
        run = legal_output.write(
            Path(out), [_mined(spool, number) for number in range(len(waiting))], rejected, on, Path(units) if units else None
        )
        step(len(waiting) + 1, len(waiting) + 1)
        discard(spool)
    create_markdown_artifact(legal_output.summary(run), key="mine-summary", description="minqing mine")
    return run


def _mined(spool: Path, number: int) -> Path:
    return spool / f"mined-{number:06d}.pickle"


def _chunks(paths: Sequence[str], on: dt.date | None, rejected: list[Rejection]) -> Iterator[Sequence[PolicyDocument]]:
    """Yield documents by chunks, and put what cannot be read into `rejected`."""

    def good() -> Iterator[PolicyDocument]:
        for item in read_documents([Path(path) for path in paths], on):
            if isinstance(item, Rejection):
                rejected.append(item)
            else:
                yield item

    documents = good()
    while chunk := list(islice(documents, _CHUNK)):
        yield chunk

"""The end of the mine flow: files, report and summary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import orjson

from corpora.legal import ArticleNumber
from corpora.records import Rejection
from corpora.statutes import Statutes
from corpora.workspace import statute_index_dir, statutes_path
from dispatch.legal_files import FindingFiles, Mined
from dispatch.legal_report import LegalReport
from flows import mining
from flows.statute_base import orphaned
from pipeline.policies.duties import Duty


def write(
    out: Path, chunks: Sequence[Path], rejected: Sequence[Rejection], on: dt.date | None, units: Path | None
) -> dict[str, Any]:
    """Write the results of mined chunks into `out`; return what `run.json` says.

    Args:
        out: the folder.
        chunks: files of mined documents.
        rejected: documents that could not be read.
        on: date of documents that state none.
        units: unit directory of the flat city whose orphaned duties are to be reported, or None.
    """
    statutes = Statutes.open(statutes_path())
    coverage = statutes.status()

    def text(version_id: str, number: ArticleNumber) -> str | None:
        article = statutes.article(version_id, number)
        return article.text if article else None

    kinds = mining.miner(statutes_path(), statute_index_dir()).rules.kinds
    with FindingFiles(out) as files, LegalReport(
        out, coverage=coverage, on=on, article_text=text, kind_names={kind.kind: kind.name for kind in kinds}
    ) as report:
        for mined in files.through(_mined(chunks)):
            report.add(mined)
        duties: Sequence[Duty] = ()
        if units is not None:
            duties = orphaned(statutes, units, on, [mined.document for mined in _mined(chunks)])
        tally = files.tally
        run = {
            "read": tally.documents + len(rejected),
            "documents": tally.documents,
            "rejected": len(rejected),
            "measures": tally.measures,
            "verdicts": dict(sorted(tally.verdicts.items())),
            "gaps": dict(tally.ranked_gaps()),
            "citations": dict(sorted(tally.statuses.items())),
            "undated": tally.undated,
            "duties": len(duties),
            "carrier_missing": sum(bool(duty.gap) for duty in duties),
            "knowledge_base": coverage,
            "on": on.isoformat() if on else None,
            "out": str(out),
        }
        draft = out / ".rejected.jsonl.part"
        draft.write_bytes(b"".join(orjson.dumps(asdict(item)) + b"\n" for item in rejected))
        draft.replace(out / "rejected.jsonl")
        files.close(duties, coverage, rejected)
        report.close(duties, rejected)
    note = out / ".run.json.part"
    note.write_bytes(orjson.dumps(run, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str))
    note.replace(out / "run.json")
    return cast("dict[str, Any]", orjson.loads((out / "run.json").read_bytes()))


def summary(run: dict[str, Any]) -> str:
    """Return a run's summary in Markdown, for Prefect's artifact."""
    rows = [
        ("文件", run["documents"]),
        ("未能读取", run["rejected"]),
        ("措施", run["measures"]),
        *((f"结论：{name}", count) for name, count in run["verdicts"].items()),
        *((f"缺口：{name}", count) for name, count in run["gaps"].items()),
    ]
    return "\n".join(["| 项目 | 数值 |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _mined(chunks: Iterable[Path]) -> Iterator[Mined]:
    for chunk in chunks:
        yield from mining.load(chunk)

"""The end of the route flow: store, files, report and summary."""

from __future__ import annotations

import datetime as dt
from collections import Counter, deque
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from corpora.config import Config, load_config
from corpora.issue_tree import IssueTree
from corpora.records import Rejection
from corpora.workspace import store_address
from dispatch.files import SuggestionFiles
from dispatch.report import CoverageRow, ReportData, render_report
from dispatch.store import Store, WriteResult
from flows import batch, storing
from flows.plan import Plan, Progress
from flows.workers import Workers
from models import registry
from pipeline.petitions.clean import clean_texts
from pipeline.petitions.mask import mask_texts

#: Coverage is shown in the report from this many held-out rows on.
_LEAST_ROWS = 50


def write(
    workers: Workers,
    plan: Plan,
    done: batch.Read,
    masked: Counter[str],
    older: dict[str, str],
    progress: Progress,
) -> dict[str, Any]:
    """Render what was scored and write it, chunk after chunk; return what `run.json` says."""
    started = dt.datetime.now().replace(microsecond=0)
    config = load_config(Path(plan.config) if plan.config else None)
    report = _report(plan, config, started)
    rejected = [_masked(item) for item in batch.rejections(plan)]
    new = chunks = 0
    groups: set[str] = set()
    with Store.open(store_address()) as store, SuggestionFiles(plan.out, mask) as files:
        store.begin_run(
            plan.run_id, inputs_digest=plan.digest, model_version=plan.model, config_version=config.version, started_at=started
        )
        # The store is written by a process of its own, files and report meanwhile by this one.
        rendered = [workers.submit(storing.render, plan, number) for number in range(done.chunks)]
        stored: deque[Future[WriteResult]] = deque()

        def count(written: Future[WriteResult]) -> None:
            nonlocal new, chunks
            result = written.result()
            new, chunks = new + result.new_suggestions, chunks + 1
            groups.update(result.groups)
            progress(done.chunks + chunks, 2 * done.chunks)

        with batch.no_collection():
            for number, future in enumerate(rendered):
                future.result()
                stored.append(workers.submit_aside(storing.write, plan, number))
                chunk = storing.rendered(plan, number)
                files.add(chunk.suggestions, chunk.lines, chunk.sheet)
                report.add(chunk.suggestions)
                # All groups, not the changed ones alone: a killed run may have left its events uncounted.
                groups.update(chunk.suggestions["event_group"].unique().drop_null().to_pylist())
                while stored and stored[0].done():
                    count(stored.popleft())
        files.reject(rejected)
        report.add_rejections(rejected)
        page = Path(plan.out) / ".report.html.part"
        page.write_text(render_report(report), "utf-8")
        while stored:
            count(stored.popleft())
        store.refresh_events(groups)
        store.update_event_groups(older)
        store.write_rejections(plan.run_id, rejected)
        finished = dt.datetime.now().replace(microsecond=0)
        store.finish_run(
            plan.run_id, read=done.read, routed=files.routed, rejected=files.rejected, finished_at=finished
        )
        run = {
            "run_id": plan.run_id,
            "read": done.read,
            "routed": files.routed,
            "rejected": files.rejected,
            "new_suggestions": new,
            "decisions": dict(sorted(report.decisions.items())),
            "urgency": dict(sorted(report.levels.items())),
            "rejected_by": dict(sorted(report.rejection_codes.items())),
            "events": len(report.events),
            "masked": dict(sorted(masked.items())),
            "top_units": [[name, count] for name, count in _by_unit(report).most_common(10)],
            "history": plan.unit_version is not None,
            "model_version": plan.model,
            "config_version": config.version,
            "on": plan.on.isoformat(),
            "started_at": started.isoformat(),
            "finished_at": finished.isoformat(),
            "out": plan.out,
        }
        page.replace(Path(plan.out) / "report.html")
        files.close(run)
    return run


def mask(text: str) -> str:
    """Return a text without personal data."""
    return mask_texts(clean_texts([text]))[0][0]


def summary(run: dict[str, Any]) -> str:
    """Return a run's summary in Markdown, for Prefect's artifact."""
    rows = [
        ("读入", run["read"]),
        ("已分派建议", run["routed"]),
        ("未采用", run["rejected"]),
        *((f"决定：{name}", count) for name, count in run["decisions"].items()),
        *((f"紧急程度：{name}", count) for name, count in run["urgency"].items()),
        ("事件", run["events"]),
        ("模型", run["model_version"]),
        ("配置", run["config_version"]),
    ]
    return "\n".join(["| 项目 | 数值 |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def _masked(item: Rejection) -> Rejection:
    """Return the rejection with no personal data in its reason; the raw content is masked where it is written."""
    return Rejection(item.source, item.row, item.code, mask(item.reason), item.raw)


def _by_unit(report: ReportData) -> Counter[str]:
    total: Counter[str] = Counter()
    for (name, _), count in report.units.items():
        total[name] += count
    return total


def _report(plan: Plan, config: Config, started: dt.datetime) -> ReportData:
    tree = IssueTree.load()
    saved = registry.load(Path(plan.models), "unit", plan.unit_version, arrays=False) if plan.unit_version else None
    measures = (saved.manifest.get("measures") if saved else None) or {}
    coverage = [
        CoverageRow(row["wanted"], row["threshold"], row["share"], row["precision"])
        for row in measures.get("coverage", ())
        if row["threshold"] is not None
    ]
    notes = []
    if measures:
        notes.append(
            f"承办单位模型以 {measures['rows']} 件标注来件留出检验：首选正确率 {measures['accuracy']:.1%}，"
            f"前三命中 {measures['top3_accuracy']:.1%}，校准误差 {measures['ece']:.3f}。"
        )
    return ReportData(
        city=_city(plan, saved),
        started_at=started,
        today=plan.on,
        model_version=plan.model,
        config_version=config.version,
        zero_history=plan.unit_version is None,
        auto_threshold=config.decision.auto_min_probability if plan.unit_version else None,
        issue_names={node.code: node.name for node in tree.nodes},
        coverage=coverage if measures.get("rows", 0) >= _LEAST_ROWS else (),
        notes=notes,
    )


def _city(plan: Plan, saved: registry.SavedModel | None) -> str:
    from models.city import City
    from models.saved import city_of

    known = City.load(Path(plan.units)) if plan.units else city_of(saved) if saved else City()
    return known.directory.city_name if known.directory else ""



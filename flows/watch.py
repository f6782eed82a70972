"""The watch flow: is the city still the one that the models were trained for? Says so, and can have them trained again."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.deployments import run_deployment

from corpora.config import WatchConfig, load_config
from corpora.workspace import spool_dir, workspace
from dispatch.watch_report import render_watch
from flows import watching
from flows.chunks import load, replace, save
from flows.spool import claimed, discard
from models.registry import TARGETS

#: What to do by hand where nothing is triggered.
COMMAND = "minqing retrain PATHS --target"


@task(name="measure", cache_policy=NO_CACHE, persist_result=False)
def measure(target: str, version: str, spool: str, config: str | None) -> dict[str, Any]:
    """Hold the window in the spool against one version."""
    limits = load_config(Path(config) if config else None).watch
    before = Path(spool) / "before.arrow"
    return watching.measure(target, version, load(Path(spool) / "window.arrow"), load(before) if before.exists() else None, limits)


@flow(name="watch")
def watch(
    out: str,
    paths: Sequence[str] = (),
    days: int | None = None,
    on: dt.date | None = None,
    units: str | None = None,
    mapping: Mapping[str, str] | None = None,
    config: str | None = None,
    targets: Sequence[str] = TARGETS,
) -> dict[str, Any]:
    """Compare a window with the training rows of the models in service; write `watch.json` and `watch.html` to `out`.

    Args:
        out: folder for the results.
        paths: petitions to look at, as files or folders; without any, what the store has of the last days.
        days: length of the window taken from the store; `watch.days` of the configuration by default.
        on: last day of that window; today by default.
        units: unit directory to route the files by; the one the model was trained with by default.
        mapping: field → header, for headers that are not recognised.
        config: a city's own configuration.
        targets: `issue_type`, `unit` or both; those without a model in service are passed over.

    Returns:
        What `watch.json` says; `verdict` is `stable`, `watch`, `retrain`, or `undecided` where there is too little to judge.

    Raises:
        models.registry.ModelError: if no model is in service.
    """
    limits, day = load_config(Path(config) if config else None).watch, on or dt.date.today()
    versions = watching.champions(targets)
    if paths:
        window = watching.from_files(
            [Path(p) for p in paths], mapping or {}, Path(units) if units else None, Path(config) if config else None, day
        )
    else:
        window = watching.from_store(days or limits.days, day, limits)
    get_run_logger().info("read %d rows, %d rejected, %d measured", window.read, sum(window.rejected.values()), window.table.num_rows)
    Path(out).mkdir(parents=True, exist_ok=True)
    spool = spool_dir() / f"watch-{'-'.join(versions.values())}"
    with claimed(spool):
        spool.mkdir(mode=0o700, exist_ok=True)
        save(window.table, spool / "window.arrow")
        if window.before is not None:
            save(window.before, spool / "before.arrow")
        found = {target: measure(target, version, str(spool), config) for target, version in versions.items()}
        discard(spool)
    result: dict[str, Any] = {
        "verdict": watching.worst([one["verdict"] for one in found.values()]),
        "at": dt.datetime.now().replace(microsecond=0).isoformat(),
        "since": window.since.isoformat(),
        "until": window.until.isoformat(),
        "source": "files" if paths else "store",
        "read": window.read,
        "rejected": window.rejected,
        "rejected_examples": window.examples,
        "measured": window.table.num_rows,
        "targets": found,
        "limits": {name: getattr(limits, name) for name in WatchConfig.__dataclass_fields__},
    }
    due = {target: one["version"] for target, one in found.items() if one["verdict"] == "retrain"}
    result["retrain"] = [retraining(target, version, day, limits) for target, version in due.items()]
    history = workspace() / "watch" / "history.jsonl"
    watching.remember(history, result)
    replace(Path(out) / "watch.html", render_watch(result, watching.recall(history)))
    replace(Path(out) / "watch.json", json.dumps(result, ensure_ascii=False, indent=1))
    create_markdown_artifact(summary(result), key="watch-summary", description="minqing watch")
    return result


def retraining(target: str, version: str, day: dt.date, limits: WatchConfig) -> dict[str, Any]:
    """Start the retraining of a target where the configuration says so; return whether it was, and how or why not.

    A version whose drift goes on is trained again once a week at the most.
    """
    told = {"target": target, "triggered": False, "command": f"{COMMAND} {target}"}
    if not limits.trigger:
        return told | {"why": "watch.trigger is false"}
    year, week, _ = day.isocalendar()
    parameters = {"target": target, "why": f"drift of {version}"}
    key = f"watch-{version}-{year}-{week}"
    try:
        run = run_deployment(limits.deployment, parameters=parameters, timeout=0, as_subflow=False, idempotency_key=key)
    except Exception as error:  # no server, no such deployment: the watch itself is done, and says so
        return told | {"why": f"{limits.deployment}: {type(error).__name__}"}
    return told | {"triggered": True, "why": "", "deployment": limits.deployment, "flow_run": str(run.id)}


def summary(result: Mapping[str, Any]) -> str:
    """Return the outcome in Markdown, for Prefect's artifact."""
    lines = [f"**{result['verdict']}**  {result['since']} – {result['until']}，{result['measured']} 件", ""]
    for one in result["targets"].values():
        lines += [f"### {one['version']}：{one['verdict']}", "", *(f"- {reason}" for reason in one["reasons"]), ""]
    return "\n".join(lines)


@flow(name="watch-daily")
def daily(out: str = "out/watch", config: str | None = None) -> dict[str, Any]:
    """Watch what the store has of the last days, into a folder named by today."""
    return watch(str(Path(out) / dt.date.today().isoformat()), config=config)

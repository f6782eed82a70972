"""The retrain flow: labelled rows in, a candidate compared with the champion, the better one in service.

Everything up to the last step leaves the champion alone, whatever fails or is killed: a candidate is a folder that appears
whole or not at all, and promotion replaces one pointer.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.flow_runs import pause_flow_run
from prefect.input import RunInput

from corpora.workspace import models_dir, retrains_dir
from flows import retrain_output, retraining
from flows.decided import NONE
from flows.retraining import Request
from flows.spool import claimed, discard
from models import registry

#: How often a paused run asks whether somebody has answered.
_POLL_SECONDS = 5


class Approval(RunInput):
    """What a person says of a candidate that waits (审批)."""

    approve: bool
    name: str
    why: str = ""


@task(name="gather", cache_policy=NO_CACHE, persist_result=False)
def gather(request: Request) -> dict[str, Any]:
    """Read, validate and split the labelled rows."""
    return retraining.gather(request)


@task(name="learn", cache_policy=NO_CACHE, persist_result=False)
def learn(request: Request) -> str:
    """Train, calibrate and register the candidate."""
    return retraining.learn(request)


@task(name="compare", cache_policy=NO_CACHE, persist_result=False)
def compare(request: Request, version: str) -> dict[str, Any]:
    """Evaluate candidate and champion and ask the gate."""
    return retraining.compare(request, version)


@task(name="promote", cache_policy=NO_CACHE, persist_result=False)
def promote(target: str, version: str, expected: str | None, by: str, why: str, kind: str) -> dict[str, Any]:
    """Put the candidate in service."""
    return retraining.promote(target, version, expected, by, why, kind)


@flow(name="retrain")
def retrain(
    target: str,
    paths: Sequence[str] = (),
    units: str | None = None,
    places: str | None = None,
    mapping: Mapping[str, str] | None = None,
    config: str | None = None,
    split: str | None = None,
    approval: str | None = None,
    override: str = "",
    why: str = "",
    out: str | None = None,
    wait: bool = True,
    encoder: str | None = None,
    decisions: str = NONE,
) -> dict[str, Any]:
    """Learn a target anew and put the candidate in service where the gate, and a person where configured, let it.

    Args:
        target: `issue_type` or `unit`.
        paths: labelled files or folders; what people said in the label store is learnt from besides.
        units: unit directory; the champion's by default.
        places: gazetteer; `places.csv` beside the directory by default.
        mapping: field → header, for headers that are not recognised.
        config: a city's own configuration.
        split: `hash` or `time`; the configured one by default.
        approval: `auto` or `ask`; the configured one by default.
        override: who overrules the gate, if it refuses.
        why: the reason, for the history.
        out: folder for `retrain.json` and `report.html`; one in the workspace by default.
        wait: whether to pause for the answer of a person; else the candidate is left registered.
        encoder: fine-tuned on top of the candidate (`e5-small`, a folder, a hub name); the configured one by default.
        decisions: what people said of suggestions is learnt from besides: `none`, `all`, or `corrections` alone.

    Returns:
        What `retrain.json` says.
    """
    request = Request(target, tuple(map(str, paths)), retraining.titles(mapping), units, places, config, decisions=decisions)
    retraining.check(request, override, why, approval)
    rules = request.settings().retrain
    request = dataclasses.replace(request, split=split or rules.split, encoder=encoder or rules.encoder or None)
    started = dt.datetime.now().replace(microsecond=0)
    with claimed(request.spool):
        try:
            rows = gather(request)
            version = learn(request)
            compared = compare(request, version)
        finally:
            discard(request.spool)  # the rows are personal data and are not kept
    run: dict[str, Any] = {
        "run_id": retraining.identity(request, version), "target": target, "candidate": version, "rows": rows, **compared,
        "approval": approval or rules.approval, "decision": "", "by": "", "why": why, "started_at": started.isoformat(),
    }  # fmt: skip
    folder = Path(out) if out else retrains_dir() / run["run_id"]
    run["out"] = str(folder)
    run |= _decide(run, override, wait, rules.wait_hours, folder)
    if run["decision"] in ("promoted", "overridden"):
        kind = "promote" if run["decision"] == "promoted" else "override"
        told = run["why"] or "；".join(run["gate"]["reasons"])
        run["promotion"] = promote(target, version, run["champion"], run["by"], told, kind)
    run["serves"] = registry.champion(models_dir(), target)
    retrain_output.write(run, folder)
    create_markdown_artifact(retrain_output.summary(run), key=f"retrain-{target.replace('_', '-')}", description="minqing retrain")
    create_table_artifact(run["gate"]["rows"], key=f"retrain-gate-{target.replace('_', '-')}")
    return run


def _decide(run: dict[str, Any], override: str, wait: bool, hours: float, folder: Path) -> dict[str, Any]:
    """Return decision, who took it and why: promoted, overridden, refused, declined, waiting or unchanged."""
    if run["candidate"] == run["champion"]:
        return {"decision": "unchanged"}
    if override:  # a person took the decision beforehand, whether the gate lets it pass or not
        return {"decision": "promoted" if run["gate"]["passed"] else "overridden", "by": override}
    if not run["gate"]["passed"]:
        return {"decision": "refused"}
    if run["approval"] == "auto":
        return {"decision": "promoted", "by": "gate"}
    run["decision"], run["serves"] = "waiting", run["champion"]
    retrain_output.write(run, folder)  # what the person who decides wants to see
    if not wait:
        return {"decision": "waiting"}
    get_run_logger().info("%s passed the gate and waits for approval; report: %s", run["candidate"], folder / "report.html")
    asked = Approval.with_initial_data(description=retrain_output.summary(run), approve=False, name="")
    answer = pause_flow_run(wait_for_input=asked, timeout=int(hours * 3600), poll_interval=_POLL_SECONDS)
    decision = "promoted" if answer.approve and answer.name.strip() else "declined"
    return {"decision": decision, "by": answer.name.strip(), "why": answer.why or run["why"]}

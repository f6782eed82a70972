"""The publish flow: what the outbox has reaches its subscribers. Run it every minute, or `minqing publish --follow` as a service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows import delivering


@task(name="deliver", cache_policy=NO_CACHE, persist_result=False, retries=2, retry_delay_seconds=5)
def deliver(subscribers: Sequence[str], patience: float, workers: int) -> dict[str, dict[str, int]]:
    """Deliver what is due; what a killed or failed attempt left behind, the next one takes up."""
    return delivering.publish(patience=patience, workers=workers, only=subscribers)


@flow(name="publish")
def publish(subscribers: Sequence[str] = (), patience: float = 10.0, workers: int = 1) -> dict[str, Any]:
    """Deliver what is due and end.

    Args:
        subscribers: names; all active ones by default.
        patience: seconds to wait for messages that are to be tried again; later ones are left to the next run.
        workers: processes.

    Returns:
        Per subscriber what this run did (`delivered_now`, `failed_now`, `dead_now`) and how far it is.
    """
    done = deliver(tuple(subscribers), patience, workers)
    far = delivering.progress(subscribers)
    for item in far:
        counts = done.get(item["name"], {})
        item |= {f"{name}_now": counts.get(name, 0) for name in ("delivered", "failed", "dead")}
        if item["dead"]:
            get_run_logger().warning("%s: %d dead letters, %d messages held back", item["name"], item["dead"], item["held"])
    result = {
        "subscribers": far,
        **{name: sum(item[f"{name}_now"] for item in far) for name in ("delivered", "failed", "dead")},
        "waiting": sum(item["waiting"] + item["unseen"] for item in far),
        "dead_letters": sum(item["dead"] for item in far),
    }
    create_markdown_artifact(_summary(far), key="publish-summary", description="minqing publish")
    return result


def _summary(far: list[dict[str, Any]]) -> str:
    lines = ["| subscriber | delivered | failed | waiting | dead |", "|---|---:|---:|---:|---:|"]
    lines += [
        f"| {item['name']} | {item['delivered_now']} | {item['failed_now']} | {item['waiting'] + item['unseen']} | {item['dead']} |"
        for item in far
    ]
    return "\n".join(lines)

"""Checks of what runs beside: Prefect's server with its deployments and workers, and the HTTP service."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from flows.doctor import FAIL, OK, WARN, Finding, Surroundings

#: Deployments of prefect.yaml without which a night or a watch does not happen.
_NEEDED = ("nightly/nightly", "watch-daily/daily")
_SECONDS = 10.0


def prefect(_: Surroundings) -> list[Finding]:
    """The server answers, the deployments are there, and a worker is there to run them."""
    if not os.environ.get("PREFECT_API_URL"):
        return [Finding(OK, "未设 PREFECT_API_URL，不用服务器 no server is used")]
    from prefect.client.orchestration import get_client
    from prefect.client.schemas.objects import WorkPoolStatus

    with get_client(sync_client=True, httpx_settings={"timeout": _SECONDS}) as client:
        where = _shown(str(client.api_url))
        trouble = client.api_healthcheck()
        if trouble is not None:
            said = " ".join(f"{type(trouble).__name__} {trouble}".split())[:200]
            return [Finding(FAIL, f"{where} 无应答 does not answer: {said}", "systemctl status minqing-prefect")]
        flows = {flow.id: flow.name for flow in client.read_flows()}
        names = {f"{flows.get(item.flow_id)}/{item.name}": item for item in client.read_deployments()}
        pools = client.read_work_pools()
    found = [Finding(OK, where)]
    if missing := [name for name in _NEEDED if name not in names]:
        found.append(Finding(WARN, f"缺少部署 no deployment {'、'.join(missing)}", "prefect --no-prompt deploy --all"))
    else:
        found.append(Finding(OK, f"部署 deployments：{'、'.join(sorted(names))}"))
    used = {item.work_pool_name for item in names.values()}
    for pool in pools:
        if pool.name not in used:
            continue
        ready = pool.status == WorkPoolStatus.READY and not pool.is_paused
        state = "就绪 ready" if ready else "无在线执行器 no worker is online"
        found.append(Finding(OK if ready else FAIL, f"{pool.name}：{state}", "" if ready else "systemctl status minqing-worker"))
    return found


def service(around: Surroundings) -> Finding:
    """The HTTP service is ready."""
    if not around.service:
        return Finding(OK, "未给 --service，未检查 not asked for")
    import httpx

    address = f"{around.service.rstrip('/')}/readyz"
    try:
        answer = httpx.get(address, timeout=_SECONDS, follow_redirects=False, trust_env=False)
    except httpx.HTTPError as error:
        return Finding(FAIL, f"{_shown(address)} 无应答 does not answer: {type(error).__name__}", "systemctl status minqing")
    level = OK if answer.status_code == httpx.codes.OK else FAIL
    return Finding(level, f"{_shown(address)} {answer.status_code}", "" if level == OK else f"curl {_shown(address)}；journalctl -u minqing")


def _shown(address: str) -> str:
    """Return an address without what may be secret in it."""
    parts = urlsplit(address)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


CHECKS = (
    ("prefect", "Prefect", prefect),
    ("service", "接口服务", service),
)

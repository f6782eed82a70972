"""Checks of the store: reachable and of the right shape, its clock, runs, messages that wait, folders, keys."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

from sqlalchemy import and_, func, literal_column, select

from corpora.workspace import store_address
from dispatch.delivery.letters import backlog
from dispatch.store import schema
from dispatch.store.engine import shown, step
from dispatch.store.outbox import now
from dispatch.store.tables import api_keys, outbox, runs, subscribers
from flows.doctor import FAIL, OK, WARN, Finding, Surroundings

#: Age of the oldest message that waits, from which somebody should look, and from which something is wrong.
_SLOW, _STUCK = dt.timedelta(hours=1), dt.timedelta(days=1)
#: A run that is still going, or the last one that ended: so long ago that nights were missed.
_OVERDUE = dt.timedelta(hours=36)
_SKEW = dt.timedelta(seconds=60)
_KEY_DAYS = 14
_NO_STORE = Finding(WARN, "库未就绪，未检查 not checked: the store is not ready", "minqing store upgrade")


def reachable(_: Surroundings) -> Finding:
    """The store can be opened and has the shape that this program needs."""
    address = store_address()
    name, reached = shown(address), step(address)
    if reached is None:
        return Finding(WARN, f"{name} 尚未建立 is not made yet", "首次分派时建立，或 the first run makes it, or: minqing store upgrade")
    if reached == schema.HEAD:
        return Finding(OK, f"{name}（{reached}）")
    if reached in schema.steps():
        return Finding(WARN, f"{name}：结构 step {reached}，需要 needs {schema.HEAD}", "先备份 back up first: minqing store backup; minqing store upgrade")
    return Finding(FAIL, f"{name}：结构 step {reached} 比程序新 is newer than this program", "安装新版 install the newer minqing")


def same_time(around: Surroundings) -> Finding:
    """The database and this machine agree on the time, and nothing in the store comes from the future."""
    if around.store is None:
        return _NO_STORE
    with around.store.reading() as connection:
        there = now()
        if connection.dialect.name == "postgresql":
            there = connection.execute(select(literal_column("clock_timestamp() AT TIME ZONE 'UTC'"))).scalar_one()
        newest = connection.execute(select(func.max(outbox.c.at))).scalar_one()
    here = now()
    apart = abs(there - here)
    if apart > _SKEW:
        return Finding(FAIL, f"与数据库相差 {apart.total_seconds():.0f} 秒 seconds apart from the database", "两边都用 NTP 校时 set both clocks by NTP")
    if newest is not None and newest > here + _SKEW:
        return Finding(FAIL, f"库中有将来的消息 the store has messages from {newest:%Y-%m-%d %H:%M} UTC", "时钟被拨回 this clock was set back: NTP")
    return Finding(OK, "与数据库一致 agrees with the database")


def last_runs(around: Surroundings) -> Finding:
    """The nights come through."""
    if around.store is None:
        return _NO_STORE
    with around.store.reading() as connection:
        routed = and_(runs.c.status != "service")
        hanging = connection.execute(
            select(func.count()).where(runs.c.status == "running", runs.c.started_at < around.now - _OVERDUE)
        ).scalar_one()
        last = connection.execute(select(func.max(runs.c.finished_at)).where(routed)).scalar_one()
    if last is None:
        return Finding(OK, "尚无分派记录 no run yet")
    said = f"上次完成 last finished {last:%Y-%m-%d %H:%M}"
    if around.now - last > _OVERDUE:
        return Finding(WARN, said, "查看夜间任务 look at the nightly deployment: prefect flow-run ls")
    if hanging:
        return Finding(WARN, f"{said}，中断 broken off {hanging}", "重新运行即可续完 run the same again, it goes on where it stopped")
    return Finding(OK, said)


def messages(around: Surroundings) -> list[Finding]:
    """What subscribers have not had: how old the oldest is, and dead letters."""
    if around.store is None:
        return [_NO_STORE]
    with around.store.reading() as connection:
        far = backlog(connection)
    found = [
        _told(
            item.subscriber.name, item.subscriber.active, item.dead, item.waiting,
            now() - item.waiting_since if item.waiting_since else dt.timedelta(),
        )
        for item in far
    ]  # fmt: skip
    return found or [Finding(OK, "没有订阅系统 no subscribers")]


def _told(name: str, active: bool, dead: int, waiting: int, age: dt.timedelta) -> Finding:
    hours = age.total_seconds() / 3600
    said = f"{name}：待送 waiting {waiting:,}，最早 oldest {hours:,.1f} h，死信 dead letters {dead:,}"
    if not active:
        return Finding(WARN, f"{said}；已暂停 paused", f"minqing subscribers resume {name}") if age > _SLOW or dead else Finding(OK, f"{name}：已暂停 paused")
    if age > _STUCK:
        return Finding(FAIL, said, f"推送是否在运行 is minqing publish running? minqing subscribers test {name}")
    if dead:
        return Finding(WARN, said, f"minqing deliveries list；修复后 then minqing deliveries replay（{name}）")
    return Finding(WARN if age > _SLOW else OK, said, f"minqing subscribers test {name}" if age > _SLOW else "")


def folders(around: Surroundings) -> list[Finding]:
    """Folders that systems poll can be written."""
    if around.store is None:
        return [_NO_STORE]
    with around.store.reading() as connection:
        kind = select(subscribers.c.name, subscribers.c.address).where(subscribers.c.kind == "folder").order_by(subscribers.c.name)
        rows = connection.execute(kind).all()
    found = []
    for name, address in rows:
        path = Path(address)
        well = path.is_dir() and os.access(path, os.W_OK | os.X_OK)
        found.append(
            Finding(OK, f"{name}：{path}") if well else Finding(FAIL, f"{name}：{path} 不可写 cannot be written", f"mkdir -p {path}；chown")
        )
    return found or [Finding(OK, "没有文件夹订阅 no folders")]


def keys(around: Surroundings) -> list[Finding]:
    """API keys that are about to run out."""
    if around.store is None:
        return [_NO_STORE]
    with around.store.reading() as connection:
        rows = connection.execute(
            select(api_keys.c.name, api_keys.c.key_id, api_keys.c.expires_at).where(api_keys.c.revoked_at.is_(None)).order_by(api_keys.c.name)
        ).all()
    found = []
    for name, key_id, ends in rows:
        if ends is None:
            continue
        left = (ends - now()).days
        if left < 0:
            found.append(Finding(WARN, f"{name}（{key_id}）已过期 expired {ends:%Y-%m-%d}", f"minqing keys rotate {name}，或 or revoke"))
        elif left < _KEY_DAYS:
            found.append(Finding(WARN, f"{name}（{key_id}）{left} 天后过期 days left", f"minqing keys rotate {name}"))
    return found or [Finding(OK, f"{len(rows)} 个有效密钥 keys")]


CHECKS = (
    ("store", "数据库", reachable),
    ("time", "数据库时钟", same_time),
    ("runs", "分派运行", last_runs),
    ("messages", "推送消息", messages),
    ("folders", "推送文件夹", folders),
    ("keys", "接口密钥", keys),
)

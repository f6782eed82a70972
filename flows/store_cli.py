"""`minqing store` and `minqing purge`: the store's shape, its backup, and how long it keeps petitions."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from corpora.workspace import login
from flows.options import JSON, dumped

if TYPE_CHECKING:
    from dispatch.store.purge import Purged

_BY = click.option("--by", default="", help="Who does it, for the audit trail; the login name by default.")
#: What the tables are called in a report of a purge.
_NAMES = {
    "petitions": "来件 petitions", "suggestions": "建议 suggestions", "decisions": "处理决定 decisions", "refusals": "退单 refusals",
    "outbox": "消息 messages", "deliveries": "推送记录 deliveries", "rejections": "未采用行 rejections", "sessions": "过期登录 sessions",
}  # fmt: skip


class _Age(click.ParamType):
    """A number of days, weeks or years: `180d`, `26w`, `2y`."""

    name = "180d"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> dt.timedelta:  # noqa: ANN401 - click's value
        """Return the age."""
        match = re.fullmatch(r"([1-9]\d{0,4})([dwy])", str(value).strip())
        if match is None:
            self.fail(f"{value!r} is no age; write 180d, 26w or 2y", param, ctx)
        return dt.timedelta(days=int(match[1]) * {"d": 1, "w": 7, "y": 365}[match[2]])


@click.group()
def store() -> None:
    """The store (MINQING_STORE, or store.sqlite3 in the workspace): its shape, backup and restore."""


@store.command()
@JSON
def status(as_json: bool) -> None:
    """Show where the store is, its step, and how much it holds; nothing is changed."""
    from corpora.workspace import store_address
    from dispatch.store import Store, schema
    from dispatch.store.engine import shown, step

    address = store_address()
    reached = step(address)
    found: dict[str, Any] = {"store": shown(address), "step": reached, "head": schema.HEAD, "rows": {}}
    if reached == schema.HEAD:
        with Store.open(address) as opened:
            found["rows"] = opened.counts()
    if as_json:
        click.echo(dumped(found))
        return
    said = f"需要 needs {schema.HEAD}: minqing store upgrade"
    if reached in (None, schema.HEAD):
        said = "最新 up to date" if reached else "尚未建立 not made yet"
    click.echo(f"\n数据库 store   {found['store']}\n结构 step      {reached or '-'}   {said}")
    for name, count in found["rows"].items():
        click.echo(f"  {name:<12} {count:>12,}")


@store.command()
def upgrade() -> None:
    """Bring the store to the shape that this program needs, or make it; other commands do so when they open it."""
    from corpora.workspace import store_address
    from dispatch.store import schema
    from dispatch.store.engine import shown
    from dispatch.store.engine import upgrade as bring

    before = bring(store_address())
    told = "已是最新 nothing to do" if before is None else f"已升级 upgraded: {before or '新建 new'} → {schema.HEAD}"
    click.echo(f"{shown(store_address())}   {told}")


@store.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@JSON
def backup(file: Path, as_json: bool) -> None:
    """Write the whole store to FILE, while others go on writing. PostgreSQL needs pg_dump on this machine."""
    from corpora.workspace import store_address
    from dispatch.store.backup import backup as save

    size = save(store_address(), file)
    found = {"file": str(file), "bytes": size}
    click.echo(dumped(found) if as_json else f"已备份 saved   {file}   {size:,} bytes")


@store.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@_BY
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, by: str, yes: bool) -> None:
    """Put the backup FILE in place of the store. Stop the service, workers and `minqing publish` first."""
    from corpora.workspace import store_address
    from dispatch.store.backup import restore as put
    from dispatch.store.engine import shown

    if not yes:
        click.confirm(f"以备份替换 replace {shown(store_address())}?", abort=True)
    moved = put(store_address(), file, by or login())
    click.echo(f"已恢复 restored   {file} → {shown(store_address())}")
    if moved is not None:
        click.echo(f"原库移至 the store before is now   {moved}")


@click.command()
@click.option("--older-than", "age", required=True, type=_Age(), help="Age of what goes: 180d, 26w or 2y, by time of filing.")
@click.option("--dry-run", is_flag=True, help="Count, and remove nothing.")
@click.option("--also-open", is_flag=True, help="Also petitions that nobody decided on.")
@click.option("--also-undelivered", is_flag=True, help="Also petitions with messages that a subscriber has not had.")
@_BY
@JSON
def purge(age: dt.timedelta, dry_run: bool, also_open: bool, also_undelivered: bool, by: str, as_json: bool) -> None:
    """Remove old petitions with all that was said of them; counts by month, unit, issue, urgency and verdict stay.

    Petitions that wait for a decision, or with messages that a subscriber has not had, are kept and counted.
    """
    from corpora.workspace import store_address
    from dispatch.store import Store
    from dispatch.store.purge import compact
    from dispatch.store.purge import purge as remove

    before = (dt.datetime.now() - age).replace(hour=0, minute=0, second=0, microsecond=0)
    with Store.open(store_address()) as opened:
        done = remove(
            opened, before, actor=by or login(), also_open=also_open, also_undelivered=also_undelivered, dry_run=dry_run
        )
        trouble = None if dry_run else compact(opened)
    if as_json:
        plain = {"before": done.before, "removed": dict(done.removed), "kept_open": done.kept_open}
        plain |= {"kept_undelivered": done.kept_undelivered, "waiting": dict(done.waiting), "dry_run": dry_run, "not_compacted": trouble}
        click.echo(dumped(plain))
    else:
        click.echo(table(done, dry_run, trouble))


def table(done: Purged, dry_run: bool, trouble: str | None) -> str:
    """Return the outcome of a purge for a terminal."""
    from flows.tables import width

    head = "将清理 would remove" if dry_run else "已清理 removed"
    lines = ["", f"{head}   {done.before:%Y-%m-%d} 之前的来件 filed before"]
    lines += [f"  {name}{' ' * (24 - width(name))}{done.removed[key]:>10,}" for key, name in _NAMES.items()]
    if done.kept_open:
        lines.append(f"保留 kept: {done.kept_open:,} 件尚未处理 not decided on yet（--also-open 一并清理 removes them too）")
    if done.kept_undelivered:
        by = "，".join(f"{name} {count:,}" for name, count in sorted(done.waiting.items()))
        lines.append(f"保留 kept: {done.kept_undelivered:,} 件有消息未送达 with messages not delivered（{by}；先 minqing deliveries list）")
    if dry_run:
        return "\n".join(lines)
    if trouble:
        lines.append(f"注意 attention: 文件尚未压实 the file is not rewritten yet: {trouble}；再运行一次 run it again")
    lines += [
        "",
        "统计数已留存（月份、单位、类别、紧急程度、处理结果）；以下各处不在清理之列，请另行处理：",
        "Counts are kept. Not reached by this, look after them yourself:",
        "  收件夹中的原始文件（再次分派会重新入库） exports in the inbox: routed again, they come back",
        "  输出文件夹与文件推送夹 result folders and folders of subscribers（suggestions.csv、rejected.jsonl …）",
        "  MINQING_HOME/labels、retrains、models 标注、训练记录与模型 labels, records and models",
        "  store backup 的备份、数据库日志 backups, and the logs of a PostgreSQL server",
    ]
    return "\n".join(lines)

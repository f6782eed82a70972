"""Checks of the machine and the workspace: libraries, rights, space, configuration, models, statutes, calendar."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sys
from importlib import metadata
from pathlib import Path

from corpora.units import UnitDirectory
from corpora.workspace import models_dir, statute_index_dir, statutes_path, workspace
from flows.doctor import FAIL, OK, WARN, Finding, Surroundings

_MIB = 1 << 20
#: Free space below which a nightly run may not get through (fail), and below which somebody should look (warn).
_LEAST, _AMPLE = 500 * _MIB, 5_000 * _MIB
#: Days for which deadlines must be known: the longest rule takes 60 working days.
_AHEAD_DAYS = 95


def python(_: Surroundings) -> Finding:
    """The interpreter, and every library that minqing asks for in a version that it can use."""
    from packaging.requirements import Requirement

    said = f"Python {sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}"
    wrong = []
    for line in metadata.requires("minqing") or ():
        need = Requirement(line)
        if need.marker is not None and not need.marker.evaluate({"extra": ""}):
            continue
        try:
            have = metadata.version(need.name)
        except metadata.PackageNotFoundError:
            wrong.append(f"{need.name} 缺失 missing")
            continue
        if not need.specifier.contains(have, prereleases=True):
            wrong.append(f"{need.name} {have}（需要 needs {need.specifier}）")
    if wrong:
        return Finding(FAIL, f"{said}；{'；'.join(wrong)}", "在虚拟环境中重新安装 install again: pip install -c constraints.txt minqing")
    return Finding(OK, f"{said}，minqing {metadata.version('minqing')}")


def rights(_: Surroundings) -> Finding:
    """The workspace holds personal data: its owner alone may enter, and must be able to write."""
    path = workspace()
    mode, owner = path.stat().st_mode & 0o777, path.stat().st_uid
    if not os.access(path, os.W_OK | os.X_OK):
        return Finding(FAIL, f"{path} 不可写 cannot be written", f"chown -R $USER {path}")
    if mode & 0o077:
        return Finding(FAIL, f"{path} 权限为 has mode {mode:04o}", f"其他用户可以进入 others can enter: chmod 700 {path}")
    if owner != os.geteuid() and os.geteuid() != 0:
        return Finding(WARN, f"{path} 属于其他用户 belongs to another user", f"chown -R $USER {path}")
    return Finding(OK, f"{path}（{mode:04o}）")


def space(_: Surroundings) -> Finding:
    """Free space for the spool of a night, the log of the store, a backup and the rewriting that a purge ends with."""
    path = workspace()
    free = shutil.disk_usage(path).free
    store = path / "store.sqlite3"
    need = 2 * store.stat().st_size if store.exists() else 0
    said = f"{path} 剩余 free {free / _MIB:,.0f} MiB"
    if free < _LEAST:
        return Finding(FAIL, said, "腾出空间 make room: minqing models prune, minqing purge")
    if free < max(_AMPLE, need):
        return Finding(WARN, said, f"清理时库要重写一遍，宜有 a purge rewrites the store, better have {max(_AMPLE, need) / _MIB:,.0f} MiB")
    return Finding(OK, said)


def configuration(around: Surroundings) -> list[Finding]:
    """The configuration can be read, and the unit directory where one is named."""
    found = [Finding(OK, f"{around.config or '内置 bundled'}（{around.settings.version}）")]
    if around.units is not None:
        today = UnitDirectory.load(around.units).on(around.now.date())
        level = OK if today.units else FAIL
        found.append(Finding(level, f"{around.units}：今日有效单位 units valid today {len(today.units)}", "" if today.units else "核对 check valid_from, valid_to"))
    return found


def models(around: Surroundings) -> list[Finding]:
    """The champions are whole and every unit they can name is there today; then one petition goes through them."""
    from flows.model_versions import checked

    found = []
    for entry in checked(models_dir(), around.units, around.now.date()):
        said = f"{entry['target']} {entry['version']}"
        if not entry["ok"]:
            gone = "、".join(entry["invalid"][:5])
            found.append(Finding(FAIL, f"{said}：{entry['problem'] or f'现无此单位 no such unit today: {gone}'}", "minqing models check；minqing retrain"))
        elif entry["problem"]:
            found.append(Finding(WARN, f"{said}：{entry['problem']}", "minqing doctor --units units.yaml"))
        else:
            mapped = f"，已撤并改派 mapped to successors {len(entry['mapped'])}" if entry["mapped"] else ""
            found.append(Finding(OK, said + mapped))
    if not found and around.units is None:
        return [Finding(WARN, "没有现用模型 no model is in service", "minqing train，或给出 or name --units")]
    if any(item.level == FAIL for item in found):
        return found
    return [*found, _routes(around)]


def _routes(around: Surroundings) -> Finding:
    """Route one petition: what a model needs beyond its files (libraries of an encoder) shows only then."""
    from flows.batch import any_petition
    from models import registry
    from models.serving import load_router

    root = models_dir()
    versions = [registry.champion(root, target) for target in ("issue_type", "unit")]
    router = load_router(root, *versions, around.units, around.places, around.config, around.now.date(), "doctor")
    router.route(any_petition())
    return Finding(OK, "试分派一件 one petition routed")


def statutes(_: Surroundings) -> Finding:
    """Texts of statutes, for `minqing mine`."""
    from corpora.statute_store import TextStore

    path = statutes_path()
    if not path.exists():
        return Finding(WARN, "未建法规文本 no statute texts", "仅用内置事实 facts alone are used; minqing statutes build")
    texts = len(TextStore(path).versions())
    if not statute_index_dir().is_dir():
        return Finding(WARN, f"{path} 缺检索索引 has no search index", "minqing statutes build")
    return Finding(OK, f"{path}（{texts} 个文本 texts）")


def calendar(around: Surroundings) -> Finding:
    """Holidays are known far enough ahead for every deadline that is given out today."""
    from pipeline.petitions.deadline import WorkingCalendar

    known = WorkingCalendar.load(around.settings.deadlines.calendar_years)
    today = around.now.date()
    said = f"节假日已知至 holidays are known to {known.last}"
    advice = "升级 chinesecalendar，或在配置中填 or give deadlines.calendar_years（国办放假通知 the holiday notice）"
    if known.last < today + dt.timedelta(days=_AHEAD_DAYS):
        level = FAIL if known.last < today + dt.timedelta(days=14) else WARN
        return Finding(level, f"{said}：期限将留空 deadlines beyond are left open", advice)
    return Finding(OK, said)


def clock(around: Surroundings) -> list[Finding]:
    """The clock is not before this program was made, and the machine lives in China's time, in which deadlines count."""
    made = dt.datetime.fromtimestamp(Path(__file__).stat().st_mtime)
    if around.now < made - dt.timedelta(days=1):
        return [Finding(FAIL, f"{around.now:%Y-%m-%d %H:%M} 早于程序安装 is before this program was installed", "timedatectl set-ntp true")]
    offset = around.now.astimezone().utcoffset()
    if offset != dt.timedelta(hours=8):
        return [Finding(WARN, f"时区 time zone UTC{around.now.astimezone():%z}", "期限按本机时区计 deadlines count in local time: timedatectl set-timezone Asia/Shanghai")]
    return [Finding(OK, f"{around.now:%Y-%m-%d %H:%M} UTC+8")]


CHECKS = (
    ("python", "运行环境", python),
    ("workspace", "工作目录", rights),
    ("disk", "磁盘空间", space),
    ("clock", "时钟", clock),
    ("config", "配置", configuration),
    ("models", "模型", models),
    ("statutes", "法规文本", statutes),
    ("calendar", "节假日", calendar),
)

"""Small tables for a terminal; Chinese characters are two columns wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_LEVELS = {"normal": "一般", "elevated": "关注", "urgent": "紧急", "critical": "特急"}


def run_table(run: dict[str, Any]) -> str:
    """Return the summary of a run."""
    decisions = run["decisions"]
    grave = run["urgency"].get("urgent", 0) + run["urgency"].get("critical", 0)
    lines = [
        "",
        f"读入 read {run['read']}   已出建议 routed {run['routed']}   未采用 rejected {run['rejected']}",
        f"直派 auto {decisions.get('auto', 0)}   待复核 review {decisions.get('review', 0)}   "
        f"紧急 urgent {grave}   事件 events {run['events']}   新增 new {run['new_suggestions']}",
    ]
    if not run["history"]:
        lines.append("无历史标注，仅凭职责与地名：全部待复核 (no labelled history: duties and places alone)")
    lines += ["", *_columns([("承办单位 unit", "件 petitions"), *((n, str(c)) for n, c in run["top_units"])])]
    if run["rejected_by"]:
        lines += ["", "未采用的行 rejected rows (rejected.jsonl):"]
        lines += [f"  {code:<20} {count}" for code, count in run["rejected_by"].items()]
    lines += ["", f"报告 report: {Path(run['out']) / 'report.html'}"]
    return "\n".join(lines)


def training_table(result: dict[str, Any]) -> str:
    """Return the measures of a training or an evaluation, with the coverage table."""
    name = {"issue_type": "问题类型 issue_type", "unit": "承办单位 unit"}[result["target"]]
    lines = ["", f"{name}   {result['model']}", f"  rows {result['rows']}   classes {result['classes']}"]
    if result["accuracy"] is not None:
        lines.append(
            f"  accuracy {result['accuracy']:.3f}   top-3 {result['top3_accuracy']:.3f}   macro-F1 {result['macro_f1']:.3f}"
            f"   ECE {result['ece']:.3f}   ({result['measured_on']})"
        )
        lines.append("  precision  threshold  straight through")
        for row in result["coverage"]:
            threshold = "    –" if row["threshold"] is None else f"{row['threshold']:5.2f}"
            lines.append(f"     {row['wanted']:5.0%}      {threshold}            {row['share']:5.1%}")
    for key, title in (("left_out", "left out"), ("rejected", "rejected")):
        if result[key]:
            lines.append(f"  {title}: " + ", ".join(f"{reason} {count}" for reason, count in result[key].items()))
    if result.get("replaced"):
        lines.append(
            f"  已替换 replaced {result['replaced']}，未经对比 without a comparison: minqing models compare {result['target']} "
            f"{result['replaced']} PATHS；退回 back: minqing models rollback {result['target']}"
        )
    return "\n".join(lines)


def mine_table(run: dict[str, Any]) -> str:
    """Return the summary of a mining run."""
    names = {
        "supported": "有依据", "partly": "部分有依据", "unsupported": "未找到依据", "not_checked": "未核查", "out_of_scope": "不涉权责",
    }  # fmt: skip
    lines = [
        "",
        f"文件 documents {run['documents']}   未能读取 rejected {run['rejected']}   措施 measures {run['measures']}",
        "   ".join(f"{names.get(verdict, verdict)} {verdict} {count}" for verdict, count in run["verdicts"].items()),
    ]
    if run["gaps"]:
        lines += ["", *_columns([("缺口 gap", "措施 measures"), *((code, str(count)) for code, count in run["gaps"].items())])]
    if run["duties"]:
        lines += ["", f"镇街职责 duties {run['duties']}   无承接 CARRIER_MISSING {run['carrier_missing']}"]
    lines += ["", f"报告 report: {Path(run['out']) / 'report.html'}"]
    return "\n".join(lines)


def duties_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the orphaned duties, one a line, and their number."""
    lines = [
        f"{row['law']}{row['article']}  {row['bearer']} → {row['carrier'] or '–'}  {row['gap'] or row['instrument']}" for row in rows
    ]
    missing = sum(bool(row["gap"]) for row in rows)
    return "\n".join([*lines, "", f"镇街职责 duties {len(rows)}   无承接 CARRIER_MISSING {missing}"])


def _columns(rows: Sequence[tuple[str, str]]) -> list[str]:
    widest = max(width(name) for name, _ in rows)
    return [f"  {name}{' ' * (widest - width(name))}  {value:>12}" for name, value in rows]


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


_RANKS = {
    "constitution": "宪法", "law": "法律", "decision": "决定", "administrative_regulation": "行政法规", "local_regulation": "地方性法规",
    "department_rule": "部门规章", "local_rule": "地方政府规章", "judicial_interpretation": "司法解释",
}  # fmt: skip


def statutes_table(found: dict[str, Any]) -> str:
    """Return what the knowledge base covers; `found` is what `statutes status --json` prints."""
    lines = [
        "",
        f"法规 laws {found['laws']:,}   版本 versions {found['versions']:,}   条文 articles {found['articles']:,}   "
        f"截至 as of {found['as_of']}",
        "",
        _row("级别 level", "法规 laws", "版本 versions", "有正文 texts", "截至 as of", ""),
    ]
    for name, level in found["levels"].items():
        whole = "全部 all" if level["whole"] else "部分 some"
        counts = (f"{level[key]:,}" for key in ("laws", "versions", "versions_with_text"))
        lines.append(_row(_RANKS.get(name, name), *counts, str(level["as_of"] or "–"), whole))
    lines.append("")
    for key, told in (
        ("incomplete", "正文不全 incomplete texts（查不到条文时不作结论）"),
        ("conflicts", "来源不一致 conflicts"),
        ("problems", "未读入 problems"),
    ):
        lines.append(f"{told}: {len(found[key])}")
    if not found["versions_with_text"]:
        lines.append("只有随附的事实，没有条文正文：minqing statutes build（facts only: no texts have been built）")
    return "\n".join([*lines, "逐项 each of them: minqing statutes status --json"])


def _row(first: str, *cells: str) -> str:
    return f"  {first}{' ' * max(18 - width(first), 1)}" + "".join(" " * max(15 - width(c), 1) + c for c in cells)


def versions_table(found: Sequence[dict[str, Any]]) -> str:
    """Return the saved versions, one a line; * marks the ones in service."""
    if not found:
        return "还没有模型 no versions yet: minqing train"
    lines = ["", "  " + f"{'版本 version':<26}{'时间 created':<22}{'行 rows':>8} {'类 classes':>9}   top-1   top-3   mF1     ECE"]
    for entry in found:
        mark = "*" if entry["champion"] else " "
        if entry["problem"]:
            lines.append(f"{mark} {entry['version']:<28}不可用 unusable: {entry['problem']}")
            continue
        numbers = "".join(_number(entry[name]) for name in ("accuracy", "top3_accuracy", "macro_f1", "ece"))
        lines.append(
            f"{mark} {entry['version']:<28}{entry['created_at'][:19]:<24}{entry['rows'] or 0:>8} {entry['classes'] or 0:>10} {numbers}"
        )
    return "\n".join([*lines, "", "  * 现用 in service；指标来自各自训练数据的留出折 measures of each version's own held-out folds"])


def comparison_table(found: dict[str, Any]) -> str:
    """Return two versions side by side."""
    first, second = found["versions"]
    lines = ["", f"  {'':<26}{first:<24}{second:<24}"]
    for name, (one, other) in found["measures"].items():
        told = (f"{value:.3f}" if isinstance(value, float) else str(value if value is not None else "–") for value in (one, other))
        lines.append(f"  {name:<26}" + "".join(f"{value:<24}" for value in told))
    for key, version in (("only_first", first), ("only_second", second)):
        if found[key]:
            lines.append(f"  只见于 only in {version}: {'、'.join(found[key])}")
    for name, (one, other) in found["libraries"].items():
        lines.append(f"  {name}: {one} / {other}")
    if not found["same_rows"]:
        lines.append("  训练数据不同，指标不可直接相比 (different rows: the measures are not comparable as they stand)")
    return "\n".join(lines)


_VERDICTS = {
    "better": "优于现用模型，可以上线 better, may serve", "equal": "不差于现用模型，可以上线 not worse, may serve",
    "first": "可以上线 may serve", "worse": "不予上线 refused: worse", "blocked": "不予上线 refused",
}  # fmt: skip
_MARKS = {"better": "↑", "worse": "↓ 变差 worse"}

def gate_table(found: dict[str, Any], most: int = 12) -> str:
    """Return what the gate says: measures, slices, and the classes that differ; `most` rows of each kind."""
    from models.gate import NAMES  # late: `--help` needs no numpy

    rows = found["rows"]
    lines = [
        "",
        f"候选 candidate {found['candidate']}   对比 against {found['champion'] or '（无 none）'}",
        f"  可比 {found['compared']} 行 labelled rows compared"
        + "".join(f"   {name} {count}" for name, count in found["left_out"].items()),
        *(f"  提示 note: {note}" for note in found["notes"]),
        "",
        _gate_row("", "行 rows", "现用 before", "候选 after", "差 change", "95%"),
    ]
    for scope in dict.fromkeys(row["scope"] for row in rows):
        mine = [row for row in rows if row["scope"] == scope]
        told = [row for row in mine if row["verdict"] in _MARKS] if scope == "class" else mine
        told = sorted(told, key=lambda row: row["verdict"] != "worse") if scope == "class" else told
        if scope != "overall":
            lines.append(f"  {NAMES.get(scope, scope)}：{len(mine)}" + ("" if told else "，无显著差别 no difference beyond noise"))
        for row in told[:most]:
            name = NAMES.get(row["name"], row["name"]) if scope == "overall" else f"  {found['names'].get(row['name'], row['name'])}"
            between = "" if row["low"] is None else f"{row['low']:+.3f} … {row['high']:+.3f}"
            before, change = ("–" if row[key] is None else f"{row[key]:{form}}" for key, form in (("champion", ".3f"), ("difference", "+.3f")))
            lines.append(_gate_row(name, str(row["rows"]), before, f"{row['candidate']:.3f}", change, between, _MARKS.get(row["verdict"], "")))
        if len(told) > most:
            lines.append(f"    另有 {len(told) - most} 项 more: --json")
    if found["untested"]:
        lines.append(f"  另有 {found['untested']} 类行数太少，未逐一检验 classes with too few rows to be tested one by one")
    lines += ["", f"{'✓' if found['passed'] else '✗'} {_VERDICTS[found['verdict']]}", *(f"    {reason}" for reason in found["reasons"])]
    return "\n".join(lines)


def _gate_row(first: str, rows: str, before: str, after: str, change: str, between: str, mark: str = "") -> str:
    cells = "".join(" " * max(12 - width(cell), 1) + cell for cell in (rows, before, after, change))
    return f"  {first}{' ' * max(26 - width(first), 1)}{cells}   {between:<17} {mark}".rstrip()


def check_table(found: Sequence[dict[str, Any]]) -> str:
    """Return what is wrong with the champions, or that nothing is."""
    if not found:
        return "没有现用模型 nothing is in service"
    lines = []
    for entry in found:
        lines.append(f"{'✓' if entry['ok'] else '✗'} {entry['target']} {entry['version']}")
        if entry["problem"]:
            lines.append(f"    {entry['problem']}")
        lines += [f"    已撤并，改派 {unit} → {'、'.join(now)} (successor)" for unit, now in entry["mapped"].items()]
        lines += [f"    现无此单位 no such unit today: {unit}" for unit in entry["invalid"]]
        lines += [f"    提示 note: {note}" for note in entry["notes"]]
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return f"{'–' if value is None else f'{value:.3f}':>8}"


def replies_table(run: dict[str, Any]) -> str:
    """Return the summary of a run over replies."""
    from pipeline.replies.records import KINDS, STATES

    names = {"timeliness": "及时性", "relevance": "相关性", "completeness": "完整性", "explanation": "可解释性"}
    share = "–" if run["on_time"] is None else f"{run['on_time']:.1%}"
    total = "–" if run["median_total"] is None else f"{run['median_total']:.0f}"
    days = "–" if run["median_working_days"] is None else f"{run['median_working_days']:g}"
    lines = [
        "",
        f"读入 read {run['read']}   已评 scored {run['scored']}   未采用 rejected {run['rejected']}   未答复 unanswered {run['unanswered']}",
        f"总分中位 median {total}   用时中位 working days {days}   按期率 on time {share}   雷同答复 copied {run['copied']}",
        "   ".join(
            f"{names[name]} {name} {'–' if value is None else f'{value:.2f}'}" for name, value in run["means"].items()
        ),
        "",
        *_columns([("答复类型 kind", "件 replies"), *((f"{KINDS[kind]} {kind}", str(n)) for kind, n in run["kinds"].items())]),
        "",
        *_columns([("时效 timeliness", "件 petitions"), *((f"{STATES[s]} {s}", str(n)) for s, n in run["timeliness"].items())]),
    ]
    if run["rejected_by"]:
        lines += ["", "未采用的行 rejected rows (rejected.jsonl):"]
        lines += [f"  {code:<20} {count}" for code, count in run["rejected_by"].items()]
    lines += ["", f"报告 report: {Path(run['out']) / 'replies.html'}"]
    return "\n".join(lines)

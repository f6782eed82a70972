"""What the delivery commands print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.tables import width

KINDS = {"webhook": "网址 webhook", "folder": "文件夹 folder"}
STATUSES = {"pending": "待发 pending", "sending": "发送中 sending", "delivered": "已达 delivered", "dead": "死信 dead", "skipped": "已跳过 skipped"}


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows with their columns under each other; the last one is as wide as it is."""
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell + " " * (most - width(cell)) for cell, most in zip(row, widths, strict=True)).rstrip() for row in rows]


def subscribers_table(found: Sequence[dict[str, Any]]) -> str:
    """Return subscribers, one a line, with how far they are."""
    if not found:
        return "还没有接收方 no subscribers yet: minqing subscribers add NAME ADDRESS"
    rows = [("接收方 name", "方式 kind", "状态 state", "已达 delivered", "待发 waiting", "死信 dead", "地址 address")]
    for item in found:
        state = "启用 active" if item["active"] else "暂停 paused"
        waiting = f"{item['waiting'] + item['unseen']}" + (f"（{item['held']} 被死信挡住 held）" if item["held"] else "")
        rows.append((item["name"], KINDS[item["kind"]], state, str(item["delivered"]), waiting, str(item["dead"]), item["address"]))
    return "\n".join(["", *aligned(rows), *_oldest(found)])


def _oldest(found: Sequence[dict[str, Any]]) -> list[str]:
    late = [item["oldest"] for item in found if item["oldest"] is not None]
    return ["", f"  最早未达 oldest undelivered: {min(late):%Y-%m-%d %H:%M:%S} UTC"] if late else []


def publish_table(run: dict[str, Any]) -> str:
    """Return what a run of publish did."""
    lines = ["", f"已送达 delivered {run['delivered']}   失败 failed attempts {run['failed']}   死信 dead letters {run['dead_letters']}   待发 waiting {run['waiting']}"]
    if not run["subscribers"]:
        return "\n".join([*lines, "", subscribers_table([])])
    rows = [("接收方 subscriber", "本次 now", "失败 failed", "待发 waiting", "死信 dead")]
    for item in run["subscribers"]:
        waiting = str(item["waiting"] + item["unseen"]) + ("" if item["active"] else "（暂停 paused）")
        rows.append((item["name"], str(item["delivered_now"]), str(item["failed_now"]), waiting, str(item["dead"])))
    lines += ["", *aligned(rows)]
    if run["dead_letters"]:
        lines += ["", "  死信挡住同一来件的后续消息 a dead letter holds back what follows of its petition: minqing deliveries list"]
    return "\n".join(lines)


def deliveries_table(found: Sequence[dict[str, Any]], limit: int) -> str:
    """Return deliveries, one a line."""
    if not found:
        return "没有 nothing to show"
    rows = [("接收方 subscriber", "序号 position", "编号 petition", "消息 kind", "状态 status", "次数 attempts", "后续 behind", "原因 why")]
    for item in found:
        rows.append(
            (
                item["subscriber"], str(item["position"]), item["petition_id"], item["kind"], STATUSES[item["status"]],
                str(item["attempts"]), str(item["behind"]) if item["status"] == "dead" else "", item["error"] or "",
            )
        )  # fmt: skip
    lines = ["", *aligned(rows)]
    if len(found) == limit:
        lines.append(f"  只列出前 {limit} 条 the first {limit}: --limit")
    if any(item["status"] == "dead" for item in found):
        lines += [
            "",
            "  死信挡住同一来件的后续消息，直到重发或跳过。A dead letter holds back what follows of its petition until it is replayed or skipped:",
            "    minqing deliveries replay NAME [POSITION …]   重发 again",
            "    minqing deliveries skip NAME POSITION … --why TEXT   跳过 give up",
        ]
    return "\n".join(lines)

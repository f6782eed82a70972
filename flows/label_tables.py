"""What the label commands print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_TARGETS = {"issue_type": "问题类型 issue_type", "unit": "承办单位 unit"}
_REASONS = {
    "label_error": "疑似错标 label errors", "uncertain": "拿不准 uncertain", "disagreement": "内部不一 views disagree",
    "new": "新问题 new groups", "diverse": "有代表性 representative", "conflict": "标注冲突 conflicts",
}  # fmt: skip
_SHOWN = 20


def export_table(found: dict[str, Any]) -> str:
    """Return what was given out and why."""
    lines = [
        "",
        f"{_TARGETS[found['target']]}   导出 export {found['export']}   {found['rows']} 件 petitions",
        f"  模型 model: {found['model'] or '无 none'}",
    ]
    lines += [f"  {_REASONS[name]:<30} {count}" for name, count in found["picked_for"].items()]
    lines += _counts("未列入 left out", found.get("left_out", {})) + _counts("未读入 rejected", found.get("rejected", {}))
    return "\n".join([*lines, *(f"  → {path}" for path in found["files"])])


def import_table(found: dict[str, Any]) -> str:
    """Return what became of each file's rows, with the reasons of those set aside."""
    lines = []
    for entry in found["files"]:
        lines += [
            "",
            f"{entry['file']}   行 rows {entry['rows']}",
            f"  新增 taken {entry['taken']}   已有 known {entry['known']}   未填 open {entry['open']}   未采用 set aside {entry['rejected']}",
        ]
        lines += _counts("标注人 annotators", entry["annotators"])
        lines += [f"  {remark}：{count}" for remark, count in entry["remarks"].items()]
        if entry["edited"]:
            lines.append(f"  内容被改动，以导出的为准 text edited, as exported counts: {entry['edited']}")
        if entry["ignored_columns"]:
            lines.append(f"  受理以后才写的列，未读 written after filing, ignored: {'、'.join(entry['ignored_columns'])}")
        lines += [f"    第 {item['row']} 行 {item['code']}: {item['reason']}" for item in entry["rejections"][:_SHOWN]]
        if len(entry["rejections"]) > _SHOWN:
            lines.append(f"    … 另 {len(entry['rejections']) - _SHOWN} 行 more, all of them: --json")
    return "\n".join(lines)


def status_table(found: Sequence[dict[str, Any]]) -> str:
    """Return where the annotation of each target stands."""
    if not found:
        return "还没有导出过标注任务 nothing was given out yet: minqing labels export"
    lines = []
    for state in found:
        lines += [
            "",
            f"{_TARGETS[state['target']]}   已发 given out {state['given_out']}",
            f"  已定 labelled {state['labelled']}（仲裁 decided {state['decided']}）   冲突 conflicts {state['conflicts']}   "
            f"无法判断 passed {state['passed']}   未标 open {state['open']}",
        ]
        for who, told in state["annotators"].items():
            lines.append(f"  {who}: " + "   ".join(f"{_STATUS[name]} {count}" for name, count in told.items()))
        if state["kappa"] is not None:
            lines.append(f"  一致性 Cohen's κ {state['kappa']:.3f}（{_grade(state['kappa'])}）")
            lines += [f"    {p['one']} – {p['other']}: κ {p['kappa']:.3f}   一致 agree {p['share']:.0%} / {p['petitions']}" for p in state["pairs"]]
        lines += [
            f"    {item['petition_id']}: " + "；".join(f"{who}：{label}" for who, label in item["votes"].items())
            for item in state["conflicting"][:_SHOWN]
        ]
        if state["conflicts"]:
            lines.append(f"  请人裁定 have them decided: minqing labels export --conflicts --target {state['target']} --out FILE.xlsx")
    return "\n".join(lines)


_STATUS = {"labelled": "标注 labelled", "skipped": "无法判断 skipped", "cancelled": "退回 cancelled"}


def _grade(kappa: float) -> str:
    """Return the usual word for a κ (Landis and Koch, 1977)."""
    grades = ((0.8, "几乎完全一致"), (0.6, "高度一致"), (0.4, "中等一致"), (0.2, "一致性较弱"))
    return next((word for least, word in grades if kappa > least), "一致性差")


def decisions_table(found: dict[str, Any]) -> str:
    """Return what people decided, and how each suggested unit fared."""
    if not found["verdicts"]:
        return "还没有对建议作出的决定 nobody has decided on a suggestion yet"
    total = sum(found["verdicts"].values())
    lines = ["", f"决定 decisions {total}   采纳率 accepted {found['accepted_share']:.1%}   可作标注 label candidates {found['labels']}"]
    lines += _counts("可学 to learn from", found["used"]) + _counts("不作标注 no label", found["left_out"])
    lines += _counts("决定人 people", found["people"])
    for unit, told in list(found["units"].items())[:_SHOWN]:
        counts = "   ".join(f"{_VERDICTS[name]} {told[name]}" for name in _VERDICTS if name in told)
        lines.append(f"  {unit or '（未建议单位）'}: {counts}   退单率 refused {told['refused_share']:.0%}")
    if len(found["units"]) > _SHOWN:
        lines.append(f"  … 另 {len(found['units']) - _SHOWN} 个单位 more, all of them: --json")
    return "\n".join(lines)


_VERDICTS = {"accepted": "采纳 accepted", "reassigned": "改派 reassigned", "refused": "退单 refused"}


def dataset_table(found: dict[str, Any]) -> str:
    """Return what the corpus holds."""
    lines = [
        "",
        f"{_TARGETS[found['target']]}   行 rows {found['rows']}（人工 by people {found['by_people']}）   类 classes {found['classes']}",
    ]
    lines += [f"  {part:<12} {count:>7}   {found['fingerprints'][part]}" for part, count in found["parts"].items()]
    lines += _counts("未列入 left out", found["left_out"]) + _counts("未读入 rejected", found["rejected"])
    return "\n".join([*lines, f"  → {found['out']}"])


def _counts(title: str, counts: Mapping[str, int]) -> list[str]:
    return [f"  {title}: " + ", ".join(f"{name} {count}" for name, count in counts.items())] if counts else []

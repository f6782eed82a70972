"""The model card (模型说明): what a version was made from, how well it does, what it is for and what it is not for.

Written from the manifest alone, so that it says nothing that is not on record. No personal data: only counts, names of
units and of issue types, and names of files, masked.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from corpora.issue_tree import IssueTree
from pipeline.petitions.mask import mask

_TARGETS = {"issue_type": "问题类型", "unit": "承办单位"}
_MEASURES = (
    ("accuracy", "首选正确率 accuracy"), ("top3_accuracy", "前三命中 top-3"), ("macro_f1", "宏平均 macro-F1"),
    ("ece", "校准误差 ECE"), ("coverage_at_95_precision", "95% 准确率下的直派比例 coverage"),
)  # fmt: skip
#: Labels listed with their rows; the rest are counted.
_LISTED = 20
#: Held-out rows below which a measure is hardly more than an impression.
_FEW = 200


def data_of(petitions: pa.Table, labels: Sequence[str], keys: npt.NDArray[np.uint64]) -> dict[str, Any]:
    """Return what a manifest says of the rows a version was trained on.

    Args:
        petitions: the n rows.
        labels: their labels.
        keys: their keys, shape (n,), as `corpora.labelled.row_keys` gives them.
    """
    lines = sorted(f"{key:016x} {label}" for key, label in zip(keys.tolist(), labels, strict=True))
    times = [at for at in petitions["submitted_at"].to_pylist() if at is not None]
    return {
        "rows": len(labels),
        "fingerprint": hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest(),
        "sources": sorted(
            {mask(PurePath(name).name).text for name in petitions["source"].unique().to_pylist() if name}
        ),
        "from": _day(min(times)) if times else None,
        "to": _day(max(times)) if times else None,
        "labels": dict(Counter(labels).most_common()),
    }


def card(manifest: Mapping[str, Any]) -> str:
    """Return the card of a version as Markdown."""
    target = _TARGETS.get(manifest.get("target", ""), str(manifest.get("target", "")))
    lines = [
        f"# {target}模型 {manifest.get('version', '')}",
        "",
        f"训练于 {manifest.get('created_at') or '（未记录）'}。本页由训练程序按 `manifest.json` 生成，请勿手改。",
        *_section("用途", [
            f"为居民诉求建议{target}，附概率和理由，供受理人员派单参考。",
            "低于阈值、紧急或有疑问的件一律由人复核；直派的件也可退单、改派。",
            "**不用于**：评价个人或单位，决定是否受理，代替对诉求的答复，或处理本市以外、其他语言、其他文种的文本。",
        ]),
        *_data(manifest),
        *_labels(manifest),
        *_measured(manifest.get("measures")),
        *_section("局限", [
            "历史标注里的错派会被学去；少见的类别、训练之后新设的单位和新出现的问题把握较小。",
            "概率是按训练时的来件校准的；来件的构成变了（新渠道、新政策、突发事件），应重新检验，必要时重新训练。",
            "留出检验来自同一批来件；上线前请用更新的件与现用模型对比（`minqing models compare`）。",
        ]),
        *_section("伦理与隐私", [
            "建议由人负责：谁采纳、谁改派都有记录；不能把责任推给模型。",
            "训练前已掩去电话、证件号等个人信息；版本里没有诉求原文，只有词和字的权重、相近件的编号和数值。",
            "不按姓名、户籍、民族、性别等个人特征派单。弱势群体的来件若集中在少数渠道，请看分渠道的检验结果。",
        ]),
        *_made_with(manifest),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _data(manifest: Mapping[str, Any]) -> list[str]:
    data = manifest.get("data")
    if not data:
        return _section("数据", [f"{manifest.get('rows', '未记录')} 件标注来件；来源未记录。"])
    span = f"{data['from']} 至 {data['to']}" if data.get("from") else "没有时间"
    sources = "、".join(_safe(name) for name in data["sources"]) or "未记录"
    return _section(
        "数据",
        [
            f"{data['rows']:,} 件标注来件，{span}。",
            f"来源：{sources}。",
            f"指纹：`{data['fingerprint']}`（文本与标签，不论顺序）。",
        ],
    )


def _labels(manifest: Mapping[str, Any]) -> list[str]:
    model = manifest.get("model") or {}
    names = dict(zip(model.get("labels", ()), model.get("unit_names", ()), strict=False))
    if manifest.get("target") == "issue_type":
        names = {str(node.code): node.name for node in IssueTree.load().nodes}
    counts = (manifest.get("data") or {}).get("labels") or {}
    lines = _section("标签", [f"可给出 {len(model.get('labels', ()))} 类，其中 {len(counts)} 类有训练来件。"])
    if counts:
        lines += ["", "| 标签 | 件 |", "|---|--:|"]
        for label, count in list(counts.items())[:_LISTED]:
            shown = label if names.get(label, label) == label else f"{label} {names[label]}"
            lines.append(f"| {_safe(shown)} | {count:,} |")
        rest = list(counts.values())[_LISTED:]
        if rest:
            lines.append(f"| 其余 {len(rest)} 类 | {sum(rest):,} |")
    return lines


def _measured(measures: Mapping[str, Any] | None) -> list[str]:
    if not measures:
        return _section("检验", ["行数太少，没有留出检验：上线前请另用标注来件检验（`minqing evaluate`）。"])
    few = f"（不足 {_FEW} 件，仅供参考）" if measures["rows"] < _FEW else ""
    lines = _section("检验", [f"由未见过该件的模型预测 {measures['rows']:,} 件{few}："])
    lines += ["", "| 指标 | 值 |", "|---|--:|"]
    lines += [f"| {name} | {measures[key]:.3f} |" for key, name in _MEASURES if measures.get(key) is not None]
    lines += ["", "达到某一准确率时可以直派的比例（阈值写在配置 `decision.auto_min_probability`）：", ""]
    lines += ["| 准确率 | 阈值 | 直派 |", "|--:|--:|--:|"]
    for row in measures.get("coverage", ()):
        threshold = "–" if row["threshold"] is None else f"{row['threshold']:.2f}"
        lines.append(f"| {row['wanted']:.0%} | {threshold} | {row['share']:.1%} |")
    return lines


def _made_with(manifest: Mapping[str, Any]) -> list[str]:
    libraries = "、".join(f"{name} {found}" for name, found in (manifest.get("libraries") or {}).items())
    return _section("版本与环境", [
        f"minqing {manifest.get('code_version') or '未记录'}；格式 {manifest.get('format', '')}；{libraries or '库版本未记录'}。",
        "文件的 SHA-256 见 `manifest.json`；读取时逐一核对，不符即拒绝。文件里没有可执行的内容。",
    ])  # fmt: skip


def _section(title: str, lines: Sequence[str]) -> list[str]:
    return ["", f"## {title}", "", *(f"- {line}" for line in lines)]


def _safe(text: str) -> str:
    """Return a name that cannot be taken for markup, or for a person's number."""
    shown = mask(" ".join(text.split())).text
    return "".join(f"\\{char}" if char in "|*_`<>[]\\" else char for char in shown)


def _day(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d}"

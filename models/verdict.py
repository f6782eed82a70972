"""What a drift means: all is well, look at it, or train again; with the reasons in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from corpora.config import WatchConfig
from models.drift import Drift

#: Verdicts, mildest first; `undecided` where there is too little to judge.
VERDICTS = ("stable", "undecided", "watch", "retrain")
NAMES = {
    "predicted": "建议类别构成", "label": "标注类别构成", "confidence": "置信度分布", "unknown": "未见用语比例", "length": "篇幅分布",
    "channel": "来源渠道构成",
}  # fmt: skip
#: Classes named in a sentence.
_NAMED = 3


@dataclass(frozen=True)
class Strangers:
    """Labels that the model does not know, by where they were met: name → petitions; `rows` is the window's size."""

    rows: int
    predicted: Mapping[str, int]
    label: Mapping[str, int]
    refused: Mapping[str, int]

    @property
    def petitions(self) -> int:
        """Petitions whose suggestion or label is unknown to the model, in the kind that has more of them."""
        return max(sum(self.predicted.values()), sum(self.label.values()))


@dataclass(frozen=True)
class Verdict:
    """One of VERDICTS, and why, in words."""

    verdict: str
    reasons: tuple[str, ...]


def judge(drift: Drift, strangers: Strangers, limits: WatchConfig, names: Mapping[str, str]) -> Verdict:
    """Return the verdict on a window; `names` gives labels their names."""
    found: list[tuple[str, str]] = []
    for item in drift.dimensions:
        if item.status not in ("moderate", "major"):
            continue
        text = f"{NAMES[item.name]}{'显著变化' if item.status == 'major' else '有变化'}（PSI {item.psi:.2f}，扣除抽样波动后 {item.excess:.2f}）"
        if item.means:
            before, now = (f"{m:.0f}" if item.name == "length" else f"{m:.1%}" for m in item.means)
            text += f"，均值由 {before} 变为 {now}"
        if item.movers:
            text += "：" + "、".join(
                f"{names.get(m.name, m.name)} {m.before:.1%} → {m.now:.1%}{'（原无）' if m.new else ''}" for m in item.movers[:_NAMED]
            )
        grave = item.status == "major" and item.name in limits.retrain_on
        found.append(("retrain" if grave else "watch", text))
    if drift.accuracy and drift.accuracy.fell:
        held_out, lately = (right / rows for right, rows in (drift.accuracy.before, drift.accuracy.now))
        grave = held_out - lately >= limits.accuracy_drop
        found.append(("retrain" if grave else "watch", f"首选正确率由 {held_out:.1%} 降为 {lately:.1%}（{drift.accuracy.now[1]} 件有标注）"))
    if drift.overall.raised:
        text = f"总退单率 {drift.overall.rate:.1%}（{drift.overall.back}/{drift.overall.given}）{_before(drift.overall.before)}"
        found.append(("retrain", f"{text}，高于容许的 {limits.refusal_limit:.0%}"))
    for unit in drift.units:
        if unit.raised:
            text = f"{names.get(unit.unit, unit.unit)}退单率 {unit.rate:.1%}（{unit.back}/{unit.given}，区间 {unit.low:.0%}–{unit.high:.0%}）"
            found.append(("watch", text + _before(unit.before)))
    unknown = {**strangers.predicted, **strangers.label, **strangers.refused}
    if unknown:
        share = strangers.petitions / max(strangers.rows, 1)
        listed = "、".join(names.get(name, name) for name in sorted(unknown, key=lambda key: -unknown[key])[:_NAMED])
        grave = share >= limits.unknown_labels and strangers.rows >= limits.min_rows
        text = f"模型不认识的类别 {len(unknown)} 个，涉及 {share:.1%} 的来件：{listed}{'等' if len(unknown) > _NAMED else ''}"
        found.append(("retrain" if grave else "watch", text))
    if found:
        worst = max((level for level, _ in found), key=VERDICTS.index)
        return Verdict(worst, tuple(text for level, text in sorted(found, key=lambda item: -VERDICTS.index(item[0]))))
    if all(item.status == "unknown" for item in drift.dimensions):
        why = {item.why for item in drift.dimensions}
        text = "该模型没有训练时的参照，重新训练后方可比较" if why == {"no reference"} else f"样本不足，少于 {limits.min_rows} 件，不作判断"
        return Verdict("undecided", (text,))
    return Verdict("stable", ("各项与训练时相比，未超出抽样波动和容许范围",))


def _before(before: tuple[int, int] | None) -> str:
    return f"，此前 {before[0] / before[1]:.1%}" if before and before[1] else ""

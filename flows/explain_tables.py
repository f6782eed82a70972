"""An explanation for a terminal: bars for the contributions, words with what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flows.tables import width

_VIEWS = {
    "linear": "用语 words", "neighbours": "相似来件 neighbours", "duty": "职责 duty", "place": "地点 place", "name": "点名 name",
    "history": "历史 history", "transformer": "语义 transformer", "bias": "先验 prior",
}  # fmt: skip
_BAR = 16
#: Sentences told for a candidate, and characters of each.
_SENTENCES, _CUT = 2, 44


def explanation_table(found: dict[str, Any]) -> str:
    """Return what `flows.explaining.explain_petition` found."""
    target = {"issue_type": "问题类型 issue_type", "unit": "承办单位 unit"}[found["target"]]
    lines = ["", f"{target}   {found['model']}   {found['petition_id']}"]
    if found["masked"]:
        lines.append("  已脱敏 masked: " + ", ".join(f"{kind} {count}" for kind, count in found["masked"].items()))
    if not found["learnt"]:
        lines.append("  无历史标注，仅凭职责与地名 (no labelled history: duties and places alone)")
    if not found["candidates"]:
        lines.append("  没有依据指向任何标签 nothing speaks for any label")
    names = {entry["label"]: entry["name"] for entry in found["candidates"]}
    for place, candidate in enumerate(found["candidates"], 1):
        lines += _candidate(place, candidate, names)
    if found["neighbours"]:
        lines += ["", "  相似的已标注来件 similar petitions learnt from"]
        for entry in found["neighbours"]:
            lines.append(f"    {entry['cosine']:.2f}  {_pad(entry['id'] or '–', 24)} {entry['name']}")
    for entry in found["refused"]:
        lines.append(f"  已退单，不再推荐 refused: {entry['name']}")
    if found["looked_at"] < 1:
        lines.append(f"  来件较长，逐词遮去了其中 {found['looked_at']:.0%} 的词 (long text: this share of its words was left out in turn)")
    return "\n".join(lines)


def _candidate(place: int, found: dict[str, Any], names: dict[str, str]) -> list[str]:
    lines = ["", f"{place}. {found['name']}   {found['probability']:.1%}"]
    if found["against"]:
        lines.append(f"   与 against {found['against_name']}：得分差 difference {found['difference']:+.2f}")
    parts = sorted(found["contributions"].items(), key=lambda item: -abs(item[1]))
    most = max((abs(value) for _, value in parts), default=0.0) or 1.0
    for name, value in parts:
        if abs(value) < 0.005:
            continue
        bar = "█" * max(round(_BAR * abs(value) / most), 1)
        lines.append(f"     {_pad(_VIEWS.get(name, name), 22)}{value:+7.2f}  {bar if value > 0 else '░' * len(bar)}")
    facts = found["facts"]
    if facts["duty"]:
        hits = "、".join(facts["duty"]["hits"]) or "–"
        lines.append(f"     职责 duty {facts['duty']['id']}：{_short(facts['duty']['text'])}（来件提到 hits：{hits}）")
    if facts["place"]:
        lines.append(f"     地点 place：“{facts['place']}”在其辖区")
    if facts["name"]:
        lines.append(f"     点名 name：来件提到“{facts['name']}”")
    if facts["history"] is not None and facts["history"] >= 0.05:
        lines.append(f"     历史 history：“{facts['issue']}”等类来件约 {facts['history']:.0%} 由其承办")
    for title, key in (
        ("用语支持 words for", "words"),
        ("用语反对 words against", "words_against"),
        ("遮去则降 left out, it falls", "left_out"),
        ("遮去则升 left out, it rises", "left_out_against"),
    ):
        if found[key]:
            lines.append(f"     {title}：" + _words(found[key]))
    told = [s for s in found["sentences"] if s["value"] > 0.05][:_SENTENCES]
    lines += [f"     关键句 sentence {s['value']:+.2f}：{_short(s['text'])}" for s in told]
    return lines


def _words(spans: Sequence[dict[str, Any]]) -> str:
    return "  ".join(f"{span['text']} {span['value']:+.2f}" for span in spans)


def _short(text: str) -> str:
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"


def _pad(text: str, columns: int) -> str:
    return text + " " * max(columns - width(text), 1)

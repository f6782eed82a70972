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
#: What is worth less is not told; below this probability of the best, nothing is.
_WORTH, _WEAK = 0.02, 0.1
#: Below this accuracy, doubts about labels are mostly the model's own errors.
_GOOD = 0.75


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
    elif found["candidates"][0]["probability"] < _WEAK:
        lines.append("  依据很弱：来件里几乎没有模型认得的内容 (weak: the model knows next to nothing in this text)")
    names = {entry["label"]: entry["name"] for entry in found["candidates"]}
    for place, candidate in enumerate(found["candidates"], 1):
        lines += _candidate(place, candidate, names)
    if found["neighbours"]:
        lines += ["", "  相似的已标注来件 similar petitions learnt from"]
        for entry in found["neighbours"]:
            itself = "（本件 itself）" if entry["id"] and entry["id"] == found["petition_id"] else ""
            lines.append(f"    {entry['cosine']:.2f}  {_pad(entry['id'] or '–', 24)} {entry['name']}{itself}")
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
    if facts["duty"] and facts["duty"]["hits"]:
        hits = "、".join(facts["duty"]["hits"])
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
        # The linear words of the others mirror those of the first: what leaving words out does tells more.
        told = [span for span in found[key] if abs(span["value"]) >= _WORTH]
        if told and (place == 1 or key.startswith("left_out")):
            lines.append(f"     {title}：" + _words(told))
    key_sentences = [s for s in found["sentences"] if s["value"] > 0.05][:_SENTENCES]
    lines += [f"     关键句 sentence {s['value']:+.2f}：{_short(s['text'])}" for s in key_sentences]
    return lines


def _words(spans: Sequence[dict[str, Any]]) -> str:
    return "  ".join(f"{span['text']} {span['value']:+.2f}" for span in spans)


def _short(text: str) -> str:
    return text if len(text) <= _CUT else text[: _CUT - 1] + "…"


def _pad(text: str, columns: int) -> str:
    return text + " " * max(columns - width(text), 1)


def diagnosis_table(found: dict[str, Any]) -> str:
    """Return the summary of `flows.diagnosing.diagnose_files`."""
    measures, names = found["measures"], found["names"]
    target = {"issue_type": "问题类型 issue_type", "unit": "承办单位 unit"}[found["target"]]
    lines = [
        "",
        f"{target}   读入 read {found['read']}   标注 labelled {found['rows']}   类 classes {len(found['classes'])}",
        f"  accuracy {measures['accuracy']:.3f}   top-3 {measures['top3_accuracy']:.3f}   macro-F1 {measures['macro_f1']:.3f}"
        f"   ECE {measures['ece']:.3f}   (held-out folds)",
    ]
    for key, title in (("left_out", "left out"), ("rejected", "rejected")):
        if found[key]:
            lines.append(f"  {title}: " + ", ".join(f"{reason} {count}" for reason, count in found[key].items()))
    lines += ["", "  最易混 most confused"]
    for pair in found["pairs"][:5]:
        lines.append(f"    {pair['forth'] + pair['back']:>4}  {names[pair['first']]} ⇄ {names[pair['second']]}")
    errors = found["label_errors"]
    lines += ["", f"  可疑标注 doubtful labels {errors['count']}   估计错标 estimated wrong {errors['estimated_share']:.1%}"]
    if measures["accuracy"] < _GOOD:
        lines.append("    模型自身正确率低，可疑者多半是类别难分 (a weak model: most of these are hard to tell apart, not wrong)")
    if found["no_curves"]:
        lines.append(f"  没有学习曲线 no learning curves: {found['no_curves']}")
    if found["curves"]:
        for gain in found["curves"]["gains"]:
            half = (gain["high"] - gain["low"]) / 2
            lines.append(f"  再标 more labels +{gain['more']}: 约 about +{gain['points']:.1f} ± {half:.1f} 点 points（估计 estimate）")
        best = [entry for entry in found["curves"]["classes"] if entry["points"] > 0][:3]
        lines += [f"    先标 first: {names[e['label']]} +{e['more']} → +{e['points']:.2f} 点 points" for e in best]
    return "\n".join([*lines, "", f"报告 report: {found['out']}/report.html   label_errors.xlsx   label_errors.jsonl"])

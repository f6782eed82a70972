"""The files of a run over replies: `replies.jsonl`, `replies.xlsx`, `rejected.jsonl`; texts in them are masked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from corpora.records import Rejection
from corpora.reply_config import PARTS, ReplyConfig
from dispatch.files import rejection_line
from dispatch.legal_sheets import SHEET_ROWS, fill, header_cell, settle, text_cell
from pipeline.replies.records import KINDS, STATES, Part, ReplyScore

#: Names of the parts, in the order of `PARTS`.
PART_NAMES = dict(zip(PARTS, ("及时性", "相关性", "完整性", "可解释性"), strict=True))

#: Characters of a reply that stand beside its score.
EXCERPT = 300

_SOURCES = {"column": "表中", "signature": "落款", "": ""}
_COLUMNS: tuple[tuple[str, int], ...] = (
    ("编号", 14), ("来信时间", 17), ("答复时间", 17), ("标题", 34), ("答复单位", 22), ("单位出处", 9), ("答复类型", 18),
    ("总分", 8), ("及时性", 8), ("相关性", 8), ("完整性", 8), ("可解释性", 9),
    ("时效", 12), ("用时（工作日）", 9), ("期限（工作日）", 9), ("应答复日期", 12), ("逾期（工作日）", 9), ("期限依据", 24), ("时效说明", 32),
    ("诉求项数", 8), ("回应项数", 8), ("雷同答复件数", 9), ("主要不足", 56), ("相关性依据", 44), ("完整性依据", 44), ("可解释性依据", 44),
    ("答复摘录（已脱敏）", 60), ("来源", 20), ("行", 7),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A petition with its reply and score, as the files and the report show it; texts are masked."""

    petition_id: str
    submitted_at: datetime | None
    replied_at: datetime | None
    title: str
    reply: str
    source: str
    row: int
    score: ReplyScore

    def part(self, name: str) -> float | None:
        """Return the score of a part, one of `PARTS`."""
        found: float | None = getattr(self.score, name).score
        return found


def json_line(row: ReplyRow) -> bytes:
    """Return the JSON object of a row: scores and evidence, without the texts of petition and reply."""
    score = row.score
    line = {
        "petition_id": row.petition_id,
        "source": row.source,
        "row": row.row,
        "submitted_at": row.submitted_at,
        "replied_at": row.replied_at,
        "unit": score.unit,
        "unit_from": score.unit_from,
        "kind": score.kind,
        "total": _rounded(score.total, 1),
        "timeliness": {**asdict(score.timeliness), "score": _rounded(score.timeliness.score)},
        **{name: _part_json(getattr(score, name)) for name in PARTS[1:]},
        "requests": score.requests,
        "met": score.met,
        "copies": score.copies,
        "copy_group": score.copy_group,
        "signed_on": score.signed_on,
        "reasons": score.reasons,
    }
    return orjson.dumps(line)


def _part_json(part: Part) -> dict[str, Any]:
    return {"score": _rounded(part.score), "found": part.found, "missing": part.missing}


def _rounded(value: float | None, digits: int = 3) -> float | None:
    return None if value is None else round(value, digits)


def write_files(
    out: Path,
    rows: Sequence[ReplyRow],
    rejections: Sequence[Rejection],
    mask: Callable[[str], str],
    method: Sequence[tuple[str, str]],
) -> None:
    """Write the three files beside their names and put them in place when all are whole.

    Args:
        out: the folder, which is there.
        rows: all that was scored.
        rejections: all that was not, with their raw content.
        mask: hides personal data in the raw content.
        method: headings and sentences for the sheet that states the method.
    """
    parts = {name: out / f".{name}.part" for name in ("replies.jsonl", "replies.xlsx", "rejected.jsonl")}
    try:
        with parts["replies.jsonl"].open("wb") as file:
            file.writelines(json_line(row) + b"\n" for row in rows)
        with parts["rejected.jsonl"].open("wb") as file:
            file.writelines(rejection_line(item, mask) + b"\n" for item in rejections)
        _write_book(parts["replies.xlsx"], rows, method)
        for name, part in parts.items():
            part.replace(out / name)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _write_book(path: Path, rows: Sequence[ReplyRow], method: Sequence[tuple[str, str]]) -> None:
    book = Workbook(write_only=True)
    shown = rows[: SHEET_ROWS - 1]
    notes = [*method]
    if len(shown) < len(rows):
        notes.append(("未列出的行", f"{len(rows) - len(shown)}行，见 replies.jsonl"))
    _sheet(book, "答复质量", _COLUMNS, (_cells(row) for row in shown), len(shown))
    _sheet(book, "方法", (("项目", 20), ("说明", 110)), iter(notes), len(notes))
    raw = path.with_name(path.name + ".raw")
    try:
        book.save(raw)
        settle(raw, path)
    finally:
        raw.unlink(missing_ok=True)


def _sheet(
    book: Workbook, name: str, columns: Sequence[tuple[str, int]], rows: Iterator[Sequence[Any]], count: int
) -> None:
    sheet: Any = book.create_sheet(name)
    sheet.freeze_panes = "A2"
    for place, (_, width) in enumerate(columns, 1):
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.append([header_cell(sheet, title) for title, _ in columns])
    cell = text_cell(sheet)
    for row in rows:
        sheet.append(
            (fill(cell, value, "replies.jsonl") if value else None) if isinstance(value, str) else value for value in row
        )
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{count + 1}"


def _cells(row: ReplyRow) -> list[str | int | float | None]:
    score, time = row.score, row.score.timeliness
    return [
        row.petition_id, _moment(row.submitted_at), _moment(row.replied_at), row.title, score.unit,
        _SOURCES[score.unit_from], KINDS[score.kind], _rounded(score.total, 1),
        *(_percent(row.part(name)) for name in PARTS),
        STATES[time.state], time.working_days, time.limit, time.due.isoformat() if time.due else "", time.late, time.basis,
        time.note, score.requests, score.met, score.copies if score.copies > 1 else None, "\n".join(score.reasons),
        *("\n".join((*getattr(score, name).found, *getattr(score, name).missing)) for name in PARTS[1:]),
        row.reply if len(row.reply) <= EXCERPT else row.reply[:EXCERPT] + "…", row.source, row.row,
    ]  # fmt: skip


def _moment(value: datetime | None) -> str:
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M")


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value)


def method_notes(config: ReplyConfig, deadlines: Sequence[str]) -> list[tuple[str, str]]:
    """Return the method in full, in Chinese, with the weights and limits in force: heading and sentence each."""
    weights, near, whole, why, copied = (
        config.weights, config.relevance, config.completeness, config.explanation, config.copies,
    )  # fmt: skip
    total = sum(getattr(weights, name) for name in PARTS)
    shares = "、".join(f"{PART_NAMES[name]}{getattr(weights, name) / total:.0%}" for name in PARTS)
    elements = whole.structure_weights
    return [
        ("总分", f"0至100分，四项加权：{shares}。某一项无法判断时不猜，按其余各项的权重折算。未答复且已逾期的记0分，未到期的不计分。"),
        ("及时性", "从来信次日起算工作日（含调休，放假安排见国务院办公厅历年通知），到答复当日为止；期限取自期限规则（"
         + "；".join(deadlines) + "），按“一般”级别适用。按期1分；逾期为期限工作日数÷实际工作日数。工作日历不及的年份、没有时间的来件记“无法判断”，不计分。答复时间以表中所记为准，文末日期更晚的另行注明。"),
        ("相关性", f"以字符二元组加权（TF-IDF）比较答复与本信、与同批其他事项来信（最多{near.sample:,}件，固定抽样）的相近度：不高于其他来信的第95百分位记0分，"
         f"达到其{near.full_ratio:g}倍记1分，其间按对数。{1 - near.content_share:.0%}看全文，{near.content_share:.0%}只看实质内容（去掉问候、收悉、复述、转办、感谢、落款）。"
         f"同批其他来信不足{near.least_others}件时按相近度本身计分（{near.full_cosine:g}为满分）。"),
        ("完整性", f"{whole.requests:.0%}看诉求回应：来信中带请问、能否、希望、？等的句子各为一项诉求，其有信息量的词在答复实质内容中出现{whole.covered:.0%}（按信息量加权）即算回应；泛泛的要求（恳请严查）在答复有调查或措施时也看标题的词；"
         "问时间而不见时间、问原因而不见理由的最多算一半。"
         f"{whole.substance:.0%}看实质内容字数（{whole.enough_base}字加来信字数的{whole.enough_share:.0%}，至多{whole.enough_most}字为够用）。"
         f"{whole.structure:.0%}看结构：问候{elements.greeting:g}、复述{elements.restatement:g}、调查核实{elements.finding:g}、处理措施{elements.measure:g}、"
         f"时间安排{elements.time:g}、联系方式{elements.contact:g}、结束语{elements.closing:g}。"),
        ("可解释性", f"{why.reasons:.0%}看说明理由的分句（{why.reasons_enough}处为满）、{why.basis:.0%}看是否引用法规或文件、{why.facts:.0%}看数字、日期、单位等具体事实（{why.facts_enough}处为满）；"
         f"含糊表述（尽快、进一步、正在研究、请咨询等）按其所占比例最多扣{why.evasion:.0%}，与不同事项的答复雷同再扣{why.copied:.0%}。"),
        ("答复类型", f"去掉程序性语句后实质内容不足{config.holding_characters}字、只说收悉或转办的为程序性答复；只引导到其他单位或渠道的为引导；"
         "说不能、不予、不符合而没有处理措施的为不予支持，另看是否说明理由；只重复来信文字的为与来信雷同。"),
        ("雷同答复", f"去掉网名、日期、数字、引文后，五字片段的重合（Jaccard）达{copied.similarity:.0%}、不少于{copied.least}件、所答来信属于不同事项的为一组；"
         "同一事项多次来信用同一答复不算。"),
        ("答复单位", "表中有单位列的用表中所记；没有的取答复末尾的落款，取不到就留空，不从正文猜。"),
        ("适用范围", "计分由规则算出，供抽查与排序，不能代替人工评查；规则认得的写法有限，分数低不等于答复不对，分数高不等于问题已经解决。答复只用于评价，不进入任何分办模型。"),
    ]  # fmt: skip

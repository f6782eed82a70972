"""Orphaned duties (承担主体缺失的法定职责): what statutes put on towns and sub-districts, against a city that has neither."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpora.instruments import Instrument
from corpora.issue_tree import IssueTree
from corpora.legal import Article, ArticleNumber, Law, PolicyDocument, Version
from corpora.units import UnitDirectory
from pipeline.policies.duty_carriers import Handover, LikelyCarriers, applies, handovers, plain_title
from pipeline.policies.duty_fields import field_of
from pipeline.policies.duty_sentences import DutySentence, duty_sentences

CARRIER_MISSING = "CARRIER_MISSING"


@dataclass(frozen=True, slots=True)
class Duty:
    """A duty of towns or sub-districts, and who carries it.

    Attributes:
        law: title; `version_id` is the text the duty was read in.
        duty: the sentence, with the items of a list.
        bearer: 乡镇人民政府, 街道办事处 or both joined by 、.
        carrier: code and name of the unit to which an instrument gives the duty, else "".
        instrument: document and article that gives it, else "".
        gap: `CARRIER_MISSING`, or "" where an instrument names a unit that is there.
        field: path on the issue tree, "" where none fits.
        hint: likely carrier, or why a handover does not count, in words for the reader.
        kind: 义务, or 职权 where the body is the agent of an act of authority (由…责令).
        rank: of the law (`corpora.legal.Rank`).
    """

    law: str
    article: ArticleNumber
    duty: str
    bearer: str
    carrier: str
    instrument: str
    gap: str
    field: str
    version_id: str
    hint: str = ""
    kind: str = "义务"
    rank: str = ""


def orphaned_duties(
    texts: Iterable[tuple[Law, Version, Sequence[Article]]],
    directory: UnitDirectory,
    on: dt.date,
    documents: Iterable[PolicyDocument] = (),
    instruments: Iterable[Instrument] = (),
    tree: IssueTree | None = None,
) -> list[Duty]:
    """Return the duties of towns and sub-districts in force on `on` where the city lies, by law and article.

    Local statutes of other provinces, and of cities other than this one, are passed over. Where the directory has towns
    or sub-districts of its own (kind `town`) that are there on the day, no duty is orphaned and the list is empty.

    Args:
        texts: laws with a version and its articles, as `Statutes.texts()` gives them.
        directory: the city's units of all times, or of the day.
        on: day asked about.
        documents: the city's own documents; a measure that names who takes over is an instrument.
        instruments: decisions that give duties to units by name.
        tree: of issues, for the field; the bundled one by default.
    """
    if any(unit.kind == "town" for unit in directory.on(on).units):
        return []
    tree = tree or IssueTree.load()
    given = handovers(instruments, documents, directory, on)
    likely = LikelyCarriers(directory.on(on))
    found: list[Duty] = []
    for law, version, articles in texts:
        if not _here(law, directory) or not _in_force(law, version, on):
            continue
        sentences = [(article, each) for article in articles for each in duty_sentences(article.text)]
        if sentences:
            field = field_of(law.title, "\n".join(each.text for _, each in sentences), tree)
            found += [
                _duty(law, version, article, each, field, given, likely, directory) for article, each in sentences
            ]
    return sorted(found, key=lambda duty: (duty.law, duty.article))  # stable: within an article as they stand


def _duty(
    law: Law, version: Version, article: Article, sentence: DutySentence, field: str, given: Sequence[Handover],
    likely: LikelyCarriers, directory: UnitDirectory,
) -> Duty:  # fmt: skip
    title = plain_title(law.title)
    carrier, instrument, gap, hint = "", "", CARRIER_MISSING, ""
    for handover in given:
        named = applies(handover, title, article.number, sentence.text)
        doubt = _doubt(handover, version, named) if named else ""
        if named and not doubt:
            carrier = f"{handover.unit} {directory[handover.unit].name}"
            instrument, gap, hint = handover.label, "", ""
            break
        hint = hint or doubt
    if gap:
        near = likely.best(title, sentence.text)
        if near:
            unit, item = near
            resembling = f"可能承接单位（仅权责事项相近，未找到承接文件）：{unit.code} {unit.name}，{item.id}“{item.text}”"
            hint = f"{resembling}；{hint}" if hint else resembling
    return Duty(
        law.title, article.number, sentence.text, "、".join(sentence.bearers), carrier, instrument, gap, field,
        version.version_id, hint, "职权" if sentence.power else "义务", law.rank.value,
    )  # fmt: skip


def _doubt(handover: Handover, version: Version, named: str) -> str:
    """Return why a handover that names the duty, or perhaps does, does not settle it; "" where it does."""
    if not handover.unit:
        return f"{handover.label}仅称由“{handover.named}”承接，单位目录中没有该单位"
    # Articles are renumbered by amendments: a number named before this text may mean another article.
    if any(numbers for _, numbers in handover.laws) and handover.date and handover.date < version.adopted:
        return f"{handover.label}所列条号早于现行文本（{version.adopted.isoformat()}），需核对条号"
    if named == "perhaps":
        return f"{handover.label}将“{'、'.join(handover.words)}”职责交{handover.unit}，是否包括本项需人工核对"
    return ""


def _here(law: Law, directory: UnitDirectory) -> bool:
    """Return whether a law holds in the city's territory; all do where the directory does not say its province."""
    if not law.territory or not directory.city.province:
        return True
    province = directory.city.province.removesuffix("省").removesuffix("市")
    return law.territory in (province, f"{province}/{directory.city_name.removesuffix('市')}")


def _in_force(law: Law, version: Version, on: dt.date) -> bool:
    begun = (version.effective or version.adopted) <= on
    return begun and (law.repealed is None or on < law.repealed)


"""Who carries a duty of towns and sub-districts in a flat city: by what instrument, or who resembles its carrier.

Only an instrument or a measure that names who takes over links a duty to a unit. That a unit's duty items (权责事项)
resemble the duty is a hint and no more.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from corpora.instruments import Instrument
from corpora.legal import ArticleNumber, PolicyDocument
from corpora.units import DutyItem, Unit, UnitDirectory
from pipeline.policies.duty_sentences import BODY

_COUNTRY = "中华人民共和国"
_TITLE = re.compile(r"《([^《》]{2,60}(?:〈[^〉]*〉[^《》]*)?)》((?:第[^条《》，。；]{1,8}条(?:之.)?[、和及]?)*)")
_NUMBER = re.compile(r"第[^第条]{1,8}条(?:之[一二三四五六七八九十]+)?")
#: …承担的防汛职责，由市应急管理局承担.
_TAKEN_OVER = re.compile(
    r"(?:[、和与或及（][^，。；]{0,20}?)?(?:依法)?(?:承担|履行|行使|负责|实施|办理)的(?P<what>[^，。；]{0,60}?)"
    r"(?:职责|职权|职能|义务|工作|事项|任务)[^，。；]{0,12}，(?P<between>[^。；\n]{0,30}?)(?:改由|交由|统一由|由|归)"
    r"(?P<unit>[^，。；\n]{2,40}?)(?:统一|依法|负责)?(?:承担|履行|行使|负责|办理|承接|实施)"
)
_LABEL = re.compile(r"(?m)^\s*(第[一二三四五六七八九十百零]+条|[一二三四五六七八九十]+、|（[一二三四五六七八九十]+）)")
_WORDS = re.compile(r"[、和与及等]|以及|方面|领域|相关|有关|管理$|服务$")
_HAN = re.compile(r"[\u4e00-\u9fff]+")
#: Words of every duty sentence, which tell nothing about the matter.
_COMMON = re.compile(
    r"[乡镇街道（）民族]*(?:人民政府|办事处)|应当|负责|本行政区域|辖区内?|依法|按照|有关规定|规定|县级以上|地方各级|主管部门|有关部门|部门|工作|做好"
    r"|协助|组织|加强|管理|监督|[村居（）]+民委员会|基层群众性自治组织|统筹|协调|配合|参与|支持|发现|及时|措施|开展|引导|指导|落实|责任|职责|制度|体制"
    r"|制定|建立|健全|实施|处理|报告|保障|服务|各自|单位|个人|人员|所在地|范围|根据|实际|需要|条例|办法|规定|浙江省|中华人民共和国|本级|申请|审核|批准"
)
#: Least likeness of a duty item that is worth naming, as the share of the duty's weight it holds; set by reading.
_LIKELY = 0.18
_SAME_LAW = 0.12
#: Fewer pairs than these are one word, such as 城乡, and tell nothing.
_SHARED = 3
#: Kinds of units that cannot hold a duty of government.
_NO_ORGAN = ("community", "enterprise", "town")


@dataclass(frozen=True, slots=True)
class Handover:
    """Who takes over which duties by what.

    Attributes:
        label: instrument or document with its article, as a reader cites it.
        date: from which it holds.
        unit: code in the directory, "" where the text names none that is there.
        named: the unit as written.
        laws: titles with articles (none: the whole law); words: of the field; both empty: all duties.
    """

    label: str
    date: dt.date | None
    unit: str
    named: str
    laws: tuple[tuple[str, tuple[ArticleNumber, ...]], ...]
    words: tuple[str, ...]


def plain_title(title: str) -> str:
    """Return a title as it is compared: without the name of the country and white space."""
    return "".join(title.replace(_COUNTRY, "").split())


def handovers(
    instruments: Iterable[Instrument], documents: Iterable[PolicyDocument], directory: UnitDirectory, on: dt.date
) -> list[Handover]:
    """Return what instruments and documents in force on `on` hand over, the most particular first."""
    names = _unit_labels(directory)
    found = [
        Handover(
            f"《{each.title}》（{each.number}）{given.article}", each.effective,
            _today(given.unit, directory, on), given.unit,
            tuple((plain_title(title), numbers) for title, numbers in given.laws), given.fields,
        )
        for each in instruments if each.in_force(on) for given in each.assignments
    ]  # fmt: skip
    for document in documents:
        begins = document.effective or document.issued
        if (begins is None or begins <= on) and (document.expires is None or on <= document.expires):
            found += _in_document(document, begins, names, directory, on)
    return sorted(found, key=lambda each: (not any(numbers for _, numbers in each.laws), not each.laws, not each.words))


def _in_document(
    document: PolicyDocument, begins: dt.date | None, names: dict[str, str], directory: UnitDirectory, on: dt.date
) -> Iterable[Handover]:
    end = 0
    for body in BODY.finditer(document.text):
        match = _TAKEN_OVER.match(document.text, body.end())
        if match is None or body.start() < end:
            continue
        end = match.end()
        start = max(document.text.rfind(mark, 0, body.start()) for mark in "。；\n") + 1
        labels = [label[1] for label in _LABEL.finditer(document.text, 0, body.start())]
        laws = tuple(
            (plain_title(title), tuple(ArticleNumber.parse(number) for number in _NUMBER.findall(numbers)))
            for title, numbers in _TITLE.findall(document.text[start : body.start()])
        )
        words = tuple(word for word in _WORDS.split(match["what"]) if len(word) >= 2 and word != "法定")
        unit = names.get(_short(match["unit"], directory), "")
        number = f"（{document.number}）" if document.number else ""
        label = f"《{document.title or document.document_id}》{number}{labels[-1] if labels else ''}"
        yield Handover(label, begins, _today(unit, directory, on) if unit else "", match["unit"], laws, words)


def applies(handover: Handover, title: str, number: ArticleNumber, sentence: str) -> str:
    """Return whether a handover names the duty of this article: `yes`, `perhaps` or "" for no.

    A word of a field names the duties of the laws that bear it in their titles. Where it only stands in the sentence, the
    duty may be about something else (公开 of 农村土地承包 is no duty of 农村土地承包): a person must look.

    Args:
        handover: what is handed over.
        title: of the law, as `plain_title` gives it.
        number: of the article.
        sentence: the duty.
    """
    if handover.laws:
        return "yes" if any(title == law and (not numbers or number in numbers) for law, numbers in handover.laws) else ""
    if not handover.words or any(word in title for word in handover.words):
        return "yes"
    return "perhaps" if any(word in sentence for word in handover.words) else ""


class LikelyCarriers:
    """Units by their duty items, weighed by the rarity of character pairs."""

    def __init__(self, directory: UnitDirectory) -> None:
        self._items: list[tuple[Unit, DutyItem, frozenset[str], str]] = []
        for unit in directory.units:
            if unit.kind in _NO_ORGAN:
                continue
            for item in unit.duties:
                pairs = frozenset(_pairs(f"{item.text}\n{' '.join(item.keywords)}"))
                self._items.append((unit, item, pairs, plain_title(item.basis)))
        df = Counter(pair for _, _, pairs, _ in self._items for pair in pairs)
        self._weight = {pair: math.log(1 + len(self._items) / count) for pair, count in df.items()}
        self._holders: dict[str, list[int]] = {}
        for at, (_, _, pairs, _) in enumerate(self._items):
            for pair in pairs:
                self._holders.setdefault(pair, []).append(at)
        self._unknown = math.log(1 + max(len(self._items), 1))
        self._by_law: dict[str, list[int]] = {}
        for at, (_, _, _, basis) in enumerate(self._items):
            if basis:
                self._by_law.setdefault(basis, []).append(at)

    def best(self, title: str, sentence: str) -> tuple[Unit, DutyItem] | None:
        """Return the unit and duty item nearest to a duty, None where nothing is near enough."""
        # The title says what all the duty is about, so its words count twice.
        asked = Counter(dict.fromkeys(_pairs(_COMMON.sub(" ", title)), 2))
        asked += Counter(set(_pairs(_COMMON.sub(" ", sentence))))
        scores: dict[int, float] = {}
        shared: Counter[int] = Counter()
        for pair, times in asked.items():
            for at in self._holders.get(pair, ()):
                scores[at] = scores.get(at, 0.0) + times * self._weight[pair]
                shared[at] += 1
        total = sum(times * self._weight.get(pair, self._unknown / 2) for pair, times in asked.items()) or 1.0
        shares = {at: score / total for at, score in scores.items() if shared[at] >= _SHARED}
        for at in self._by_law.get(title, ()):
            shares[at] = shares.get(at, 0.0) + _SAME_LAW
        if not shares:
            return None
        best = max(shares, key=lambda at: (shares[at], -at))
        return self._items[best][:2] if shares[best] >= _LIKELY else None


def _pairs(text: str) -> Iterable[str]:
    return (run[i : i + 2] for run in _HAN.findall(text) for i in range(len(run) - 1))


def _today(code: str, directory: UnitDirectory, on: dt.date) -> str:
    """Return the unit that stands for `code` on the day, "" if there is none."""
    if not directory.has(code):
        return ""
    now: Sequence[str] = directory.successor_on(code, on)
    return now[0] if now else ""


def _unit_labels(directory: UnitDirectory) -> dict[str, str]:
    """Return codes by every name a document may use: names, their parts in brackets, aliases, without the city's name."""
    labels: dict[str, str] = {}
    for unit in directory.units:
        for name in (unit.name, *re.split(r"[（）、]", unit.name), *unit.aliases):
            if name:
                labels.setdefault(_short(name, directory), str(unit.code))
    return labels


def _short(name: str, directory: UnitDirectory) -> str:
    name = "".join(name.split()).removeprefix("中共")
    return name.removeprefix(directory.city_name).removeprefix("市") or name

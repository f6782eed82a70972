"""The numbers that Word computes for paragraphs (第一条, 一、, （一）, 1.): they stand nowhere in the text of the file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from corpora.document_formats.archives import XmlArchive, resolve_path
from corpora.legal import format_number

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_CHINESE = frozenset(
    {
        "chineseCounting",
        "chineseCountingThousand",
        "taiwaneseCounting",
        "taiwaneseCountingThousand",
        "japaneseCounting",
        "ideographDigital",
    }
)
_CIRCLED = frozenset({"decimalEnclosedCircle", "decimalEnclosedCircleChinese"})
_PLACE = re.compile(r"%([1-9])")


@dataclass(frozen=True, slots=True)
class _Level:
    start: int
    form: str
    text: str
    style: str


class Numbering:
    """Definitions of lists (numbering.xml, styles.xml) with the counters as they stand while the document is read."""

    def __init__(self, archive: XmlArchive, document: str) -> None:
        """Read the definitions beside the member `document`; a file without them numbers nothing."""
        self._levels: dict[str, dict[int, _Level]] = {}
        self._abstract: dict[str, str] = {}
        self._styles: dict[str, tuple[str, str, str, str]] = {}  # id → name, based on, list, level
        self._counts: dict[str, dict[int, int]] = {}
        numbering = resolve_path(document, "numbering.xml")
        if numbering in archive:
            self._read_numbering(archive.xml(numbering))
        styles = resolve_path(document, "styles.xml")
        if styles in archive:
            for style in archive.xml(styles).iter(W + "style"):
                number = style.find(f"{W}pPr/{W}numPr")
                self._styles[style.get(W + "styleId") or ""] = (
                    _value(style.find(W + "name")),
                    _value(style.find(W + "basedOn")),
                    _value(number.find(W + "numId")) if number is not None else "",
                    _value(number.find(W + "ilvl")) if number is not None else "",
                )

    def _read_numbering(self, root: Any) -> None:  # noqa: ANN401
        abstract: dict[str, dict[int, _Level]] = {}
        for definition in root.iter(W + "abstractNum"):
            levels = {}
            for level in definition.iter(W + "lvl"):
                start = _value(level.find(W + "start"))
                levels[int(level.get(W + "ilvl") or 0)] = _Level(
                    int(start) if start.isdigit() else 1,
                    _value(level.find(W + "numFmt")) or "decimal",
                    _value(level.find(W + "lvlText")),
                    _value(level.find(W + "pStyle")),
                )
            abstract[definition.get(W + "abstractNumId") or ""] = levels
        for number in root.iter(W + "num"):
            key = number.get(W + "numId") or ""
            self._abstract[key] = _value(number.find(W + "abstractNumId"))
            self._levels[key] = abstract.get(self._abstract[key], {})

    def style_name(self, paragraph: Any) -> str:  # noqa: ANN401
        """Return the name of the paragraph's style, "" for none."""
        style = _value(paragraph.find(f"{W}pPr/{W}pStyle"))
        return self._styles.get(style, ("", "", "", ""))[0]

    def label(self, paragraph: Any) -> str:  # noqa: ANN401
        """Return the number that Word shows before the paragraph, and count it; "" if it shows none."""
        key, level = self._list_of(paragraph)
        levels = self._levels.get(key, {})
        if level not in levels:
            return ""
        # Lists of one definition count together, as Word does.
        counts = self._counts.setdefault(self._abstract[key], {})
        counts[level] = counts.get(level, levels[level].start - 1) + 1
        for below in [other for other in counts if other > level]:
            del counts[below]
        form = levels[level].form
        if form in ("bullet", "none"):
            return ""

        def written(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            value = counts.get(at, levels[at].start if at in levels else 1)
            return _write(value, levels[at].form if at in levels else "decimal")

        label = _PLACE.sub(written, levels[level].text)
        return label + (" " if label.endswith(("条", "章", "节", "编")) else "")

    def _list_of(self, paragraph: Any) -> tuple[str, int]:  # noqa: ANN401
        number = paragraph.find(f"{W}pPr/{W}numPr")
        if number is not None and (key := _value(number.find(W + "numId"))):
            level = _value(number.find(W + "ilvl"))
            return key, int(level) if level.isdigit() else 0
        style = _value(paragraph.find(f"{W}pPr/{W}pStyle"))
        seen: set[str] = set()
        first = style
        while style and style not in seen:
            seen.add(style)
            _, above, key, level = self._styles.get(style, ("", "", "", ""))
            if key:
                own = [at for at, found in self._levels.get(key, {}).items() if found.style == first]
                return key, own[0] if own else int(level) if level.isdigit() else 0
            style = above
        return "", 0


def _write(value: int, form: str) -> str:
    if form in _CHINESE and 1 <= value <= 9_999:
        return format_number(value)
    if form in _CIRCLED and 1 <= value <= 20:
        return chr(0x2460 + value - 1)
    if form == "decimalFullWidth":
        return str(value).translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    if form in ("lowerLetter", "upperLetter") and 1 <= value <= 26:
        return chr((ord("a") if form == "lowerLetter" else ord("A")) + value - 1)
    if form in ("lowerRoman", "upperRoman") and 1 <= value <= 39:
        roman = "x" * (value // 10) + ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")[value % 10]
        return roman if form == "lowerRoman" else roman.upper()
    return str(value)


def _value(node: Any) -> str:  # noqa: ANN401
    return "" if node is None else (node.get(W + "val") or "")

"""Two documents in one file, and texts that were read badly: recognised, split where it is certain, else noted."""

from __future__ import annotations

import itertools
import re

from corpora.document_dates import DATE
from corpora.document_names import NUMBER, kind_of, number_of

#: A line that is a document's number and nothing else, or a letterhead (某某人民政府文件).
_NUMBER_LINE = re.compile(rf"^[\s\u3000（(]*({NUMBER.pattern})[\s\u3000）)]*$", re.MULTILINE)
_BANNER_LINE = re.compile(r"^[\s\u3000]*[\u4e00-\u9fff、\s]{3,40}?(?:文\s?件|令)[\s\u3000]*$", re.MULTILINE)
_ADDRESSED = re.compile(r"^[\s\u3000]*各?[^\n。；]{2,200}[:：][\s\u3000]*$", re.MULTILINE)
_FORWARDS = re.compile(r"转发|批转")
_ATTACHED = re.compile(r"^[\s\u3000]*附\s*件", re.MULTILINE)
#: A number at the beginning of a second document in a text without lines: after a sentence, before a title.
_NUMBER_IN_RUN = re.compile(rf"[。）)\s]({NUMBER.pattern})\s?(?=[\u4e00-\u9fff、（）()\s]{{2,60}}?(?:关于|印发))")

_NOISE = re.compile(r"[\ue000-\uf8ff\ufffd□■◆�¦¬]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BROKEN = re.compile(
    r"(?<=[\u4e00-\u9fff])[|~^_`\\]+(?=[\u4e00-\u9fff])|(?<=[\u4e00-\u9fff])[a-zA-Z](?=[\u4e00-\u9fff])"
)
_SPACED = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff](?: [\u4e00-\u9fff]){4,}(?![\u4e00-\u9fff])")


def split_documents(text: str) -> tuple[list[tuple[int, int]], str]:
    """Find the documents in a text.

    Returns:
        Spans of the documents, one for the whole text where there is one or it is not certain; and a note for the
        reader, "" where there is nothing to say.
    """
    starts: list[int] = []
    unsure = False
    first = None
    for match in _NUMBER_LINE.finditer(text):
        if first is None:
            # The first number opens the first document, if it stands at its head at all.
            first = match
            if match.start() < 600:
                continue
        before = text[starts[-1] if starts else 0 : match.start()]
        if number_of(match) in {number_of(found) for found in NUMBER.finditer(before[:600])}:
            continue  # the number again, on the attachment's first page
        if not _title_follows(text, match.end()) or not _signed(before):
            continue
        if _FORWARDS.search(before[:400]) or _ATTACHED.search(before[len(before) * 2 // 3 :]):
            unsure = True
            continue
        starts.append(_head_start(text, match.start()))
    for start in _heads_without_number(text, starts):
        starts.append(start)
    starts = sorted(set(starts))
    if starts:
        bounds = [0, *starts, len(text)]
        spans = [(low, high) for low, high in itertools.pairwise(bounds) if text[low:high].strip()]
        return spans, f"文件里有 {len(spans)} 份公文，已分开"
    if unsure:
        return [(0, len(text))], "文件里还有一份带文号的公文（转发件或附件），未分开，按一份处理"
    if "\n" not in text.strip():
        own = [
            match for match in _NUMBER_IN_RUN.finditer(text) if match.start() > 200 and _signed(text[: match.start()])
        ]
        if own:
            return [(0, len(text))], "文件里可能有不止一份公文（又出现文号和标题），没有分行，未分开"
    return [(0, len(text))], ""


def _title_follows(text: str, at: int) -> bool:
    """Tell whether the lines after a number make a title."""
    joined = ""
    for line in [line.strip() for line in text[at : at + 400].split("\n") if line.strip()][:5]:
        joined += line
        if len(joined) > 120 or line.endswith(("。", "；")):
            return False
        if kind_of(joined) and len(joined) >= 6:
            return True
    return False


def _signed(before: str) -> bool:
    """Tell whether the text up to here ends as documents do: a date at the end of one of the last lines."""
    tail = before[-400:]
    dates = list(DATE.finditer(tail))
    return bool(dates) and not re.match(r"\s*[起前后至以，,的]", tail[dates[-1].end() :]) and len(before.strip()) > 60


def _head_start(text: str, at: int) -> int:
    """Return where the head begins: at the letterhead (某某人民政府文件) right above the number, or at the number's line."""
    line = text.rfind("\n", 0, at) + 1
    above = text.rfind("\n", 0, max(0, line - 1)) + 1
    while above < line and not text[above:line].strip() and above > 0:
        line, above = above, text.rfind("\n", 0, max(0, above - 1)) + 1
    if _BANNER_LINE.match(text, above) and above < line:
        return above
    return text.rfind("\n", 0, at) + 1


def _heads_without_number(text: str, known: list[int]) -> list[int]:
    """Find heads without a number: a title line (机关关于…的文种) after a signing, and those addressed on the next line."""
    out = []
    for match in _ADDRESSED.finditer(text):
        if match.start() < 200 or any(abs(match.start() - start) < 400 for start in known):
            continue
        above = text[max(0, match.start() - 160) : match.start()].rstrip("\n")
        lines = above.split("\n")
        joined, start = "", match.start()
        for line in reversed(lines[1:] if len(lines) > 1 else lines):
            if not line.strip() or DATE.search(line) or line.strip().endswith(("。", "；", "：")):
                break
            joined = line.strip() + joined
            start = text.rfind(line, 0, start)
        before = text[:start]
        titled = re.match(r"[\u4e00-\u9fff、\s]{3,60}关于", joined) is not None and kind_of(joined) != ""
        if titled and _signed(before) and not _ATTACHED.search(before[-300:]) and not _FORWARDS.search(text[:400]):
            out.append(start)
    return out


def once(text: str) -> tuple[str, bool]:
    """Return a text that a site published twice in a row (run together, and again with blanks) once, and whether it was.

    The copy with more white space is kept: it shows the paragraphs.
    """
    bare = "".join(text.split())
    half = bare.find(bare[:40], 40)
    while 0 < half < len(bare) and half * 2 < len(bare):
        half = bare.find(bare[:40], half + 1)
    if half < 40 or half * 2 != len(bare) or bare[:half] != bare[half:]:
        return text, False
    count = 0
    for match in re.finditer(r"\S+", text):
        if count + len(match[0]) > half:
            cut = match.start() + half - count
            first, second = text[:cut].rstrip(), text[cut:].lstrip()
            return (second if len(second) >= len(first) else first), True
        count += len(match[0])
    return text, False


def noise(text: str) -> list[str]:
    """Return notes on characters that no document was written with: bad recognition, private fonts, broken encodings."""
    notes = []
    sample = text[:200_000]
    odd = len(_NOISE.findall(sample))
    broken = len(_BROKEN.findall(sample))
    if odd * 500 > len(sample) or odd >= 20:
        notes.append(f"有 {odd} 个无法辨认的字符（□、�、专用字体区），可能是识别或编码有误")
    if broken * 100 > len(sample) and broken >= 5:
        notes.append(f"文字疑似 OCR 识别有误（{broken} 处汉字之间夹杂符号或单个字母）")
    if len(_SPACED.findall(sample)) >= 5:
        notes.append("多处汉字之间有空格，引用和条文标号可能漏认")
    return notes

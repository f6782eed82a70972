"""Policy documents from the files governments publish: text, Word, PDF, OFD, web pages, scans, and files of many.

    for item in read_documents([Path("policies/")], on=dt.date(2024, 6, 1)):
        ...                      # a PolicyDocument, or a Rejection that says what was not read and why

Every file gives at least one document or one rejection, every row of a file of many exactly one of them (a row with two
documents gives each), and a file that cannot be read never stops the others.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from corpora.dates import last_year, parse_times
from corpora.document_formats import SUFFIXES, Extract, open_document
from corpora.document_formats.tables import header_key
from corpora.document_head import Head, read_head
from corpora.document_names import NUMBER as NUMBER_FORM
from corpora.document_names import kind_of, number_of, organs_of
from corpora.document_split import noise, once, split_documents
from corpora.document_validity import effective_on, expires_on
from corpora.formats import UnreadableError
from corpora.legal import PolicyDocument
from corpora.radicals import ideographs
from corpora.records import Rejection
from corpora.source_files import ReadError, SourceFile, expand
from corpora.territories import place_of, sole_province

__all__ = ["SUFFIXES", "ReadError", "read_documents"]

_TITLES = re.compile(r"《[^《》]*》")
#: Names of the fields that a source may give; the name listed first wins.
_FIELDS: dict[str, tuple[str, ...]] = {
    name: tuple(words.split())
    for name, words in {
        "title": "title 标题 文件标题 文件名称 政策名称 题名 名称 articletitle",
        "number": "number doc_number document_number 文号 发文字号 发文文号 文件编号",
        "issuer": "issuer issuing_body 发文机关 发文单位 制发机关 制定机关 发布机关",
        "publisher": "publisher agency 发布机构 发布单位 contentsource 来源",
        "kind": "kind 文种 公文种类",
        "issued": "issued_on issued issue_date issuedon date 成文日期 成文时间 印发日期 发文日期 发文时间 签发日期 日期",
        "published": "published_on published publish_date pubdate 发布日期 发布时间 公布日期 公开日期",
        "effective": "effective_on effective effective_date 施行日期 实施日期 生效日期",
        "expires": "expires_on expires expiry_date 失效日期 有效期至 废止日期",
    }.items()
}
#: A site's day of posting may follow the document's own date by this much without a contradiction.
_POSTED_LATER = dt.timedelta(days=31)
_EARLIEST = dt.date(1949, 10, 1)
_QUOTED = frozenset({"解读", "问答"})


def read_documents(paths: Sequence[Path], on: dt.date | None = None) -> Iterator[PolicyDocument | Rejection]:
    """Read policy documents from files and folders, in their order.

    A field of the source (title, 文号, 发文机关, dates) wins over what the text says, with one exception: where the text is
    signed more than a month before the source's date, that date is taken for the day of posting and the text wins. All
    differences are named in `problems`.

    Args:
        paths: files, or folders that are searched for files (hidden files and README left out).
        on: date of documents that have none.

    Raises:
        ReadError: at once, if a path does not exist or none is given.
    """
    return _documents(*expand(paths, SUFFIXES, ("readme",)), on)


def _documents(
    files: Sequence[SourceFile], rejections: Sequence[Rejection], on: dt.date | None
) -> Iterator[PolicyDocument | Rejection]:
    yield from rejections
    for path, source in ((file.path, file.source) for file in files):
        count = 0
        try:
            for item in open_document(path, source):
                count += 1
                if isinstance(item, Rejection):
                    yield item
                else:
                    yield from _parts(item, path, source, on)
        except UnreadableError as error:
            count += 1
            yield Rejection(source, 0, error.code, error.reason, error.raw)
        except OSError as error:
            count += 1
            yield Rejection(source, 0, "unreadable", f"文件无法打开：{error.strerror or type(error).__name__}", "")
        except Exception as error:  # a format's library failed in a way it does not document
            count += 1
            yield Rejection(source, 0, "damaged", f"文件无法解析（{type(error).__name__}），可能已损坏", "")
        if not count:
            yield Rejection(source, 0, "file_empty", "文件里没有内容", "")


def _parts(extract: Extract, path: Path, source: str, on: dt.date | None) -> Iterator[PolicyDocument]:
    """Yield the documents of an extract: one, or each of those that stand in one file."""
    name = f"{source}#{extract.row}" if extract.row else source
    # A row or page that says its own title or number is one document, whatever it quotes.
    spans, note = ([(0, len(extract.text))], "") if extract.row else split_documents(extract.text)
    for index, (start, end) in enumerate(spans):
        part = extract if len(spans) == 1 else replace(extract, text=extract.text[start:end], title="", fields={})
        document = _document(part, f"{name}[{index + 1}]" if len(spans) > 1 else name, path, on)
        yield replace(document, problems=(*document.problems, note)) if note else document


def _document(extract: Extract, name: str, path: Path, on: dt.date | None) -> PolicyDocument:
    problems = list(extract.problems)
    text, doubled = once(ideographs(extract.text))
    if doubled:
        problems.append("来源把正文重复了两遍，只取一遍")
    known = {header_key(key): value for key, value in extract.fields.items()}
    given = {
        field: next((known[key] for key in keys if known.get(key, "").strip()), "") for field, keys in _FIELDS.items()
    }
    title = _clean(given["title"]) or _clean(extract.title)
    head = read_head(text, title)
    title = head.title
    if not title and re.search(r"[\u4e00-\u9fff]{4}", path.stem) and not extract.row:
        title = path.stem
        problems.append("正文里没有认出标题，以文件名为标题")
    if title.endswith(("...", "…")):
        problems.append("标题被来源截断")
    issuer = _clean(given["issuer"]) or head.issuer or _organ(given["publisher"])
    number = _number(given["number"]) or head.number
    issued, dated_by = _issued(given, head, number, problems)
    if issued is None and on is not None:
        issued, dated_by = on, "option"
    kind = given["kind"].strip() or kind_of(title)
    quotes = kind in _QUOTED  # it tells of another document's validity
    effective = _day(given["effective"]) or (None if quotes else effective_on(text, issued))
    expires = _day(given["expires"]) or (None if quotes else expires_on(text, issued, effective))
    place = place_of(issuer)
    if not place.level:
        place = place_of(title, organ=False)
    if place.level in ("县", "乡镇") and not place.territory:
        # A county that the list of divisions does not have: its province is that of all places the text names.
        place = replace(place, territory=sole_province(_TITLES.sub("", text)))
    problems += noise(text)
    return PolicyDocument(
        document_id=name,
        source=str(path),
        text=text,
        title=title,
        issuer=issuer,
        number=number,
        kind=kind,
        issued=issued,
        effective=effective,
        expires=expires,
        dated_by=dated_by,
        level=_level(issuer, place.level, title),
        territory=place.territory,
        fields={key: value.strip() for key, value in extract.fields.items()},
        problems=tuple(problems),
    )


def _issued(given: dict[str, str], head: Head, number: str, problems: list[str]) -> tuple[dt.date | None, str]:
    """Return the document's date and where it comes from; differences go to `problems`."""
    field = _day(given["issued"])
    if given["issued"].strip() and field is None:
        problems.append(f"日期“{given['issued'].strip()[:40]}”无法识别")
    raw = given["issued"]
    if field is not None and len(raw) == 10 and raw != raw.strip() and re.search(r"-\d$", raw):
        # Cut to ten characters with a blank before it: 2 may be 2 or 20 to 29.
        if head.issued is not None and (head.issued.year, head.issued.month) == (field.year, field.month):
            return head.issued, "text"
        problems.append(f"来源的日期“{raw.strip()}”被截断，日可能不准")
    if field is None:
        if head.issued is not None:
            return head.issued, "text"
        posted = _day(given["published"])
        if posted is not None:
            problems.append("正文没有成文日期，以发布日期为准")
            return posted, "field"
        return None, ""
    if head.issued is not None and head.issued != field:
        if field - head.issued > _POSTED_LATER:
            problems.append(f"来源的日期 {field} 晚于正文落款 {head.issued}，视为发布日期，以正文为准")
            return head.issued, "text"
        problems.append(f"来源的日期 {field} 与正文落款 {head.issued} 不一致，以来源为准")
    year = re.search(r"〔(\d{4})〕", number)
    if head.issued is None and year and int(year[1]) != field.year:
        problems.append(f"来源的日期 {field} 与文号的年份 {year[1]} 不一致，可能是发布日期")
    return field, "field"


def _day(text: str) -> dt.date | None:
    """Return the day that a field gives, None if it gives none that a policy document can bear."""
    value = text.strip()
    if not value:
        return None
    if match := re.fullmatch(r"(\d{4})年(\d{1,2})月(\d{1,2})", value):
        value = "-".join(match.groups())  # 日 was cut off
    old = re.fullmatch(r"(19[4-8]\d)[-/.年](\d{1,2})[-/.月](\d{1,2})日?", value)
    if old:  # before the years of `parse_times`
        try:
            day = dt.date(*(int(part) for part in old.groups()))
        except ValueError:
            return None
        return day if day >= _EARLIEST else None
    times = parse_times([value], latest=last_year() + 20)
    if not times.present[0]:
        return None
    return dt.date(1970, 1, 1) + dt.timedelta(seconds=int(times.seconds[0]))


def _clean(text: str) -> str:
    """Return a field on one line, without markup that sites leave in it (<BR>)."""
    return " ".join(re.sub(r"<[^<>]{1,40}>", "", text).split())


def _number(text: str) -> str:
    value = _clean(text)
    match = NUMBER_FORM.fullmatch(value)
    return number_of(match) if match else "" if value in ("无", "-", "—") else value


def _organ(text: str) -> str:
    """Return a publisher if it is an organ's Chinese name; a site's source may be anything."""
    name = _clean(text)
    return name if name and organs_of(f"{name}关于") else ""


def _level(issuer: str, level: str, title: str) -> str:
    """Return the level of the issuer: a department's level is 部门, whatever its territory."""
    first = re.split(r"[\s、]", issuer)[0]
    if not first:
        return level
    if re.search(
        r"人民政府(?:办公[厅室])?$|国务院(?:办公厅)?$|人民代表大会|常务委员会$|中共中央|中央|省委|市委|县委|区委|街道办事处$|人民政府令$",
        first,
    ):
        return level
    if re.search(r"(?:厅|局|部|委员会|办公室|署|院|行|中心|委|管委会)(?:等.*)?$", first):
        return "部门"
    return level or ("国家" if title.startswith("中华人民共和国") else "")

"""Invented findings over every branch of the legal files and report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from corpora.legal import ArticleNumber, PolicyDocument
from corpora.records import Rejection
from dispatch.legal_labels import GAP_NAMES
from dispatch.legal_records import Mined, Suggestion
from pipeline.policies.records import Citation, Clause, Finding, Gap, Measure, Resolved, Status, Verdict

HOSTILE = '<script>alert("x")</script><img src=x onerror=alert(1)>'
ARTICLE = "虚构条文：行政机关可以按照规定办理。\n（一）第一项；\n（二）第二项。"


@dataclass(frozen=True)
class About:
    """A document's class."""

    kind: str = "通知"
    theme_code: str = "0501"
    theme_name: str = "机构编制"
    frame: tuple[()] = ()


@dataclass(frozen=True)
class Duty:
    """An orphaned duty."""

    law: str
    article: ArticleNumber
    duty: str
    bearer: str
    carrier: str
    instrument: str
    gap: str
    field: str
    kind: str = "义务"
    hint: str = ""


COVERAGE = {
    "laws": 1234,
    "versions": 2345,
    "articles": 99000,
    "levels": {"law": 300, "local_regulation": {"laws": 40, "地域": ["浙江"]}},
    "as_of": date(2026, 8, 1),
    "incomplete_texts": ["甲条例", "乙条例"],
    "texts": True,
}
REJECTIONS = [Rejection("scan.pdf", 0, "encrypted", "文件有密码", "")]


def duties(count: int = 3) -> list[Duty]:
    """Return duties with and without a carrier."""
    return [
        Duty(
            f"示例法{place % 7}",
            ArticleNumber(place + 1, place % 2),
            "乡镇人民政府应当定期检查。",
            "乡镇人民政府",
            "" if place % 2 else "市应急管理局",
            "" if place % 2 else "澜政发〔2020〕1号",
            "CARRIER_MISSING" if place % 2 else "",
            ("安全生产", "民政", "")[place % 3],
        )
        for place in range(count)
    ]


def resolved(
    text: str,
    cited: str,
    status: Status = Status.IN_FORCE,
    *,
    title: str = "示例法",
    article: ArticleNumber | None = None,
    kind: str = "article",
    other: str = "",
    reason: str = "",
    paragraph: int | None = None,
    item: int | None = None,
) -> Resolved:
    """Return a citation of `cited` where it first stands in the text."""
    start = text.index(cited)
    citation = Citation(
        start, start + len(cited), cited, kind, title, None, article, paragraph, item, "basis" if article else "mention"
    )
    known = status not in {Status.LAW_NOT_FOUND, Status.NOT_CHECKED}
    return Resolved(
        citation, "L1" if known else "", title if known else "", "L1@2021-01-22" if known else "", status, other, reason
    )


def finding(
    text: str,
    sentence: str,
    verdict: Verdict,
    gaps: tuple[Gap, ...] = (),
    citations: tuple[Resolved, ...] = (),
    *,
    document: str = "a.txt",
    kind: str = "penalty_delegation",
    frame: str = "结构",
    not_checked: tuple[str, ...] = (),
) -> Finding:
    """Return a finding over `sentence` where it first stands in the text."""
    start = text.index(sentence)
    measure = Measure(
        start, start + len(sentence), sentence, 0, "市政府", "交由", "行政处罚权", "联勤工作站", kind, frame
    )
    return Finding(
        document, measure, verdict, gaps, citations, "R1" if gaps else "", "判断依据", "补正办法", 0.87654, not_checked
    )


def gap(code: str) -> Gap:
    """Return a gap of that code."""
    return Gap(code, f"rule-{code.lower()}", f"{code} 的证据", f"{code} 的补正", 0.9)


def mined(name: str = "a.txt", *, issued: date | None = date(2021, 12, 28), hostile: str = "") -> Mined:
    """Return a document in which every verdict, status and gap code occurs, with crossing and nested spans."""
    first = "依据《示例法》第二十条、第二十一条，将三十项行政处罚权交由联勤工作站行使。"
    second = "根据《旧条例》第三条，撤销两个村民委员会，改设社区。"
    third = f"市政府设立夜间经营许可{hostile}，未取得的不得营业。"
    fourth = "按照有关法律法规规定，推进改革。"
    fifth = "支持社会组织参与服务。"
    text = f"澜港市示例通知{name}\n\n一、职责{first}二、建制{second}\n{third}\n  {fourth}{fifth}\n\n本文件为虚构示例\n"
    cited = [
        resolved(text, "《示例法》第二十条、第二十一条", article=ArticleNumber(20), paragraph=1, item=2),
        resolved(
            text, "《示例法》第二十条、第二十一条", Status.RENUMBERED, article=ArticleNumber(21), other="现为第二十二条"
        ),
        resolved(
            text,
            "《旧条例》第三条",
            Status.REPEALED,
            title="旧条例",
            article=ArticleNumber(3, 1),
            other="2022-05-01起废止",
        ),
        resolved(text, "有关法律法规", Status.NOT_CHECKED, title="", kind="vague", reason="未写明名称"),
    ]
    others = [status for status in Status if status not in {item.status for item in cited}]
    cited += [resolved(text, "夜间经营许可", status, title=f"《{status}》法", kind="title") for status in others]
    codes = list(GAP_NAMES)
    found = [
        finding(text, first, Verdict.PARTLY, tuple(map(gap, codes[:9])), tuple(cited[:2]), document=name),
        finding(text, second, Verdict.UNSUPPORTED, tuple(map(gap, codes[9:18])), (cited[2],), document=name),
        # Crosses the second measure's end and the line's.
        finding(
            text,
            f"改设社区。\n{third[:9]}",
            Verdict.SUPPORTED,
            document=name,
            kind="",
            frame="",
            not_checked=("知识库未收录部门规章",),
        ),
        finding(text, third, Verdict.UNSUPPORTED, tuple(map(gap, codes[18:])), document=name, kind="licence_setting"),
        finding(text, fourth, Verdict.NOT_CHECKED, (), (cited[3],), document=name, not_checked=("文件没有日期",)),
        finding(text, fifth, Verdict.OUT_OF_SCOPE, document=name, kind="", frame="手段"),
    ]
    heads = [text.index("一、"), text.index("二、"), len(text)]
    clauses = [
        Clause(0, text.index("\n"), "title", "", "", 0, -1),
        *(
            Clause(start, end, "heading", text[start : start + 2], text[start + 2 : start + 4], start + 4, -1)
            for start, end in pairwise(heads)
        ),
    ]
    document = PolicyDocument(
        name,
        f"/in/{name}",
        text,
        title=f"示例通知{hostile}{name}",
        number="澜政发〔2021〕12号",
        kind="通知",
        issued=issued,
        problems=("附件未读",) if hostile else (),
    )
    candidates = {
        1: [Suggestion("示例法", ArticleNumber(4), "L1@2021-01-22", 3.25, ARTICLE)],
        3: [Suggestion("另一部法", ArticleNumber(5, 1), "", 1.5)],
    }
    return Mined(document, clauses, About(), cited, found, candidates)


def many(count: int) -> Iterator[Mined]:
    """Yield documents one at a time."""
    for place in range(count):
        yield mined(f"{place:04d}.txt")


def article_text(version_id: str, number: ArticleNumber) -> str | None:
    """Return the invented article for even numbers."""
    return f"{ARTICLE}{version_id}" if number.number % 2 == 0 else None

"""Web pages as governments publish them: the text of the article, and the tables of particulars above it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lxml import etree, html

from corpora.document_formats.base import Extract, check_length
from corpora.document_formats.plain import decode
from corpora.formats import UnreadableError

#: Names of meta tags that government sites must carry (政府网站发展指引, 国办发〔2017〕47号, annex), as fields.
_META = {
    "articletitle": "ArticleTitle",
    "pubdate": "PubDate",
    "contentsource": "ContentSource",
    "columnname": "ColumnName",
}
_SKIPPED = frozenset(
    {"script", "style", "noscript", "template", "head", "nav", "footer", "iframe", "object", "svg", "select"}
)
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "caption",
        "center",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "tfoot",
        "thead",
        "tr",
        "ul",
    ]
)
_CELLS = frozenset({"td", "th"})
#: Containers of the article on the sites of Chinese governments.
_CONTAINERS = (
    "//*[@id='UCAP-CONTENT']",
    "//*[contains(concat(' ', normalize-space(@class), ' '), ' TRS_Editor ')]",
    "//*[contains(@class, 'trs_editor_view')]",
    "//*[@id='zoom']",
    "//*[@id='Zoom']",
    "//article",
    "//*[@id='content' or @id='article' or @id='js_content' or @id='mainText']",
    "//*[contains(@class, 'article-content') or contains(@class, 'pages_content') or contains(@class, 'article_con')]",
    "//main",
)
_PARTICULARS = (
    "标\\s*题|发文机关|发布机构|制发机关|发文字号|文\\s*号|成文日期|印发日期|发文日期|发布日期|公开日期|施行日期|实施日期|生效日期|失效日期"
    "|有\\s*效\\s*性|主题分类|索\\s*引\\s*号"
)
_PARTICULAR = re.compile(
    rf"(?:^|[\t\n ])[\[【]?\s*({_PARTICULARS})\s*[\]】]?\s*[:：]\s*([^\n\t]{{1,120}})", re.MULTILINE
)
_NEXT = re.compile(rf"\s[\[【]?\s*(?:{_PARTICULARS})\s*[\]】]?\s*[:：].*", re.DOTALL)
_SPACES = re.compile(r"[ \t\u00a0\u200b\ufeff]+")
_MARKUP = re.compile(r"</?(?:p|br|div|span|table|td|tr|h\d|strong|font|a|img)\b[^>]{0,2000}>", re.IGNORECASE)


def has_markup(text: str) -> bool:
    """Tell whether a cell holds HTML."""
    return "<" in text and _MARKUP.search(text) is not None


def html_text(markup: str) -> str:
    """Return the text of a piece of HTML, one block a line."""
    return _text(_parse(markup))


def read_html(path: Path) -> Iterator[Extract]:
    """Read a web page."""
    markup, problems = decode(path)
    root = _parse(markup)
    fields: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = _META.get((meta.get("name") or "").lower())
        if name and (meta.get("content") or "").strip():
            fields.setdefault(name, " ".join(meta.get("content").split()))
    whole = _text(root)
    body = _article(root, len(whole)) or whole
    head = whole[: whole.find(body[:40])] if body != whole and body[:40] in whole else whole[:1_500]
    for match in _PARTICULAR.finditer(head):
        value = _NEXT.sub("", match[2]).strip()
        if value and value not in "-—无":
            fields.setdefault(re.sub(r"\s", "", match[1]), value)
    title = _title(root)
    yield Extract(check_length(body), title, fields, problems)


def _parse(markup: str) -> Any:  # noqa: ANN401
    parser = html.HTMLParser(no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    markup = re.sub(r"\A\s*<\?xml[^>]*\?>", "", markup)
    try:
        root = html.document_fromstring(markup, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise UnreadableError("no_text", "网页里没有文字，或不是 HTML") from error
    return root


def _title(root: Any) -> str:  # noqa: ANN401
    found = [" ".join("".join(heading.itertext()).split()) for heading in root.iter("h1")]
    found = [text for text in found if len(text) > 5]
    return found[0] if len(found) == 1 else ""


def _article(root: Any, whole: int) -> str:  # noqa: ANN401
    """Return the text of the article's container, "" if no known one holds a fair part of the page's text."""
    for path in _CONTAINERS:
        texts = [text for node in root.xpath(path)[:3] if (text := _text(node))]
        best = max(texts, key=len, default="")
        if len(best) >= 200 or len(best) * 2 >= whole > 0:
            return best
    return ""


def _text(root: Any) -> str:  # noqa: ANN401
    """Return the visible text below a node: a line for each block, a tab between cells."""
    out: list[str] = []
    skipped = 0
    for event, node in etree.iterwalk(root, events=("start", "end")):
        tag = node.tag if isinstance(node.tag, str) else ""
        hidden = tag in _SKIPPED or not tag or _hidden(node)
        if event == "start":
            if hidden:
                skipped += 1
            elif not skipped:
                if tag in _BLOCKS:
                    out.append("\n")
                out.append(_flat(node.text, pre=tag == "pre"))
            continue
        if hidden:
            skipped -= 1
        if not skipped:
            if tag in _BLOCKS:
                out.append("\n")
            elif tag in _CELLS:
                out.append("\t")
            if node is not root:
                out.append(_flat(node.tail))
    lines = (
        _SPACES.sub(" ", line.replace("\t", "\u241f")).replace("\u241f", "\t").strip(" \t")
        for line in "".join(out).split("\n")
    )
    return "\n".join(re.sub(r"\s*\t\s*", "\t", line) for line in lines if line)


def _hidden(node: Any) -> bool:  # noqa: ANN401
    style = (node.get("style") or "").replace(" ", "").lower()
    return "display:none" in style or "visibility:hidden" in style or node.get("hidden") is not None


def _flat(text: str | None, *, pre: bool = False) -> str:
    """Return text with its line ends as spaces, as browsers show it; none between Chinese characters."""
    if not text:
        return ""
    if pre:
        return text.replace("\r\n", "\n")
    text = re.sub(r"(?<=[\u3000-\u9fff\uff00-\uffef])[ \t]*[\r\n]\s*(?=[\u4e00-\u9fff\uff00-\uffef])", "", text)
    return re.sub(r"[ \t\r\n\u00a0]+", " ", text)

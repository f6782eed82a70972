"""Word files (.docx): paragraphs, tables, automatic numbers, tracked changes.

Read from the XML itself (ECMA-376): libraries for Word give neither the numbers that Word computes (第一条, 一、) nor a
say over insertions and deletions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from corpora.document_formats.archives import XmlArchive, resolve_path
from corpora.document_formats.base import Extract, check_length
from corpora.document_formats.word_numbering import Numbering
from corpora.formats import UnreadableError

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_RELATIONS = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
_DELETED = frozenset({W + "del", W + "moveFrom"})
_INSERTED = frozenset({W + "ins", W + "moveTo"})
_IGNORED = frozenset(
    {
        W + "delText",
        W + "instrText",
        W + "rPr",
        W + "sectPr",
        W + "commentReference",
        _MC_FALLBACK,
        W + "tblPr",
        W + "fldData",
    }
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def read_docx(path: Path) -> Iterator[Extract]:
    """Read a .docx file."""
    with path.open("rb") as file:
        start = file.read(8)
    if start == _OLE and _ENCRYPTED in path.read_bytes():
        raise UnreadableError("encrypted", "Word 文件有密码保护，请去掉密码后再读")
    if start == _OLE:
        raise UnreadableError("wrong_suffix", "文件其实是旧版 Word 文档（.doc），请改成 .doc 后缀或另存为 .docx")
    archive = XmlArchive(path, "Word")
    document = _main_part(archive)
    numbering = Numbering(archive, document)
    body = archive.xml(document).find(W + "body")
    if body is None:
        raise UnreadableError("damaged", "Word 文件里没有正文")
    reader = _Reader(numbering)
    reader.blocks(body)
    problems = reader.problems()
    for name, words in (("footnotes", "脚注"), ("endnotes", "尾注")):
        part = resolve_path(document, f"{name}.xml")
        if part in archive and any(node.text for node in archive.xml(part).iter(W + "t")):
            problems.append(f"{words}未读入正文")
    yield Extract(check_length("\n".join(reader.lines)), reader.title, problems=problems)


def _main_part(archive: XmlArchive) -> str:
    if "_rels/.rels" in archive:
        for relation in archive.xml("_rels/.rels").iter(_RELATIONS):
            if (relation.get("Type") or "").endswith("/officeDocument") and relation.get("TargetMode") != "External":
                return resolve_path("", relation.get("Target") or "")
    if "word/document.xml" in archive:
        return "word/document.xml"
    raise UnreadableError("wrong_suffix", "文件是压缩包，但不是 Word 文档")


class _Reader:
    """Collects the lines of a document's body."""

    def __init__(self, numbering: Numbering) -> None:
        self.lines: list[str] = []
        self.title = ""
        self._numbering = numbering
        self._inserted = self._deleted = self._pictures = 0

    def problems(self) -> list[str]:
        """Return what the reader should know of how the text came about."""
        out = []
        if self._inserted or self._deleted:
            out.append(
                f"文件带有修订痕迹：采用 {self._inserted} 处插入，略去 {self._deleted} 处删除，按接受全部修订后的文字分析"
            )
        if self._pictures and sum(map(len, self.lines)) < 100:
            out.append(f"文件有 {self._pictures} 张图片，图片里的文字未读")
        return out

    def blocks(self, parent: Any) -> None:  # noqa: ANN401
        """Read paragraphs and tables, also those within content controls and custom marks."""
        for node in parent:
            if node.tag == W + "p":
                self._paragraph(node)
            elif node.tag == W + "tbl":
                self._table(node)
            elif node.tag in _DELETED:
                self._deleted += 1
            elif node.tag not in _IGNORED and isinstance(node.tag, str):
                self.blocks(node)

    def _paragraph(self, node: Any) -> None:  # noqa: ANN401
        text = self._text(node).strip()
        if not text:
            return
        label = self._numbering.label(node)
        if not self.title and self._numbering.style_name(node).lower() in ("title", "标题"):
            self.title = text
        for line in (label + text).split("\n"):
            if line.strip():
                self.lines.append(line.strip())

    def _table(self, table: Any) -> None:  # noqa: ANN401
        for row in table.iter(W + "tr"):
            if row.getparent() is not table and _table_of(row) is not table:
                continue
            if row.find(f"{W}trPr/{W}del") is not None:
                self._deleted += 1
                continue
            cells = []
            for cell in row.iter(W + "tc"):
                if _row_of(cell) is not row:
                    continue
                parts = [
                    self._numbering.label(paragraph) + text
                    for paragraph in cell.iter(W + "p")
                    if (text := self._text(paragraph).strip())
                ]
                cells.append(" ".join(parts).replace("\n", " "))
            if any(cells):
                self.lines.append("\t".join(cells))

    def _text(self, node: Any) -> str:  # noqa: ANN401
        out: list[str] = []
        self._walk(node, out)
        return "".join(out)

    def _walk(self, parent: Any, out: list[str]) -> None:  # noqa: ANN401
        for node in parent:
            tag = node.tag
            if tag == W + "t":
                out.append(node.text or "")
            elif tag == W + "tab":
                out.append("\t")
            elif tag in (W + "br", W + "cr"):
                out.append("\n")
            elif tag == W + "noBreakHyphen":
                out.append("-")
            elif tag in _DELETED:
                self._deleted += 1
            elif tag in _IGNORED or not isinstance(tag, str) or tag == W + "pPr":
                continue
            elif tag == W + "p" and out:  # a text box within the paragraph
                out.append("\n")
                self._walk(node, out)
                out.append("\n")
            else:
                self._inserted += tag in _INSERTED
                self._pictures += tag in (W + "drawing", W + "pict")
                self._walk(node, out)


def _table_of(row: Any) -> Any:  # noqa: ANN401
    return next((above for above in row.iterancestors(W + "tbl")), None)


def _row_of(cell: Any) -> Any:  # noqa: ANN401
    return next((above for above in cell.iterancestors(W + "tr")), None)


def looks_like_docx(path: Path) -> bool:
    """Tell whether a file with another suffix is a .docx file."""
    with path.open("rb") as file:
        return re.match(rb"PK\x03\x04", file.read(4)) is not None

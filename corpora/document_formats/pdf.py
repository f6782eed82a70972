"""PDF files with a text layer; scanned pages go through OCR where it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pypdfium2 as pdfium

from corpora.document_formats import ocr
from corpora.document_formats.base import DOCUMENT_CHARACTERS, FILE_BYTES, Extract, check_length, check_size, join_lines
from corpora.formats import UnreadableError

_MAX_PAGES = 5_000
#: Characters below which a page counts as a picture (a scan often carries a stamp's or page number's text).
_FEW = 10
_DPI = 200


def read_pdf(path: Path) -> Iterator[Extract]:
    """Read a PDF file."""
    check_size(path.stat().st_size, FILE_BYTES, "PDF 文件")
    with path.open("rb") as file:
        if b"%PDF" not in file.read(1024):
            raise UnreadableError("damaged", "文件不是 PDF，或已损坏")
    try:
        document = pdfium.PdfDocument(path)
        count = len(document)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableError("encrypted", "PDF 文件有密码保护，请去掉密码后再读") from error
        raise UnreadableError("damaged", "PDF 文件已损坏，无法打开") from error
    try:
        yield _document(document, count)
    finally:
        document.close()


def _document(document: Any, count: int) -> Extract:  # noqa: ANN401
    if not count:
        raise UnreadableError("damaged", "PDF 文件没有页")
    if count > _MAX_PAGES:
        raise UnreadableError("file_too_large", f"PDF 文件有 {count} 页，超过上限 {_MAX_PAGES} 页")
    pages: list[list[str]] = []
    scanned: list[int] = []
    broken: list[int] = []
    characters = 0
    for index in range(count):
        try:
            text = _page_text(document, index)
        except pdfium.PdfiumError:
            broken.append(index + 1)
            text = ""
        else:
            if _is_scan(document, index, text):
                scanned.append(index)
        characters += len(text)
        if characters > DOCUMENT_CHARACTERS:
            check_length("字" * (DOCUMENT_CHARACTERS + 1))
        pages.append(text.replace("\r\n", "\n").replace("\r", "\n").replace("\ufffe", "-").split("\n"))
    problems: list[str] = []
    if scanned:
        whole = len(scanned) + len(broken) == count
        if not ocr.available():
            if whole:
                raise UnreadableError("no_text_layer", f"PDF 是扫描件，没有文字层；{ocr.HOW_TO}")
            problems.append(f"第 {_pages(scanned)} 页是扫描图，没有文字层，未读；{ocr.HOW_TO}")
        else:
            sure: list[float] = []
            for index in scanned:
                picture = document[index].render(scale=_DPI / 72).to_numpy()
                found = ocr.recognise(picture)
                pages[index] = found.lines
                sure.append(found.confidence)
            problems.append(f"第 {_pages(scanned)} 页由 OCR 识别（平均置信度 {sum(sure) / len(sure):.2f}），可能有错字")
    if broken:
        problems.append(f"第 {'、'.join(map(str, broken[:10]))} 页已损坏，未读")
        if len(broken) == count:
            raise UnreadableError("damaged", "PDF 文件的各页都已损坏")
    text = join_lines([line for page in pages for line in page])
    return Extract(check_length(text), problems=problems)


def _pages(indices: list[int]) -> str:
    return "、".join(str(index + 1) for index in indices[:10]) + (" 等" if len(indices) > 10 else "")


def _page_text(document: Any, index: int) -> str:  # noqa: ANN401
    page = document[index]
    try:
        text_page = page.get_textpage()
        try:
            return str(text_page.get_text_range())
        finally:
            text_page.close()
    finally:
        page.close()


def _is_scan(document: Any, index: int, text: str) -> bool:  # noqa: ANN401
    """Tell whether what the page shows is a picture: an image with hardly a word, or drawings with none."""
    words = "".join(text.split())
    if len(words) >= _FEW:
        return False
    page = document[index]
    try:
        kinds = {shown.type for shown in page.get_objects(max_depth=3)}
    finally:
        page.close()
    return pdfium.raw.FPDF_PAGEOBJ_IMAGE in kinds or (not words and bool(kinds))

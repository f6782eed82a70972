"""Formats that policy documents come in: each module turns one file into extracts of text and fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from corpora.document_formats.base import Extract
from corpora.document_formats.ocr import read_picture
from corpora.document_formats.ofd import read_ofd
from corpora.document_formats.office import read_office
from corpora.document_formats.pdf import read_pdf
from corpora.document_formats.plain import read_markdown, read_text
from corpora.document_formats.tables import read_csv, read_jsonl
from corpora.document_formats.web import read_html
from corpora.document_formats.word import read_docx
from corpora.records import Rejection

__all__ = ["SUFFIXES", "Extract", "open_document"]

_ONE: dict[str, Callable[[Path], Iterator[Extract]]] = {
    ".txt": read_text,
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".html": read_html,
    ".htm": read_html,
    ".docx": read_docx,
    ".doc": read_office,
    ".wps": read_office,
    ".rtf": read_office,
    ".pdf": read_pdf,
    ".ofd": read_ofd,
    ".png": read_picture,
    ".jpg": read_picture,
    ".jpeg": read_picture,
}
_MANY: dict[str, Callable[[Path, str], Iterator[Extract | Rejection]]] = {
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".json": read_jsonl,
    ".csv": read_csv,
    ".tsv": read_csv,
}

#: Suffixes (lower case) of the files that can be read.
SUFFIXES = frozenset(_ONE) | frozenset(_MANY)


def open_document(path: Path, source: str) -> Iterator[Extract | Rejection]:
    """Read the documents of a file with one of `SUFFIXES`.

    Raises:
        UnreadableError: while iterating, if the file cannot be read (any further).
    """
    suffix = path.suffix.lower()
    if suffix in _MANY:
        return _MANY[suffix](path, source)
    return iter(_ONE[suffix](path))

"""The files of a mining run: `findings.jsonl`, one object a measure, and `findings.xlsx` for reviewers.

Both are written beside their names and moved there at the end. Documents are taken one at a time, so memory does not
grow with their number.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from corpora.records import Rejection
from dispatch.legal_records import DutyRow, Mined, Suggestion, finding_object, json_line
from dispatch.legal_sheets import FindingBook
from dispatch.legal_tally import Tally

__all__ = ["FindingFiles", "Mined", "Suggestion", "finding_object", "json_line", "write_findings"]

_FILES = ("findings.jsonl", "findings.xlsx")


class FindingFiles:
    """Writer of a mining run's files; use it with `with`, `add` every document, and `close` to put them in place.

    A run that fails or is killed leaves the files of the run before it as they were.
    """

    def __init__(self, out: str | Path) -> None:
        """Prepare to write into the folder `out`, which is created if need be."""
        self.out = Path(out)
        self.tally = Tally()
        self._lines: BinaryIO | None = None
        self._book: FindingBook | None = None

    def _part(self, name: str) -> Path:
        return self.out / f".{name}.part"

    def __enter__(self) -> Self:
        """Open the temporary files; leftovers of a killed run are overwritten."""
        self.out.mkdir(parents=True, exist_ok=True)
        self._lines = self._part("findings.jsonl").open("wb")
        self._book = FindingBook()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what `close` did not put in place."""
        if self._lines is not None:
            self._lines.close()
        if self._book is not None:
            self._book.discard()
        for name in _FILES:
            self._part(name).unlink(missing_ok=True)

    def _open(self) -> tuple[BinaryIO, FindingBook]:
        if self._lines is None or self._book is None:
            msg = "FindingFiles is used outside its `with` block"
            raise RuntimeError(msg)
        return self._lines, self._book

    def add(self, mined: Mined) -> None:
        """Append a document's findings and citations.

        Raises:
            RuntimeError: outside the `with` block.
        """
        lines, book = self._open()
        self.tally.add(mined.findings, mined.resolved, dated=mined.document.issued is not None)
        for place, finding in enumerate(mined.findings):
            lines.write(json_line(finding_object(finding, mined.candidates.get(place, ()))) + b"\n")
        book.add(mined)

    def through(self, documents: Iterable[Mined]) -> Iterator[Mined]:
        """Add each document and pass it on, so that another writer can take it in the same pass."""
        for mined in documents:
            self.add(mined)
            yield mined

    def close(
        self,
        duties: Iterable[DutyRow] = (),
        coverage: Mapping[str, Any] | None = None,
        rejections: Iterable[Rejection] = (),
    ) -> None:
        """Write the orphaned duties and the coverage, and put the files in place.

        Args:
            duties: rows of the sheet 承接缺口.
            coverage: what the knowledge base holds, as `Statutes.status()` gives it.
            rejections: documents that could not be read.
        """
        lines, book = self._open()
        book.save(self._part("findings.xlsx"), self.tally, duties, coverage or {}, rejections)
        self._book = None
        lines.flush()
        os.fsync(lines.fileno())
        lines.close()
        for name in _FILES:
            self._part(name).replace(self.out / name)


def write_findings(
    out: str | Path,
    documents: Iterable[Mined],
    *,
    duties: Iterable[DutyRow] = (),
    coverage: Mapping[str, Any] | None = None,
    rejections: Iterable[Rejection] = (),
) -> Tally:
    """Write `findings.jsonl` and `findings.xlsx` into the folder `out` and return the counts.

    Args:
        out: the folder.
        documents: taken once, one at a time.
        duties: orphaned duties.
        coverage: what the knowledge base holds, as `Statutes.status()` gives it.
        rejections: documents that could not be read.
    """
    with FindingFiles(out) as files:
        for mined in documents:
            files.add(mined)
        files.close(duties, coverage, rejections)
        return files.tally

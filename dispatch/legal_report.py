"""The report of a mining run: `report.html`, which opens anywhere and asks the network for nothing.

Documents are taken one at a time. The first ones stand in the report itself, up to a number and a size; from there on
each has a page of its own in the folder `documents/` beside the report, linked from it. What the report needs of every
document is spooled to disk, so memory does not grow with their number.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from corpora.legal import ArticleNumber
from corpora.records import Rejection
from dispatch import legal_labels as labels
from dispatch.legal_coverage import coverage_rows, level_table
from dispatch.legal_records import DutyRow, Mined, duty_cells, json_line, plain_text
from dispatch.legal_tally import Tally
from dispatch.legal_views import ArticleText, DocumentView, document_view, measure_row
from dispatch.report import digest, template_text

#: Documents shown in the report itself, and characters of their texts; the others have pages of their own.
INLINE_DOCUMENTS = 40
INLINE_CHARACTERS = 400_000
#: Rows of the tables of measures and duties; the rest is in `findings.xlsx`, and the report says so.
MEASURE_ROWS = 10_000
#: Of these, rows of measures with nothing to see to.
CLEAN_ROWS = 2_000
DUTY_ROWS = 10_000
#: Characters of a duty's sentence in its table.
DUTY_LENGTH = 300
#: Reasons for not checking that are listed.
REASON_ROWS = 25
REJECTION_ROWS = 200

_SPOOLS = ("measures", "documents", "duties", "inline")


class LegalReport:
    """Writer of the report; use it with `with`, `add` every document, and `close` to put it in place.

    A run that fails or is killed leaves the report of the run before it as it was.

    Args:
        out: the folder.
        coverage: what the knowledge base holds, as `Statutes.status()` gives it.
        on: the day given for documents without a date, None if none was given.
        article_text: text of an article of a version, None where it is not held.
        kind_names: Chinese names of the kinds of measures.
    """

    def __init__(
        self,
        out: str | Path,
        *,
        coverage: Mapping[str, Any],
        on: date | None,
        article_text: ArticleText,
        kind_names: Mapping[str, str] | None = None,
    ) -> None:
        """Prepare to write into the folder `out`, which is created if need be."""
        self.out = Path(out)
        self.tally = Tally()
        self.coverage = dict(coverage)
        self.on = on
        self.as_of = plain_text(self.coverage.get("as_of"))
        self._article_text = article_text
        self._kind_names = dict(kind_names or {})
        self._folder = self.out / ".report.part"
        self._spools: dict[str, BinaryIO] = {}
        self._inline = self._inline_characters = self._rows = self._clean_rows = 0

    def __enter__(self) -> Self:
        """Open the spools; leftovers of a killed run are removed."""
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "documents").mkdir(parents=True)
        self._spools = {name: self._spool_path(name).open("wb") for name in _SPOOLS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Remove what `close` did not put in place."""
        for spool in self._spools.values():
            spool.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _spool_path(self, name: str) -> Path:
        return self._folder / f"{name}.part"

    def add(self, mined: Mined) -> None:
        """Take a document into the report.

        Raises:
            RuntimeError: outside the `with` block.
        """
        if not self._spools:
            msg = "LegalReport is used outside its `with` block"
            raise RuntimeError(msg)
        document = mined.document
        self.tally.add(mined.findings, mined.resolved, dated=document.issued is not None)
        number = self.tally.documents
        view = document_view(mined, number, self.as_of, self._article_text)
        size = self._inline_characters + len(document.text)
        inline = self._inline < INLINE_DOCUMENTS and size <= INLINE_CHARACTERS
        page = "" if inline else f"documents/{number:04d}.html"
        html = _template("legal_document.html.j2").render(view=view, labels=labels, kinds=self._kind_names)
        if inline:
            self._inline += 1
            self._inline_characters = size
            box = _template("legal_box.html.j2").render(view=view, content=Markup(html))  # noqa: S704 - rendered above
            self._spools["inline"].write(_bytes(box))
        else:
            self._page(self._folder / page, view, html)
        self._spool("documents", _document_row(mined, view, page or f"#d{number}"))
        for place, finding in enumerate(mined.findings, 1):
            if finding.verdict.value == "out_of_scope" and not finding.gaps and not finding.not_checked:
                continue
            clean = not finding.gaps and not finding.not_checked
            self._clean_rows += clean
            if self._rows < MEASURE_ROWS and not (clean and self._clean_rows > CLEAN_ROWS):
                self._spool("measures", measure_row(finding, f"{page}#d{number}-at-m{place}", number - 1))
                self._rows += 1

    def _page(self, path: Path, view: DocumentView, html: str) -> None:
        page = _template("legal_page.html.j2").render(view=view, content=Markup(html), **_frame())  # noqa: S704
        path.write_bytes(_bytes(page))

    def _spool(self, name: str, row: Mapping[str, Any]) -> None:
        self._spools[name].write(_element_safe(json_line(row)) + b"\n")

    def close(self, duties: Iterable[DutyRow] = (), rejections: Iterable[Rejection] = ()) -> None:
        """Write the report and put it in place.

        Args:
            duties: duties of towns and sub-districts that lost their bearer.
            rejections: documents that could not be read.
        """
        duty_count = 0
        for duty_count, duty in enumerate(duties, 1):
            if duty_count <= DUTY_ROWS:
                row = dict(zip("ladbcigfkt", duty_cells(duty), strict=True))
                row["d"] = row["d"][:DUTY_LENGTH] + ("…" if len(row["d"]) > DUTY_LENGTH else "")
                self._spool("duties", row)
        unread = list(rejections)
        for spool in self._spools.values():
            spool.close()
        context = {
            "tally": self.tally,
            "labels": labels,
            "as_of": self.as_of,
            "on": self.on,
            "coverage": coverage_rows(self.coverage),
            "levels": level_table(self.coverage),
            "kinds": self._kind_names,
            "inline_count": self._inline,
            "page_count": self.tally.documents - self._inline,
            "rows": self._rows,
            "row_limit": self._rows >= MEASURE_ROWS or self._clean_rows > CLEAN_ROWS,
            "duty_count": duty_count,
            "duty_limit": DUTY_ROWS,
            "reasons": self.tally.ranked_reasons()[:REASON_ROWS],
            "reason_count": len(self.tally.reasons),
            "rejections": unread[:REJECTION_ROWS],
            "rejection_count": len(unread),
            "documents": self._read("documents"),
            "measure_data": self._joined("measures"),
            "document_data": self._joined("documents"),
            "duty_data": self._joined("duties"),
            "inline": self._chunks("inline"),
            "names_data": Markup(_element_safe(_names(self._kind_names)).decode()),  # noqa: S704 - made safe
            **_frame(),
        }
        target = self._folder / "report.html"
        with target.open("wb") as file:
            for piece in _template("legal_report.html.j2").generate(context):
                file.write(_bytes(piece))
        shutil.rmtree(self.out / "documents", ignore_errors=True)
        if self.tally.documents > self._inline:
            (self._folder / "documents").replace(self.out / "documents")
        target.replace(self.out / "report.html")

    def _read(self, name: str) -> Iterator[dict[str, Any]]:
        with self._spool_path(name).open("rb") as file:
            for line in file:
                yield orjson.loads(line)

    def _joined(self, name: str) -> Iterator[Markup]:
        """Yield the spooled objects with commas between them."""
        with self._spool_path(name).open("rb") as file:
            for place, line in enumerate(file):
                yield Markup(("," if place else "") + line.decode())  # noqa: S704 - made safe when spooled

    def _chunks(self, name: str) -> Iterator[Markup]:
        with self._spool_path(name).open(encoding="utf-8", newline="") as file:
            while chunk := file.read(1 << 20):
                yield Markup(chunk)  # noqa: S704 - rendered with escaping


def render_legal_report(
    out: Path,
    documents: Iterable[Mined],
    *,
    duties: Iterable[DutyRow],
    coverage: dict[str, Any],
    on: date | None,
    article_text: Callable[[str, ArticleNumber], str | None],
    rejections: Iterable[Rejection] = (),
    kind_names: Mapping[str, str] | None = None,
) -> None:
    """Write `report.html`, and `documents/` where there are many, into the folder `out`.

    Args:
        out: the folder.
        documents: taken once, one at a time.
        duties: duties of towns and sub-districts that lost their bearer; read after the documents.
        coverage: what the knowledge base holds, as `Statutes.status()` gives it.
        on: the day given for documents without a date.
        article_text: text of an article of a version, None where it is not held.
        rejections: documents that could not be read.
        kind_names: Chinese names of the kinds of measures.
    """
    with LegalReport(out, coverage=coverage, on=on, article_text=article_text, kind_names=kind_names) as report:
        for mined in documents:
            report.add(mined)
        report.close(duties, rejections)


def _document_row(mined: Mined, view: DocumentView, href: str) -> dict[str, Any]:
    document, about = mined.document, mined.document_class
    return {
        "id": document.document_id,
        "title": view.title,
        "number": document.number,
        "kind": document.kind or (about.kind if about else ""),
        "theme": about.theme_name if about else "",
        "issued": document.issued.isoformat() if document.issued else "",
        "href": href,
        "counts": [count for _, _, count in view.counts],
        "gaps": view.gaps,
        "open": sum(bool(finding.not_checked) for finding in mined.findings),
        "problems": list(document.problems),
    }


def _names(kinds: Mapping[str, str]) -> bytes:
    return json_line(
        {
            "verdicts": labels.VERDICT_NAMES,
            "gaps": labels.GAP_NAMES,
            "advisory": sorted(labels.ADVISORY),
            "kinds": {**kinds, "": labels.NO_KIND},
            "no_frame": labels.NO_FRAME,
        }
    )


def _element_safe(text: bytes) -> bytes:
    """Return JSON that cannot end the script element it stands in."""
    return text.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")


def _bytes(text: str) -> bytes:
    """Return UTF-8; lone surrogates, which it cannot hold, are replaced."""
    return text.encode("utf-8", "replace")


@cache
def _frame() -> dict[str, Any]:
    """Return style, script and policy of every page: only our script runs, and nothing is fetched."""
    script = template_text("legal.js")
    return {
        "policy": f"default-src 'none'; script-src 'sha256-{digest(script)}'; style-src 'unsafe-inline'; "
        "img-src data:; font-src data:; base-uri 'none'; form-action 'none'",
        "disclaimer": labels.DISCLAIMER,
        "style": Markup(template_text("report.css") + template_text("legal.css")),  # noqa: S704 - our own files
        "script": Markup(script),  # noqa: S704 - our own file
    }


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("dispatch", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["number"] = lambda value: f"{value:,}"
    environment.filters["percent"] = lambda value: f"{value:.0%}"
    return environment


@cache
def _template(name: str) -> Any:  # noqa: ANN401 - jinja's template
    return _environment().get_template(name)

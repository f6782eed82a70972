"""Files that the console gives out: its own, and reports of runs from folders an operator named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fastapi import APIRouter, FastAPI
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from dispatch.console.web import HERE, PageError, Reader

router = APIRouter()
#: What a report consists of; `.html` is shown, the rest is saved.
_TYPES = {".html": "text/html", ".csv": "text/csv", ".json": "application/json", ".md": "text/plain", ".xlsx": "application/octet-stream"}
#: Reports carry their own scripts. The sandbox gives them an origin of nobody: no cookies, no requests, no console.
_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; font-src data:; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
_DEPTH, _NEWEST = 3, 3


@dataclass(frozen=True, slots=True)
class Report:
    """A report that can be opened; `path` below its folder."""

    folder: str
    path: str
    at: dt.datetime


class _Static(StaticFiles):
    """The console's own files; their address carries a hash, so they may be kept."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        answer = await super().get_response(path, scope)
        known = b"v=" in scope.get("query_string", b"")
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if known else "no-cache"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def mount(app: FastAPI) -> None:
    """Give out the console's own files under `/static`."""
    app.mount("/static", _Static(directory=HERE / "static"), name="static")


@router.get("/reports/{folder}/{name:path}")
def report(page: Reader, folder: str, name: str) -> Response:
    """Give out a report, as it is; nothing outside the named folders, nothing hidden."""
    root = page.service.settings.reports.get(folder)
    found = _inside(root, name) if root else None
    if found is None:
        raise PageError(404, "error.nothing")
    shown = found.suffix == ".html"
    return FileResponse(
        found,
        media_type=_TYPES[found.suffix],
        filename=found.name,
        content_disposition_type="inline" if shown else "attachment",
        headers={
            "Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer", "Cache-Control": "no-store",
        },
    )  # fmt: skip


def newest(folders: Mapping[str, Path]) -> list[Report]:
    """Return the newest reports of each folder."""
    found: list[Report] = []
    for name, root in folders.items():
        if root.is_dir():
            times = sorted(((path.stat().st_mtime, path) for path in _pages(root, _DEPTH)), reverse=True)[:_NEWEST]
            found += [Report(name, path.relative_to(root).as_posix(), dt.datetime.fromtimestamp(at)) for at, path in times]
    return found


def _pages(root: Path, depth: int) -> Iterator[Path]:
    for path in root.iterdir():
        if path.name.startswith(".") or path.is_symlink():
            continue
        if path.suffix == ".html" and path.is_file():
            yield path
        elif depth > 1 and path.is_dir():
            yield from _pages(path, depth - 1)


def _inside(root: Path, name: str) -> Path | None:
    """Return the file of that name below a folder; None for anything else, links that lead out included."""
    parts = name.split("/")
    if "\x00" in name or "\\" in name or any(part.startswith(".") or not part for part in parts):
        return None
    try:
        base, found = root.resolve(), root.joinpath(*parts).resolve()
        return found if found.is_relative_to(base) and found.suffix in _TYPES and found.is_file() else None
    except OSError:  # a name longer than the file system takes
        return None

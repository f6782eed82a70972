"""What every page of the console goes through: session, language, forms that only this console can send, headers, templates."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from fastapi import Depends, FastAPI, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse, Response

from dispatch.console import sessions, show
from dispatch.console.sessions import Session
from dispatch.console.texts import LANGUAGES, TEXTS
from dispatch.service.context import Service, service_of

HERE = Path(__file__).parent
#: Bytes of a posted form: a reason, a search word, the boxes of an event of some thousand petitions.
_MAX_FORM = 512 << 10
_YEAR = 365 * 24 * 3600
#: Nothing from elsewhere, nothing inline, no framing; forms go here alone.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


class PageError(Exception):
    """A page that cannot be given: its status, and the key of the sentence that says why."""

    def __init__(self, status: int, key: str) -> None:
        super().__init__(key)
        self.status, self.key = status, key


class LoginNeededError(Exception):
    """Nobody is logged in."""


@dataclass(slots=True)
class Page:
    """One request to the console: who asks, in which language, what was posted."""

    request: Request
    service: Service
    session: Session | None
    language: str
    form: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def who(self) -> Session:
        """The session; there is one on every page but the login."""
        if self.session is None:
            raise LoginNeededError
        return self.session

    def text(self, key: str, **values: object) -> str:
        """Return a sentence in the reader's language."""
        found = TEXTS[key][LANGUAGES.index(self.language)]
        return found.format(**values) if values else found

    def said(self, name: str) -> str:
        """Return a posted field, "" if it is not there."""
        return self.form.get(name, [""])[-1].strip()

    def render(self, name: str, *, status: int = 200, **values: Any) -> HTMLResponse:  # noqa: ANN401 - what a template shows
        """Return a page; the headers let nothing but itself run."""
        flash, _, about = unquote(self.cookie("notice")).partition("|")
        html = _templates().get_template(name).render(
            t=self.text, page=self, lang=self.language, user=self.session.user if self.session else None,
            csrf=self.session.csrf if self.session else "", today=dt.date.today(), path=self.request.url.path,
            notice=self.text(flash, id=about) if flash.startswith("notice.") and flash in TEXTS else "",
            notice_path=show.path("petitions", about) if about and not self.request.url.path.endswith(about) else "", language_link=self._other_language(), versions=_versions(), **values,
        )  # fmt: skip
        answer = HTMLResponse(html, status, headers={**_HEADERS, "Content-Security-Policy": _POLICY, "Cache-Control": "no-store"})
        if self.service.settings.tls:
            answer.headers["Strict-Transport-Security"] = f"max-age={_YEAR}"
        if flash:
            self.drop_cookie(answer, "notice")
        if self.request.query_params.get("lang") in LANGUAGES:
            answer.set_cookie("lang", self.language, _YEAR, secure=self.service.settings.tls, httponly=True, samesite="lax")
        return answer

    def go(self, path: str, notice: str = "", about: str = "") -> Response:
        """Return a redirection to another page of the console, which will say `notice` (a key) about a petition."""
        answer = RedirectResponse(local(path), 303, headers={**_HEADERS, "Cache-Control": "no-store"})
        if notice:
            self.set_cookie(answer, "notice", quote(f"{notice}|{about}", safe=""), 60)
        return answer

    def _other_language(self) -> str:
        """Return the address of this page in the other language; of the first page where this one was posted."""
        other = LANGUAGES[1 - LANGUAGES.index(self.language)]
        if self.request.method != "GET":
            return f"/?lang={other}"
        kept = [(name, value) for name, value in self.request.query_params.multi_items() if name != "lang"]
        return "?" + urlencode([*kept, ("lang", other)])

    def set_cookie(self, answer: Response, name: str, value: str, seconds: int | None = None) -> None:
        """Set a cookie that scripts cannot read and other sites cannot send with a form."""
        answer.set_cookie(_cookie(self, name), value, seconds, path="/", secure=self.service.settings.tls, httponly=True, samesite="lax")

    def cookie(self, name: str) -> str:
        """Return a cookie that `set_cookie` set."""
        return self.request.cookies.get(_cookie(self, name), "")

    def drop_cookie(self, answer: Response, name: str) -> None:
        """Remove a cookie."""
        answer.delete_cookie(_cookie(self, name), path="/", secure=self.service.settings.tls, httponly=True, samesite="lax")


async def visitor(request: Request) -> Page:
    """Return the page of whoever asks, logged in or not."""
    service = service_of(request)
    asked = request.query_params.get("lang") or request.cookies.get("lang") or LANGUAGES[0]
    page = Page(request, service, None, asked if asked in LANGUAGES else LANGUAGES[0])
    if token := page.cookie("session"):
        page.session = await run_in_threadpool(_session, service, token)
    return page


async def reader(request: Request) -> Page:
    """Return the page of somebody who is logged in.

    Raises:
        LoginNeededError: if nobody is.
    """
    page = await visitor(request)
    _ = page.who
    return page


async def poster(request: Request) -> Page:
    """Return the page of somebody who is logged in and sent a form of this console.

    Raises:
        LoginNeededError: if nobody is.
        PageError: if the form came from elsewhere, or is too large.
    """
    page = await reader(request)
    page.form = await read_form(request)
    if not hmac.compare_digest(page.said("csrf").encode(), page.who.csrf.encode()):
        raise PageError(403, "error.forged")
    return page


Reader = Annotated[Page, Depends(reader)]
Poster = Annotated[Page, Depends(poster)]


async def read_form(request: Request) -> dict[str, list[str]]:
    """Return the fields of a form that this site sent.

    Raises:
        PageError: if another site sent it, or it is too large or no form.
    """
    if not same_site(request):
        raise PageError(403, "error.forged")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise PageError(415, "error.form")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MAX_FORM:
            raise PageError(413, "error.form")
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20_000, errors="strict"):
            fields.setdefault(name, []).append(value.replace("\x00", ""))
    except ValueError as error:  # UnicodeDecodeError is one
        raise PageError(400, "error.form") from error
    return fields


def same_site(request: Request) -> bool:
    """Whether a request comes from a page of this host, as far as the browser says; the token says the rest."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or (origin != "null" and urlsplit(origin).netloc == request.headers.get("host", ""))


def local(path: str) -> str:
    """Return a path of this site; "/" for anything that leads elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isascii() and path.isprintable() and "\\" not in path else "/"


def new_token() -> str:
    """Return 192 random bits as text."""
    return secrets.token_urlsafe(24)


def add_error_pages(app: FastAPI) -> None:
    """Let the console's errors be pages, in the reader's language."""

    async def refused(request: Request, error: Exception) -> Response:
        page = await visitor(request)
        status = error.status if isinstance(error, PageError) else 500
        return page.render("error.html.j2", status=status, why=page.text(str(error)))

    async def login(request: Request, _error: Exception) -> Response:
        page = await visitor(request)
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = "/login" if request.method != "GET" or back == "/" else f"/login?next={quote(back, safe='')}"
        if request.headers.get("hx-request"):  # a part of a page: the whole page has to go to the login
            return Response(status_code=204, headers={"HX-Redirect": "/login"})
        return page.go(target)

    app.add_exception_handler(PageError, refused)
    app.add_exception_handler(LoginNeededError, login)


def _session(service: Service, token: str) -> Session | None:
    with service.store.reading() as connection:
        found, due = sessions.find(connection, token)
    if found and due:
        with service.store.writing() as connection:
            sessions.renew(connection, found)
    return found


def _cookie(page: Page, name: str) -> str:
    """Behind TLS the prefix keeps other hosts of the domain from setting it."""
    return f"__Host-minqing-{name}" if page.service.settings.tls else f"minqing-{name}"


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals.update(show.TOOLS)
    return environment


@cache
def _versions() -> dict[str, str]:
    """Return a hash a static file, for its address: a browser may then keep it for good."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:12] for path in (HERE / "static").iterdir()}

"""Logging in and out."""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from dispatch.console import accounts, sessions
from dispatch.console.accounts import User
from dispatch.console.web import Page, PageError, Poster, local, new_token, read_form, visitor
from dispatch.service.limits import network
from dispatch.store import Store

router = APIRouter()


@router.get("/login")
async def login_page(page: Annotated[Page, Depends(visitor)]) -> Response:
    """Show the login."""
    return _login(page, local(page.request.query_params.get("next", "/")))


@router.post("/login")
async def login(request: Request) -> Response:
    """Let somebody in: always with a new session, so that one planted before is worth nothing."""
    page = await visitor(request)
    page.form = await read_form(request)
    planted = page.cookie("door")
    if not planted or not hmac.compare_digest(page.said("door").encode(), planted.encode()):
        return _login(page, local(page.said("next")), "login.again", 403)
    client = network(request.client.host) if request.client else ""
    door: asyncio.Semaphore = request.app.state.console_door
    if door.locked() or not page.service.guesses.take(client, 0).ok:
        page.service.metrics.limited.labels("guesses").inc()
        return _login(page, local(page.said("next")), "login.busy", 429)
    async with door:
        user = await run_in_threadpool(accounts.check_password, page.service.store, page.said("user"), page.form.get("password", [""])[-1])
    if user is None:
        page.service.guesses.take(client)
        return _login(page, local(page.said("next")), "login.wrong", 401)
    token = await run_in_threadpool(_begin, page.service.store, user, page)
    answer = page.go(local(page.said("next")))
    page.set_cookie(answer, "session", token, int(sessions.LASTS.total_seconds()))
    page.drop_cookie(answer, "door")
    return answer


@router.post("/logout")
def logout(page: Poster) -> Response:
    """End the session."""
    with page.service.store.writing() as connection:
        sessions.end(connection, page.who)
    answer = page.go("/login", "notice.out")
    page.drop_cookie(answer, "session")
    return answer


@router.get("/account")
async def account(page: Annotated[Page, Depends(visitor)]) -> Response:
    """Show the form for another password."""
    return page.render("account.html.j2", wrong="", who=page.who.user.name, least=accounts.MIN_PASSWORD)


@router.post("/account")
def password(page: Poster) -> Response:
    """Give oneself another password; all sessions of the user end."""
    store, name = page.service.store, page.who.user.name
    old, new, again = (page.form.get(field, [""])[-1] for field in ("old", "new", "again"))
    wrong = ""
    if new != again:
        wrong = "account.differ"
    elif accounts.check_password(store, name, old) is None:
        wrong = "account.old"
    else:
        try:
            with store.writing() as connection:
                accounts.set_password(connection, name, new, name)
        except accounts.UserError:
            wrong = "account.weak"
    if wrong:
        return page.render("account.html.j2", status=422, wrong=page.text(wrong, n=accounts.MIN_PASSWORD), who=name, least=accounts.MIN_PASSWORD)
    return page.go("/login", "notice.password")


def _begin(store: Store, user: User, page: Page) -> str:
    with store.writing() as connection:
        if page.session is not None:
            sessions.end(connection, page.session)
        return sessions.begin(connection, user)


def _login(page: Page, back: str, wrong: str = "", status: int = 200) -> Response:
    """Show the login with a token of its own: a form of another site cannot log anybody in."""
    if page.session is not None and not wrong:
        return page.go(back)
    token = page.cookie("door") or new_token()
    if not token.isascii() or len(token) > 60:
        raise PageError(400, "error.form")
    answer = page.render("login.html.j2", status=status, back=back, door=token, wrong=page.text(wrong) if wrong else "")
    page.set_cookie(answer, "door", token, 3600)
    return answer

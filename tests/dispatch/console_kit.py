"""A console for tests: invented petitions in a store, a scorer that needs no model, a client that fills in forms."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
from argon2 import PasswordHasher
from lxml import html
from starlette.testclient import TestClient
from synthetic import UNITS, rows

from dispatch.console import accounts
from dispatch.files import payloads
from dispatch.scoring import ScoredBatch, UnitChoice
from dispatch.service import Service, ServiceSettings, create_app
from dispatch.store import Store
from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id

TODAY = dt.date.today()
PASSWORDS = {"li": "correct horse battery", "wang": "zebra crossing 42", "zhao": "paper lantern 77"}
HOST = "http://testserver"


class Scorer:
    """Suggests the first unit that has not refused."""

    model_version, config_version = "issue_type-1+unit-1@abc", "c1"

    def score(self, petitions: pa.Table, hashes: Sequence[str] | None = None) -> ScoredBatch:
        made = []
        for number, plain in enumerate(petitions.to_pylist()):
            row = rows(1)[0]
            units = [{"code": code, "name": name, "probability": 0.4} for code, name in UNITS if code not in plain["refused_units"]][:4]
            key = hashes[number] if hashes else f"{plain['petition_id']}{plain['refused_units']}"[-32:].rjust(32, "0")
            key = f"{len(plain['refused_units'])}{key}"[:32]
            row |= {name: plain[name] for name in ("petition_id", "title", "body", "address", "channel", "submitted_at", "source", "row")}
            row |= {"content_hash": key, "suggestion_id": suggestion_id(plain["petition_id"], key, self.model_version, "c1")}
            made.append(row | {"refused_units": plain["refused_units"], "lead_unit": units[0], "top_k": units, "event_group": None})
        return ScoredBatch(table(made), [b"\0" * 16] * len(made))

    def units(self) -> Sequence[UnitChoice]:
        return [UnitChoice(code, name, "department") for code, name in UNITS]

    def resolve(self, name: str) -> str | None:
        return next((code for code, unit in UNITS if name in (code, unit)), None)

    def issue_name(self, code: str) -> str:
        return code

    def basis(self, duty: str) -> str:
        return "城市道路管理条例" if duty == "LG-D01-001" else ""


def table(found: Sequence[dict[str, Any]]) -> pa.Table:
    names = set(SUGGESTION_SCHEMA.names)
    return pa.Table.from_pylist([{key: value for key, value in row.items() if key in names} for row in found], SUGGESTION_SCHEMA)


def recent(count: int, **changed: Any) -> list[dict[str, Any]]:
    """Return invented suggestions of these days: deadlines lie around today."""
    found = rows(count)
    for number, row in enumerate(found):
        shift = TODAY - dt.date(2024, 5, 12)
        if row["submitted_at"]:
            row["submitted_at"] += shift
        if row["deadline"]["date"]:
            row["deadline"] |= {"date": row["deadline"]["date"] + shift}
        row |= {key: value(number, row) if callable(value) else value for key, value in changed.items()}
    return found


def fill(store: Store, found: Sequence[dict[str, Any]], run: str = "r1") -> None:
    """Write suggestions as a run does."""
    made = table(found)
    now = dt.datetime.now()
    store.begin_run(run, inputs_digest="d", model_version="m", config_version="c1", started_at=now)
    store.write_chunk(run, made, payloads(made), [b"\0" * 16] * len(found))
    store.finish_run(run, read=len(found), routed=len(found), rejected=0, finished_at=now)


def cheap_hashes(monkeypatch: Any) -> None:
    """Let hashing cost nothing; what is tested is not argon2."""
    monkeypatch.setattr(accounts, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def add_users(store: Store) -> None:
    with store.writing() as connection:
        for name, password in PASSWORDS.items():
            accounts.add(connection, name, password, "supervisor" if name == "li" else "reviewer", "test")


class Reviewer:
    """Somebody with a browser that has no scripts."""

    def __init__(self, app: Any, base: str = HOST) -> None:
        self.http = TestClient(app, base_url=base, follow_redirects=False)

    def get(self, path: str, status: int = 200) -> html.HtmlElement:
        answer = self.http.get(path)
        assert answer.status_code == status, (path, answer.status_code, answer.text[:300])
        return html.fromstring(answer.text)

    def login(self, name: str, password: str = "", status: int = 303, back: str = "") -> Any:
        page = self.get(f"/login{back}")
        return self.submit(page.xpath("//form[@action='/login']")[0], status, user=name, password=password or PASSWORDS[name])

    def submit(self, form: html.HtmlElement, status: int = 303, /, **values: Any) -> Any:
        """Send a form with what it holds; a value of None leaves a field out."""
        fields: list[tuple[str, str]] = [(name, value) for name, value in form.form_values() if name not in values]
        fields += [(name, text) for name, value in values.items() if value is not None for text in (value if isinstance(value, list) else [value])]
        answer = self.http.post(
            form.get("action"), content=encoded(fields), headers={"Content-Type": "application/x-www-form-urlencoded", "Origin": str(self.http.base_url)}
        )
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        return answer

    def form(self, path: str, verdict: str, position: int = 0) -> html.HtmlElement:
        """Return a form of a petition's page: `pick` (0: the lead), `search` or `refused`."""
        page = self.get(path)
        if verdict == "refused":
            return page.xpath("//form[@class='refuse']")[0]
        return page.xpath("//ol[@class='choices']//form[@action='/decisions']")[position]


def encoded(fields: Sequence[tuple[str, str]]) -> str:
    from urllib.parse import urlencode

    return urlencode(fields)


def words(page: html.HtmlElement | str) -> str:
    """Return the text of a page, blanks taken together."""
    found = html.fromstring(page) if isinstance(page, str) else page
    return re.sub(r"\s+", " ", found.text_content())


@contextmanager
def console(store: Store, *names: str, scorer: Any = None, **settings: Any) -> Iterator[Any]:
    """Give a reviewer a name, logged in to one application over a store."""
    app = create_app(Service(store, scorer or Scorer(), ServiceSettings(**settings)))
    with TestClient(app):
        people = []
        for name in names or ("li",):
            people.append(Reviewer(app))
            if name != "-":
                people[-1].login(name)
        yield people[0] if len(people) == 1 else people

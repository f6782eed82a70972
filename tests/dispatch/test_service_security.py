"""What an attacker or a broken client may send: keys guessed, bodies oversized and malformed, injections, traversal."""

from __future__ import annotations

import datetime as dt
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest
import service_kit as kit
from service_kit import PETITION
from sqlalchemy import select
from test_service_api import problem

from dispatch.service import keys, limits
from dispatch.service.logs import JsonFormatter
from dispatch.store import Store
from dispatch.store.outbox import now
from dispatch.store.tables import api_keys, audit

SAFETY = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
#: (method, path, scope) of everything that needs a key.
GUARDED = [
    ("POST", "/v1/suggestions", "suggestions:write"),
    ("GET", "/v1/suggestions", "suggestions:read"),
    ("GET", "/v1/suggestions/sg_000000000000000000000000", "suggestions:read"),
    ("POST", "/v1/suggestions/sg_000000000000000000000000/decision", "decisions:write"),
    ("GET", "/v1/petitions/A1", "suggestions:read"),
    ("GET", "/open311/v2/services.json", "open311:read"),
    ("GET", "/open311/v2/requests.json", "open311:read"),
    ("GET", "/open311/v2/requests/A1.json", "open311:read"),
    ("GET", "/metrics", "metrics:read"),
]
INJECTIONS = ["' OR '1'='1", "x'; DROP TABLE petitions; --", "1 UNION SELECT hash FROM api_keys", "%' OR 1=1 --", "\\'; --", "$(id)", "{{7*7}}", "\x00"]


# Keys ------------------------------------------------------------------------------------------------------------------


def test_every_way_without_a_valid_key_looks_the_same(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    compare = keys.hmac.compare_digest
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda a, b: (compared.append(len(b)), compare(a, b))[1])
    with kit.client(store_url, key_cache_seconds=0.0, guesses=1000) as api:
        store = api.service.store
        key_id, secret = api.text.removeprefix("mq_").split("_", 1)
        expired, revoked = kit.new_key(store, name="old"), kit.new_key(store, name="gone")
        with store.writing() as connection:
            connection.execute(api_keys.update().where(api_keys.c.name == "old").values(expires_at=now() - dt.timedelta(seconds=1)))
            keys.revoke(connection, "gone", by="test")
        flipped = secret[:-2] + ("A" if secret[-2] != "A" else "B") + secret[-1]
        texts = [
            None, "", "Bearer", "Bearer ", "Basic YTpi", f"Bearer {api.text}x", f"Bearer mq_{'a' * 12}_{secret}", f"Bearer mq_{key_id}_{flipped}",
            f"Bearer mq_{key_id}_", f"Bearer {secret}", f"Bearer {expired}", f"Bearer {revoked}", "Bearer ' OR 1=1 --", f"Bearer {'x' * 5000}",
        ]  # fmt: skip
        told = set()
        for text in texts:
            headers = {} if text is None else {"Authorization": text}
            if text is None:
                api.headers.pop("authorization", None)
            before = len(compared)
            answer = api.get("/v1/suggestions", headers=headers)
            body = problem(answer, 401, "unauthorized")
            body.pop("instance")
            told.add(json.dumps(body) + answer.headers["www-authenticate"])
            assert compared[before:] == [64], text  # one comparison of a whole hash, whatever was wrong
        assert len(told) == 1
        assert api.get("/v1/suggestions", headers={"Authorization": f"bearer {api.text}"}).status_code == 200


@pytest.mark.parametrize(("method", "path", "scope"), GUARDED)
def test_scopes(tmp_path: Path, method: str, path: str, scope: str) -> None:
    others = [name for name in keys.SCOPES if name != scope]
    with kit.client(str(tmp_path / "s.sqlite3"), scopes=others) as api:
        answer = api.request(method, path, json={} if method == "POST" else None)
        problem(answer, 403, "forbidden")
        assert f'scope="{scope}"' in answer.headers["www-authenticate"]
        api.headers["authorization"] = f"Bearer {kit.new_key(api.service.store, scope, name='two')}"
        api.service.keys._read_at = -1e9
        assert api.request(method, path, json={} if method == "POST" else None).status_code not in (401, 403)
        del api.headers["authorization"]
        problem(api.request(method, path, json={} if method == "POST" else None), 401, "unauthorized")


def test_guessing_is_slowed_down(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3"), guesses=3) as api:
        for _ in range(3):
            problem(api.get("/v1/suggestions", headers={"Authorization": "Bearer mq_x"}), 401, "unauthorized")
        late = api.get("/v1/suggestions", headers={"Authorization": "Bearer mq_x"})
        problem(late, 429, "too-many-requests")
        assert 1 <= int(late.headers["retry-after"]) <= 60
        # Not even a right guess is told now, or the limit would be none.
        problem(api.get("/v1/suggestions"), 429, "too-many-requests")
        assert api.get("/healthz").status_code == 200


def test_who_a_guesser_is() -> None:
    assert limits.network("2001:db8::1") == limits.network("2001:db8::ffff") != limits.network("2001:db8:0:1::1")
    assert limits.network("::ffff:192.0.2.1") == "192.0.2.1"
    assert limits.network("") == ""
    assert limits.is_loopback("::ffff:127.0.0.1")
    assert limits.is_loopback("::1")
    assert not limits.is_loopback("0.0.0.0")
    assert not limits.is_loopback("localhost.example")


def test_buckets_fill_again_and_forget_the_oldest(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [0.0]
    buckets = limits.Buckets(rate=2, burst=2, clock=lambda: clock[0])
    assert [buckets.take("a").ok for _ in range(3)] == [True, True, False]
    assert buckets.take("b").ok
    clock[0] = 0.4
    assert not buckets.take("a").ok
    clock[0] = 0.6
    assert buckets.take("a") == limits.Allowance(True, 0, 1)
    assert buckets.take("a", 0).ok is False
    slow = limits.Buckets(rate=0.1, burst=1, clock=lambda: clock[0])
    slow.take("a")
    assert slow.take("a").wait == 10
    monkeypatch.setattr(limits, "_CLIENTS", 3)
    for name in "abcdef":
        slow.take(name)
    assert len(slow._buckets) == 3


def test_keys_rotate_expire_and_leave_a_trail(store_url: str) -> None:
    with kit.client(store_url, key_cache_seconds=0.0) as api:
        store, old = api.service.store, api.text
        with store.writing() as connection:
            key, new = keys.rotate(connection, "dispatch", grace=dt.timedelta(hours=1), by="wang")
        for text in (old, new):
            assert api.get("/v1/suggestions", headers={"Authorization": f"Bearer {text}"}).status_code == 200
        with store.writing() as connection:
            keys.rotate(connection, key.key_id, grace=dt.timedelta(0), lasts=dt.timedelta(days=1), by="wang")
        problem(api.get("/v1/suggestions", headers={"Authorization": f"Bearer {new}"}), 401, "unauthorized")
        assert api.get("/v1/suggestions", headers={"Authorization": f"Bearer {old}"}).status_code == 200
        with store.writing() as connection:
            assert len(keys.revoke(connection, "dispatch", by="wang")) == 2
        problem(api.get("/v1/suggestions", headers={"Authorization": f"Bearer {old}"}), 401, "unauthorized")
        with store.writing() as connection:
            for name, scopes, lasts in [("", ["x"], None), ("a", [], None), ("a", ["all"], None), ("a\nb", ["metrics:read"], None)]:
                with pytest.raises(keys.KeyManagementError):
                    keys.add(connection, name, scopes, lasts=lasts, by="t")
            with pytest.raises(keys.KeyManagementError, match="longer than nothing"):
                keys.add(connection, "a", ["metrics:read"], lasts=dt.timedelta(0), by="t")
            keys.add(connection, "a", ["metrics:read"], by="t")
            with pytest.raises(keys.KeyManagementError, match="rotate it"):
                keys.add(connection, "a", ["metrics:read"], by="t")
            for call in (keys.revoke, lambda c, n, by: keys.rotate(c, n, grace=dt.timedelta(0), by=by)):
                with pytest.raises(keys.KeyManagementError, match="no active key"):
                    call(connection, "nobody", by="t")
        with store.reading() as connection:
            kept = json.dumps([list(map(str, row)) for table in (api_keys, audit) for row in connection.execute(select(table))])
            actions = connection.scalars(select(audit.c.action).order_by(audit.c.number)).all()
        for text in (old, new):
            assert text.split("_", 2)[2] not in kept
        assert actions == ["key.added", "key.rotated", "key.rotated", "key.revoked", "key.revoked", "key.added"]


# Bodies ----------------------------------------------------------------------------------------------------------------


def test_oversized_bodies(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3"), max_body=1000) as api:
        json_type = {"Content-Type": "application/json"}
        big = json.dumps(PETITION | {"body": "长" * 1000}).encode()
        answers = [
            api.post("/v1/suggestions", content=big, headers=json_type),
            api.post("/v1/suggestions", content=iter([big[:900], big[900:]]), headers=json_type),  # no Content-Length
            api.post("/v1/suggestions", content=b"{}", headers={**json_type, "Content-Length": "99999999999999999999"}),
            api.post("/v1/suggestions", content=b"{}", headers={**json_type, "Content-Length": "-5"}),
            api.post("/v1/suggestions/sg_000000000000000000000000/decision", content=iter([big] * 3), headers=json_type),
        ]
        for answer in answers:
            problem(answer, 413, "body-too-large")
            assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{", b"{'a':1}", b'{"a":1}x', b"\xff\xfe", b'"\xff"', b'{"petition_id":"\\ud800","body":"x"}', b"NaN", b"[" * 100_000, b"\xef\xbb\xbf{}",
        b"[" * 20 + b"]" * 20, b'{"a":' * 13 + b"1" + b"}" * 13,
    ],
)  # fmt: skip
def test_malformed_json(tmp_path: Path, content: bytes) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        for path in ("/v1/suggestions", "/v1/suggestions/sg_000000000000000000000000/decision"):
            problem(api.post(path, content=content, headers={"Content-Type": "application/json"}), 400, "malformed-json")


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk", "multipart/form-data"])
def test_other_types_of_body(tmp_path: Path, kind: str | None) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        headers = {} if kind is None else {"Content-Type": kind}
        problem(api.post("/v1/suggestions", content=b'{"petition_id":"1"}', headers=headers), 415, "unsupported-media-type")


def test_rate_of_a_key(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3"), rate=0.01, burst=2) as api:
        first = api.get("/v1/suggestions")
        assert first.headers["ratelimit-policy"] == '"key";q=2;w=200'
        assert first.headers["ratelimit"].startswith('"key";r=1;')
        api.get("/v1/suggestions")
        late = api.get("/v1/suggestions")
        problem(late, 429, "too-many-requests")
        assert int(late.headers["retry-after"]) > 50
        other = kit.new_key(api.service.store, name="other")
        api.service.keys._read_at = -1e9
        assert api.get("/v1/suggestions", headers={"Authorization": f"Bearer {other}"}).status_code == 200


def test_too_many_at_a_time(tmp_path: Path, trained_models: Path) -> None:
    scorer = kit.trained(trained_models)
    begun, go = threading.Event(), threading.Event()

    class Waiting(kit.Nobody):
        def score(self, petitions: Any, hashes: Any = None) -> Any:
            begun.set()
            go.wait(20)
            return scorer.score(petitions, hashes)

    with kit.client(str(tmp_path / "s.sqlite3"), Waiting(), concurrent=1) as api:
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(api.post("/v1/suggestions", json=PETITION)))
        thread.start()
        assert begun.wait(20)
        full = api.get("/v1/suggestions")
        problem(full, 503, "busy")
        assert full.headers["retry-after"] == "1"
        assert api.get("/healthz").status_code == 200
        go.set()
        thread.join()
        assert answers[0].status_code == 200
        assert api.get("/v1/suggestions").status_code == 200


# Injection and traversal -----------------------------------------------------------------------------------------------


def test_injection_everywhere(store_url: str, trained_models: Path) -> None:
    with kit.client(store_url, kit.trained(trained_models)) as api:
        made = api.post("/v1/suggestions", json=PETITION).json()["suggestion"]["suggestion_id"]
        before = kit.rows(api.service.store)
        for text in INJECTIONS:
            requests = [
                ("GET", "/v1/suggestions", {"params": {name: text}}) for name in ("after", "limit", "unit", "decision", "issue")
            ] + [
                ("GET", "/open311/v2/requests.json", {"params": {name: text}})
                for name in ("service_request_id", "service_code", "start_date", "end_date", "status", "page", "page_size", "jurisdiction_id")
            ]  # fmt: skip
            quoted = text.encode("unicode_escape").hex() if text == "\x00" else text
            path = "".join(f"%{byte:02x}" for byte in text.encode())
            requests += [("GET", f"/v1/suggestions/{path}", {}), ("GET", f"/v1/petitions/{path}", {}), ("GET", f"/open311/v2/requests/{path}.json", {})]
            body = {"verdict": "accepted", "unit": text, "reason": text}
            requests += [
                ("POST", f"/v1/suggestions/{path}/decision", {"json": {"verdict": "accepted"}}),
                ("POST", f"/v1/suggestions/{made}/decision", {"json": body}),
                ("POST", f"/v1/suggestions/{made}/decision", {"json": {"verdict": text}}),
                ("POST", f"/v1/suggestions/{made}/decision", {"json": {"verdict": "accepted", "expected": 9}, "headers": {"Idempotency-Key": quoted}}),
                ("GET", "/v1/suggestions", {"headers": {"X-Request-Id": quoted, "If-None-Match": quoted}}),
            ]
            for method, url, more in requests:
                answer = api.request(method, url, **more)
                assert answer.status_code in (200, 404, 409, 422), (url, more, answer.text)
                if answer.status_code != 200:
                    assert text not in answer.text
                else:
                    found = answer.json()
                    assert (found["items"] if isinstance(found, dict) else found) == [] or "params" not in more or "jurisdiction_id" in more["params"]
        assert kit.rows(api.service.store) == before
        for number, text in enumerate(INJECTIONS[:-1]):  # as data they are text like any other
            letter = PETITION | {"petition_id": f"I{number}", "body": f"路灯坏了 {text}", "channel": text, "address": text, "refused_units": [text]}
            assert api.post("/v1/suggestions", json=letter).status_code == 200
            assert api.get(f"/v1/petitions/I{number}").json()["text"]["channel"] == text


def test_line_ends_in_headers_and_links(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        for text in ("ab", "x" * 65, "good-id-1\r\nSet-Cookie: a=b", "weird id", "<script>", "ünïcode-id-long"):
            answer = api.get("/healthz", headers=[(b"x-request-id", text.encode("latin-1"))])
            assert answer.headers["x-request-id"] != text
            assert "set-cookie" not in answer.headers
        assert api.get("/healthz", headers={"X-Request-Id": "trace-0001.A_b"}).headers["x-request-id"] == "trace-0001.A_b"
        link = api.get("/v1/suggestions", params={"unit": "x\r\nSet-Cookie: a=b"})
        assert "set-cookie" not in link.headers
        assert "\r" not in link.headers["link"]


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/static/..%2f..%2fpyproject.toml", "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/v1/petitions/../../../etc/passwd", "/v1/petitions/..%2F..%2F..%2Fetc%2Fpasswd", "/open311/v2/requests/..%2F..%2Fetc%2Fpasswd.json",
        "/v1/suggestions/..%2f..%2fetc%2fpasswd", "//etc/passwd", "/%00", "/docs", "/redoc", "/v1/", "/v1/suggestions/",
    ],
)  # fmt: skip
def test_traversal(tmp_path: Path, path: str) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        answer = api.get(path)
        assert answer.status_code in (404, 405), answer.text
        assert "root:" not in answer.text
        assert "build-system" not in answer.text


# What answers and logs say ---------------------------------------------------------------------------------------------


def test_all_answers_bear_the_headers_of_safety(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3"), tls=True) as api:
        answers = [api.get("/healthz"), api.get("/nowhere"), api.get("/v1/suggestions"), api.put("/v1/suggestions"), api.post("/v1/suggestions")]
        assert [answer.status_code for answer in answers] == [200, 404, 200, 405, 415]
        for answer in answers:
            assert SAFETY.items() <= dict(answer.headers).items()
            assert answer.headers["strict-transport-security"]
            assert "server" not in answer.headers
            assert len(answer.headers["x-request-id"]) == 32
        assert answers[3].headers["allow"] == "GET, POST"


def test_a_failure_is_told_by_its_request_alone(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(JsonFormatter())
    with kit.client(str(tmp_path / "s.sqlite3")) as api, caplog.at_level(logging.INFO, "minqing.service"):
        answer = api.post("/v1/suggestions", json=PETITION, headers={"X-Request-Id": "trace-0002"})
        problem(answer, 500, "internal")
        assert "13800138000" not in answer.text
        lines = [json.loads(line) for line in caplog.text.splitlines()]
        failure = next(line for line in lines if line["event"] == "failure")
        assert (failure["request_id"], failure["error"]) == ("trace-0002", "RuntimeError")
        assert any(place.endswith(" score") for place in failure["at"])
        assert "13800138000" not in caplog.text


def test_no_mark_of_a_petition_in_any_log(tmp_path: Path, trained_models: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.handler.setFormatter(JsonFormatter())
    marks = ["赵钱孙", "13900139001", "110101199003078515", "mark-addr", "mark-unit", "mark-reason", "mark-id-7", "mark-query"]
    letter = {"petition_id": marks[6], "title": f"我叫{marks[0]}", "body": f"路灯坏了，电话{marks[1]}，身份证{marks[2]}", "address": marks[3]}
    with kit.client(str(tmp_path / "s.sqlite3"), kit.trained(trained_models)) as api, caplog.at_level(logging.DEBUG):
        logging.getLogger("httpx").setLevel(logging.WARNING)  # the client's own
        made = api.post("/v1/suggestions", json=letter).json()["suggestion"]["suggestion_id"]
        api.post("/v1/suggestions", json={"petitions": [letter | {"body": ""}, letter | {"submitted_at": marks[0]}]})
        api.post(f"/v1/suggestions/{made}/decision", json={"verdict": "reassigned", "unit": marks[4]})
        api.post(f"/v1/suggestions/{made}/decision", json={"verdict": "refused", "reason": f"{marks[5]} {marks[1]}"})
        api.get(f"/v1/petitions/{marks[6]}?q={marks[7]}")
        api.get(f"/nowhere/{marks[6]}?q={marks[7]}")
        api.get(f"/v1/suggestions?limit={marks[7]}")
        assert caplog.text.count('"request"') >= 7
        for mark in [*marks, api.text, api.text.split("_", 2)[2], "Bearer"]:
            assert mark not in caplog.text
        metrics = api.service.metrics.text().decode()
        assert not [mark for mark in marks if mark in metrics]


def test_what_is_away_is_told_as_such() -> None:
    from concurrent.futures import BrokenExecutor

    from sqlalchemy.exc import OperationalError

    from dispatch.service.problems import as_problem
    from dispatch.service.scoring import WorkError

    for error in (OperationalError("SELECT 1", {}, Exception()), WorkError("OperationalError"), BrokenExecutor()):
        assert (as_problem(error).status_code, as_problem(error).kind) == (503, "unavailable")
    assert as_problem(WorkError("ValueError")).status_code == 500


def test_records_of_other_libraries_lose_their_arguments() -> None:
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 1, "bad path %s from %s", ("/v1/petitions/A1", "x"), None)
    assert json.loads(JsonFormatter().format(record))["event"] == "bad path"
    record = logging.LogRecord("asyncio", logging.ERROR, "", 1, "Task exception was never retrieved\nfuture: <RuntimeError('13800138000')>", (), None)
    assert json.loads(JsonFormatter().format(record))["event"] == "Task exception was never retrieved"
    record = logging.LogRecord("flows.scoring", logging.INFO, "", 1, "in service: %s", ("unit-1",), None)
    assert json.loads(JsonFormatter().format(record))["event"] == "in service: unit-1"


def test_the_store_shuts_nothing_out_after_bad_input(tmp_path: Path) -> None:
    """A thousand bad requests change nothing and leave the service as it was."""
    with kit.client(str(tmp_path / "s.sqlite3"), guesses=5000, rate=1e6, burst=10**6) as api:
        before = kit.rows(api.service.store)
        for number in range(250):
            api.post("/v1/suggestions", content=b"{" * (number % 9), headers={"Content-Type": "application/json"})
            api.get("/v1/suggestions", headers={"Authorization": f"Bearer {number}"})
        assert api.get("/v1/suggestions").status_code == 200
        assert kit.rows(api.service.store) == before
    with Store.open(str(tmp_path / "s.sqlite3")) as store:
        assert kit.rows(store) == before

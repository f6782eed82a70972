"""The API as a dispatch system uses it: scored, pulled, decided, looked up; on both databases with trained models."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import Any

import pytest
import service_kit as kit
from service_kit import PETITION
from sqlalchemy import text

from dispatch.messages import Decision, Suggestion
from dispatch.service.keys import SCOPES
from dispatch.service.problems import TITLES
from dispatch.service.schemas import Page
from dispatch.store import Store


@pytest.fixture
def scorer(trained_models: Path) -> Any:
    return kit.trained(trained_models)


def problem(answer: Any, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"urn:minqing:problem:{kind}"
    assert found["status"] == status
    assert found["title"]
    assert found["detail"]
    assert found["instance"] == f"urn:minqing:request:{answer.headers['x-request-id']}"
    return found


def test_one_petition(store_url: str, scorer: Any) -> None:
    with kit.client(store_url, scorer) as api:
        only = api.post("/v1/suggestions?store=false", json=PETITION).json()
        assert (only["revision"], only["new"]) == (None, False)
        assert kit.rows(api.service.store)["petitions"] == 0
        first = api.post("/v1/suggestions", json=PETITION)
        made = first.json()
        Suggestion.model_validate_json(first.content[len('{"suggestion":') : first.content.rindex(b',"revision"')])
        assert (made["revision"], made["new"]) == (1, True)
        assert made["suggestion"] == only["suggestion"]
        assert first.headers["etag"] == f'"{made["suggestion"]["suggestion_id"]}.1"'
        again = api.post("/v1/suggestions", json=PETITION).json()
        assert again == made | {"new": False}
        assert kit.rows(api.service.store) | {"runs": 1} == kit.rows(api.service.store)
        changed = api.post("/v1/suggestions", json=PETITION | {"body": "窨井盖不见了，路上一个大洞"}).json()
        assert (changed["revision"], changed["new"]) == (2, True)
        found = kit.rows(api.service.store)
        assert (found["petitions"], found["suggestions"], found["outbox"]) == (1, 2, 2)


def test_many_petitions_account_for_each(store_url: str, scorer: Any) -> None:
    good = [PETITION | {"petition_id": f"B{n}", "body": f"第{n}条路的路灯坏了"} for n in range(40)]
    bad = [{"petition_id": "C1"}, 7, PETITION | {"petition_id": "a b"}, good[0], good[1] | {"body": "别的内容也是路灯"}]
    with kit.client(store_url, scorer) as api:
        told = api.post("/v1/suggestions", json={"petitions": [*good[:20], *bad, *good[20:]]}).json()
        assert (told["read"], told["routed"], told["rejected_count"]) == (45, 40, 5)
        assert [item["suggestion"]["petition_id"] for item in told["suggestions"]] == [item["petition_id"] for item in good]
        codes = ["missing_body", "wrong_type", "bad_id", "duplicate_row", "duplicate_id"]
        assert [(item["index"], item["code"]) for item in told["rejected"]] == list(zip(range(20, 25), codes, strict=True))
        assert kit.rows(api.service.store)["petitions"] == 40
        single = api.post("/v1/suggestions", json=good[7]).json()
        assert single == told["suggestions"][7] | {"new": False}
        only_bad = api.post("/v1/suggestions", json={"petitions": [7]}).json()
        assert (only_bad["read"], only_bad["routed"], only_bad["rejected_count"]) == (1, 0, 1)


@pytest.mark.parametrize(
    ("petition", "code"),
    [
        ({"body": "路灯坏了"}, "missing_id"),
        (PETITION | {"petition_id": ""}, "missing_id"),
        (PETITION | {"petition_id": "x" * 81}, "bad_id"),
        (PETITION | {"petition_id": "a\r\nb"}, "bad_id"),
        (PETITION | {"petition_id": "3.2E+17"}, "bad_id"),
        (PETITION | {"petition_id": '="1"'}, "bad_id"),
        (PETITION | {"petition_id": 12}, "wrong_type"),
        (PETITION | {"body": None}, "wrong_type"),
        (PETITION | {"title": "", "body": " "}, "missing_body"),
        (PETITION | {"body": ["x"]}, "wrong_type"),
        (PETITION | {"body": "路灯\x00坏了"}, "nul_byte"),
        (PETITION | {"body": "长" * 100_001}, "body_too_long"),
        (PETITION | {"submitted_at": "2026-02-30"}, "bad_date"),
        (PETITION | {"submitted_at": 5}, "wrong_type"),
        (PETITION | {"refused_units": "甲局"}, "wrong_type"),
        (PETITION | {"refused_units": ["甲局", 1]}, "wrong_type"),
        (PETITION | {"refused_units": ["x"] * 51}, "too_many_refused_units"),
        (PETITION | {"refused_units": ["x\x00"]}, "bad_refused_unit"),
        (PETITION | {"adress": "汇头街"}, "unknown_field"),
        ([PETITION], "wrong_type"),
        ("路灯坏了", "wrong_type"),
        (0, "wrong_type"),
    ],
)
def test_what_is_no_petition(tmp_path: Path, petition: Any, code: str) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        answer = api.post("/v1/suggestions", json=petition)
        assert problem(answer, 422, "invalid-petition")["code"] == code
        assert "汇头街" not in answer.text
        assert kit.rows(api.service.store)["petitions"] == 0


@pytest.mark.parametrize("petitions", [[], {}, "x", None, [PETITION] * 501])
def test_what_is_no_batch(tmp_path: Path, petitions: Any) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        problem(api.post("/v1/suggestions", json={"petitions": petitions}), 422, "invalid")
        problem(api.post("/v1/suggestions", json={"petitions": [PETITION], "petition_id": "x"}), 422, "invalid")


def test_a_petition_that_breaks_scoring_is_told_alone(tmp_path: Path, scorer: Any) -> None:
    class Fragile(kit.Nobody):
        def score(self, petitions: Any, hashes: Any = None) -> Any:
            if "BAD" in petitions["petition_id"].to_pylist():
                raise RuntimeError("boom")
            return scorer.score(petitions, hashes)

    items = [PETITION | {"petition_id": name} for name in ("G1", "BAD", "G2")]
    with kit.client(str(tmp_path / "s.sqlite3"), Fragile()) as api:
        told = api.post("/v1/suggestions", json={"petitions": items}).json()
        assert [(item["index"], item["code"]) for item in told["rejected"]] == [(1, "failed")]
        assert told["routed"] == 2
        problem(api.post("/v1/suggestions", json=items[1]), 500, "internal")
        assert api.post("/v1/suggestions", json=items[0]).status_code == 200


def test_pulled_by_position(store_url: str, scorer: Any) -> None:
    """A reader that asks again and again while others write gets each suggestion once, in order."""
    letters = [PETITION | {"petition_id": f"P{n}", "body": body} for n, body in enumerate(["烧烤摊油烟扰民", "路灯坏了", "学区怎么划分"] * 4)]
    with kit.client(store_url, scorer) as api:

        def write() -> None:
            for letter in letters:
                api.post("/v1/suggestions", json=letter)

        writer = threading.Thread(target=write)
        writer.start()
        got: list[dict[str, Any]] = []
        link = "/v1/suggestions?after=0&limit=3"
        while writer.is_alive() or api.get(link).json()["more"]:
            answer = api.get(link)
            page = answer.json()
            Page.model_validate_json(answer.content, strict=False)
            assert len(page["items"]) <= 3
            assert answer.headers["link"] == f'<{page["next"]}>; rel="next"'
            got += page["items"]
            link = page["next"]
        writer.join()
        got += api.get(link).json()["items"]
        assert [item["suggestion"]["petition_id"] for item in got] == [letter["petition_id"] for letter in letters]
        assert [item["position"] for item in got] == sorted({item["position"] for item in got})
        lead = got[0]["suggestion"]["lead_unit"]["code"]
        wanted = [item for item in got if item["suggestion"]["lead_unit"]["code"] == lead]
        assert api.get("/v1/suggestions", params={"unit": lead, "limit": 1000}).json()["items"] == wanted
        issue = got[0]["suggestion"]["issue_type"]["code"][:2]
        under = [item for item in got if item["suggestion"]["issue_type"]["code"].startswith(issue)]
        assert api.get("/v1/suggestions", params={"issue": issue, "limit": 1000}).json()["items"] == under
        both = [api.get("/v1/suggestions", params={"decision": d, "limit": 1000}).json()["items"] for d in ("auto", "review")]
        assert sorted(item["position"] for part in both for item in part) == [item["position"] for item in got]
        nothing = api.get("/v1/suggestions", params={"unit": "nobody", "limit": 1}).json()
        assert (nothing["items"], nothing["more"], nothing["after"]) == ([], False, nothing["head"])
        assert "unit=nobody" in nothing["next"]
        assert problem(api.get(f"/v1/suggestions?after={nothing['head'] + 1}"), 409, "position-ahead")["head"] == nothing["head"]


def test_a_filter_that_lets_nothing_through_is_cut_into_windows(tmp_path: Path, scorer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dispatch.service.queries.WINDOW", 2)
    with kit.client(str(tmp_path / "s.sqlite3"), scorer) as api:
        api.post("/v1/suggestions", json={"petitions": [PETITION | {"petition_id": f"P{n}"} for n in range(5)]})
        steps, link = [], "/v1/suggestions?unit=nobody"
        while True:
            page = api.get(link).json()
            assert page["items"] == []
            steps.append((page["after"], page["more"]))
            if not page["more"]:
                break
            link = page["next"]
        assert steps == [(2, True), (4, True), (5, False)]


def test_decisions(store_url: str, scorer: Any) -> None:
    with kit.client(store_url, scorer) as api:
        made = api.post("/v1/suggestions", json=PETITION).json()["suggestion"]
        url = f"/v1/suggestions/{made['suggestion_id']}/decision"
        before = kit.rows(api.service.store)
        for body, kind in [
            ({"verdict": "refused"}, "invalid-decision"),
            ({"verdict": "refused", "reason": " "}, "invalid-decision"),
            ({"verdict": "reassigned", "unit": "没有的局"}, "unknown-unit"),
            ({"verdict": "reassigned"}, "invalid-decision"),
            ({"verdict": "reassigned", "unit": made["lead_unit"]["code"]}, "invalid-decision"),
            ({"verdict": "closed"}, "invalid"),
            ({"verdict": "accepted", "who": "张三"}, "invalid"),
            ({"verdict": "accepted", "reason": "x\x00"}, "invalid"),
            ({"verdict": "accepted", "reason": "x" * 2001}, "invalid"),
            ({}, "invalid"),
            ([], "invalid"),
        ]:
            answer = api.post(url, json=body)
            problem(answer, 422, kind)
            assert "张三" not in answer.text
            assert "没有的局" not in answer.text
        assert problem(api.post(url, json={"verdict": "accepted", "expected": 3}), 409, "conflict")["number"] == 0
        missing = f"/v1/suggestions/sg_{'0' * 24}/decision"
        problem(api.post(missing, json={"verdict": "accepted"}), 404, "unknown-suggestion")
        problem(api.post("/v1/suggestions/nonsense/decision", json={"verdict": "accepted"}), 404, "unknown-suggestion")
        assert kit.rows(api.service.store) == before

        other = next(unit for unit in scorer.units() if unit.code != made["lead_unit"]["code"])
        key = {"Idempotency-Key": "order-17"}
        body = {"verdict": "reassigned", "unit": other.name, "reason": "归你们管，找李四 13900139000", "expected": 0}
        first = api.post(url, json=body, headers=key).json()
        Decision.model_validate({**first["decision"], "at": first["decision"]["at"]}, strict=False)
        assert (first["decision"]["unit"], first["decision"]["number"], first["replacement"]) == (other.code, 1, None)
        assert first["decision"]["actor"] == "key:dispatch"
        assert "13900139000" not in first["decision"]["reason"]
        assert api.post(url, json=body, headers=key).json() == first
        problem(api.post(url, json={"verdict": "accepted"}, headers=key), 409, "conflict")
        found = api.get(f"/v1/suggestions/{made['suggestion_id']}")
        assert found.json()["decisions"] == [first["decision"]]
        assert (found.json()["newest"], found.json()["current"]) == (True, made["suggestion_id"])
        assert api.get(found.request.url, headers={"If-None-Match": found.headers["etag"]}).status_code == 304

        refused = api.post(url, json={"verdict": "refused", "reason": "职责不在我局"}).json()
        assert refused["decision"]["unit"] == other.code
        new = api.get(f"/v1/suggestions/{refused['replacement']}").json()
        assert other.code not in [unit["code"] for unit in new["suggestion"]["top_k"]]
        assert new["revision"] == 2
        gone = problem(api.post(url, json={"verdict": "accepted"}), 409, "conflict")
        assert (gone["current"], gone["number"]) == (refused["replacement"], 2)

        history = api.get(f"/v1/petitions/{PETITION['petition_id']}").json()
        assert [item["revision"] for item in history["suggestions"]] == [1, 2]
        assert [item["verdict"] for item in history["decisions"]] == ["reassigned", "refused"]
        assert (history["state"], history["refused_units"]) == ("open", [other.code])
        assert history["text"]["body"] == PETITION["body"]


def test_text_needs_its_scope(tmp_path: Path, scorer: Any) -> None:
    letter = PETITION | {"petition_id": "2026/11-甲"}
    with kit.client(str(tmp_path / "s.sqlite3"), scorer, scopes=["suggestions:write", "suggestions:read"]) as api:
        api.post("/v1/suggestions", json=letter)
        history = api.get("/v1/petitions/2026/11-甲")
        assert history.json()["petition_id"] == letter["petition_id"]
        assert history.json()["text"] is None
        assert letter["body"] not in history.text
        problem(api.get("/v1/petitions/nobody"), 404, "unknown-petition")
        problem(api.get("/v1/petitions/a%00b"), 404, "unknown-petition")


def test_open311(store_url: str, scorer: Any) -> None:
    with kit.client(store_url, scorer) as api:
        letters = [PETITION | {"petition_id": f"L{n}", "submitted_at": f"2026-11-{n + 10}T08:00:00"} for n in range(4)]
        made = api.post("/v1/suggestions", json={"petitions": letters}).json()["suggestions"]
        api.post(f"/v1/suggestions/{made[0]['suggestion']['suggestion_id']}/decision", json={"verdict": "accepted"})
        services = {item["service_code"]: item for item in api.get("/open311/v2/services.json").json()}
        found = api.get("/open311/v2/requests.json").json()
        assert [item["service_request_id"] for item in found] == ["L3", "L2", "L1", "L0"]
        assert [item["status"] for item in found] == ["open", "open", "open", "closed"]
        assert all(item["service_code"] in services for item in found)
        assert found[3]["agency_responsible"] == made[0]["suggestion"]["lead_unit"]["name"]
        assert found[3]["requested_datetime"] == "2026-11-10T08:00:00+08:00"
        assert all(PETITION["title"] not in str(item) and PETITION["body"] not in str(item) for item in found)

        def ids(**params: Any) -> list[str]:
            return [item["service_request_id"] for item in api.get("/open311/v2/requests.json", params=params).json()]

        assert ids(status="closed") == ["L0"]
        assert ids(start_date="2026-11-11T08:00:00+08:00", end_date="2026-11-12T00:00:00Z") == ["L2", "L1"]
        assert ids(service_request_id="L2,L0,nobody") == ["L2", "L0"]
        assert ids(page_size=3, page=2) == ["L0"]
        assert ids(service_code=found[0]["service_code"]) == ["L3", "L2", "L1", "L0"]
        assert ids(service_code="15") == []
        problem(api.get("/open311/v2/requests.json?page=201&page_size=50"), 422, "invalid")
        api.post("/v1/suggestions", json={"petitions": [letters[0] | {"petition_id": f"U{n}", "submitted_at": None} for n in range(3)]})
        every = ["L3", "L2", "L1", "L0", "U0", "U1", "U2"]
        for size in (1, 2, 3, 4, 5, 7, 9):
            assert [name for page in range(1, 9) for name in ids(page_size=size, page=page)] == every, size
        assert ids(status="open", page_size=4, page=2) == ["U1", "U2"]
        one = api.get("/open311/v2/requests/L2.json")
        assert one.json() == [found[1]]
        assert api.get("/open311/v2/requests/L2.json", headers={"If-None-Match": one.headers["etag"]}).status_code == 304
        problem(api.get("/open311/v2/requests/nobody.json"), 404, "unknown-request")


def test_open311_as_xml(tmp_path: Path, scorer: Any) -> None:
    from xml.etree import ElementTree

    with kit.client(str(tmp_path / "s.sqlite3"), scorer, open311_titles=True) as api:
        api.post("/v1/suggestions", json=PETITION | {"petition_id": "<&>", "title": "油烟 & <b>噪声</b> \x01 ]]> 扰民"})
        found = api.get("/open311/v2/requests.xml")
        assert found.headers["content-type"].startswith("application/xml")
        (request,) = ElementTree.fromstring(found.content)
        assert request.tag == "request"
        told = api.get("/open311/v2/requests.json").json()[0]
        assert {item.tag: item.text for item in request} == {
            name: value.replace("\x01", "") if value else None for name, value in told.items()
        }
        assert api.get("/open311/v2/requests/%3C&%3E.xml").content == found.content
        services = ElementTree.fromstring(api.get("/open311/v2/services.xml").content)
        assert len(services) == len(api.get("/open311/v2/services.json").json())
        problem(api.get("/open311/v2/requests/nobody.xml"), 404, "unknown-request")


def test_open311_titles_and_without_key(tmp_path: Path, scorer: Any) -> None:
    with kit.client(str(tmp_path / "s.sqlite3"), scorer, open311_titles=True, open311_public=True) as api:
        api.post("/v1/suggestions", json=PETITION)
        del api.headers["authorization"]
        assert api.get("/open311/v2/requests.json").json()[0]["description"] == PETITION["title"]
        problem(api.get("/v1/suggestions"), 401, "unauthorized")
    with kit.client(str(tmp_path / "t.sqlite3"), open311=False) as api:
        problem(api.get("/open311/v2/requests.json"), 404, "not-found")


def test_health_and_readiness(store_url: str) -> None:
    with kit.client(store_url) as api:
        del api.headers["authorization"]
        assert api.get("/healthz").json() == {"status": "ok"}
        assert api.get("/readyz").json() == {"status": "ready", "checks": dict.fromkeys(("store", "schema", "models", "queue"), True)}
        with api.service.store.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        behind = api.get("/readyz")
        assert behind.status_code == 503
        assert behind.json()["checks"]["schema"] is False


def test_not_ready_without_store(tmp_path: Path) -> None:
    with kit.client(str(tmp_path / "s.sqlite3")) as api:
        with api.service.store.writing() as connection:
            connection.execute(text("DROP TABLE alembic_version"))
            connection.execute(text("ALTER TABLE api_keys RENAME TO elsewhere"))
        api.service.keys._read_at = -1e9
        assert api.get("/readyz").status_code == 503
        answer = api.get("/v1/suggestions")
        problem(answer, 503, "unavailable")
        assert answer.headers["retry-after"] == "5"
        assert "api_keys" not in answer.text


def test_metrics(store_url: str, scorer: Any) -> None:
    with kit.client(store_url, scorer, host="127.0.0.1") as api:
        api.post("/v1/suggestions", json={"petitions": [PETITION, {**PETITION, "petition_id": "Z9"}, 5]})
        del api.headers["authorization"]
        told = api.get("/metrics")
        assert told.headers["content-type"].startswith("text/plain")
        lines = told.text.splitlines()
        for line in (
            'minqing_http_requests_total{method="POST",route="/v1/suggestions",status="200"} 1.0',
            'minqing_petitions_total{outcome="new"} 2.0',
            'minqing_petitions_total{outcome="rejected"} 1.0',
            "minqing_petitions_undecided 2.0",
            "minqing_petitions_waiting 0.0",
            "minqing_outbox_position 2.0",
            "minqing_store_up 1.0",
        ):
            assert line in lines, line
        assert f'model="{scorer.model_version}"' in told.text
        assert "Z9" not in told.text
        assert "LG-" not in told.text
        handed_on = api.get("/metrics", headers={"X-Forwarded-For": "198.51.100.7"})
        problem(handed_on, 401, "unauthorized")


def test_metrics_of_an_ill_store(tmp_path: Path) -> None:
    store = Store.open(str(tmp_path / "s.sqlite3"))
    with kit.client("", store=store) as api:
        with store.writing() as connection:
            connection.execute(text("DROP TABLE counters"))
        assert "minqing_store_up 0.0" in api.get("/metrics").text


def test_what_the_page_says_is_so(tmp_path: Path, scorer: Any) -> None:
    """The commands of docs/api.md work as they stand; kinds of problems and scopes are all there."""
    page = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    flat = page.replace("\\\n", " ")
    with kit.client(str(tmp_path / "s.sqlite3"), scorer) as api:
        last = ""
        commands = re.findall(r"curl -s \"?localhost:8400(\S+?)\"? -H \"Authorization: Bearer \$KEY\"(.*)", flat)
        assert len(commands) == 3
        for path, rest in commands:
            path = path.replace("sg_…", last)
            body = re.search(r"-d '(.*?)'", rest)
            headers = dict(part.split(": ", 1) for part in re.findall(r"-H '(.*?)'", rest))
            answer = api.post(path, content=body[1].encode(), headers=headers) if body else api.get(path)
            assert answer.status_code == 200, answer.text
            last = answer.json().get("suggestion", {}).get("suggestion_id", last)
    assert [kind for kind in TITLES if f"`{kind}`" not in page] == ["internal"]
    assert [scope for scope in SCOPES if f"| `{scope}` |" not in page] == []

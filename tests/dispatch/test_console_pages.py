"""The console as a browser without scripts sees it: review, refusal, conflict, roles, events, forms that are not ours."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from console_kit import HOST, PASSWORDS, TODAY, Reviewer, add_users, cheap_hashes, console, encoded, fill, recent, words
from lxml import html
from sqlalchemy import func, select, update

from dispatch.console import sessions, web
from dispatch.console.texts import TEXTS
from dispatch.store import Store
from dispatch.store.tables import decisions, petitions, refusals, suggestions
from dispatch.store.tables import sessions as session_table

PAGES = ("/", "/queue", "/events", "/workload", "/help", "/account")
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(autouse=True)
def _cheap(monkeypatch):
    cheap_hashes(monkeypatch)


@pytest.fixture
def store(tmp_path):
    with Store.open(tmp_path / "store.sqlite3") as opened:
        fill(opened, recent(90))
        add_users(opened)
        yield opened


def first(store, number: int = 0):
    with store.reading() as connection:
        rows = connection.execute(
            select(petitions).where(petitions.c.state == "open", petitions.c.unit.is_not(None)).order_by(petitions.c.petition_id)
        ).all()
    return rows[number]


def made(store):
    with store.reading() as connection:
        return connection.execute(select(decisions).order_by(decisions.c.at)).all()


# Pages ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_page_speaks_both_languages(store, language):
    with console(store, "li") as li:
        pages = [*PAGES, f"/petitions/{first(store).petition_id}", "/events/ev_小区停水", "/units?find=局", "/queue?due=overdue&unit=LG-D01"]
        for path in pages:
            found = li.get(path + ("&" if "?" in path else "?") + f"lang={language}")
            if not path.startswith("/units"):
                assert found.get("lang") == ("zh-CN" if language == "zh" else "en")
                assert found.xpath("//main") and len(found.xpath("//h1")) == 1
        assert ("Overview" in words(li.get("/"))) == (language == "en")  # the cookie keeps it


def test_both_languages_have_every_text_and_no_text_is_unused():
    for key, pair in TEXTS.items():
        assert len(pair) == 2 and all(text.strip() for text in pair), key
        assert re.findall(r"\{(\w+)\}", pair[0]).sort() == re.findall(r"\{(\w+)\}", pair[1]).sort(), key
        assert set(re.findall(r"\{(\w+)\}", pair[0])) == set(re.findall(r"\{(\w+)\}", pair[1])), key
    files = [*web.HERE.glob("*.py"), *web.HERE.glob("templates/*")]
    source = "".join(path.read_text("utf-8") for path in files if path.name != "texts.py")
    used = {key for key in TEXTS if f'"{key}"' in source or f"'{key}'" in source}
    families = set(re.findall(r'"([a-z]+\.)" ~', source)) | {"verdict.", "notice."}
    unused = [key for key in TEXTS if key not in used and not any(key.startswith(family) for family in families)]
    assert unused == []
    asked = set(re.findall(r"""\bt\(["']([a-z_.]+)["'][,)]""", source))
    assert asked <= set(TEXTS), asked - set(TEXTS)


def test_nothing_is_shown_to_whoever_is_not_logged_in(store):
    with console(store, "-") as nobody:
        for path in (*PAGES, f"/petitions/{first(store).petition_id}", "/events/ev_小区停水", "/units?find=局", "/reports/a/b.html"):
            answer = nobody.http.get(path)
            assert answer.status_code == 303 and answer.headers["location"].startswith("/login"), path
            assert "海棠" not in answer.text
        for path in ("/decisions", "/events", "/logout", "/account"):
            assert nobody.http.post(path, content="csrf=x", headers=FORM).status_code == 303
        part = nobody.http.get("/units?find=局", headers={"HX-Request": "true"})
        assert part.status_code == 204 and part.headers["hx-redirect"] == "/login"
        assert nobody.http.get("/static/console.css").status_code == 200


def test_headers_let_nothing_else_run(store):
    with console(store, "li") as li:
        for path in ("/queue", "/login", "/petitions/none"):
            answer = li.http.get(path)
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
            assert answer.headers["x-frame-options"] == "DENY"
            assert answer.headers["referrer-policy"] and answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["cache-control"] == "no-store"
            assert not re.search(r"<script>|<style|\sstyle=|\son[a-z]+=|javascript:", answer.text)
            assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", answer.text)
        queue = li.get("/queue")
        for address in queue.xpath("//script/@src | //link/@href"):
            got = li.http.get(address)
            assert got.status_code == 200 and "immutable" in got.headers["cache-control"]
        assert li.http.get("/static/../web.py").status_code == 404
        assert li.http.get("/static/%2e%2e/web.py").status_code == 404


def test_what_residents_write_stays_text(store):
    nasty = '<script>alert(1)</script><img src=x onerror=alert(2)>"\'&lt; \u202e反\u202c {{7*7}}'
    rows = recent(3, title=lambda n, row: nasty if n == 1 else row["title"], body=lambda n, row: f"</textarea>{nasty}" if n == 1 else row["body"])
    for row in rows:
        row |= {"petition_id": "N-" + row["petition_id"], "suggestion_id": "sg_n" + row["suggestion_id"][4:], "event_group": "ev_<b>&'"}
        row["reasons"] = [{**reason, "text": f"理由{nasty}", "words": ["alert(1)", "<script>"]} for reason in row["reasons"]]
        row["lead_unit"]["name"] = nasty
    fill(store, rows, "r2")
    pid = rows[1]["petition_id"]
    with console(store, "li") as li:
        for path in (f"/petitions/{pid}", "/queue?text=N-", "/events", "/events/ev_%3Cb%3E%26%27", "/queue?text=%3Cscript%3E%22", "/units?find=%3Cb%3E"):
            text = li.http.get(path).text
            assert "<script>alert" not in text and "onerror=alert" not in re.sub(r"&lt;.*?&gt;", "", text), path
            assert "<b>" not in text or path == "/events" or "<b>&" not in text
            assert "49" not in words(text) or "{{7*7}}" in words(text)
        page = li.get(f"/petitions/{pid}")
        assert nasty.split("\u202e")[0].replace("&lt;", "") in words(page).replace("&lt;", "")
        # Directions of the text end with the text.
        assert page.xpath("//h1[@dir='auto']") and page.xpath("//div[@class='body' and @dir='auto']")


def test_petition_page_shows_what_the_suggestion_rests_on(store):
    row = first(store)
    with console(store, "li") as li:
        page = li.get(f"/petitions/{row.petition_id}")
    text = words(page)
    assert page.xpath("//mark") and "职责事项与" in text and row.address in text
    assert [a.get("href") for a in page.xpath("//sup/a")] == [f"#{found.get('id')}" for a in page.xpath("//sup/a") for found in page.xpath(f"//*[@id='{a.get('href')[1:]}']")]
    with store.reading() as connection:
        lead = connection.execute(select(suggestions.c.lead_unit).where(suggestions.c.suggestion_id == row.suggestion_id)).scalar_one()
    assert ("依据 城市道路管理条例" in text) == (lead == "LG-D01")
    assert "第 1 次推荐" in text
    assert len(page.xpath("//ol[@class='choices']/li")) == 4


def test_unknown_pages(store):
    with console(store, "li") as li:
        for path in ("/petitions/nobody", "/petitions/..%2f..%2fetc", "/events/none", "/petitions/" + "x" * 500):
            assert "没有这一页" in words(li.get(path, 404))


def test_an_id_typed_whole_opens_the_petition_even_a_decided_one(store):
    row = first(store)
    with console(store, "li") as li:
        li.submit(li.form(f"/petitions/{row.petition_id}", "pick"))
        answer = li.http.get(f"/queue?text={row.petition_id}")
        assert (answer.status_code, answer.headers["location"]) == (303, f"/petitions/{row.petition_id}")


def test_any_id_can_be_opened(store):
    rows = recent(1)
    rows[0] |= {"petition_id": "信/访?#·1", "suggestion_id": "sg_odd"}
    fill(store, rows, "r2")
    with console(store, "li") as li:
        link = li.get("/queue?text=信").xpath("//a[@class='open']/@href")
        target = link[0] if link else li.http.get("/queue?text=信").headers["location"]
        assert "信/访?#·1" in words(li.get(target.partition("?")[0]))
        li.submit(li.form(target.partition("?")[0], "pick"))
        assert "信/访?#·1" in words(li.get("/queue"))


# Decisions ------------------------------------------------------------------------------------------------------------


def test_accept_goes_on_to_the_next_petition_of_the_same_filter(store):
    with console(store, "li") as li:
        links = li.get("/queue?decision=review").xpath("//a[@class='open']/@href")
        answer = li.submit(li.form(links[0], "pick"))
        assert answer.headers["location"] == links[1]
        assert "已采纳" in words(li.get(links[1]))
        assert "已采纳" not in words(li.get(links[1]))  # said once
    assert [(row.verdict, row.actor, row.source) for row in made(store)] == [("accepted", "li", "console")]


def test_the_last_of_a_filter_goes_back_to_the_queue(store):
    row = first(store)
    with console(store, "li") as li:
        answer = li.submit(li.form(f"/petitions/{row.petition_id}?text={row.petition_id}", "pick"))
        assert answer.headers["location"] == f"/queue?text={row.petition_id}"


def test_pick_another_of_the_list(store):
    row = first(store)
    with console(store, "li") as li:
        form = li.form(f"/petitions/{row.petition_id}", "pick", 2)
        unit = dict(form.form_values())["unit"]
        li.submit(form)
    assert [(row.verdict, row.unit) for row in made(store)] == [("reassigned", unit)]


def test_search_a_unit_without_scripts(store):
    row = first(store)
    with console(store, "li") as li:
        page = li.get(f"/petitions/{row.petition_id}?find=水务")
        form = page.xpath("//div[@id='found']/ancestor::form")[0]
        assert "澜港水务集团" in words(form)
        li.submit(form)
    assert [(row.verdict, row.unit) for row in made(store)] == [("reassigned", "LG-E01")]


def test_a_unit_that_is_none_changes_nothing(store):
    row = first(store)
    with console(store, "li") as li:
        form = li.form(f"/petitions/{row.petition_id}", "pick", 1)
        assert "今天没有这个单位" in words(li.submit(form, 422, unit="不存在的局").text)
        assert "今天没有这个单位" in words(li.submit(form, 422, unit="").text)
        li.submit(form, 422, verdict="eaten")
    assert made(store) == []


def test_refusal_is_remembered_and_something_else_suggested(store):
    row = first(store)
    path = f"/petitions/{row.petition_id}"
    with console(store, "li") as li:
        form = li.form(path, "refused")
        assert "退单须选原因" in words(li.submit(form, 422).text)
        assert "退单须选原因" in words(li.submit(form, 422, why="other").text)
        answer = li.submit(form, why="duty", reason="请转住建，电话13800138000")
        assert answer.headers["location"] == path
        page = words(li.get(path))
    assert "第 2 次推荐" in page and "已退单：" in page
    assert "13800138000" not in page and "非本单位职责：请转住建" in page
    with store.reading() as connection:
        assert connection.execute(select(refusals.c.unit)).scalar_one() == row.unit
        again = connection.execute(select(petitions).where(petitions.c.petition_id == row.petition_id)).one()
    assert again.state == "open" and again.unit != row.unit and again.revision == 2


def test_the_same_form_sent_twice_decides_once(store):
    row = first(store)
    with console(store, "li") as li:
        form = li.form(f"/petitions/{row.petition_id}", "pick")
        li.submit(form)
        li.submit(form)
    assert len(made(store)) == 1


def test_whoever_is_second_sees_what_the_first_did(store):
    row = first(store)
    path = f"/petitions/{row.petition_id}"
    with console(store, "wang", "zhao") as (wang, zhao):
        late = zhao.form(path, "pick", 1)
        wang.submit(wang.form(path, "pick"))
        page = words(zhao.submit(late, 409).text)
        assert "您的决定没有保存" in page and "wang" in page and "采纳" in page
    assert [(row.verdict, row.actor) for row in made(store)] == [("accepted", "wang")]


def test_a_superseded_suggestion_is_not_decided(store):
    row = first(store)
    path = f"/petitions/{row.petition_id}"
    with console(store, "wang", "zhao") as (wang, zhao):
        late = zhao.form(path, "pick")
        wang.submit(wang.form(path, "refused"), why="place")
        page = words(zhao.submit(late, 409).text)
        assert "现在是第 2 次推荐" in page
        zhao.submit(zhao.form(path, "pick"))  # having looked again
    assert [row.verdict for row in made(store)] == ["refused", "accepted"]


def test_a_decision_belongs_to_who_made_it_and_to_supervisors(store):
    row = first(store)
    path = f"/petitions/{row.petition_id}"
    with console(store, "wang", "zhao", "li") as (wang, zhao, li):
        form = wang.form(path, "pick")
        wang.submit(form)
        assert not zhao.get(path).xpath("//form[@action='/decisions']")
        # By hand, with the number that is right now.
        hand = zhao.form(f"/petitions/{first(store, 1).petition_id}", "pick", 1)
        answer = zhao.submit(hand, 403, suggestion=row.suggestion_id, expected="1")
        assert "只有本人或主管" in words(answer.text)
        wang.submit(wang.form(path, "pick", 1))
        li.submit(li.form(path, "pick", 2))
        assert not wang.get(path).xpath("//form[@action='/decisions']")
    assert [row.actor for row in made(store)] == ["wang", "wang", "li"]


def test_a_colleague_is_told_who_is_at_it(store):
    path = f"/petitions/{first(store).petition_id}"
    with console(store, "wang", "li") as (wang, li):
        assert "正在处理" not in words(wang.get(path))
        page = li.get(path)
        assert "wang 正在处理此件" in words(page)
        assert "正在处理" not in words(li.get(page.xpath("//p[@class='claim']/a/@href")[0]))
        assert "li 正在处理此件" in words(wang.get(path))


def event(store):
    """Return the largest event, and its petitions."""
    with store.reading() as connection:
        rows = connection.execute(select(petitions).where(petitions.c.event_group.is_not(None), petitions.c.unit.is_not(None))).all()
        group = max(rows, key=lambda row: sum(other.event_group == row.event_group for other in rows)).event_group
        members = connection.execute(select(petitions).where(petitions.c.event_group == group)).all()
    assert len(members) > 2
    return group, members


# Events ---------------------------------------------------------------------------------------------------------------


def test_an_event_is_decided_at_once_and_conflicts_are_told(store):
    group, members = event(store)
    with console(store, "wang", "zhao") as (wang, zhao):
        form = zhao.get(f"/events/{group}").xpath("//form[@action='/events']")[0]
        wang.submit(wang.form(f"/petitions/{members[0].petition_id}", "pick"))
        page = words(zhao.submit(form, 200, how="unit", unit="澜港水务集团").text)
        assert f"完成 {len(members) - 1} 件，冲突 1 件，未成 0 件" in page and members[0].petition_id in page
        again = words(zhao.submit(form, 200, how="unit", unit="澜港水务集团").text)  # the same form: nothing twice
        assert f"完成 {len(members) - 1} 件，冲突 1 件" in again
    found = made(store)
    assert len(found) == len(members)
    assert {row.unit for row in found if row.actor == "zhao"} == {"LG-E01"}


def test_an_event_can_be_accepted_as_suggested(store):
    group, members = event(store)
    with console(store, "li") as li:
        form = li.get(f"/events/{group}").xpath("//form[@action='/events']")[0]
        ticked = form.xpath(".//input[@name='member']/@value")
        assert "没有勾选" in words(li.submit(form, 422, how="own", member=None).text)
        assert "今天没有这个单位" in words(li.submit(form, 422, how="unit", unit="没有的局").text)
        assert made(store) == []
        li.submit(form, 200, how="own", member=[*ticked, "sg_unknown:0"])
    assert {(row.verdict, row.petition_id, row.unit) for row in made(store)} == {("accepted", row.petition_id, row.unit) for row in members if row.unit}


# The door -------------------------------------------------------------------------------------------------------------


def test_login_tells_nothing_and_locks(store):
    with console(store, "-") as nobody:
        texts = [words(nobody.login(name, "wrong", 401).text) for name in ("wang", "nobody")]
        assert texts[0] == texts[1]
        for _ in range(4):
            nobody.login("wang", "wrong", 401)
        assert words(nobody.login("wang", PASSWORDS["wang"], 401).text) == texts[0]
        nobody.login("zhao")


def test_guesses_of_one_address_are_slowed_down(store):
    with console(store, "-", guesses=3) as nobody:
        for name in ("a", "b", "c"):
            nobody.login(name, "wrong", 401)
        assert "尝试过多" in words(nobody.login("wang", status=429).text)
    with console(store, "-") as nobody:  # a crowd at the door takes no more threads than there are for it
        door = nobody.http.app.state.console_door
        door._value = 0
        nobody.login("wang", status=429)
        door._value = 8
        nobody.login("wang")


def test_login_begins_a_session_of_its_own(store):
    with console(store, "-") as someone:
        someone.http.cookies.set("minqing-session", "planted", domain="testserver.local", path="/")
        someone.login("wang")
        token = someone.http.cookies["minqing-session"]
        assert token != "planted"
        someone.get("/queue")
        someone.submit(someone.get("/queue").xpath("//form[@action='/logout']")[0])
        someone.http.cookies.set("minqing-session", token, domain="testserver.local", path="/")
        assert someone.http.get("/queue").status_code == 303


def test_login_needs_its_own_form(store):
    with console(store, "-") as nobody:
        answer = nobody.http.post("/login", content=encoded([("user", "wang"), ("password", PASSWORDS["wang"])]), headers=FORM)
        assert answer.status_code == 403 and "minqing-session" not in answer.cookies
        form = nobody.get("/login").xpath("//form")[0]
        assert nobody.submit(form, 403, door="other", user="wang", password=PASSWORDS["wang"])
        away = {**FORM, "Origin": "https://evil.example"}
        assert nobody.http.post("/login", content=encoded(form.form_values()), headers=away).status_code == 403


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "/%0d%0aSet-Cookie:x"])
def test_login_leads_nowhere_else(store, back):
    with console(store, "-") as nobody:
        answer = nobody.login("wang", back=f"?next={back}")
        assert answer.headers["location"].startswith("/") and "evil" not in answer.headers["location"]
        assert "\n" not in answer.headers["location"]


def test_after_login_one_is_where_one_wanted_to_be(store):
    with console(store, "-") as nobody:
        target = nobody.http.get("/queue?due=today").headers["location"]
        assert nobody.login("wang", back=target.removeprefix("/login")).headers["location"] == "/queue?due=today"


def test_cookies(store):
    with console(store, "-") as plain:
        header = plain.login("wang").headers["set-cookie"]
        assert "HttpOnly" in header and "SameSite=lax" in header and "Secure" not in header
    with console(store, "-", tls=True) as secure:
        secure = Reviewer(secure.http.app, "https://testserver")
        answer = secure.login("wang")
        assert "__Host-minqing-session=" in answer.headers["set-cookie"] and "Secure" in answer.headers["set-cookie"]
        assert "max-age" in secure.http.get("/queue").headers["strict-transport-security"]


@pytest.mark.parametrize("csrf", [None, "", "forged", "é"])
def test_forms_that_are_not_ours_change_nothing(store, csrf):
    path = f"/petitions/{first(store).petition_id}"
    with console(store, "wang", "zhao") as (wang, zhao):
        assert "什么也没有改动" in words(wang.submit(wang.form(path, "pick"), 403, csrf=csrf).text)
        others = dict(zhao.form(path, "pick").form_values())["csrf"]
        wang.submit(wang.form(path, "pick"), 403, csrf=others)
        body = encoded(wang.form(path, "pick").form_values())
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
            assert wang.http.post("/decisions", content=body, headers={**FORM, **headers}).status_code == 403
        assert wang.http.post("/decisions", content=body, headers={"Content-Type": "text/plain"}).status_code == 415
        assert wang.http.post("/decisions", content=b"csrf=%ff&a=\xff", headers=FORM).status_code in (400, 403)
        assert wang.http.post("/decisions", content="csrf=" + "x" * (600 << 10), headers=FORM).status_code == 413
    assert made(store) == []


def test_a_session_that_is_over_shows_nothing(store):
    with console(store, "wang") as wang:
        path = f"/petitions/{first(store).petition_id}"
        form = wang.form(path, "pick")
        with store.writing() as connection:
            connection.execute(update(session_table).values(expires_at=dt.datetime(2020, 1, 1)))
        assert wang.http.get(path).headers["location"].startswith("/login?next=")
        assert wang.submit(form).headers["location"] == "/login"
    assert made(store) == []


def test_a_session_in_use_goes_on(store, monkeypatch):
    with console(store, "wang") as wang:
        at = sessions.now()
        monkeypatch.setattr(sessions, "now", lambda: at + dt.timedelta(minutes=40))
        wang.get("/queue")
        monkeypatch.setattr(sessions, "now", lambda: at + dt.timedelta(minutes=80))
        wang.get("/queue")


def test_own_password(store):
    with console(store, "wang") as wang:
        form = wang.get("/account").xpath("//form[@action='/account']")[0]
        for values in ({"old": "wrong", "new": "another lantern 9"}, {"old": PASSWORDS["wang"], "new": "short"}):
            wang.submit(form, 422, again=values["new"], **values)
        wang.submit(form, 422, old=PASSWORDS["wang"], new="another lantern 9", again="another lantern 8")
        wang.submit(form, old=PASSWORDS["wang"], new="another lantern 9", again="another lantern 9")
        assert wang.http.get("/queue").status_code == 303
        wang.login("wang", "another lantern 9")


# Overview, workload, reports ------------------------------------------------------------------------------------------


def test_overview_and_workload(store, home):
    history = home / "watch" / "history.jsonl"
    history.parent.mkdir(parents=True)
    history.write_text('{"verdict": "stable", "at": "2026-01-01T00:00:00"}\n{"verdict": "retrain", "at": "2026-11-20T03:00:00", "since": "2026-11-01", "until": "2026-11-20"}\n{"half')
    folder = home / "models" / "unit"
    folder.mkdir(parents=True)
    (folder / "history.jsonl").write_text('{"version": "unit-1", "at": "2026-11-02T08:00:00"}\nnot json\n')
    with console(store, "li", "wang") as (li, wang):
        li.http.app.state.service.watch_history = history
        page = words(li.get("/"))
        assert "建议重训" in page and "2026-11-02 08:00 上线" in page and "issue_type-1" in page and "r1" in page
        wang.submit(wang.form(f"/petitions/{first(store).petition_id}", "pick"))
        li.http.app.state.console_cached.forget()
        assert "wang" in words(li.get("/workload").xpath("//section")[0])
        zhao = Reviewer(li.http.app)
        zhao.login("zhao")
        assert "wang" not in words(zhao.get("/workload").xpath("//section")[0])
        for link in li.get("/workload").xpath("//table[contains(@class, 'load')]//a/@href")[:3]:
            assert li.get(link).xpath("//table[@class='queue']")


def test_reports_are_given_out_and_nothing_else(store, tmp_path):
    folder = tmp_path / "reports"
    (folder / "2026").mkdir(parents=True)
    (folder / "2026" / "report.html").write_text("<script>1</script>报告")
    (folder / "data.csv").write_text("a,b")
    (folder / ".hidden.html").write_text("x")
    (folder / "keys.txt").write_text("x")
    (tmp_path / "secret.html").write_text("secret")
    (folder / "out.html").symlink_to(tmp_path / "secret.html")
    with console(store, "li", reports={"legal": folder, "gone": tmp_path / "gone"}) as li:
        links = [a for a in li.get("/").xpath("//a/@href") if a.startswith("/reports")]
        assert links == ["/reports/legal/2026/report.html"]
        answer = li.http.get(links[0])
        assert answer.status_code == 200 and "报告" in answer.text
        policy = answer.headers["content-security-policy"]
        assert policy.startswith("sandbox allow-scripts") and "allow-same-origin" not in policy and "default-src 'none'" in policy
        assert li.http.get("/reports/legal/data.csv").headers["content-disposition"].startswith("attachment")
        for path in (
            "legal/../secret.html", "legal/%2e%2e/secret.html", "legal/..%2fsecret.html", "legal/2026/../../secret.html", "legal/out.html",
            "legal/.hidden.html", "legal/keys.txt", "legal/2026", "legal/", "gone/report.html", "other/report.html", "legal/%00.html",
            "legal//etc/passwd", "legal/%2fetc%2fpasswd", "legal/..%5csecret.html", "legal/" + "x" * 3000 + ".html", f"legal/{tmp_path}/secret.html",
        ):  # fmt: skip
            got = li.http.get(f"/reports/{path}")
            assert got.status_code == 404 and "secret" not in got.text, path


def test_reading_writes_nothing(store):
    with console(store, "li") as li:
        with store.reading() as connection:
            before = connection.execute(select(func.count()).select_from(decisions)).scalar_one()
        for path in (*PAGES, f"/petitions/{first(store).petition_id}?take=1", "/decisions"):
            li.http.get(path)
        assert len(made(store)) == before == 0


def test_static_files_say_where_they_come_from():
    note = (Path(web.HERE) / "static" / "htmx.LICENSE.txt").read_text()
    import hashlib

    assert hashlib.sha256((web.HERE / "static" / "htmx.min.js").read_bytes()).hexdigest() in note
    assert "0BSD" in note


def test_the_day_counts_on_the_petition(store):
    with console(store, "li") as li:
        queue = li.get("/queue?due=today")
        shown = {words(cell).split()[0] for cell in queue.xpath("//td/span[contains(@class, 'due')]")}
        assert shown <= {TODAY.strftime("%m-%d")}
        assert HOST.startswith("http")
        assert html.tostring(queue)

"""The console in a browser: review by keyboard alone, refusal, conflict, events, languages, without scripts, and what axe says."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pyarrow as pa
import pytest
from console_kit import PASSWORDS, add_users, cheap_hashes
from service_kit import CITY, listening, trained
from sqlalchemy import select

from corpora.readers import read_petitions
from dispatch.files import payloads
from dispatch.service import Service, ServiceSettings
from dispatch.store import Store
from dispatch.store.tables import decisions, petitions, refusals

CHROMIUM = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium on this machine")
playwright = pytest.importorskip("playwright.sync_api")


@pytest.fixture(scope="module")
def routed(trained_models, tmp_path_factory):
    """A store with a part of the bundled petitions, three of them an event; and its scorer."""
    scorer = trained(trained_models)
    path = tmp_path_factory.mktemp("console") / "store.sqlite3"
    with Store.open(path) as store:
        store.begin_run("r1", inputs_digest="d", model_version="m", config_version="c", started_at=dt.datetime.now())
        chunk = next(iter(read_petitions([CITY / "incoming" / "hotline.csv"], chunk_rows=40)))
        batch = scorer.score(chunk.table)
        store.write_chunk("r1", batch.suggestions, payloads(batch.suggestions), batch.sketches)
        odd = batch.suggestions.slice(0, 1).to_pylist()[0]
        odd |= {"petition_id": "信/访?#%25·1", "suggestion_id": "sg_odd", "title": '<img src=x onerror="document.title=1">'}
        table = pa.Table.from_pylist([odd], batch.suggestions.schema)
        store.write_chunk("r1", table, payloads(table))
        ids = batch.suggestions["petition_id"].to_pylist()[10:13]
        store.update_event_groups(dict.fromkeys(ids, "ev_1"))
        with pytest.MonkeyPatch.context() as patch:
            cheap_hashes(patch)
            add_users(store)
    return path, scorer


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as runner:
        found = runner.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def store(routed, tmp_path):
    shutil.copy(routed[0], tmp_path / "store.sqlite3")
    with Store.open(tmp_path / "store.sqlite3") as opened:
        yield opened


@pytest.fixture
def site(store, routed, tmp_path, monkeypatch):
    cheap_hashes(monkeypatch)
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "report.html").write_text("<title>报告</title><script>try { document.title = 'c' + document.cookie } catch { document.title = 'sealed' }</script>")
    with listening(Service(store, routed[1], ServiceSettings(reports={"legal": tmp_path / "reports"}))) as (host, port):
        yield f"http://{host}:{port}"


@pytest.fixture
def enter(browser, site):
    """Return a function that logs somebody in, in a browser context of their own."""
    contexts = []

    def log_in(name: str, **options):
        context = browser.new_context(viewport={"width": 1366, "height": 768}, base_url=site, **options)
        context.set_default_timeout(8_000)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" and "409" not in message.text else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto("/login")
        page.fill("[name=user]", name)
        page.fill("[name=password]", PASSWORDS[name])
        page.click("main button")
        page.wait_for_url(f"{site}/")
        return page

    yield log_in
    for context in contexts:
        context.close()


def made(store):
    with store.reading() as connection:
        return connection.execute(select(decisions).order_by(decisions.c.at)).all()


def ids(page):
    return page.locator("table.queue td.title small bdi").all_inner_texts()


def row(store, pid):
    with store.reading() as connection:
        return connection.execute(select(petitions).where(petitions.c.petition_id == pid)).one()


def test_a_reviewer_needs_no_mouse(store, enter, routed):
    _, scorer = routed
    page = enter("wang")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.goto("/queue")
    order = ids(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("Enter")  # the first of the queue
    page.wait_for_url("**/petitions/*")
    assert order[0] in page.inner_text(".facts")
    page.keyboard.press("a")
    page.wait_for_selector(f"text=已采纳：{order[0]}")
    assert order[1] in page.inner_text(".facts")
    page.keyboard.press("j")
    page.wait_for_function(f"document.querySelector('.facts').innerText.includes('{order[2]}')")
    page.keyboard.press("k")
    page.wait_for_function(f"document.querySelector('.facts').innerText.includes('{order[1]}')")
    second = page.locator("ol.choices > li .name").nth(1).inner_text()
    page.keyboard.press("2")
    page.wait_for_selector(f"text=已改派：{order[1]}")
    page.keyboard.press("/")
    page.keyboard.type("公安局")
    page.wait_for_selector("#found input")
    page.keyboard.press("Enter")  # to what was found
    assert page.evaluate("document.activeElement.type") == "radio"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector(f"text={order[2]}")
    assert order[3] in page.inner_text(".facts")
    page.keyboard.press("r")
    assert page.evaluate("document.activeElement.name") == "why"
    page.keyboard.press("a")  # in a form keys are keys
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("a1 请转其他单位")
    page.keyboard.press("Tab")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.wait_for_selector("text=第 2 次推荐")
    assert order[3] in page.inner_text(".facts")
    page.keyboard.press("q")
    page.wait_for_url("**/queue")
    page.keyboard.press("?")
    assert page.locator("dialog[open]").count() == 1
    page.keyboard.press("a")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
    found = made(store)
    assert [(one.petition_id, one.verdict) for one in found] == [
        (order[0], "accepted"), (order[1], "reassigned"), (order[2], "reassigned"), (order[3], "refused"),
    ]  # fmt: skip
    assert found[3].reason == "非本单位职责：a1 请转其他单位"
    assert {unit.name for unit in scorer.units() if unit.code == found[1].unit} == {second}
    with store.reading() as connection:
        assert connection.execute(select(refusals.c.petition_id)).scalar_one() == order[3]
    assert row(store, order[3]).state == "open" and row(store, order[3]).unit != found[3].unit
    assert page.problems == []


def test_keys_can_be_turned_off(store, enter):
    page = enter("wang")
    page.goto("/queue")
    page.keyboard.press("?")
    page.locator("dialog[open] [data-keys-off]").check()
    page.keyboard.press("Escape")
    page.locator("a.open").first.click()
    page.wait_for_url("**/petitions/*")
    page.keyboard.press("a")
    page.wait_for_timeout(300)
    assert made(store) == []


def test_two_reviewers_do_not_overwrite_each_other(store, enter):
    wang, zhao = enter("wang"), enter("zhao")
    for page in (wang, zhao):
        page.goto("/queue")
        page.locator("a.open").first.click()
        page.wait_for_url("**/petitions/*")
    assert "wang 正在处理此件" in zhao.inner_text("main")
    wang.keyboard.press("a")
    wang.wait_for_selector("text=已采纳")
    zhao.keyboard.press("2")
    zhao.wait_for_selector(".conflict")
    text = zhao.inner_text(".conflict")
    assert "您的决定没有保存" in text and "wang" in text and "采纳" in text
    assert [one.actor for one in made(store)] == ["wang"]
    li = enter("li")  # a supervisor may take it over
    li.goto(f"/petitions/{made(store)[0].petition_id}")
    li.keyboard.press("2")
    li.wait_for_selector("text=已改派")
    assert [one.actor for one in made(store)] == ["wang", "li"]


def test_filters_change_the_list_in_place(enter):
    page = enter("wang")
    page.goto("/queue")
    before = ids(page)
    page.select_option("[name=decision]", "review")
    page.wait_for_url("**/queue?*decision=review*")
    page.wait_for_function(f"document.querySelector('#count').innerText !== '{len(before)} 件'")
    assert set(ids(page)) < set(before)
    page.fill("[name=unit]", "公安局")
    page.fill("[name=text]", "没有")
    page.press("[name=text]", "Enter")
    page.wait_for_selector("text=没有符合条件的来件")
    page.go_back()
    page.click("#clear a")
    page.wait_for_url("**/queue")
    assert ids(page) == before
    assert page.problems == []


def test_an_event_in_one_go(store, enter):
    page = enter("li")
    page.goto("/events")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/events/*")
    assert page.locator("[name=member]:checked").count() == 3
    page.locator("[data-all]").check()
    page.locator("[data-all]").uncheck()
    assert page.locator("[name=member]:checked").count() == 0
    page.locator("[name=member]").nth(0).check()
    page.locator("[name=member]").nth(2).check()
    page.fill("[name=unit]", "澜港市公安局")
    page.click("text=派给此单位")
    page.wait_for_selector("text=完成 2 件，冲突 0 件，未成 0 件")
    assert len(made(store)) == 2 and len({one.unit for one in made(store)}) == 1


def test_everything_works_without_scripts(store, enter):
    page = enter("wang", java_script_enabled=False)
    page.goto("/queue")
    page.select_option("[name=decision]", "review")
    page.click("form.filters button")
    page.wait_for_url("**decision=review**")
    order = ids(page)
    page.locator("a.open").first.click()
    page.click("ol.choices li.lead button")
    assert f"已采纳：{order[0]}" in page.inner_text(".notice")
    page.fill("#find", "公安局")
    page.click("form.search button")
    page.click("#found button")
    assert f"已改派：{order[1]}" in page.inner_text(".notice")
    page.click("summary")
    page.check("[name=why][value=place]")
    page.click("button.danger")
    assert "第 2 次推荐" in page.inner_text(".history")
    page.goto("/help")
    assert "采纳推荐" in page.inner_text("main")
    page.click("header button")
    page.wait_for_url("**/login")
    assert [one.verdict for one in made(store)] == ["accepted", "reassigned", "refused"]


def test_language_switch_stays(enter):
    page = enter("wang")
    page.goto("/queue?decision=review")
    page.click("header >> text=English")
    page.wait_for_selector("h1:has-text('Review queue')")
    assert "decision=review" in page.url
    page.locator("a.open").first.click()
    page.wait_for_selector("text=Suggested units")
    assert page.get_attribute("html", "lang") == "en"
    page.click("header >> text=中文")
    page.wait_for_selector("text=推荐单位")


def test_what_residents_write_does_not_run(store, enter):
    page = enter("wang")
    page.goto("/queue?text=信")
    if "/petitions/" not in page.url:
        page.locator("a.open").first.click()
        page.wait_for_url("**/petitions/**")
    assert "onerror" in page.inner_text("h1") and page.title() != "1"
    page.keyboard.press("a")
    page.wait_for_selector("text=已采纳：信/访?#%25·1")
    assert [one.petition_id for one in made(store)] == ["信/访?#%25·1"]
    assert page.problems == []


def test_reports_are_sealed(enter):
    page = enter("wang")
    with page.context.expect_page() as opened:
        page.click("text=legal / report.html")
    opened.value.wait_for_load_state()
    assert opened.value.title() == "sealed"


def test_axe_finds_nothing_and_nothing_scrolls_sideways(store, enter):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    page = enter("li")
    page.goto("/queue")
    links = [link.get_attribute("href") for link in page.locator("a.open").all()[:2]]
    with store.reading() as connection:
        group = connection.execute(select(petitions.c.petition_id).where(petitions.c.event_group == "ev_1")).scalars().first()
    found = {}
    chinese = ["/", "/queue", f"{links[0]}?find=局", f"/petitions/{group}", "/events", "/events/ev_1", "/workload", "/help", "/account"]
    english = ["/queue?due=overdue&unit=nowhere", links[1], "/petitions/nobody", "/queue"]
    for language, paths in (("zh", chinese), ("en", english)):
        for path in paths:
            page.goto(path + ("&" if "?" in path else "?") + f"lang={language}")
            if page.locator("summary").count():
                page.click("summary")
            found |= problems(axe, page, path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 1366, path
    page.keyboard.press("?")
    found |= problems(axe, page, "help dialog")
    page.context.clear_cookies()
    page.goto("/login")
    found |= problems(axe, page, "/login")
    assert found == {}


def problems(axe, page, name):
    answer = axe.run(page).response["violations"]
    return {
        f"{name}: {one['id']}": [node["html"][:200] for node in one["nodes"]][:3] for one in answer if one["impact"] in ("serious", "critical", "moderate")
    }

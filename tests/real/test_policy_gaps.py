"""Real policy documents: what is accused there. Read from the evaluation data beside the checkout; nothing is kept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from corpora.documents import read_documents
from corpora.legal import PolicyDocument
from corpora.policy_rules import load_rules
from corpora.statutes import Statutes
from pipeline.policies.citations import Finder
from pipeline.policies.clauses import outline
from pipeline.policies.gaps import judge
from pipeline.policies.measures import measures
from pipeline.policies.records import Verdict
from pipeline.policies.resolve import resolve

FILE = Path(__file__).resolve().parents[3] / "shared" / "data" / "policies" / "policies.jsonl"
pytestmark = pytest.mark.skipif(not FILE.is_file(), reason="the evaluation data is not beside the checkout")


def test_few_accusations() -> None:
    known = Statutes.open()
    rules, finder = load_rules(known), Finder(known.titles())
    accused: Counter[str] = Counter()
    verdicts: Counter[Verdict] = Counter()
    for paper in read_documents([FILE]):
        assert isinstance(paper, PolicyDocument)
        clauses, day = outline(paper.text), paper.issued or paper.effective
        found = measures(paper.text, clauses, rules)
        assert all(paper.text[measure.start : measure.end] == measure.text for measure in found)
        cited = resolve(finder.find(paper.text, paper.title), paper.text, known, day, paper.title, paper.territory)
        findings = judge(paper, clauses, found, cited, rules, known, day)
        assert [finding.measure for finding in findings] == found
        verdicts.update(finding.verdict for finding in findings)
        assert all(finding.not_checked for finding in findings if finding.verdict is Verdict.NOT_CHECKED)
        accused.update(gap.code for finding in findings for gap in finding.gaps)
    del accused["BASIS_AMENDED_SINCE"]
    # Read by hand: of the codes that accuse none is left on these documents, which move no powers.
    assert accused.total() <= 5
    assert verdicts[Verdict.SUPPORTED] > 100

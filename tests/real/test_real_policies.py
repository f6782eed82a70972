"""Real policy documents, read from the evaluation data beside the checkout; nothing of them is printed or kept."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from corpora.document_names import kind_of
from corpora.documents import read_documents
from corpora.legal import PolicyDocument
from pipeline.policies.classify import classify
from pipeline.policies.clauses import outline

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "data" / "policies"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the evaluation data is not beside the checkout")

#: First-level themes that the columns of the site stand for; the others mix themes.
COLUMNS = {
    "14": {"师资建设", "基础教育", "高等教育", "教育法规", "学生资助", "职业教育", "思政体卫与学校安全", "语言文字", "民办教育", "国际交流"},
    "08": {"科技政策"},
    "07": {"产业政策", "工业行业规划", "工业行业计划", "中小企业、民营经济发展政策"},
}  # fmt: skip


@pytest.fixture(scope="module")
def documents() -> list[PolicyDocument]:
    items = list(read_documents([FOLDER / "policies.jsonl"]))
    assert all(isinstance(item, PolicyDocument) for item in items)
    return [item for item in items if isinstance(item, PolicyDocument)]


def test_every_row_is_a_document_with_its_particulars(documents: list[PolicyDocument]) -> None:
    assert len(documents) == 551
    found = {
        name: sum(bool(getattr(document, name)) for document in documents)
        for name in ("title", "kind", "number", "issuer", "issued", "effective", "territory")
    }
    least = {"title": 551, "kind": 495, "number": 160, "issuer": 310, "issued": 420, "effective": 175, "territory": 390}
    assert all(found[name] >= least[name] for name in least), found


def test_outlines_hold_every_character(documents: list[PolicyDocument]) -> None:
    for document in documents:
        clauses = outline(document.text)
        at = 0
        for index, clause in enumerate(clauses):
            assert clause.start <= clause.body_start <= clause.end
            assert clause.parent < index
            if clause.parent >= 0:
                assert clauses[clause.parent].start <= clause.start < clause.end <= clauses[clause.parent].end
            else:
                assert not document.text[at : clause.start].strip()
                at = clause.end
        assert not document.text[at:].strip()


def test_themes_agree_with_the_columns_of_the_site(documents: list[PolicyDocument]) -> None:
    wanted = {column: theme for theme, columns in COLUMNS.items() for column in columns}
    judged = [document for document in documents if document.fields["category"] in wanted]
    right = sum(
        classify(document, outline(document.text)).theme_code.startswith(wanted[document.fields["category"]])
        for document in judged
    )
    assert right / len(judged) >= 0.8


def test_kinds_of_titles() -> None:
    with (FOLDER / "titles.csv").open(encoding="utf-8-sig", newline="") as file:
        titles = [row["title"] for row in csv.DictReader(file)]
    assert sum(bool(kind_of(title)) for title in titles) / len(titles) >= 0.975

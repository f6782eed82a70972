"""The bundled invented reform documents and their truth table agree, and show every gap code."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from corpora.documents import read_documents
from corpora.legal import PolicyDocument
from dispatch.legal_labels import GAP_NAMES, VERDICT_NAMES


@pytest.fixture(scope="module")
def documents(city: Path) -> dict[str, PolicyDocument]:
    """Return the documents by file name."""
    found = list(read_documents(sorted((city / "policies").glob("[0-9]*"))))
    assert all(isinstance(item, PolicyDocument) for item in found)
    return {item.document_id: item for item in found if isinstance(item, PolicyDocument)}


@pytest.fixture(scope="module")
def truth(city: Path) -> list[dict[str, str]]:
    """Return the rows of the truth table."""
    with (city / "policies_truth.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_every_quotation_stands_once_in_its_document(
    documents: dict[str, PolicyDocument], truth: list[dict[str, str]]
) -> None:
    assert {row["document"] for row in truth} == set(documents)
    for row in truth:
        assert documents[row["document"]].text.count(row["quotation"]) == 1, row


def test_every_gap_code_and_verdict_is_shown(truth: list[dict[str, str]]) -> None:
    codes = {code for row in truth for code in row["gap_codes"].split("|") if code}
    assert codes == set(GAP_NAMES)
    assert {row["verdict"] for row in truth} == set(VERDICT_NAMES)
    assert any(row["verdict"] == "supported" and not row["gap_codes"] for row in truth)
    assert all(row["why"] for row in truth)
    # A measure without gaps is not said to lack anything.
    assert not [row for row in truth if row["verdict"] in {"partly", "unsupported"} and not row["gap_codes"]]


def test_every_document_says_that_it_is_invented(documents: dict[str, PolicyDocument]) -> None:
    assert len({Path(name).suffix for name in documents}) == 4
    for name, document in documents.items():
        assert document.text.rstrip().endswith("本文件为虚构示例"), name
        assert document.title, name
        assert (document.issued is None) == ("undated" in name), name
        assert not re.search(r"1[3-9]\d{9}", document.text), name

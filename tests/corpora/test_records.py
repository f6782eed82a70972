"""Value types: what they take, what they refuse, and what they say of it."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpora.issue_tree import IssueTree
from corpora.records import PETITION_SCHEMA, IssueCode, PetitionId, UnitCode


@pytest.mark.parametrize("kind", [PetitionId, UnitCode])
@pytest.mark.parametrize(("text", "good"), [
    ("LG202611161001", True),
    ("市住建局（澜港市）", True),
    ("a" * 80, True),
    ("", False),
    ("a" * 81, False),
    ("a b", False),
    ("a\u3000b", False),
    ("a\n", False),
    ("\x00", False),
    ("a\x7f", False),
])  # fmt: skip
def test_identifiers(kind: type[str], text: str, good: bool) -> None:
    if good:
        assert kind(text) == text
    else:
        with pytest.raises(ValueError, match="1 to 80 characters, no white space"):
            kind(text)


@pytest.mark.parametrize(("text", "level", "parent"), [
    ("01", 1, None),
    ("0102", 2, "01"),
    ("010213", 3, "0102"),
])  # fmt: skip
def test_issue_codes(text: str, level: int, parent: str | None) -> None:
    code = IssueCode(text)
    assert (code, code.level, code.parent) == (text, level, parent)
    assert code.parent is None or isinstance(code.parent, IssueCode)


@pytest.mark.parametrize("text", [
    "", "1", "012", "01021", "01020304", "ab", "01 ", "０１０２",
])  # fmt: skip
def test_what_is_no_issue_code(text: str) -> None:
    with pytest.raises(ValueError, match="two, four or six digits"):
        IssueCode(text)


def test_a_long_text_is_not_repeated_whole_in_an_error() -> None:
    with pytest.raises(ValueError, match="not a petition id") as error:
        PetitionId("x" * 5_000)
    assert len(str(error.value)) < 200


@given(st.from_regex(r"\A([0-9]{2}){1,3}\Z"))
def test_parents_lead_to_the_first_level(text: str) -> None:
    code: IssueCode | None = IssueCode(text)
    levels = []
    while code is not None:
        levels.append(code.level)
        code = code.parent
    assert levels == list(range(len(text) // 2, 0, -1))


def test_values_go_between_processes() -> None:
    for value in (PetitionId("P1"), UnitCode("甲局"), IssueCode("0102")):
        again = pickle.loads(pickle.dumps(value))
        assert again == value
        assert type(again) is type(value)


def test_every_code_of_the_bundled_tree_is_one() -> None:
    assert {type(node.code) for node in IssueTree.load().nodes} == {IssueCode}


def test_only_the_time_of_a_petition_may_be_unknown() -> None:
    assert [field.name for field in PETITION_SCHEMA if field.nullable] == ["submitted_at"]

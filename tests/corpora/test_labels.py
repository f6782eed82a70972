"""The label store and how what people said becomes one label: latest word, majority, conflicts, decisions, κ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from label_samples import export, table

from corpora.label_store import add, exports, load_export, recorded
from corpora.labels import Annotation, LabelError, cohen, resolved


def said(given: str, petition: str, who: str, label: str, at: str = "2026-11-01T00:00:00+00:00", status: str = "labelled", **more: object) -> Annotation:
    return Annotation(given, petition, "unit", label, who, at, status, **more)  # type: ignore[arg-type]


def test_an_export_is_kept_once_and_comes_back(tmp_path: Path) -> None:
    one = export(tmp_path, table(["007", "=1"]))
    assert export(tmp_path, table(["007", "=1"])).id == one.id
    assert export(tmp_path, table(["007", "8"])).id != one.id
    assert export(tmp_path, table(["007", "=1"]), suggestion="02").id not in (one.id, "")
    again = load_export(tmp_path, one.id)
    assert (again.table.to_pylist(), again.units, again.target) == (one.table.to_pylist(), one.units, "unit")
    assert len(exports(tmp_path, "unit")) == 3
    assert exports(tmp_path, "issue_type") == []


@pytest.mark.parametrize("name", ["", "../exports", "unit-0", ".draft-x"])
def test_no_such_export(tmp_path: Path, name: str) -> None:
    export(tmp_path, table(["1"]))
    with pytest.raises(LabelError, match="there is no export"):
        load_export(tmp_path, name)


def test_what_cannot_be_given_out(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="nothing to export"):
        export(tmp_path, table([]))
    with pytest.raises(LabelError, match="petitions of one id"):
        export(tmp_path, table(["1", "1"]))


def test_damage_is_told(tmp_path: Path) -> None:
    one = export(tmp_path, table(["1"]))
    add(tmp_path, [said(one.id, "1", "甲", "01")])
    path = tmp_path / "annotations.jsonl"
    path.write_text(path.read_text("utf-8") + '{"half', "utf-8")
    assert len(recorded(tmp_path)) == 1  # the write that was cut short does not count …
    add(tmp_path, [said(one.id, "1", "乙", "01")])
    assert [item.annotator for item in recorded(tmp_path)] == ["甲", "乙"]  # … and is gone with the next
    path.write_text("{}\n" + path.read_text("utf-8"), "utf-8")
    with pytest.raises(LabelError, match="line 1 is damaged"):
        recorded(tmp_path)
    (tmp_path / "exports" / one.id / "rows.parquet").write_bytes(b"x")
    with pytest.raises(LabelError, match="the export is damaged"):
        exports(tmp_path)


def test_the_same_word_twice_adds_nothing(tmp_path: Path) -> None:
    one = export(tmp_path, table(["1"]))
    first, later = said(one.id, "1", "甲", "01"), said(one.id, "1", "甲", "02", "2026-11-02T00:00:00+00:00")
    assert add(tmp_path, [first, first]) == [first]
    assert add(tmp_path, [replace(first, at="2026-11-01T09:00:00+00:00", row=9)]) == []  # saved again, nothing else
    assert add(tmp_path, [later]) == [later]
    assert add(tmp_path, [first, later]) == []
    assert resolved(tmp_path, "unit").table["unit"].to_pylist() == ["02"]


def test_an_old_file_taken_in_late_does_not_win(tmp_path: Path) -> None:
    one = export(tmp_path, table(["1"]))
    add(tmp_path, [said(one.id, "1", "甲", "02", "2026-11-02T00:00:00+00:00")])
    add(tmp_path, [said(one.id, "1", "甲", "01", "2026-11-01T00:00:00+00:00")])
    assert resolved(tmp_path, "unit").table["unit"].to_pylist() == ["02"]


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ({}, "open"), ({"甲": "01"}, "01"), ({"甲": "01", "乙": "01"}, "01"), ({"甲": "01", "乙": "02"}, "conflict"),
        ({"甲": "01", "乙": "01", "丙": "02"}, "01"), ({"甲": "01", "乙": "02", "丙": "03"}, "conflict"),
        ({"甲": "01", "乙": "01", "丙": "02", "丁": "03"}, "conflict"),  # half is no majority
        ({"甲": "", "乙": "01"}, "01"), ({"甲": "", "乙": ""}, "passed"),
    ],
)  # fmt: skip
def test_majority(tmp_path: Path, votes: dict[str, str], expected: str) -> None:
    one = export(tmp_path, table(["1"]))
    add(tmp_path, [said(one.id, "1", who, label, status="labelled" if label else "cancelled") for who, label in votes.items()])
    found = resolved(tmp_path, "unit")
    told = {"open": found.open, "passed": found.passed, "conflict": [c.petition_id for c in found.conflicts]}
    if expected in told:
        assert list(told.pop(expected)) == ["1"]
        assert found.table.num_rows == 0
    else:
        assert found.table["unit"].to_pylist() == [expected]
    assert not any(told.values())


def test_a_decision_settles_a_conflict_and_the_latest_holds(tmp_path: Path) -> None:
    one = export(tmp_path, table(["1"]))
    add(tmp_path, [said(one.id, "1", "甲", "01"), said(one.id, "1", "乙", "02")])
    add(tmp_path, [said(one.id, "1", "丙", "03", "2026-11-02T00:00:00+00:00", decides=True)])
    found = resolved(tmp_path, "unit")
    assert (found.table["unit"].to_pylist(), found.decided, found.conflicts) == (["03"], 1, ())
    assert set(found.annotators) == {"甲", "乙"}  # a decision is no vote
    add(tmp_path, [said(one.id, "1", "丙", "02", "2026-11-03T00:00:00+00:00", decides=True)])
    assert resolved(tmp_path, "unit").table["unit"].to_pylist() == ["02"]


def test_a_letter_given_out_twice_is_one_and_an_id_used_twice_is_two(tmp_path: Path) -> None:
    one = export(tmp_path, table(["1"], ["路灯不亮"]))
    two = export(tmp_path, table(["1"], ["路灯不亮"]), suggestion="02")
    three = export(tmp_path, table(["1"], ["学校收费"]))
    add(tmp_path, [said(one.id, "1", "甲", "01"), said(two.id, "1", "乙", "01"), said(three.id, "1", "甲", "02")])
    found = resolved(tmp_path, "unit")
    assert sorted(zip(found.table["body"].to_pylist(), found.table["unit"].to_pylist(), strict=True)) == [
        ("学校收费", "02"), ("路灯不亮", "01"),
    ]  # fmt: skip
    assert found.agreement.pairs[0].petitions == 1


def test_a_suggestion_is_no_label(tmp_path: Path) -> None:
    export(tmp_path, table(["1"]))
    assert resolved(tmp_path, "unit").table.num_rows == 0


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [
        # Cohen (1960), as a table of 2 × 2: 20 yes/yes, 5 yes/no, 10 no/yes, 15 no/no.
        ("Y" * 25 + "N" * 25, "Y" * 20 + "N" * 5 + "Y" * 10 + "N" * 15, 0.4),
        ("ABC", "ABC", 1.0), ("AAA", "AAA", 1.0), ("AABB", "ABAB", 0.0), ("AB", "BA", -1.0),
    ],
)  # fmt: skip
def test_kappa(first: str, second: str, kappa: float) -> None:
    assert cohen(list(first), list(second)) == pytest.approx(kappa)


def test_kappa_of_several_is_weighted_by_petitions(tmp_path: Path) -> None:
    one = export(tmp_path, table([str(i) for i in range(4)]))
    votes = [("甲", "0123", ("01", "01", "02", "02")), ("乙", "0123", ("01", "02", "01", "02")), ("丙", "01", ("01", "01"))]
    add(tmp_path, [said(one.id, name, who, label) for who, names, labels in votes for name, label in zip(names, labels, strict=True)])
    found = resolved(tmp_path, "unit").agreement
    assert [(p.one, p.other, p.petitions) for p in found.pairs] == [("丙", "乙", 2), ("丙", "甲", 2), ("乙", "甲", 4)]
    assert [p.kappa for p in found.pairs] == pytest.approx([0.0, 1.0, 0.0])
    assert found.kappa == pytest.approx(0.25)
    assert resolved(tmp_path, "issue_type").agreement.kappa is None

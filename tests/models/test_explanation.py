"""Explanations: parts that add up, evidence that is there, and a word for those that know nothing."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
import toy
from toy_city import small_city

from corpora.issue_tree import IssueTree
from models.explanation import Explanation, contributions, explain
from models.saved import issue_model, lexicon_of
from models.serving import load_router
from models.subjects import IssueSubject, UnitSubject
from models.training import fit, train

DAY = dt.date(2026, 11, 20)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train the three units of the small city."""
    folder = tmp_path_factory.mktemp("city")
    train("unit", toy.labelled(60), small_city(folder), folder / "models")
    return folder


@pytest.fixture(scope="module")
def subject(root: Path) -> UnitSubject:
    version = next((root / "models" / "unit").glob("unit-*")).name
    return UnitSubject(load_router(root / "models", None, version, None, None, None, DAY), ["市海洋局"])


@pytest.fixture(scope="module")
def found(subject: UnitSubject) -> Explanation:
    return explain(subject, "反映工资问题", "老板拖欠三个月工资，社保也不给办。窨井盖坏了没人修，城管局也不来看看。")


def test_contributions_add_up_to_the_difference_of_scores(found: Explanation) -> None:
    first, second = found.candidates[:2]
    assert first.against == second.label
    assert second.against == first.label
    for candidate in found.candidates:
        assert sum(candidate.contributions.values()) == pytest.approx(candidate.difference)
    assert first.difference == pytest.approx(first.score - second.score)
    assert first.difference > 0


def test_contributions_are_those_of_the_ranker(subject: UnitSubject) -> None:
    made = subject.prepare(["路灯不亮"], ["路灯坏了没人修"], [""])
    scored = subject.look(made).scored
    ranker = scored.ranker
    assert ranker is not None
    scores = ranker.scores(scored.views)[0]
    assert sum(contributions(scored, 0, 1, 0).values()) == pytest.approx(float(scores[1] - scores[0]), abs=1e-5)
    assert sum(contributions(scored, 0, 1, -1).values()) == pytest.approx(float(scores[1]), abs=1e-5)


def test_the_evidence_is_told(found: Explanation) -> None:
    first = found.candidates[0]
    assert first.name == "市人社局"
    assert first.facts.duty is not None
    assert first.facts.duty.id == "B-1"
    assert "工资" in first.facts.duty.hits
    assert "工资" in {span.text for span in first.left_out}
    named = {candidate.name: candidate.facts.name for candidate in found.candidates}
    assert named["市综合执法局"] == "" or "城管" not in found.text
    assert found.refused == ["M"]
    assert "M" not in {candidate.label for candidate in found.candidates}
    assert found.neighbours[0].id.startswith("T")
    assert found.neighbours[0].name in {"市人社局", "市综合执法局"}, "the abolished bureau speaks for its successor"
    cosines = [neighbour.cosine for neighbour in found.neighbours]
    assert cosines == sorted(cosines, reverse=True)


def test_all_offsets_point_into_the_text(found: Explanation) -> None:
    for candidate in found.candidates:
        for span in (*candidate.words, *candidate.words_against, *candidate.left_out, *candidate.sentences):
            assert found.text[span.start : span.end].strip() == span.text


def test_the_nearest_is_that_of_the_scores(subject: UnitSubject) -> None:
    made = subject.prepare(["反映社保问题"], ["社保公司不给办"], [""])
    look = subject.look(made)
    assert subject.classifier is not None
    view = subject.classifier.views
    similar = view.neighbours.similar(view.encoder.transform_block(look.features, "word"), 3)[0]
    assert similar[0][1] == pytest.approx(float(look.scored.cosine[0]), abs=1e-5)


def test_without_history_duties_alone_explain(root: Path) -> None:
    router = load_router(root / "models", None, None, root / "units.yaml", None, None, DAY)
    found = explain(UnitSubject(router), "", "渔港码头停不下渔船")
    first = found.candidates[0]
    assert (first.label, found.learnt, found.neighbours, first.words) == ("M", False, [], [])
    assert {"duty", "name", "bias"} <= set(first.contributions) <= {"duty", "place", "name", "bias"}
    assert {span.text for span in first.left_out} & {"渔港", "码头", "渔船"}


@pytest.mark.parametrize("body", ["啊啊啊", "？？？", "Ω"])
def test_a_text_with_nothing_known(subject: UnitSubject, body: str) -> None:
    found = explain(subject, "", body)
    assert found.candidates
    assert found.neighbours == []
    assert all(candidate.facts.duty is None or not candidate.facts.duty.hits for candidate in found.candidates)


def test_all_units_refused(root: Path, subject: UnitSubject) -> None:
    router = load_router(root / "models", None, None, root / "units.yaml", None, None, DAY)
    everyone = [unit.name for unit in router.directory.units]
    found = explain(UnitSubject(router, everyone), "", "渔港码头停不下渔船")
    assert found.candidates == []
    assert len(found.refused) == len(everyone)


def test_issue_types_have_reasons_and_references(tmp_path: Path) -> None:
    table = toy.labelled(45, issues=True)
    saved = train("issue_type", table, small_city(tmp_path), tmp_path / "models").saved
    subject = IssueSubject(issue_model(saved), lexicon_of(saved), IssueTree.load(), saved.manifest["model"]["references"])
    found = explain(subject, "", table["body"][1].as_py(), top=2)
    assert found.candidates[0].label == table["issue_type"][1].as_py()
    assert "/" in found.candidates[0].name
    assert found.neighbours[0].id == "T0001"
    with pytest.raises(ValueError, match="top"):
        explain(subject, "", "字", top=0)


def test_fit_keeps_what_a_diagnosis_needs(tmp_path: Path) -> None:
    fitted = fit("unit", toy.labelled(30), small_city(tmp_path))
    assert len(fitted.y) == len(fitted.made.titles) == 30
    assert fitted.held_out.ranker is not None
    assert np.array_equal(fitted.held_out.y, fitted.y[fitted.held_out.rows])
    assert len(fitted.names) == len(fitted.labels)

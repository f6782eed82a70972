"""Issue types: what is given out where the mass is spread, classes that may be given out, words without labels."""

from __future__ import annotations

import numpy as np
import pytest
import toy
from hypothesis import given
from hypothesis import strategies as st

from corpora.issue_tree import IssueTree
from corpora.records import IssueCode, UnitCode
from corpora.units import DutyItem, Unit, UnitDirectory
from models.issue import Hierarchy, IssueModel, classes_of, label_words

TREE = IssueTree.load()
LEAVES = ("010101", "010102", "010201", "030101")

#: (labels, probabilities, least mass, code given out, its mass)
EMITTED = [
    (LEAVES, [0.7, 0.1, 0.1, 0.1], 0.5, "010101", 0.7),
    (LEAVES, [0.4, 0.4, 0.1, 0.1], 0.5, "0101", 0.8),  # spread over siblings: the parent
    (LEAVES, [0.3, 0.15, 0.4, 0.15], 0.5, "01", 0.85),  # spread over cousins: the first level
    (LEAVES, [0.2, 0.1, 0.25, 0.45], 0.5, "01", 0.55),  # not the best leaf's, the best first-level type
    (LEAVES, [0.5, 0.0, 0.0, 0.5], 0.5, "010101", 0.5),
    (LEAVES, [0.3, 0.1, 0.1, 0.5], 0.6, "01", 0.5),  # nothing reaches the mass: the best first-level type
    (LEAVES, [0.7, 0.1, 0.1, 0.1], 1.0, "01", 0.9),
    (("01", "03"), [0.2, 0.8], 0.9, "03", 0.8),  # a tree of one level
    (("0101", "0102", "03"), [0.3, 0.3, 0.4], 0.5, "01", 0.6),
    (("噪音", "物业"), [0.2, 0.3], 0.5, "物业", 0.3),  # labels that are not of the tree
    (("噪音", "010101", "010102"), [0.6, 0.2, 0.2], 0.5, "噪音", 0.6),
    (("噪音", "010101", "010102"), [0.3, 0.4, 0.3], 0.5, "0101", 0.7),
]


@pytest.mark.parametrize(("labels", "probabilities", "least", "code", "mass"), EMITTED)
def test_deepest_node_with_enough_mass(
    labels: tuple[str, ...], probabilities: list[float], least: float, code: str, mass: float
) -> None:
    found = Hierarchy(labels, TREE).emit(np.array([probabilities]), least, 2)
    assert found.codes == [code]
    assert found.probability[0] == pytest.approx(mass)


@given(st.lists(st.floats(0.01, 1), min_size=4, max_size=4), st.floats(0.05, 1))
def test_what_is_given_out_holds_the_mass_or_is_of_the_first_level(weights: list[float], least: float) -> None:
    p = np.array([weights]) / sum(weights)
    found = Hierarchy(LEAVES, TREE).emit(p, least, 4)
    code = found.codes[0]
    below = [i for i, label in enumerate(LEAVES) if label.startswith(code)]
    assert found.probability[0] == pytest.approx(p[0, below].sum())
    assert found.probability[0] >= least - 1e-9 or len(code) == 2
    assert found.top.units[0].tolist() == np.argsort(-p[0], kind="stable").tolist()
    assert found.top.probabilities[0].tolist() == sorted(p[0].tolist(), reverse=True)


@pytest.mark.parametrize(("top_k", "expected"), [(1, [3]), (2, [3, 0]), (9, [3, 0, 1, 2])])
def test_likeliest_labels(top_k: int, expected: list[int]) -> None:
    top = Hierarchy(LEAVES, TREE).emit(np.array([[0.3, 0.2, 0.1, 0.4]]), 0.5, top_k).top
    assert top.units.tolist() == [expected]


def test_an_empty_batch() -> None:
    found = Hierarchy(LEAVES, TREE).emit(np.zeros((0, 4)), 0.5, 2)
    assert found.codes == []
    assert found.top.units.shape == (0, 2)


@pytest.mark.parametrize(("labels", "more"), [
    (["010101", "010102"], True),
    (["010101", "0101", "01"], False),
    (["010101", "01"], True),  # half of the rows bear a leaf
    (["01", "03"], False),
    (["噪音", "物业"], False),
])  # fmt: skip
def test_leaves_without_rows_may_be_given_out_where_most_rows_bear_leaves(labels: list[str], more: bool) -> None:
    found = classes_of(labels, TREE)
    assert list(found) == sorted(set(found))
    assert set(labels) <= set(found)
    assert (len(found) > len(set(labels))) is more
    if more:
        assert {str(node.code) for node in TREE.leaves()} <= set(found)


DIRECTORY = UnitDirectory([
    Unit(UnitCode("D1"), "市城管局", "department", duties=(
        DutyItem("D1-1", UnitCode("D1"), "城市照明", ("路灯", "不亮"), (IssueCode("010204"),)),
    )),
])  # fmt: skip


@pytest.mark.parametrize(("text", "code"), [
    ("燃气供应不上，燃气公司不管", "010213"),
    ("路灯不亮", "010204"),  # by the duty item filed under it
])  # fmt: skip
def test_words_of_tree_and_duties_find_types_without_labels(text: str, code: str) -> None:
    model = IssueModel.without_history(TREE, DIRECTORY, toy.SEGMENTER)
    found = model.probabilities(toy.features([""], [text]), [text])
    assert found.sum() == pytest.approx(1.0)
    assert model.labels[int(found[0].argmax())] == code


@pytest.mark.parametrize("labels", [("01", "03"), ("噪音", "物业")])
def test_labels_too_coarse_for_words(labels: tuple[str, ...]) -> None:
    assert label_words(labels, TREE, DIRECTORY, toy.SEGMENTER) is None


def test_words_of_leaves_speak_for_the_label_above_them() -> None:
    index = label_words(("0102", "0101"), TREE, DIRECTORY, toy.SEGMENTER)
    assert index is not None
    owners = {duty.id: duty.owner for duty in index.duties}
    assert owners["010213"] == owners["D1-1"] == 0
    assert owners["010101"] == 1
    assert "030101" not in owners


def test_it_learns_types_and_types_not_of_the_tree() -> None:
    made, y = toy.learnable(60)
    for names in (("010202", "030101", "120201"), ("城管", "劳动", "教育")):
        model, held = IssueModel.fit(made, [names[i] for i in y], None, TREE, None, toy.SEGMENTER)
        later, truth = toy.learnable(90)
        found = model.probabilities(later, [""] * 90)
        assert found.shape == (90, len(model.labels))
        assert [model.labels[i] for i in found.argmax(1)] == [names[i] for i in truth]
        assert len(held.rows) == 60

"""Learning curves: a known law is found again, gains fall where they should."""

from __future__ import annotations

import numpy as np
import pytest
import toy

from models.classifier import Classifier
from models.learning_curve import Points, PowerLaw, estimate, measure

SIZES = np.array([100, 200, 400, 600, 800, 1000])


@pytest.mark.parametrize(("a", "b", "c"), [(0.0, 2.0, 0.3), (0.05, 2.0, 0.5), (0.1, 20.0, 0.9)])
def test_a_known_law_is_found_again(a: float, b: float, c: float) -> None:
    law = PowerLaw.fit(SIZES.astype(float), a + b * SIZES**-c)
    assert law.c == pytest.approx(c, rel=0.1)
    assert float(law.at(2000)) == pytest.approx(a + b * 2000**-c, abs=0.003)


def test_two_points_are_no_curve() -> None:
    with pytest.raises(ValueError, match="three sizes"):
        PowerLaw.fit(np.array([1.0, 2.0]), np.array([0.5, 0.4]))


def test_gains_are_where_the_error_falls() -> None:
    # Class 0 learns as n^-0.5, class 1 is flat at 30 % errors: labels of class 0 are worth more.
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], 400)
    hard = rng.random(800)
    counts = np.stack([SIZES / 2, SIZES / 2], 1)
    errors = [np.where(y == 0, 6.0 * (n / 2) ** -0.5, 0.3) for n in SIZES]
    wrong = np.array([hard < error for error in errors]).astype(float)
    curve = estimate(Points(SIZES, counts, wrong, y), np.array([625, 625]), np.array([1 - 6.0 * 625**-0.5, 0.7]))
    assert curve.classes[0].label == 0
    assert curve.classes[0].points > 2 * curve.classes[1].points
    for gain in curve.gains:
        assert gain.low <= gain.points <= gain.high
    assert [gain.points for gain in curve.gains] == sorted(gain.points for gain in curve.gains)
    true = 100 * 0.5 * (6.0 * 625**-0.5 - 6.0 * 1250**-0.5)
    assert curve.gains[-1].low - 1 <= true <= curve.gains[-1].high + 1


def test_measured_on_letters_with_a_class_of_one_row() -> None:
    features, y = toy.learnable(80)
    y = y.copy()
    y[7] = 3
    _, held = Classifier.fit(features, y, 4, None)
    assert held.ranker is not None
    seen: list[tuple[int, int]] = []
    points = measure(features, y, 4, held.ranker, {"duty": np.zeros((80, 4), np.float32)}, progress=lambda *step: seen.append(step))
    assert points.sizes.tolist() == sorted(points.sizes.tolist())
    assert points.wrong.shape == (len(points.sizes), 16)
    assert (np.diff(points.counts.sum(1)) > 0).all()
    assert seen[-1][0] == seen[-1][1]
    again = measure(features, y, 4, held.ranker, {})
    assert np.array_equal(points.wrong, again.wrong), "the same seed draws the same rows"
    support = np.bincount(y, minlength=4)
    curve = estimate(points, support, np.array([1.0, 1.0, 1.0, 0.0]))
    assert {gain.label for gain in curve.classes} == {0, 1, 2, 3}
    assert next(gain for gain in curve.classes if gain.label == 3).curve == ()


def test_too_few_rows_say_so() -> None:
    features, y = toy.learnable(12)
    _, held = Classifier.fit(features, y, 3, None)
    assert held.ranker is not None
    with pytest.raises(ValueError, match="too few"):
        measure(features, y, 3, held.ranker, {}, fractions=(0.9, 1.0))

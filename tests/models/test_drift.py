"""Drift: PSI by hand, what chance alone shows, small and empty windows, classes, refusals, and the verdict."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import math

import numpy as np
import pytest

from corpora.config import load_config
from models.drift import compare
from models.drift_stats import OTHER, chance_psi, holm, jensen_shannon, psi
from models.profile import Observations, Profile
from models.verdict import Strangers, judge

LIMITS = load_config().watch
DAY = dt.date(2026, 11, 2)
NOBODY = Strangers(0, {}, {}, {})


def seen(rng: np.random.Generator, n: int, shares: dict[str, float], *, sure: float = 8.0, new: float = 2.0, **more) -> Observations:
    names = rng.choice(list(shares), n, p=np.array(list(shares.values())) / sum(shares.values())).tolist()
    plain = {
        "predicted": names, "confidence": rng.beta(sure, 2, n), "unknown": rng.beta(new, 20, n),
        "length": np.exp(rng.normal(5, 1, n)).round(), "channel": rng.choice(["12345热线", "来信"], n).tolist(),
        "days": [DAY + dt.timedelta(days=i % 30) for i in range(n)],
    }  # fmt: skip
    return Observations(**plain | more)


MIX = {"城管": 0.4, "人社": 0.3, "教育": 0.2, "水务": 0.1}


def pair(n: int, m: int, shares: dict[str, float], seed: int = 0, **more):
    rng = np.random.default_rng(seed)
    reference = Profile.of(seen(rng, n, MIX))
    return reference, Profile.of(seen(rng, m, shares, **more), reference)


def status(drift) -> dict[str, str]:
    return {item.name: item.status for item in drift.dimensions}


def test_psi_by_hand() -> None:
    # Shares with half a row more each: 0.5 and 0.5 against (30.5, 70.5) / 101.
    r, w = (0.5, 0.5), (30.5 / 101, 70.5 / 101)
    wanted = sum((b - a) * math.log(b / a) for a, b in zip(r, w, strict=True))
    assert psi([50, 50], [30, 70]) == pytest.approx(wanted)
    assert psi([50, 50], [30, 70]) == pytest.approx(psi([30, 70], [50, 50]))
    assert psi([7, 7, 7], [70, 70, 70]) == pytest.approx(0)
    assert psi([5, 0], [0, 5]) == pytest.approx(2 * (5.5 / 6 - 0.5 / 6) * math.log(11))


def test_jensen_shannon_is_zero_to_one() -> None:
    assert jensen_shannon([1, 2, 3], [1, 2, 3]) == pytest.approx(0)
    assert 0.99 < jensen_shannon([10**6, 0], [0, 10**6]) <= 1


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize(("n", "m", "bins"), [(3000, 200, 10), (1000, 1000, 20), (500, 100, 5)])
def test_chance_is_what_samples_of_one_population_show(n: int, m: int, bins: int) -> None:
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.full(bins, 20.0))
    found = [psi(rng.multinomial(n, shares), rng.multinomial(m, shares)) for _ in range(800)]
    assert np.mean(found) == pytest.approx(chance_psi(bins, n, m), rel=0.12)


@pytest.mark.parametrize("m", [60, 200, 1000])
def test_the_same_population_is_stable(m: int) -> None:
    verdicts = [judge(compare(*pair(2000, m, MIX, seed), LIMITS), NOBODY, LIMITS, {}).verdict for seed in range(40)]
    assert verdicts.count("stable") >= 38


def test_a_small_window_has_a_large_psi_by_chance_alone() -> None:
    reference, window = pair(2000, 60, MIX)
    (length,) = (item for item in compare(reference, window, LIMITS).dimensions if item.name == "length")
    assert length.chance > 0.05
    assert length.status == "stable"


def test_other_mix_is_found_and_named() -> None:
    drift = compare(*pair(2000, 500, {"城管": 0.1, "人社": 0.2, "教育": 0.3, "水务": 0.4}), LIMITS)
    assert status(drift)["predicted"] == "major"
    assert {status(drift)[name] for name in ("confidence", "unknown", "length", "channel")} == {"stable"}
    movers = drift.dimensions[0].movers
    assert {movers[0].name, movers[1].name} == {"城管", "水务"}
    verdict = judge(drift, NOBODY, LIMITS, {"水务": "市水务局"})
    assert verdict.verdict == "retrain"
    assert "市水务局 10" in verdict.reasons[0] or "市水务局 9" in verdict.reasons[0]


def test_one_class_that_doubles_is_named_though_the_sum_is_small() -> None:
    drift = compare(*pair(3000, 1000, MIX | {"水务": 0.2}), LIMITS)
    first = drift.dimensions[0]
    assert first.excess < LIMITS.moderate
    assert (first.status, [mover.name for mover in first.movers]) == ("moderate", ["水务"])
    assert judge(drift, NOBODY, LIMITS, {}).verdict == "watch"


def test_a_class_nobody_had_is_new() -> None:
    drift = compare(*pair(2000, 500, MIX | {"医保": 0.2}), LIMITS)
    (mover,) = (m for m in drift.dimensions[0].movers if m.name == "医保")
    assert mover.new
    assert "（原无）" in judge(drift, NOBODY, LIMITS, {}).reasons[0]


def test_rare_classes_are_put_together() -> None:
    rng = np.random.default_rng(1)
    many = {f"单位{i}": 1.0 for i in range(500)}
    reference = Profile.of(seen(rng, 3000, many))
    found = compare(reference, Profile.of(seen(rng, 200, many), reference), LIMITS).dimensions[0]
    assert [name for name, _, _ in found.bars] == [OTHER]
    assert (found.psi, found.status) == (0, "stable")


def test_less_confidence_advises_retraining_and_more_does_not() -> None:
    less, more = (compare(*pair(2000, 500, MIX, sure=sure), LIMITS) for sure in (3.0, 60.0))
    assert (status(less)["confidence"], status(more)["confidence"]) == ("major", "moderate")
    assert judge(less, NOBODY, LIMITS, {}).verdict == "retrain"
    assert judge(more, NOBODY, LIMITS, {}).verdict == "watch"


def test_unknown_words_and_their_absence() -> None:
    worse, better = (compare(*pair(2000, 500, MIX, new=new), LIMITS) for new in (8.0, 0.4))
    assert judge(worse, NOBODY, LIMITS, {}).verdict == "retrain"
    assert judge(better, NOBODY, LIMITS, {}).verdict == "watch"


def test_a_tenth_of_the_texts_in_another_script() -> None:
    rng = np.random.default_rng(10)
    reference = Profile.of(seen(rng, 2000, MIX))
    plain = seen(rng, 1000, MIX)
    plain.unknown[:100] = 0.95
    drift = compare(reference, Profile.of(plain, reference), LIMITS)
    assert status(drift)["unknown"] in ("moderate", "major")


@pytest.mark.parametrize("rows", [0, 1, LIMITS.min_rows - 1])
def test_too_little_is_not_judged(rows: int) -> None:
    rng = np.random.default_rng(2)
    reference = Profile.of(seen(rng, 2000, MIX))
    empty = Observations([], np.zeros(0), np.zeros(0), np.zeros(0), [], [])
    window = Profile.of(seen(rng, rows, {"水务": 1.0}) if rows else empty, reference)
    drift = compare(reference, window, LIMITS)
    assert set(status(drift).values()) == {"unknown"}
    verdict = judge(drift, NOBODY, LIMITS, {})
    assert verdict.verdict == "undecided"
    assert "样本不足" in verdict.reasons[0]


def test_without_a_reference_nothing_is_compared_but_refusals_are_told() -> None:
    rng = np.random.default_rng(3)
    window = Profile.of(seen(rng, 200, MIX, refused=[["人社"]] * 60 + [[]] * 140, holders=["城管"] * 200))
    drift = compare(None, window, LIMITS)
    assert {item.why for item in drift.dimensions} <= {"no reference"}
    assert [unit.unit for unit in drift.units if unit.raised] == ["人社"]
    assert judge(compare(None, Profile.of(seen(rng, 200, MIX)), LIMITS), NOBODY, LIMITS, {}).reasons[0].startswith("该模型没有训练时的参照")


def refusing(back: int, given: int, others: int = 300) -> Profile:
    rng = np.random.default_rng(4)
    n = given + others
    return Profile.of(
        seen(rng, n, MIX, refused=[["人社"]] * back + [[]] * (n - back),
             holders=["教育"] * back + ["人社"] * (given - back) + ["教育"] * others)
    )  # fmt: skip


def test_refusals_count_who_has_it_and_who_sent_it_back() -> None:
    assert refusing(12, 40).refusals == {"人社": (12, 40), "教育": (0, 312)}


@pytest.mark.parametrize(("before", "back", "raised"), [((0, 400), 4, False), ((0, 400), 12, True), ((120, 400), 12, False)])
def test_a_unit_that_refuses_more_than_tolerated_and_more_than_before(before: tuple[int, int], back: int, raised: bool) -> None:
    reference = refusing(*before)
    if not before[0]:  # something else was sent back, so refusals were recorded
        reference = dataclasses.replace(reference, refusals=reference.refusals | {"水务": (1, 50)})
    drift = compare(reference, refusing(back, 40), LIMITS)
    (unit,) = (item for item in drift.units if item.unit == "人社")
    assert unit.raised == raised
    assert unit.low < unit.rate < unit.high
    reasons = judge(drift, NOBODY, LIMITS, {}).reasons
    assert any(f"人社退单率 {back / 40:.1%}（{back}/40" in reason for reason in reasons) == raised


def test_all_units_together_refusing_advises_retraining() -> None:
    drift = compare(refusing(0, 300), refusing(150, 200, 100), LIMITS)
    assert drift.overall.raised
    assert judge(drift, NOBODY, LIMITS, {}).verdict == "retrain"


def test_accuracy_on_labelled_rows() -> None:
    rng = np.random.default_rng(6)

    def labelled(n: int, right: float) -> Observations:
        plain = seen(rng, n, MIX)
        return dataclasses.replace(plain, labels=[p if rng.random() < right else "城管" if p != "城管" else "人社" for p in plain.predicted])

    reference = Profile.of(labelled(2000, 0.9))
    same, fell = (compare(reference, Profile.of(labelled(500, right), reference), LIMITS) for right in (0.9, 0.75))
    assert not same.accuracy.fell
    assert fell.accuracy.fell
    assert judge(fell, NOBODY, LIMITS, {}).verdict == "retrain"


def test_labels_that_the_model_does_not_know() -> None:
    drift = compare(*pair(2000, 200, MIX), LIMITS)
    few, many = (judge(drift, Strangers(200, {"新局": n}, {}, {}), LIMITS, {"新局": "市新局"}) for n in (2, 20))
    assert (few.verdict, many.verdict) == ("watch", "retrain")
    assert "市新局" in few.reasons[0]
    assert judge(drift, Strangers(200, {}, {}, {"旧局": 1}), LIMITS, {}).verdict == "watch"


def test_a_profile_survives_json() -> None:
    rng = np.random.default_rng(7)
    profile = Profile.of(seen(rng, 100, MIX, labels=["城管"] * 100, refused=[["人社"]] + [[]] * 99, holders=["城管"] * 100))
    assert Profile.from_dict(json.loads(json.dumps(profile.as_dict()))) == profile
    assert Profile.from_dict(None) is None
    assert Profile.from_dict(profile.as_dict() | {"format": 99}) is None


def test_many_equal_values_make_few_bins() -> None:
    rng = np.random.default_rng(8)
    plain = dataclasses.replace(seen(rng, 200, MIX), unknown=np.zeros(200))
    profile = Profile.of(plain)
    assert profile.measured["unknown"].edges == ()
    assert compare(profile, profile, LIMITS).dimensions[3].psi == 0


def test_channels_beyond_the_first_are_counted_together() -> None:
    rng = np.random.default_rng(9)
    profile = Profile.of(dataclasses.replace(seen(rng, 100, MIX), channel=[f"来电{i}" for i in range(100)]))
    assert (len(profile.counted["channel"]), profile.counted["channel"][OTHER]) == (31, 70)

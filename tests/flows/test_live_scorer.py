"""The service's scorer: champions, day and files change while it scores, and nothing that fails to load ends what serves."""

from __future__ import annotations

import datetime as dt
import gc
import os
import sys
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

sys.path.append(str(Path(__file__).parents[1] / "models"))

import toy
from toy_city import small_city

from flows.scoring import LiveScorer
from models import registry
from models.city import City
from models.saved import issue_model
from models.serving import NotReadyError
from models.training import train

BEFORE, AFTER = dt.date(2025, 12, 31), dt.date(2026, 1, 1)
LAMP = {"title": "路灯", "body": "小区门口的路灯坏了一个月，窨井盖也没人修"}


def swept(root: Path, unit: str, **options: object) -> LiveScorer:
    registry.promote(root, "unit", unit)
    return LiveScorer(models=root, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """Models with two versions for the unit, the first in service."""
    root = tmp_path_factory.mktemp("models")
    issue = train("issue_type", toy.labelled(30, issues=True), City(), root)
    registry.promote(root, "issue_type", issue.saved.version)
    names = [train("unit", toy.labelled(rows, issues=True), City(), root, issue=issue_model(issue.saved)).saved.version for rows in (30, 45)]
    return root, names[0], names[1]


def lead(scorer: LiveScorer, **petition: object) -> str | None:
    found = scorer.score(toy.table([{**LAMP, **petition}])).suggestions["lead_unit"][0].as_py()
    return found and str(found["code"])


def test_a_promoted_version_serves(two: tuple[Path, str, str]) -> None:
    root, first, second = two
    scorer = swept(root, first)
    assert scorer.status().unit_version == first
    assert not scorer.refresh()
    registry.promote(root, "unit", second)
    assert scorer.refresh()
    assert scorer.model_version.endswith(second)
    assert scorer.score(toy.table([LAMP])).suggestions["model_version"].to_pylist() == [scorer.model_version]
    assert (scorer.status().swaps, scorer.status().error) == (1, "")
    registry.rollback(root, "unit")
    assert scorer.refresh()
    assert scorer.status().unit_version == first


def test_what_no_longer_serves_is_freed_without_a_collection(two: tuple[Path, str, str]) -> None:
    """The service leaves routers out of garbage collection: one that stayed would fill the memory, a day at a time."""
    root, first, second = two
    scorer = swept(root, first)
    old = weakref.ref(scorer._now.router)
    registry.promote(root, "unit", second)
    gc.disable()
    try:
        assert scorer.refresh()
        assert old() is None
    finally:
        gc.enable()
        gc.unfreeze()


def test_the_thread_sees_it_by_itself(two: tuple[Path, str, str]) -> None:
    root, first, second = two
    scorer = swept(root, first, seconds=0.01)
    scorer.start()
    try:
        registry.promote(root, "unit", second)
        waited = threading.Event()
        for _ in range(1_000):
            if scorer.status().swaps:
                break
            waited.wait(0.02)
        assert scorer.status().unit_version == second
    finally:
        scorer.stop()


def test_swaps_under_load(two: tuple[Path, str, str]) -> None:
    """Each batch has one pair of models, several threads give what one gives, and no call fails."""
    root, first, second = two
    batches = [toy.table([{"title": t, "body": b} for t, b in zip(*toy.letters(n + 3)[:2], strict=True)]) for n in range(6)]
    expected: dict[str, list[pa.Table]] = {}
    for version in (first, second):
        one = swept(root, version)
        expected[one.model_version] = [one.score(batch).suggestions for batch in batches]
    assert len(expected) == 2
    scorer = swept(root, first)
    seen: set[str] = set()
    failures: list[BaseException] = []
    over = threading.Event()

    def work(start: int) -> None:
        turn = start
        try:
            while not over.is_set():
                turn += 1
                got = scorer.score(batches[turn % len(batches)]).suggestions
                (version,) = set(got["model_version"].to_pylist())
                assert got.equals(expected[version][turn % len(batches)])
                seen.add(version)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for turn in range(3):
        registry.promote(root, "unit", (second, first)[turn % 2])
        assert scorer.refresh()
    over.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert seen == set(expected)


def test_a_broken_version_changes_nothing_but_the_status(two: tuple[Path, str, str], tmp_path: Path) -> None:
    import shutil

    root, first, second = tmp_path / "models", two[1], two[2]
    shutil.copytree(two[0], root)
    scorer = swept(root, first)
    registry.promote(root, "unit", second)
    arrays = root / "unit" / second / "arrays.safetensors"
    arrays.chmod(0o600)
    arrays.write_bytes(arrays.read_bytes()[:-20])
    assert not scorer.refresh()
    assert scorer.status().unit_version == first
    assert second in scorer.status().error
    assert lead(scorer)
    registry.promote(root, "unit", first)
    assert not scorer.refresh()
    assert scorer.status().error == ""


def test_nothing_to_serve(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError):
        LiveScorer(models=tmp_path)


def test_midnight(tmp_path: Path) -> None:
    """On New Year's Day the units of before are gone and their successors are there."""
    day = BEFORE
    small_city(tmp_path)
    scorer = LiveScorer(tmp_path / "units.yaml", models=tmp_path / "models", today=lambda: day)
    assert lead(scorer) == "A"
    assert {unit.code for unit in scorer.units()} == {"A", "B", "C", "G"}
    version = scorer.model_version
    day = AFTER
    assert scorer.refresh()
    assert lead(scorer) == "N"
    assert scorer.model_version != version
    assert scorer.resolve("市城管局") == "N"
    assert scorer.resolve("人社局") == "B"
    assert scorer.resolve("市档案局") is None
    assert scorer.resolve("谁也不是") is None


def test_who_refused_is_not_back_under_another_name(tmp_path: Path) -> None:
    small_city(tmp_path)
    scorer = LiveScorer(tmp_path / "units.yaml", models=tmp_path / "models", today=lambda: AFTER)
    assert lead(scorer, refused_units=["A"]) != "N"
    row = scorer.score(toy.table([{**LAMP, "refused_units": ["A"]}])).suggestions.to_pylist()[0]
    assert "N" not in {unit["code"] for unit in [*row["top_k"], *row["co_units"]]}


@pytest.mark.parametrize("change", ["units", "config"])
def test_files_are_read_again_when_their_content_changes(tmp_path: Path, change: str) -> None:
    small_city(tmp_path)
    units, config = tmp_path / "units.yaml", tmp_path / "city.yaml"
    config.write_text("top_k: 3\n", "utf-8")
    scorer = LiveScorer(units, config=config, models=tmp_path / "models", today=lambda: BEFORE)
    before = (scorer.model_version, scorer.config_version)
    for path in (units, config):
        os.utime(path, ns=(1, 1))
    assert not scorer.refresh()  # touched is not changed
    edit: dict[str, Callable[[], object]] = {
        "units": lambda: units.write_text(units.read_text("utf-8").replace("市教育局", "市教育和体育局"), "utf-8"),
        "config": lambda: config.write_text("top_k: 2\n", "utf-8"),
    }
    edit[change]()
    assert scorer.refresh()
    after = (scorer.model_version, scorer.config_version)
    assert [one != other for one, other in zip(before, after, strict=True)] == [change == "units", change == "config"]
    (units if change == "units" else config).write_text("top_k: [\n", "utf-8")
    assert not scorer.refresh()
    assert scorer.status().error
    assert (scorer.model_version, scorer.config_version) == after
    assert lead(scorer)

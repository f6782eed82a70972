"""The configuration: defaults, overlays, errors that name file and key, and the version."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from corpora.config import BUNDLED, BUNDLED_FILES, load_config
from corpora.typed_yaml import ConfigError


def overlay(tmp_path: Path, text: str) -> Path:
    """Write a city's own file and return its path."""
    path = tmp_path / "city.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_load_and_have_a_version() -> None:
    config = load_config()
    assert re.fullmatch(r"cfg-[0-9a-f]{12}", config.version)
    assert config.top_k == 5
    assert config.decision.review_urgent
    assert config.deadlines.rules[-1].when.levels == ()


def test_overlay_merges_mappings_and_replaces_lists(tmp_path: Path) -> None:
    text = """
decision: {auto_min_probability: 0.8}
urgency:
  rules:
    suicide: {any_of: [自杀]}
    typhoon: {level: urgent, name: 台风, any_of: [台风]}
deadlines:
  rules: [{id: all, name: 全部, basis: 示例, working_days: 3}]
"""
    base, config = load_config(), load_config(overlay(tmp_path, text))
    assert config.decision.auto_min_probability == 0.8
    assert config.decision.auto_min_margin == base.decision.auto_min_margin
    assert config.urgency.rules["suicide"].any_of == ("自杀",)
    assert config.urgency.rules["suicide"].none_of == base.urgency.rules["suicide"].none_of
    assert config.urgency.rules["typhoon"].level == "urgent"
    assert set(config.urgency.rules) == {*base.urgency.rules, "typhoon"}
    assert [rule.id for rule in config.deadlines.rules] == ["all"]
    assert config.version != base.version


def test_empty_overlay_changes_nothing(tmp_path: Path) -> None:
    assert load_config(overlay(tmp_path, "# nothing yet\n")) == load_config()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("top_k: 7\nchunk_rows: 10\n", "chunk_rows: 10\ntop_k: 7\n"),
        ("decision: {auto_min_probability: 1}", "decision: {auto_min_probability: 1.0}"),
        ("urgency: {none_of: [甲, 乙]}", "urgency: {none_of: [乙, 甲, 乙]}"),
        (
            "urgency: {rules: {suicide: {all_of: [[甲, 乙], [丙]]}}}",
            "urgency: {rules: {suicide: {all_of: [[丙], [乙, 甲]]}}}",
        ),
        ("top_k: 5", ""),  # the default said again
    ],
)
def test_version_is_over_content_not_over_its_order(tmp_path: Path, one: str, other: str) -> None:
    first = load_config(overlay(tmp_path, one)).version
    assert first == load_config(overlay(tmp_path, other)).version


@pytest.mark.parametrize(
    "text",
    ["top_k: 6", "decision: {review_urgent: false}", "urgency: {rules: {suicide: {enabled: false}}}"],
)
def test_version_changes_with_content(tmp_path: Path, text: str) -> None:
    assert load_config(overlay(tmp_path, text)).version != load_config().version


def test_order_of_deadline_rules_is_content(tmp_path: Path) -> None:
    one = "{id: a, name: 甲, basis: 示例, working_days: 1}"
    other = "{id: b, name: 乙, basis: 示例, working_days: 2}"
    versions = {
        load_config(overlay(tmp_path, f"deadlines: {{rules: [{pair}]}}")).version
        for pair in (f"{one}, {other}", f"{other}, {one}")
    }
    assert len(versions) == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("decison: {}", ["decison", "'decision'"]),
        ("decision: {auto_min_prob: 0.9}", ["decision.auto_min_prob", "'auto_min_probability'"]),
        ("urgency: {rules: {suicide: {none: [x]}}}", ["urgency.rules.suicide.none", "'none_of'"]),
        ("deadlines: {rules: [{id: a, name: b, basis: c, workdays: 3}]}", ["deadlines.rules[0].workdays"]),
        ("top_k: many", ["top_k", "a whole number", "'many'"]),
        ("top_k: true", ["top_k", "a whole number"]),
        ("top_k: 0", ["top_k", "at least 1"]),
        ("decision:", ["decision", "mapping"]),
        ("decision: {auto_min_probability: 1.5}", ["decision", "between 0 and 1"]),
        ("decision: {auto_min_probability: .nan}", ["decision.auto_min_probability", "a number"]),
        ("urgency: {none_of: 没有}", ["urgency.none_of", "list"]),
        ("urgency: {rules: {x: {level: high, name: x, any_of: [x]}}}", ["urgency.rules.x", "'high'"]),
        ("urgency: {rules: {x: {level: urgent, name: x}}}", ["urgency.rules.x", "any_of"]),
        ("urgency: {rules: {x: {level: urgent, name: x, any_of: []}}}", ["urgency.rules.x", "at least one word"]),
        ("urgency: {rules: {suicide: {issues: [0150]}}}", ["urgency.rules.suicide.issues[0]", "quotes"]),
        ("urgency: {rules: {suicide: {issues: ['1']}}}", ["urgency.rules.suicide", "issue code"]),
        ("deadlines: {rules: [{id: a, name: b, basis: c}]}", ["deadlines.rules[0]", "either"]),
        ("deadlines: {office_closes: '25:00'}", ["deadlines", "office_closes"]),
        ("top_k: 5\ntop_k: 6", ["'top_k'", "twice"]),
        ("- a", ["at the top"]),
        ("a: [", ["not YAML"]),
    ],
)
def test_errors_name_file_and_key(tmp_path: Path, text: str, said: list[str]) -> None:
    path = overlay(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_config(path)
    for words in (str(path), *said):
        assert words in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml")


def test_bundled_files_share_no_key_and_say_everything() -> None:
    keys = [key for name in BUNDLED_FILES for key in yaml.safe_load((BUNDLED / name).read_text(encoding="utf-8"))]
    assert len(keys) == len(set(keys))


def test_bundled_rules_have_no_dead_phrase() -> None:
    dead = [
        (rule_id, phrase)
        for rule_id, rule in load_config().urgency.rules.items()
        for phrase in rule.not_in
        if not any(word in phrase for word in rule.any_of)
    ]
    assert dead == []

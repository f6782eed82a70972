"""Identity of a suggestion: the same four inputs give the same id, any other a different one."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.petitions.suggestion import SUGGESTION_SCHEMA, suggestion_id

FOUR = st.tuples(*[st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x1f"), max_size=10)] * 4)


@given(FOUR, FOUR)
def test_ids_are_equal_only_for_equal_inputs(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assert (suggestion_id(*one) == suggestion_id(*other)) is (one == other)


@given(FOUR)
def test_form_of_an_id(inputs: tuple[str, ...]) -> None:
    assert re.fullmatch(r"sg_[0-9a-f]{24}", suggestion_id(*inputs))


def test_the_id_stays_what_it_was() -> None:
    # Stores keep these: another function would write every suggestion a second time.
    assert suggestion_id("P1", "0" * 32, "m", "cfg-1") == "sg_4720ee229fddbc9c08e52a70"


def test_units_ruled_out_count_in_any_order_and_once() -> None:
    four = ("P1", "0" * 32, "m", "cfg-1")
    assert suggestion_id(*four, ["B", "A", "B"]) == suggestion_id(*four, ("A", "B"))
    assert len({suggestion_id(*four), suggestion_id(*four, ["A"]), suggestion_id(*four, ["A", "B"])}) == 3


@pytest.mark.parametrize("name", ["lead_unit", "submitted_at", "event_group"])
def test_columns_that_may_be_null(name: str) -> None:
    assert SUGGESTION_SCHEMA.field(name).nullable


def test_all_other_columns_are_always_there() -> None:
    nullable = {field.name for field in SUGGESTION_SCHEMA if field.nullable}
    assert nullable == {"lead_unit", "submitted_at", "event_group"}
    assert SUGGESTION_SCHEMA.field("deadline").type.field("date").type == pa.date32()

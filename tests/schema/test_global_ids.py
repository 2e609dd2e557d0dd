"""Identifiers and cursors: all that were not made here are refused."""

import base64
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from registry.access.principals import NIL
from registry.kernel.errors import Malformed
from registry.reading.keyset import Ordering, decode_cursor
from schema.framework.global_ids import parse_global_id, parse_id_of_kind, to_global_id
from tests.support.cursors import encode_cursor

KINDS = st.sampled_from(["Transfer", "Organisation"])


@given(KINDS, st.uuids())
def test_an_identifier_is_read_as_it_was_made(kind: str, id: UUID) -> None:
    assert parse_global_id(to_global_id(kind, id)) == (kind, id)


@given(st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_other_texts_are_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_global_id(text)


@given(st.uuids(), st.data())
def test_one_changed_character_is_another_object_or_malformed(
    id: UUID, data: st.DataObject
) -> None:
    text = to_global_id("Transfer", id)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters(max_codepoint=127).filter(lambda char: char != text[place]))

    try:
        found = parse_global_id(text[:place] + other + text[place + 1 :])
    except Malformed:
        return
    assert found != ("Transfer", id)


def test_padding_and_capitals_are_not_a_second_form() -> None:
    id = UUID("6f1c2a34-58b1-4c7e-9d55-0d0c4f9d2b11")
    text = to_global_id("Transfer", id)
    capitals = base64.urlsafe_b64encode(f"Transfer:{str(id).upper()}".encode()).decode().rstrip("=")

    for other in (f"{text}=", f"{text}\n", capitals):
        with pytest.raises(Malformed):
            parse_global_id(other)


def test_an_identifier_of_another_kind_names_the_field() -> None:
    with pytest.raises(Malformed) as refusal:
        parse_id_of_kind("Transfer", to_global_id("Organisation", UUID(int=1)), field="seller_id")

    assert refusal.value.field == "seller_id"


OF = "Transfer NEWEST"
ORDERS = [Ordering("changed_at", datetime), Ordering("number", str), Ordering("sequence", int)]


@given(
    st.sampled_from(ORDERS),
    st.text() | st.binary().map(lambda raw: base64.urlsafe_b64encode(raw).decode()),
)
def test_other_cursors_are_malformed(order: Ordering, text: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode_cursor(text, OF, order, "after")

    assert refusal.value.field == "after"


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_is_read_as_it_was_made(moment: datetime, id: UUID) -> None:
    assert decode_cursor(encode_cursor(OF, moment, id), OF, ORDERS[0], "after") == (moment, id)


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=200))
@example("名" * 200)
@example("\U00020000" * 200)
@example('"' * 200)
def test_a_cursor_of_a_text_is_read_as_it_was_made(name: str) -> None:
    assert decode_cursor(encode_cursor(OF, name, NIL), OF, ORDERS[1], "after") == (name, NIL)


@pytest.mark.parametrize(
    ("order", "text"),
    [
        (ORDERS[1], '["Transfer NEWEST", "\\ud800", "{id}"]'),
        (ORDERS[1], '["Transfer NEWEST", "\\u0000", "{id}"]'),
        (ORDERS[0], '["Transfer NEWEST", "9999-12-31T23:59:59-23:59", "{id}"]'),
        (ORDERS[0], '["Transfer NEWEST", "0001-01-01T00:00:00+23:59", "{id}"]'),
        (ORDERS[0], '["Transfer NEWEST", "2022-06-07T10:00:00", "{id}"]'),
        (ORDERS[2], '["Transfer NEWEST", 9223372036854775808, "{id}"]'),
        (ORDERS[1], "[" * 1_400),
    ],
)
def test_a_cursor_whose_place_cannot_be_asked_for_is_malformed(order: Ordering, text: str) -> None:
    forged = base64.urlsafe_b64encode(text.replace("{id}", str(NIL)).encode()).decode()

    with pytest.raises(Malformed):
        decode_cursor(forged, OF, order, "after")


@given(st.uuids(), st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists))
def test_a_cursor_of_another_list_is_malformed(id: UUID, key: object) -> None:
    foreign = base64.urlsafe_b64encode(json.dumps([OF, key, str(id)]).encode()).decode()

    with pytest.raises(Malformed):
        decode_cursor(foreign, OF, ORDERS[2], "after")


@pytest.mark.parametrize("other", ["Transfer OLDEST", "Permit NEWEST", "", None])
def test_a_cursor_names_its_list_and_order(other: str) -> None:
    foreign = encode_cursor(other, datetime.now(UTC), NIL)

    with pytest.raises(Malformed) as refusal:
        decode_cursor(foreign, OF, ORDERS[0], "after")

    assert refusal.value.field == "after"
    assert OF in str(refusal.value)

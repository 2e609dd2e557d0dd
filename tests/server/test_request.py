"""The body of a request, and the media type of its response."""

import pytest

from server.graphql.request import GRAPHQL, JSON, negotiate_media_type, parse_request
from server.http.errors import ProtocolError


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"3",
        b"null",
        b'"x"',
        b"[]",
        b'[{"query":"{__typename}"}]',
        b'{"query":3}',
        b'{"query":"{__typename}","operationName":3}',
        b'{"query":"{__typename}","variables":[1]}',
        b'{"query":"{__typename}","variables":"{}"}',
        b'{"query":"{__typename}","extensions":"{}"}',
        b'{"query":"{__typename}","variables":{"a":"\\u0000"}}',
        b'{"query":"{caller}","variables":{"a":[{"\\u0000":1}]}}',
        b'{"query":"{caller}","extensions":{"a":"\\u0000"}}',
        b'{"query":"\xff"}',
        b'{"query":"\\ud800"}',
        b"[" * 5000,
    ],
)
def test_a_malformed_body_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(ProtocolError) as error:
        parse_request(body)

    assert error.value.status_code == 400
    assert error.value.message.zh


def test_a_text_that_cannot_be_stored_is_refused_with_character_and_place() -> None:
    with pytest.raises(ProtocolError) as error:
        parse_request('{"query":"{caller}","variables":{"a":"同意\\u0000"}}'.encode())

    assert "Character 3 (U+0000)" in error.value.message.en
    assert "第3个字符（U+0000）" in error.value.message.zh


def test_a_backslash_is_a_character_like_any_other() -> None:
    request = parse_request(b'{"query":"{caller}","variables":{"path":"C:\\\\u0000"}}')

    assert request.variables == {"path": "C:\\u0000"}


def test_what_is_absent_or_null_is_empty() -> None:
    absent = parse_request(b"{}")
    null = parse_request(b'{"query":null,"variables":null,"operationName":null,"extensions":null}')

    assert absent == null
    assert (absent.query, absent.variables, absent.sha256, absent.wants_cost) == (
        None,
        {},
        "",
        False,
    )


def test_a_hash_is_read_in_either_case() -> None:
    body = b'{"extensions":{"cost":true,"persistedQuery":{"version":1,"sha256Hash":"%b"}}}'

    request = parse_request(body % (b"AB" * 32))

    assert (request.sha256, request.wants_cost) == ("ab" * 32, True)


@pytest.mark.parametrize(
    ("header", "agreed"),
    [
        ("", JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (JSON, JSON),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}, {JSON}", GRAPHQL),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON};q=0.9, {GRAPHQL};q=0.8", JSON),
        (f"{GRAPHQL};q=0, */*;q=0.1", JSON),
        (f"{GRAPHQL.upper()}; charset=utf-8", GRAPHQL),
        (f"{GRAPHQL};q=x", None),
        ("text/html", None),
        (f"{JSON};q=0", None),
    ],
)
def test_the_media_type_is_the_one_that_is_liked_best(header: str, agreed: str | None) -> None:
    assert negotiate_media_type(header) == agreed

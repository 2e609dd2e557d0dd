"""No text or number in a document is more than the registry can keep."""

from collections.abc import Iterator

from graphql import DocumentNode, GraphQLError, Token, TokenKind, parse

from registry.db.named_params import find_unstorable
from registry.kernel.errors import Malformed, error_extensions

NUMBER_LENGTH_MAX = 20

_STRING_TOKENS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})
_NUMBER_TOKENS = frozenset({TokenKind.INT, TokenKind.FLOAT})


def parse_document(text: str, tokens_max: int | None = None) -> DocumentNode:
    """Parse a text into a document.

    Raises:
        GraphQLError: a fault of syntax; more than ``tokens_max`` words; a text that cannot be
            stored, or a number longer than ``NUMBER_LENGTH_MAX``.

    """
    document = parse(text, max_tokens=tokens_max)
    for token in iter_tokens(document):
        value = token.value or ""
        if token.kind in _STRING_TOKENS and (refused := find_unstorable(value)):
            raise _malformed(refused.en, refused.zh)
        if token.kind in _NUMBER_TOKENS and len(value) > NUMBER_LENGTH_MAX:
            raise _malformed("A number has too many digits.", "数字位数过多。")
    return document


def iter_tokens(document: DocumentNode) -> Iterator[Token]:
    """Its words and signs, in their order."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        yield token
        token = token.next


def _malformed(en: str, zh: str) -> GraphQLError:
    return GraphQLError(en, extensions=error_extensions(Malformed.code.value, zh))

"""No text or number in a document is more than the registry can keep."""

from collections.abc import Iterator

from graphql import DocumentNode, GraphQLError, Token, TokenKind, parse

from registry.db.named_params import UNSTORABLE, storable
from registry.kernel.errors import Malformed

NUMBER_LENGTH_MAX = 20

_TEXTS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})
_NUMBERS = frozenset({TokenKind.INT, TokenKind.FLOAT})


def document_of(text: str, tokens_max: int | None = None) -> DocumentNode:
    """The document that a text stands for.

    Raises:
        GraphQLError: a fault of syntax; more than ``tokens_max`` words; a text that cannot be
            stored, or a number longer than ``NUMBER_LENGTH_MAX``.

    """
    document = parse(text, max_tokens=tokens_max)
    for token in tokens_of(document):
        value = token.value or ""
        if token.kind in _TEXTS and not storable(value):
            raise _malformed(UNSTORABLE.en, UNSTORABLE.zh)
        if token.kind in _NUMBERS and len(value) > NUMBER_LENGTH_MAX:
            raise _malformed("A number has too many digits.", "数字位数过多。")
    return document


def tokens_of(document: DocumentNode) -> Iterator[Token]:
    """Its words and signs, in their order."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        yield token
        token = token.next


def _malformed(en: str, zh: str) -> GraphQLError:
    return GraphQLError(en, extensions={"code": Malformed.code.value, "messageZh": zh})

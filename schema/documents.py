"""Documents are parsed once, and no text or number in one is more than the registry can keep."""

from collections.abc import Iterator
from functools import lru_cache

from graphql import DocumentNode, GraphQLError, Token, TokenKind, parse
from strawberry.extensions import SchemaExtension

from registry.errors import Malformed
from registry.statements import UNSTORABLE, storable

NUMBER_LENGTH_MAX = 20
DOCUMENTS_MAX = 128
"""So many are remembered, the latest used."""

_TEXTS = frozenset({TokenKind.STRING, TokenKind.BLOCK_STRING})
_NUMBERS = frozenset({TokenKind.INT, TokenKind.FLOAT})


class Documents(SchemaExtension):
    """Parses the document of each request, or remembers it."""

    def on_parse(self) -> Iterator[None]:
        """Put the document where the library looks before it parses.

        Raises:
            GraphQLError: a fault of syntax, or what ``document_of`` refuses.

        """
        context = self.execution_context
        if context.query:
            tokens = context.parse_options.get("max_tokens")
            context.graphql_document = document_of(context.query, tokens)
        yield


@lru_cache(DOCUMENTS_MAX)
def document_of(text: str, tokens_max: int | None = None) -> DocumentNode:
    """The document that a text stands for.

    Raises:
        GraphQLError: a fault of syntax; more than ``tokens_max`` words; a text that cannot be
            stored, or a number longer than ``NUMBER_LENGTH_MAX``.

    """
    document = parse(text, max_tokens=tokens_max)
    for token in _tokens(document):
        value = token.value or ""
        if token.kind in _TEXTS and not storable(value):
            raise _malformed(UNSTORABLE.en, UNSTORABLE.zh)
        if token.kind in _NUMBERS and len(value) > NUMBER_LENGTH_MAX:
            raise _malformed("A number has too many digits.", "数字位数过多。")
    return document


def _tokens(document: DocumentNode) -> Iterator[Token]:
    token = document.loc.start_token if document.loc else None
    while token is not None:
        yield token
        token = token.next


def _malformed(en: str, zh: str) -> GraphQLError:
    return GraphQLError(en, extensions={"code": Malformed.code.value, "messageZh": zh})

"""A query sees one moment of the database and cannot write."""

from collections.abc import AsyncIterator

from graphql import FieldNode, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from registry.db.session import read_only_transaction


class ReadTransactionExtension(SchemaExtension):
    """Puts each query into one transaction that reads; a mutation's commands open their own."""

    async def on_execute(self) -> AsyncIterator[None]:
        """Open the transaction before the first resolver and close it after the last."""
        if self.execution_context.operation_type is OperationType.QUERY and self._reads_database():
            async with read_only_transaction():
                yield
        else:
            yield

    def _reads_database(self) -> bool:
        """Whether anything but the schema itself is asked for."""
        document, name = (
            self.execution_context.graphql_document,
            self.execution_context.operation_name,
        )
        return any(
            not (isinstance(field, FieldNode) and field.name.value.startswith("__"))
            for operation in (document.definitions if document else ())
            if isinstance(operation, OperationDefinitionNode)
            if name is None or (operation.name and operation.name.value == name)
            for field in operation.selection_set.selections
        )

"""Executes an operation: fields with projections by plans, all others by their resolvers.

The root of a query, and every ``PlannedObject`` that a resolver returns, is split: its planned
fields are one statement, whose JSON is taken whole, with its aliases, fragments and directives.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, cast

import orjson
from graphql import GraphQLObjectType, GraphQLResolveInfo, located_error
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from registry.access.principals import Viewer
from registry.access.viewer_lookup import NoAppointmentChosen
from registry.db.errors import READ_ERRORS
from registry.db.session import fetch_value
from registry.kernel.errors import NotFound, Overloaded, Refused
from registry.reading.plan import Plan
from registry.reading.selection import ArgumentError
from registry.reading.sql_builder import NotPlannable
from schema.framework.context import Context, PlanRunner
from schema.framework.planned_object import PlannedObject
from schema.planning.planner import Planner
from schema.planning.query_runner import MAX_ATTEMPTS
from schema.planning.selection_builder import BoundOperation


@dataclass(frozen=True, slots=True)
class ObjectScope:
    """A planned object at its path in the response."""

    object_type: GraphQLObjectType
    source: PlannedObject
    path: Path | None


@dataclass(slots=True)
class SplitFields:
    """The fields of one object, by who answers them."""

    planned: GroupedFieldSet = field(default_factory=dict)
    resolved: GroupedFieldSet = field(default_factory=dict)
    errors: dict[str, Exception] = field(default_factory=dict)
    plan: Plan | None = None
    values: list[object] = field(default_factory=list)

    def require_no_errors(self) -> None:
        """Raise the first error, if there is one, as it was before it had a place."""
        for error in self.errors.values():
            raise error.cause if isinstance(error, ArgumentError) else error


class PlanningExecutor(StrawberryGraphQLCoreExecutionContext):
    """Executes one operation; each schema has a subclass with its own planner."""

    planner: Planner
    _bound: BoundOperation | None = None

    def execute_fields(  # noqa: PLR0917 - the library's signature
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,  # noqa: ANN401 - the library's signature
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,  # noqa: ANN401 - the library's signature
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Execute the fields of one object; of the query's root those with projections by plan."""
        source, context = source_value, self.context_value
        if path is None and parent_type is self.schema.query_type:
            source = PlannedObject(parent_type.name)
        planned = isinstance(source, PlannedObject) and isinstance(context, Context)
        if not (planned and self._has_projection(parent_type, grouped_field_set)):
            source = source.resolved or source if isinstance(source, PlannedObject) else source
            return super().execute_fields(
                parent_type, source, path, grouped_field_set, position_context
            )
        return self._execute_planned(ObjectScope(parent_type, source, path), grouped_field_set)

    def execute_field(  # noqa: PLR0917 - the library's signature
        self,
        parent_type: GraphQLObjectType,
        source: Any,  # noqa: ANN401 - the library's signature
        field_details_list: FieldDetailsList,
        path: Path,
        position_context: Any,  # noqa: ANN401 - the library's signature
    ) -> Any:  # noqa: ANN401 - the library's signature
        """Execute a field; a mutation may read its preview inside its transaction."""
        if parent_type is self.schema.mutation_type and isinstance(self.context_value, Context):
            self.context_value.check_answer = partial(self._check_answer, field_details_list, path)
            self.context_value.read_now = partial(self._read_now, field_details_list, path)
        return super().execute_field(
            parent_type, source, field_details_list, path, position_context
        )

    async def _check_answer(
        self, details: FieldDetailsList, path: Path, planned: PlannedObject
    ) -> None:
        """Refuse an answer that could not be read after the command."""
        operation = self.context_value.validated_operation
        if operation is None or not self.planner.prepare(operation).field_arguments:
            return
        try:
            viewer = await self.context_value.viewer()
        except Refused:
            return  # The command finds out for itself.
        split = self._split_answer(details, path, planned, viewer)
        split.require_no_errors()

    def _split_answer(
        self, details: FieldDetailsList, path: Path, planned: PlannedObject, viewer: Viewer
    ) -> SplitFields:
        of = cast("GraphQLObjectType", self.schema.get_type(planned.type_name))
        fields = self.collect_subfields(of, details).grouped_field_set
        return self._split_for(ObjectScope(of, planned, path), fields, viewer)

    async def _read_now(
        self, details: FieldDetailsList, path: Path, planned: PlannedObject, viewer: Viewer
    ) -> PlannedObject:
        """The object with its planned fields read on the connection of the transaction."""
        split = self._split_answer(details, path, planned, viewer)
        data = await _read(split, fetch_value)
        split.require_no_errors()
        return replace(planned, data=data)

    def complete_abstract_value(  # noqa: PLR0917 - the library's signature
        self,
        return_type: Any,  # noqa: ANN401 - the library's signature
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,  # noqa: ANN401 - the library's signature
        position_context: Any,  # noqa: ANN401 - the library's signature
    ) -> AwaitableOrValue[Any]:
        """Complete a value of an interface or union; a planned object names its own type."""
        if isinstance(result, PlannedObject):
            of = self.schema.get_type(result.type_name)
            return self.complete_object_value(
                of, field_details_list, info, path, result, position_context
            )
        return super().complete_abstract_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def complete_object_value(  # noqa: PLR0917 - the library's signature
        self,
        return_type: Any,  # noqa: ANN401 - a type of objects
        field_details_list: FieldDetailsList,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,  # noqa: ANN401 - the library's signature
        position_context: Any,  # noqa: ANN401 - the library's signature
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Complete an object; a planned one is no instance of the type's class."""
        if isinstance(result, PlannedObject):
            return self.collect_and_execute_subfields(
                return_type, field_details_list, path, result, position_context
            )
        return super().complete_object_value(
            return_type, field_details_list, info, path, result, position_context
        )

    def _has_projection(self, object_type: GraphQLObjectType, fields: GroupedFieldSet) -> bool:
        known = self.planner.catalog[object_type.name].fields
        return any(details[0].node.name.value in known for details in fields.values())

    async def _execute_planned(self, at: ObjectScope, fields: GroupedFieldSet) -> dict[str, Any]:
        """Answer the fields in their order: planned, resolved, or null with an error."""
        data = at.source.data
        if data is None:
            split, data = await self._read_planned(at, fields)
        else:
            split = SplitFields(resolved={key: fields[key] for key in fields if key not in data})
        source = at.source.resolved or at.source
        resolved: Any = super().execute_fields(
            at.object_type, source, at.path, split.resolved, None
        )
        if self.is_awaitable(resolved):
            resolved = await resolved
        answer: dict[str, Any] = {}
        for key, details in fields.items():
            if key in split.errors:
                definition = self.schema.get_field(at.object_type, details[0].node.name.value)
                assert definition is not None, "the document was validated"
                place = Path(at.path, key, at.object_type.name)
                error = self._located(at, split.errors[key])
                self.handle_field_error(error, definition.type, details, place)
                answer[key] = None
            else:
                answer[key] = resolved[key] if key in split.resolved else data[key]
        return answer

    async def _read_planned(
        self, at: ObjectScope, fields: GroupedFieldSet
    ) -> tuple[SplitFields, Mapping[str, Any]]:
        """The answer of the plan, for a viewer whose access has not changed meanwhile."""
        context: Context = self.context_value
        for _ in range(MAX_ATTEMPTS):
            split = await self._split(at, fields)
            data = await _read(split, context.run_plan)
            if split.plan is None or context.is_viewer_current():
                return split, data
            context.invalidate()
        raise Overloaded

    async def _split(self, at: ObjectScope, fields: GroupedFieldSet) -> SplitFields:
        """Decide who answers each field; one plan for all of them where none is refused."""
        try:
            viewer = await self.context_value.viewer()
        except Refused as error:
            return self._split_without_appointment(at, fields, error)
        return self._split_for(at, fields, viewer)

    def _split_for(self, at: ObjectScope, fields: GroupedFieldSet, viewer: Viewer) -> SplitFields:
        try:
            return SplitFields(fields, {}, {}, *self._plan(at, fields, viewer))
        except (NotPlannable, ArgumentError):
            split = SplitFields()
        for key, details in fields.items():
            try:
                self._plan(at, {key: details}, viewer)
            except NotPlannable:
                split.resolved[key] = details
            except ArgumentError as error:
                split.errors[key] = error
            else:
                split.planned[key] = details
        if split.planned:
            split.plan, split.values = self._plan(at, split.planned, viewer)
        return split

    def _located(self, at: ObjectScope, error: Exception) -> Exception:
        """The refusal of an argument at the field it belongs to; another error as it is."""
        if not isinstance(error, ArgumentError):
            return error
        operation = self.context_value.validated_operation
        arguments = self.planner.prepare(operation).field_arguments
        path = [*(at.path.as_list() if at.path else ()), *error.path]
        return located_error(error.cause, [arguments[error.argument_index].node], path)

    def _split_without_appointment(
        self, at: ObjectScope, fields: GroupedFieldSet, error: Refused
    ) -> SplitFields:
        """The split where no appointment acts: resolvers find out for themselves."""
        refused: GroupedFieldSet = {}
        free: GroupedFieldSet = {}
        for key, details in fields.items():
            known = self.planner.catalog[at.object_type.name].fields.get(details[0].node.name.value)
            chosen = known and (
                known.needs_appointment or not isinstance(error, NoAppointmentChosen)
            )
            (refused if chosen else free)[key] = details
        if isinstance(error, NoAppointmentChosen):
            split = self._split_for(at, free, error.viewer)
        else:
            split = SplitFields(resolved=free)
        split.errors |= dict.fromkeys(refused, error)
        return split

    def _plan(
        self, at: ObjectScope, fields: GroupedFieldSet, viewer: Viewer
    ) -> tuple[Plan, list[object]]:
        """The plan of these fields and the values to bind."""
        operation = self.context_value.validated_operation
        assert operation is not None, "a document is validated before it is executed"
        if self._bound is None:
            self._bound = self.planner.bind(operation, self.variable_values)
        plan = self.planner.plan_fields(
            operation,
            self._bound,
            viewer,
            object_type=at.object_type,
            path=at.path.as_list() if at.path else (),
            fields=fields,
        )
        return plan, plan.values(viewer, self._bound.arguments, at.source.binds)


async def _read(split: SplitFields, run: PlanRunner) -> Mapping[str, Any]:
    """The answer of the plan; its failure is that of each planned field."""
    if split.plan is None:
        return {}
    try:
        text = split.plan.constant or await run(split.plan.sql, split.values)
    except (Refused, *READ_ERRORS) as error:
        split.errors |= dict.fromkeys(split.planned, error)
        return {}
    data: dict[str, Any] | None = orjson.loads(text)
    if data is None:
        raise NotFound
    return data


def executor_class(planner: Planner) -> type[PlanningExecutor]:
    """The executor that answers by the plans of one planner."""
    return type("Executor", (PlanningExecutor,), {"planner": planner})

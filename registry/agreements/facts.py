"""Facts about agreements, each as a Python check and an SQL condition."""

from registry.access.kinds import Fact, Kind, state_predicate
from registry.access.principals import Viewer
from registry.agreements.records import Agreement
from registry.agreements.rules import AgreementState, Visibility, state_on
from registry.kernel.calendar import day_of


def _is_published(_: Viewer, agreement: Agreement) -> bool:
    everybody = set(agreement.parties) <= set(agreement.signed)
    return everybody and agreement.visibility == Visibility.PUBLIC


def _is_in_force(viewer: Viewer, agreement: Agreement) -> bool:
    state, today = AgreementState(agreement.state), day_of(viewer.now)
    return state_on(state, agreement.valid_until, today) is AgreementState.IN_FORCE


AGREEMENT = Kind(
    name="Agreement",
    record=Agreement,
    facts={
        # Containment, not ANY: the index on the parties answers it.
        "party": Fact(
            check=lambda viewer, agreement: viewer.organisation in agreement.parties,
            where="{t}.parties @> ARRAY[CAST(:organisation AS uuid)]",
        ),
        "own_signature_given": Fact(
            check=lambda viewer, agreement: viewer.organisation in agreement.signed,
            where=":organisation = ANY ({t}.signed)",
        ),
        # A fully signed agreement stays public, also if it is withdrawn before it is in force.
        "published": Fact(
            check=_is_published,
            where="{t}.visibility = 'public' AND {t}.parties <@ {t}.signed",
            viewer_independent=True,
        ),
        "stage_draft": state_predicate(AgreementState.DRAFT),
        "stage_signed": state_predicate(AgreementState.SIGNED),
        "stage_in_force": Fact(
            check=_is_in_force,
            where="{t}.state = 'in_force' AND coalesce({t}.valid_until >= china_date(:now), true)",
            viewer_independent=True,
        ),
    },
    organisation_columns=("parties",),
)

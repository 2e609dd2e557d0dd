"""Authorities, centre and enterprises, with their people, permits and first holdings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from benchmarks.world.ledger_writer import SOURCE, AuditRow, LedgerWriter, Officer
from benchmarks.world.rule_lookup import pg_array
from registry.access.principals import NIL
from registry.kernel.identifiers import credit_check_digit, organisation_check_digit
from registry.ledger.rules import ISSUANCE_ACCOUNT, Acquisition, EntryKind, Posting, Right
from registry.parties.rules import side_of

PROVINCE = "130000"
OPERATOR = Officer("operator")
DUTY_FACTS = ("may_initiate", "may_approve")
TRUE, FALSE = "true", "false"
TWO_SIGNATURES_EVERY = 4
"""Every fourth enterprise signs with two representatives."""

STOCK_MIN, STOCK_MAX = 200_000, 2_000_000
"""First holdings, base units."""


@dataclass(frozen=True, slots=True)
class DivisionRef:
    """A city or county."""

    code: str
    city: str
    name: str


@dataclass(frozen=True, slots=True)
class TradedPollutant:
    """A pollutant that is traded, with its unit and scale."""

    code: str
    unit: str
    scale: int


@dataclass(frozen=True, slots=True)
class Holding:
    """A first holding; ``quantity`` in base units."""

    instrument: UUID
    pollutant: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Firm:
    """An enterprise, its two people, and its accounts."""

    id: UUID
    division: DivisionRef
    people: tuple[Officer, Officer]
    needs_two_signatures: bool
    holding: UUID
    escrow: UUID
    holdings: tuple[Holding, ...]


@dataclass(slots=True)
class OrganisationFactory:
    """Registers all organisations on one morning, before the first transfer."""

    writer: LedgerWriter
    at: datetime
    pollutants: tuple[str, ...]
    province: Officer = OPERATOR

    def register_authorities(
        self, divisions: Sequence[DivisionRef]
    ) -> tuple[Officer, dict[str, Officer]]:
        """Register province, centre and all bureaus; the officers of the centre and the bureaus."""
        province = DivisionRef(PROVINCE, PROVINCE, "河北省")
        self.province = self._register_office(
            "province", province, "河北省生态环境厅", founded=True
        )
        centre = self._register_office("centre", province, "河北省排污权交易服务中心")
        self.writer.buffer.add(
            "client", self.writer.next_id(), "demonstration", centre.organisation, TRUE, "{}",
            "open", TRUE, self.at,
        )  # fmt: skip
        bureaus = {
            division.code: self._register_office(
                "city" if division.city == division.code else "county",
                division,
                f"{division.name}生态环境局",
            )
            for division in divisions
        }
        return centre, bureaus

    def _register_office(
        self, kind: str, division: DivisionRef, name: str, *, founded: bool = False
    ) -> Officer:
        office = self.writer.next_id()
        self._organisation(office, kind, division, name, code="", two_sign=False)
        first, _ = self._people(office, kind, division, name=f"{kind}-{division.code}")
        verb = "bootstrap" if founded else "register_organisation"
        by, facts = (OPERATOR, ("beginning",)) if founded else (self.province, DUTY_FACTS)
        self.writer.write_audit_entry(
            AuditRow(verb, by, self.at, office, facts, state_after="open")
        )
        return first

    def register_enterprise(
        self, number: int, division: DivisionRef, rights: Sequence[Holding]
    ) -> Firm:
        """An enterprise with a permit for all it may hold, and its first rights."""
        writer, id = self.writer, self.writer.next_id()
        two_sign = number % TWO_SIGNATURES_EVERY == 0
        body = f"{number:08}"
        code = f"91{division.code}{body}{organisation_check_digit(body)}"
        code += credit_check_digit(code)
        name = f"{division.name}第{number}号企业"
        self._organisation(id, "enterprise", division, name, code=code, two_sign=two_sign)
        people = self._people(id, "enterprise", division, name=f"enterprise-{number}")
        row = AuditRow(
            "register_organisation", self.province, self.at, id, DUTY_FACTS, state_after="open"
        )
        writer.write_audit_entry(row)
        firm = Firm(
            id, division, people, two_sign, writer.next_id(), writer.next_id(), tuple(rights)
        )
        writer.buffer.add("account", firm.holding, id, "holding")
        writer.buffer.add("account", firm.escrow, id, "escrow")
        self._permit(firm, code)
        facts = (*DUTY_FACTS, "holding_account")
        for right in rights:
            audit_entry = writer.write_audit_entry(
                AuditRow("open_holding", self.province, self.at, firm.holding, facts)
            )
            posting = Posting(ISSUANCE_ACCOUNT, firm.holding, right.instrument, right.quantity)
            writer.write_entry(audit_entry, EntryKind.OPENING, self.at, postings=[posting])
        return firm

    def create_instrument(self, pollutant: TradedPollutant, city: str) -> UUID:
        """A right of a city's total, entered."""
        id, right = self.writer.next_id(), Right(pollutant.code, city, Acquisition.PAID, demo=True)
        self.writer.buffer.add(
            "instrument", id, right.code, "right", pollutant.code, city, right.acquisition.value,
            pollutant.unit, pollutant.scale, TRUE,
        )  # fmt: skip
        return id

    def _organisation(
        self, id: UUID, kind: str, division: DivisionRef, name: str, *, code: str, two_sign: bool
    ) -> None:
        county = "" if division.code == division.city else division.code
        category = "industrial" if kind == "enterprise" else None
        self.writer.buffer.add(
            "organisation", id, kind, name, code or None, division.code, division.city, county,
            category, FALSE if category else None, TRUE if two_sign else FALSE, "open", SOURCE,
            TRUE, self.at, self.at,
        )  # fmt: skip

    def _people(
        self, id: UUID, kind: str, division: DivisionRef, *, name: str
    ) -> tuple[Officer, Officer]:
        first, second = (
            Officer(kind, self.writer.next_id(), self.writer.next_id(), id) for _ in range(2)
        )
        # The province appoints the first people; its own first people appoint each other.
        proposed = self.province.person if self.province.person != NIL else second.person
        organisation = self.province.organisation if self.province.organisation != NIL else id
        for officer, mark in ((first, "a"), (second, "b")):
            subject = f"{name}-{mark}"
            self.writer.buffer.add(
                "person", officer.person, subject, subject, id, side_of(kind), TRUE, TRUE, self.at
            )
            signatories = pg_array((proposed, self.writer.next_id()))
            self.writer.buffer.add(
                "appointment", officer.appointment, officer.person, side_of(kind), id, kind,
                division.code, TRUE, TRUE, self.at, TRUE, "in_force", proposed, organisation,
                signatories, TRUE, self.at,
            )  # fmt: skip
        return first, second

    def _permit(self, firm: Firm, code: str) -> None:
        permit, first = self.writer.next_id(), self.at.date()
        county = "" if firm.division.code == firm.division.city else firm.division.code
        self.writer.write_audit_entry(
            AuditRow(
                "register_permit",
                self.province,
                self.at,
                permit,
                DUTY_FACTS,
                state_after="in_force",
            )
        )
        self.writer.buffer.add(
            "permit", permit, f"{code}001P", firm.id, firm.division.city, county,
            firm.division.city, "key", first, date(first.year + 5, 12, 31), "in_force",
            SOURCE, TRUE, self.at, self.at,
        )  # fmt: skip
        for pollutant in self.pollutants:
            self.writer.buffer.add(
                "permit_limit", self.writer.next_id(), permit, pollutant, 2 * STOCK_MAX,
                first - timedelta(days=365), SOURCE,
            )  # fmt: skip

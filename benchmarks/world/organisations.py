"""Who there is: authorities, the centre, enterprises, their people, permits and first holdings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from benchmarks.world.ledger_writer import SOURCE, Books, Done, Officer
from benchmarks.world.rule_lookup import array
from registry.access.principals import NIL
from registry.kernel.identifiers import credit_check_digit
from registry.ledger.rules import ISSUANCE, Acquisition, EntryKind, Posting, Right
from registry.parties.rules import side_of

PROVINCE = "130000"
OPERATOR = Officer("operator")
ABLE = ("may_initiate", "may_approve")
YES, NO = "true", "false"
TWO_SIGN_EVERY = 4
"""Every so many-th enterprise has two representatives sign."""

STOCK_MIN, STOCK_MAX = 200_000, 2_000_000
"""First holdings, base units."""


@dataclass(frozen=True, slots=True)
class Place:
    """A city or county."""

    code: str
    city: str
    name: str


@dataclass(frozen=True, slots=True)
class Substance:
    """A pollutant that is traded, with its unit and scale."""

    code: str
    unit: str
    scale: int


@dataclass(frozen=True, slots=True)
class Holding:
    """What an enterprise began with; ``quantity`` in base units."""

    instrument: UUID
    pollutant: str
    quantity: int


@dataclass(frozen=True, slots=True)
class Firm:
    """An enterprise, its two people, and its accounts."""

    id: UUID
    place: Place
    people: tuple[Officer, Officer]
    two_sign: bool
    holding: UUID
    escrow: UUID
    stock: tuple[Holding, ...]


@dataclass(slots=True)
class Bodies:
    """Founds and registers; all of it on one morning, before anybody trades."""

    books: Books
    at: datetime
    traded: tuple[str, ...]
    province: Officer = OPERATOR

    def found(self, places: Sequence[Place]) -> tuple[Officer, dict[str, Officer]]:
        """The province, the centre, a bureau of every place; an officer of the centre and each."""
        province = Place(PROVINCE, PROVINCE, "河北省")
        self.province = self._office("province", province, "河北省生态环境厅", founded=True)
        centre = self._office("centre", province, "河北省排污权交易服务中心")
        self.books.sheaf.add(
            "client", self.books.id(), "demonstration", centre.organisation, YES, "{}", "open",
            YES, self.at,
        )  # fmt: skip
        bureaus = {
            place.code: self._office(
                "city" if place.city == place.code else "county", place, f"{place.name}生态环境局"
            )
            for place in places
        }
        return centre, bureaus

    def _office(self, kind: str, place: Place, name: str, *, founded: bool = False) -> Officer:
        office = self.books.id()
        self._organisation(office, kind, place, name, code="", two_sign=False)
        first, _ = self._people(office, kind, place, name=f"{kind}-{place.code}")
        verb = "bootstrap" if founded else "register_organisation"
        by, facts = (OPERATOR, ("beginning",)) if founded else (self.province, ABLE)
        self.books.act(Done(verb, by, self.at, office, facts, after="open"))
        return first

    def firm(self, number: int, place: Place, rights: Sequence[Holding]) -> Firm:
        """An enterprise with a permit for all it may hold, and its first rights."""
        books, id = self.books, self.books.id()
        two_sign = number % TWO_SIGN_EVERY == 0
        code = f"91{place.code}{number:09}"
        code += credit_check_digit(code)
        name = f"{place.name}第{number}号企业"
        self._organisation(id, "enterprise", place, name, code=code, two_sign=two_sign)
        people = self._people(id, "enterprise", place, name=f"enterprise-{number}")
        done = Done("register_organisation", self.province, self.at, id, ABLE, after="open")
        books.act(done)
        firm = Firm(id, place, people, two_sign, books.id(), books.id(), tuple(rights))
        books.sheaf.add("account", firm.holding, id, "holding")
        books.sheaf.add("account", firm.escrow, id, "escrow")
        self._permit(firm, code)
        for right in rights:
            act = books.act(Done("open_holding", self.province, self.at, firm.holding, ABLE))
            posting = Posting(ISSUANCE, firm.holding, right.instrument, right.quantity)
            books.post(act, EntryKind.OPENING, self.at, postings=[posting])
        return firm

    def right(self, substance: Substance, city: str) -> UUID:
        """A right of a city's total, entered."""
        id, right = self.books.id(), Right(substance.code, city, Acquisition.PAID, demo=True)
        self.books.sheaf.add(
            "instrument", id, right.code, "right", substance.code, city, right.acquisition.value,
            substance.unit, substance.scale, YES,
        )  # fmt: skip
        return id

    def _organisation(
        self, id: UUID, kind: str, place: Place, name: str, *, code: str, two_sign: bool
    ) -> None:
        county = "" if place.code == place.city else place.code
        category = "industrial" if kind == "enterprise" else None
        self.books.sheaf.add(
            "organisation", id, kind, name, code or None, place.code, place.city, county,
            category, YES if two_sign else NO, "open", SOURCE, YES, self.at, self.at,
        )  # fmt: skip

    def _people(self, id: UUID, kind: str, place: Place, *, name: str) -> tuple[Officer, Officer]:
        first, second = (Officer(kind, self.books.id(), self.books.id(), id) for _ in range(2))
        # Whoever came first was appointed by the province, and there by each other.
        proposed = self.province.person if self.province.person != NIL else second.person
        body = self.province.organisation if self.province.organisation != NIL else id
        for officer, mark in ((first, "a"), (second, "b")):
            subject = f"{name}-{mark}"
            self.books.sheaf.add(
                "person", officer.person, subject, subject, id, side_of(kind), YES, YES, self.at
            )
            acted = array((proposed, self.books.id()))
            self.books.sheaf.add(
                "appointment", officer.appointment, officer.person, side_of(kind), id, kind,
                place.code, YES, YES, self.at, YES, "in_force", proposed, body, acted, YES,
                self.at,
            )  # fmt: skip
        return first, second

    def _permit(self, firm: Firm, code: str) -> None:
        permit, first = self.books.id(), self.at.date()
        county = "" if firm.place.code == firm.place.city else firm.place.code
        self.books.act(
            Done("register_permit", self.province, self.at, permit, ABLE, after="in_force")
        )
        self.books.sheaf.add(
            "permit", permit, f"{code}001P", firm.id, firm.place.city, county, firm.place.city,
            "key", first, date(first.year + 5, 12, 31), "in_force", SOURCE, YES, self.at,
            self.at,
        )  # fmt: skip
        for pollutant in self.traded:
            self.books.sheaf.add(
                "permit_limit", self.books.id(), permit, pollutant, 2 * STOCK_MAX,
                first - timedelta(days=365), SOURCE,
            )  # fmt: skip

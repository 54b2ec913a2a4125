"""The staff of the made-up houses: who they are, and how a day's acts of theirs are carried out."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from random import Random

from maatpak.demo.names import LANDS
from maatpak.demo.world import House
from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.tables import Person
from tasks.desk import Desk, desk
from tasks.engine import Engine

COLLECTORS = ("collector1", "collector2")
MANAGERS = ("manager1", "manager2")
HOURS: dict[str, int] = {"operator": 9, "collector": 10, "account": 11, "manager": 14, "director": 15}
"""When each of them works through the day's list."""
LIMITS: dict[str, int] = {"manager1": 1_000_000_00, "manager2": 250_000_00, "director": 100_000_000_00}
"""Minor units of the house's currency."""


def login(house: House, name: str) -> str:
    """The login of somebody at a house."""
    return f"{house.code.lower()}.{name}"


def staff_of(house: House) -> list[Person]:
    """Everybody who works at a house. Account managers stand in for each other."""
    roles = {
        "operator": Role.OPERATOR,
        **dict.fromkeys(COLLECTORS, Role.COLLECTOR),
        "account1": Role.ACCOUNT_MANAGER,
        "account2": Role.ACCOUNT_MANAGER,
        "account3": Role.ACCOUNT_MANAGER,
        **dict.fromkeys(MANAGERS, Role.CREDIT_MANAGER),
        "director": Role.FINANCE_DIRECTOR,
        "auditor": Role.AUDITOR,
    }
    deputies = {"account1": "account2", "account2": "account3", "account3": "account1"}
    return [
        Person(
            login=login(house, name),
            name=LANDS[house.country].person(Random(f"{house.code}:{name}")),  # noqa: S311 - a made-up name
            role=role,
            approval_limit=LIMITS.get(name, 0),
            limit_currency=house.currency,
            email=f"{name}@{house.email.partition('@')[2]}",
            deputy=login(house, deputies[name]) if name in deputies else None,
            recorded_at=datetime(2020, 1, 1, tzinfo=UTC),
        )
        for name, role in roles.items()
    ]


@dataclass(frozen=True)
class Act:
    """Something that one person does at their desk."""

    who: str
    """Name within the house, such as `collector1`."""
    what: str
    do: Callable[[Desk], object]
    otherwise: Callable[[Desk], object] | None = None
    """What they do instead when the engine refuses."""


@dataclass
class Office:
    """One house's people on one day."""

    engine: Engine
    house: House
    creditor_id: int
    as_of: date
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def perform(self, acts: Iterable[Act]) -> None:
        """Carry out acts, each person's at their hour and in one sitting; what is refused leaves no trace."""
        by_person: dict[str, list[Act]] = {}
        for act in acts:
            by_person.setdefault(act.who, []).append(act)
        for who, theirs in sorted(by_person.items(), key=lambda entry: (_hour(entry[0]), entry[0])):
            now = datetime.combine(self.as_of, time(_hour(who)), UTC)
            with desk(self.engine, self.creditor_id, login(self.house, who), self.as_of, now) as sitting:
                for act in theirs:
                    if not self._try(sitting, act.what, act.do) and act.otherwise is not None:
                        self._try(sitting, f"{act.what}, otherwise", act.otherwise)

    def _try(self, sitting: Desk, what: str, do: Callable[[Desk], object]) -> bool:
        noted = len(sitting.drafts)
        try:
            with sitting.session.begin_nested():
                do(sitting)
        except (RefusedError, UsageError) as error:
            del sitting.drafts[noted:]
            self.refused[f"{what}: {error.message}"] += 1
            return False
        self.done[what] += 1
        return True


def _hour(who: str) -> int:
    return HOURS[who.rstrip("0123456789")]

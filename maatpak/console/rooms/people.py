"""People and access: who may act here, with which role, limit and creditors. Rights take two administrators."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, Field

from maatpak.console.frame.asking import Acting, Asking
from maatpak.console.frame.declared import Act, Choice, Column, Done, Filter, Listing, Room, Shape, Sheet, one_of
from maatpak.console.frame.fields import Amount, Line, NoFields, as_words, named
from maatpak.console.frame.problems import missing
from maatpak.kernel.money import parse_amount
from maatpak.kernel.words import Role
from maatpak.ledger.tables import Person
from tasks.access.credentials import give_password
from tasks.access.deciding import confirm_change, refuse_change
from tasks.access.people import Changed, add_person, change_person
from tasks.access.sessions import end_sessions_of

PATH = "/people"
WHO = (Role.ADMINISTRATOR, Role.AUDITOR)
ADMINISTRATORS = (Role.ADMINISTRATOR,)
SEEN = """COALESCE((SELECT string_agg(c.code, ', ' ORDER BY c.code)
FROM person_creditor s JOIN creditor c ON c.id = s.creditor_id WHERE s.person_id = p.id), 'all')"""
PERSON = f"""
SELECT p.login, p.name, p.role, p.approval_limit, p.limit_currency, p.email, p.deputy, p.active, {SEEN} AS creditors,
  k.locked_until, k.changed_at AS password_since,
  (SELECT count(*) FROM console_session v
   WHERE v.person_id = p.id AND v.ended_at IS NULL AND v.expires_at > :now) AS sessions
FROM person p LEFT JOIN credential k ON k.person_id = p.id WHERE p.login = :login
"""  # noqa: S608 - our own words
REQUESTS = """
SELECT r.id AS change_id, r.changes, r.asked_by, r.asked_at FROM change_request r JOIN person p ON p.id = r.person_id
WHERE p.login = :login AND r.state = 'asked' ORDER BY r.id
"""


@dataclass(frozen=True)
class Asked:
    """A change of rights that waits for a second administrator."""

    change_id: int
    changes: dict[str, Any]
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True)
class PersonSheet:
    """Somebody who acts here."""

    login: str
    name: str
    role: str
    approval_limit: int
    """Minor units of `limit_currency`."""
    limit_currency: str
    email: str | None
    deputy: str | None
    active: bool
    creditors: str
    """Codes of those that they may see, or `all`."""
    locked_until: datetime | None
    password_since: datetime | None
    sessions: int
    """Browsers that are logged in."""
    asked: list[Asked]


class NewPerson(BaseModel):
    """Somebody new."""

    login: Line = Field(min_length=1, max_length=64, description="Letters, digits and . _ @ + -")
    name: Line = Field(min_length=1)
    role: Role
    limit: Amount = Field("0", title="May approve up to", description="As 25000.00; 0 for nothing.")
    currency: Line = Field("EUR", title="Currency of the limit", min_length=3, max_length=3)
    email: Line | None = Field(None, title="E-mail address")
    creditors: list[Line] = Field(default_factory=list, title="May see", description="None chosen: all creditors.")


class Rights(BaseModel):
    """Other rights; what is left empty stays as it is."""

    role: Role | None = None
    limit: Amount | None = Field(None, title="May approve up to", description="As 25000.00.")
    currency: Line = Field("EUR", title="Currency of the limit", min_length=3, max_length=3)
    deputy: Line | None = Field(None, title="Deputy", description="Login of who stands in for them.")
    creditors: list[Line] | None = Field(None, title="May see", description="None chosen: as it is.")


class Standing(BaseModel):
    """Whether somebody may act at all."""

    active: bool = Field(default=False, title="May act here")


def _read(asking: Asking, login: str) -> PersonSheet:
    found = asking.rows(PERSON, login=login, now=asking.now)
    if not found:
        raise missing("person", login)
    return PersonSheet(**found[0], asked=[Asked(**row) for row in asking.rows(REQUESTS, login=login)])


def _creditors(asking: Asking, **ids: str) -> dict[str, list[Choice]]:
    del ids
    rows = asking.rows("SELECT code, name FROM creditor ORDER BY code")
    return {"creditors": [Choice(row["code"], f"{row['name']} ({row['code']})") for row in rows]}


def _add(acting: Acting, form: NewPerson) -> Done:
    currency = form.currency.upper()
    person = Person(
        login=form.login,
        name=form.name,
        role=form.role,
        approval_limit=parse_amount(form.limit, currency),
        limit_currency=currency,
        email=form.email,
        recorded_at=acting.now,
    )
    changed = add_person(acting.engine, person, acting.visitor.login, acting.now, form.creditors)
    return _told(changed, f"{form.login} is entered as {as_words(form.role).lower()}; give them a password.")


def _change(acting: Acting, form: Rights, login: str) -> Done:
    currency = form.currency.upper()
    changed = change_person(
        acting.engine,
        login,
        acting.visitor.login,
        acting.now,
        role=form.role,
        limit=None if form.limit is None else (parse_amount(form.limit, currency), currency),
        deputy=form.deputy,
        creditors=form.creditors or None,  # an empty list would be all of them
    )
    return _told(changed, f"The rights of {login} are others now.")


def _stand(acting: Acting, form: Standing, login: str) -> Done:
    changed = change_person(acting.engine, login, acting.visitor.login, acting.now, active=form.active)
    return _told(changed, f"{login} {'may act here' if form.active else 'may not act here any more'}.")


def _told(changed: Changed, done: str) -> Done:
    login = changed.person.login
    if changed.request is None:
        return Done(done, f"{PATH}/{login}", {"login": login})
    told = f"Asked: another administrator confirms it on the page of {login}."
    return Done(told, f"{PATH}/{login}", {"login": login, "change_id": changed.request.id})


def _password(acting: Acting, form: NoFields, login: str) -> Done:
    del form
    made = give_password(acting.engine, login, acting.visitor.login, acting.now)
    told = f"The password of {login} is {made}: it is shown only now, and they choose another when they come in."
    return Done(told, f"{PATH}/{login}", {"password": made})


def _end(acting: Acting, form: NoFields, login: str) -> Done:
    del form
    count = end_sessions_of(acting.engine, login, acting.visitor.login, acting.now)
    return Done(f"{count} sessions of {login} ended.", f"{PATH}/{login}", {"ended": count})


def _confirm(acting: Acting, form: NoFields, change_id: int) -> Done:
    del form
    confirm_change(acting.engine, change_id, acting.visitor.login, acting.now)
    return Done("The change is made.", None, {"change_id": change_id})


def _refuse(acting: Acting, form: NoFields, change_id: int) -> Done:
    del form
    refuse_change(acting.engine, change_id, acting.visitor.login, acting.now)
    return Done("The change is refused.", None, {"change_id": change_id})


ADD = Act(
    PATH + "/add",
    "Add somebody",
    "They come in with a password that you give them next.",
    NewPerson,
    _add,
    ADMINISTRATORS,
    choices=_creditors,
)
LIST = Listing(
    path=PATH,
    title="People",
    help="Who may act here. What gives rights takes two administrators; every change is an event.",
    source="person p",
    columns=(
        Column("login", "Login", "p.login", link=PATH + "/{login}", sorts=True),
        Column("name", "Name", "p.name", sorts=True),
        Column("role", "Role", "p.role", Shape.CODE, sorts=True),
        Column("approval_limit", "May approve up to", "p.approval_limit", Shape.MONEY, sorts=True),
        Column("currency", "Currency", "p.limit_currency", shown=False),
        Column("creditors", "May see", SEEN),
        Column("deputy", "Deputy", "p.deputy"),
        Column("active", "Active", "p.active", Shape.FLAG),
        Column(
            "waits",
            "Change waits",
            "EXISTS (SELECT FROM change_request r WHERE r.person_id = p.id AND r.state = 'asked')",
            Shape.FLAG,
        ),
    ),
    key="p.id",
    order="login",
    filters=(
        Filter("role", "Role", "p.role = :value", choices=named(Role)),
        one_of(
            "active", "Active", {"yes": ("Active", "p.active"), "no": ("Not active", "NOT p.active")}, default="yes"
        ),
    ),
    search="p.login ILIKE :words OR p.name ILIKE :words",
    searched=lambda words: f"%{words}%",
    roles=WHO,
    acts=(ADD,),
)

PEOPLE = Room(
    name="people",
    title="People",
    path=PATH,
    listings=(LIST,),
    sheets=(
        Sheet(
            PATH + "/{login}",
            "Person",
            "Rights, sessions, and changes that wait.",
            PersonSheet,
            _read,
            "person.html",
            WHO,
        ),
    ),
    acts=(
        ADD,
        Act(
            PATH + "/{login}/rights",
            "Change rights",
            "What gives rights waits for another administrator, if there is one.",
            Rights,
            _change,
            ADMINISTRATORS,
            choices=_creditors,
        ),
        Act(
            PATH + "/{login}/standing",
            "Let act or not",
            "Who may not act any more is logged out at once.",
            Standing,
            _stand,
            ADMINISTRATORS,
        ),
        Act(
            PATH + "/{login}/password",
            "Give a password",
            "Made here and shown once; it must be changed at the first login.",
            NoFields,
            _password,
            ADMINISTRATORS,
            secret=True,
        ),
        Act(PATH + "/{login}/log-out", "Log them out", "All their sessions end.", NoFields, _end, ADMINISTRATORS),
        Act(
            PATH + "/changes/{change_id}/confirm",
            "Confirm",
            "The change that another administrator asked for is made.",
            NoFields,
            _confirm,
            ADMINISTRATORS,
        ),
        Act(
            PATH + "/changes/{change_id}/refuse",
            "Refuse",
            "The change is not made.",
            NoFields,
            _refuse,
            ADMINISTRATORS,
            grave=True,
        ),
    ),
    waiting="SELECT count(*) FROM change_request WHERE state = 'asked' AND asked_by <> :login",
)

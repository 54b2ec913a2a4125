"""What gives rights, or changes what a creditor says of itself, takes two administrators (rule 10)."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.tables import ChangeRequest, Creditor, Person, PersonCreditor
from tasks.access.deciding import change_requests, confirm_change, refuse_change
from tasks.access.people import add_person, change_person, people
from tasks.engine import Engine
from tasks.register import change_creditor
from tests.tasks.access.conftest import NOW, Doors

IBAN, OTHER_IBAN = "NL91ABNA0417164300", "DE89370400440532013000"
Change = Callable[[Engine, str], ChangeRequest | None]


def of(login: str, **rights: Any) -> Change:
    return lambda engine, actor: change_person(engine, login, actor, NOW, **rights).request


def entering(login: str, role: str) -> Change:
    def enter(engine: Engine, actor: str) -> ChangeRequest | None:
        person = Person(login=login, name=login.title(), role=role, recorded_at=NOW)
        return add_person(engine, person, actor, NOW, ["DE01"]).request

    return enter


def saying(**said: str | None) -> Change:
    return lambda engine, actor: change_creditor(engine, "NL01", actor, NOW, said)


CHANGES = {
    "another role": (of("carla", role="credit_manager"), lambda doors: doors.person("carla").role, "credit_manager"),
    "a limit": (of("mo", limit=(9_00, "USD")), lambda doors: doors.person("mo").approval_limit, 9_00),
    "a lower limit": (of("mo", limit=(1, "EUR")), lambda doors: doors.person("mo").approval_limit, 1),
    "creditors": (of("mo", creditors=["DE01"]), lambda doors: seen(doors, "mo"), ["DE01"]),
    "somebody new": (entering("kim", "collector"), lambda doors: doors.person("kim").active, True),
    "an account": (saying(iban=OTHER_IBAN), lambda doors: doors.row(Creditor, code="NL01").iban, OTHER_IBAN),
    "a sender": (saying(name="Beta"), lambda doors: doors.row(Creditor, code="NL01").name, "Beta"),
    "an administrator leaves": (of("ria", active=False), lambda doors: doors.person("ria").active, False),
}


def seen(doors: Doors, login: str) -> list[str]:
    return next(row["creditors"] for row in people(doors.engine) if row["login"] == login)


@pytest.mark.parametrize(("change", "look", "after"), CHANGES.values(), ids=CHANGES)
def test_one_asks_and_another_confirms(doors: Doors, change: Change, look: Callable[[Doors], Any], after: Any) -> None:
    with doors.engine.database.session() as session:
        session.add(Person(login="ria", name="Ria", role=Role.ADMINISTRATOR, recorded_at=NOW))
    request = change(doors.engine, "root")
    assert request is not None
    number = int(request.id or 0)
    assert look(doors) != after
    assert [row["request_id"] for row in change_requests(doors.engine)] == [number]
    for who, refusal in (("root", "asked for this change yourself"), ("carla", "administrator"), ("ghost", "nobody")):
        with pytest.raises(RefusedError, match=refusal):
            confirm_change(doors.engine, number, who, NOW)
    with pytest.raises(RefusedError, match="waits"):
        (saying(city="Gent") if request.creditor_id else of(login_of(doors, request), role="auditor"))(
            doors.engine, "rhea"
        )
    assert look(doors) != after
    confirm_change(doors.engine, number, "rhea", NOW)
    assert look(doors) == after
    kinds = [kind for kind, _, _ in doors.events() if kind != "person_added"]
    assert kinds == ["change_asked", "creditor_changed" if request.creditor_id else "person_changed"]
    _, actor, body = doors.events()[-1]
    assert (actor, body["asked_by"], body["request_id"], "alone" in body) == ("rhea", "root", number, False)
    with pytest.raises(UsageError, match="No change"):
        confirm_change(doors.engine, number, "rhea", NOW)


def login_of(doors: Doors, request: ChangeRequest) -> str:
    person: Person = doors.row(Person, id=request.person_id)
    return person.login


@pytest.mark.parametrize("who", ["root", "rhea"])
def test_what_is_refused_or_taken_back_is_not_made_and_may_be_asked_again(doors: Doors, who: str) -> None:
    request = of("mo", limit=(9_00, "EUR"))(doors.engine, "root")
    assert request is not None
    with pytest.raises(RefusedError):
        refuse_change(doors.engine, int(request.id or 0), "carla", NOW)
    refuse_change(doors.engine, int(request.id or 0), who, NOW)
    assert (doors.person("mo").approval_limit, change_requests(doors.engine)) == (5_000_00, [])
    assert doors.events()[-1][:2] == ("change_refused", who)
    assert of("mo", limit=(9_00, "EUR"))(doors.engine, "root") is not None


@pytest.mark.parametrize(("change", "look", "after"), list(CHANGES.values())[:-1], ids=list(CHANGES)[:-1])
def test_the_only_administrator_makes_a_change_alone_and_the_event_says_so(
    doors: Doors, change: Change, look: Callable[[Doors], Any], after: Any
) -> None:
    doors.set("rhea", active=False)
    assert change(doors.engine, "root") is None
    assert look(doors) == after
    kind, actor, body = doors.events()[-1]
    assert (kind in ("person_added", "person_changed", "creditor_changed"), actor, body["alone"]) == (
        True,
        "root",
        True,
    )


def test_of_two_administrators_neither_confirms_what_concerns_themselves(doors: Doors) -> None:
    assert of("rhea", role="auditor")(doors.engine, "root") is None
    assert (doors.person("rhea").role, doors.events()[-1][2]["alone"]) == ("auditor", True)


def test_whom_a_change_is_about_does_not_confirm_it(doors: Doors) -> None:
    with doors.engine.database.session() as session:
        session.add(Person(login="ria", name="Ria", role=Role.ADMINISTRATOR, recorded_at=NOW))
    request = of("rhea", limit=(5_00, "EUR"))(doors.engine, "root")
    assert request is not None
    with pytest.raises(RefusedError, match="their own rights"):
        confirm_change(doors.engine, int(request.id or 0), "rhea", NOW)


def test_who_is_to_be_stopped_is_stopped_at_once(doors: Doors) -> None:
    assert of("carla", active=False, deputy="mo")(doors.engine, "root") is None
    assert (doors.person("carla").active, doors.person("carla").deputy) == (False, "mo")
    kind, actor, body = doors.events()[-1]
    assert (kind, actor, body["person_id"], body["active"]) == (
        "person_changed",
        "root",
        doors.person("carla").id,
        False,
    )
    assert "alone" not in body
    assert body["deputy_id"] == doors.person("mo").id
    again = of("carla", active=True)(doors.engine, "root")
    assert again is not None
    assert not doors.person("carla").active


def test_who_stands_in_changes_at_once_and_an_event_tells_it_though_the_rest_waits(doors: Doors) -> None:
    assert of("carla", role="credit_manager", deputy="mo")(doors.engine, "root") is not None
    assert (doors.person("carla").role, doors.person("carla").deputy) == ("collector", "mo")
    kinds = {kind: body for kind, _, body in doors.events()}
    assert kinds["person_changed"]["deputy_id"] == doors.person("mo").id
    assert set(kinds) == {"change_asked", "person_changed"}


def test_nobody_changes_or_confirms_a_creditor_that_they_do_not_see(doors: Doors) -> None:
    waiting = saying(iban=OTHER_IBAN)(doors.engine, "root")
    assert waiting is not None
    with doors.engine.database.session() as session:
        other = doors.row(Creditor, code="DE01").id
        session.add(PersonCreditor(person_id=int(doors.person("rhea").id or 0), creditor_id=other))
    for act in (confirm_change, refuse_change):
        with pytest.raises(RefusedError, match="rhea may not see creditor NL01"):
            act(doors.engine, int(waiting.id or 0), "rhea", NOW)
    refuse_change(doors.engine, int(waiting.id or 0), "root", NOW)
    with pytest.raises(RefusedError, match="rhea may not see creditor NL01"):
        saying(iban=OTHER_IBAN)(doors.engine, "rhea")
    assert saying(iban=OTHER_IBAN)(doors.engine, "root") is None, "there is nobody else who could confirm it"
    assert doors.events()[-1][2]["alone"]


@pytest.mark.parametrize(
    ("said", "refusal"),
    [
        pytest.param({"iban": "NL92ABNA0417164300"}, "wrong check number", id="a wrong IBAN"),
        pytest.param({"bic": "ABN"}, "not a BIC", id="a wrong BIC"),
        pytest.param({"email": "nonsense"}, "not an e-mail address", id="a wrong address"),
        pytest.param({"name": " "}, "has a name", id="no name"),
        pytest.param({"currency": "USD"}, "called currency", id="what never changes"),
        pytest.param({}, "Nothing changes", id="nothing"),
    ],
)
def test_what_a_creditor_does_not_say(doors: Doors, said: dict[str, str | None], refusal: str) -> None:
    with pytest.raises(UsageError, match=refusal):
        change_creditor(doors.engine, "NL01", "root", NOW, said)
    with pytest.raises(RefusedError):
        change_creditor(doors.engine, "NL01", "mo", NOW, {"iban": IBAN})
    assert doors.events() == []


def test_events_tell_which_columns_of_a_creditor_changed_and_not_to_what(doors: Doors) -> None:
    saying(iban=OTHER_IBAN, email="new@acme.example", phone="")(doors.engine, "root")
    _, _, body = doors.events()[-1]
    assert body["fields"] == ["email", "iban", "phone"]
    assert "new@acme.example" not in str(body)
    (listed,) = change_requests(doors.engine)
    assert (listed["creditor"], listed["changes"]["phone"]) == ("NL01", None)


def test_the_database_itself_refuses_one_persons_confirmation(doors: Doors) -> None:
    of("mo", role="auditor")(doors.engine, "root")
    with pytest.raises(IntegrityError), doors.engine.database.session() as session:
        session.connection().exec_driver_sql(
            "UPDATE change_request SET state = 'confirmed', decided_by = asked_by, decided_at = now()"
        )

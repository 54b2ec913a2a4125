"""Letting people in, and nobody else; what others may learn of it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.settings import Settings
from maatpak.ledger.tables import Credential, Event
from maatpak.ledger.verify import verify
from tasks.access.credentials import change_password, give_password
from tasks.access.login import judge, let_in, lock_of, log_in, try_password
from tasks.access.passwords import fits, hashed
from tasks.access.sessions import end_sessions_of
from tasks.engine import open_engine
from tests.tasks.access.conftest import NOW, PASSWORD, Doors

MINUTE = timedelta(minutes=1)


def wrong(doors: Doors, login: str, password: str, now: Any = NOW) -> str:
    with pytest.raises(RefusedError) as refused:
        log_in(doors.engine, login, password, now)
    return str(refused.value)


def test_who_gives_the_password_is_let_in(doors: Doors) -> None:
    doors.password_of("carla")
    for spelled in ("carla", "CARLA"):
        token, visitor = log_in(doors.engine, spelled, PASSWORD, NOW)
        assert doors.visitor(token) == visitor
        assert (visitor.login, visitor.must_change_password) == ("carla", False)
    assert doors.events()[-1] == (
        "logged_in",
        "carla",
        {"person_id": doors.person("carla").id, "way": "password"},
    )


def test_all_who_are_not_let_in_get_the_same_words_and_the_same_work(
    doors: Doors, monkeypatch: pytest.MonkeyPatch
) -> None:
    for login in ("carla", "mo", "rhea"):
        doors.password_of(login)
    doors.set("mo", active=False)
    for _ in range(5):
        wrong(doors, "rhea", "not this one, no")
    compared: list[str | None] = []

    def looked(password: str, kept: str | None, memory: int) -> bool:
        compared.append(kept)
        return fits(password, kept, memory)

    monkeypatch.setattr("tasks.access.login.fits", looked)
    before = len(doors.events())
    tries = {
        "a wrong password": ("carla", "not this one, no"),
        "unknown": ("j.jansen@klant.example", PASSWORD),
        "no login at all": ("'; --\0", PASSWORD),
        "inactive": ("mo", PASSWORD),
        "without a password": ("audrey", PASSWORD),
        "locked, and right": ("rhea", PASSWORD),
    }
    said = {name: wrong(doors, *given) for name, given in tries.items()}
    assert len(set(said.values())) == 1, said
    assert len(compared) == len(tries)
    noted = doors.events()[before:]
    assert [(kind, actor) for kind, actor, _ in noted] == [("login_failed", "engine")] * len(tries)
    assert all(set(body) <= {"person_id"} for _, _, body in noted)
    assert "jansen" not in json.dumps(doors.events())
    assert verify(doors.engine.database, doors.engine.anchors.read(), doors.engine.store).whole


@pytest.mark.parametrize(
    ("failures", "minutes"),
    [(5, 15), (6, 30), (7, 60), (8, 120), (11, 960), (12, 1440), (13, 1440), (10_000, 1440)],
)
def test_locks_grow(failures: int, minutes: int) -> None:
    assert lock_of(failures) == minutes * MINUTE


def test_five_wrong_tries_in_a_row_lock_a_login_and_the_next_for_longer(doors: Doors) -> None:
    doors.password_of("carla")
    for _ in range(4):
        wrong(doors, "carla", "not this one, no")
    log_in(doors.engine, "carla", PASSWORD, NOW)
    for _ in range(5):
        wrong(doors, "carla", "not this one, no")
    locks = [body["minutes"] for kind, _, body in doors.events() if kind == "login_locked"]
    assert locks == [15]
    for early in (NOW, NOW + 15 * MINUTE - timedelta(seconds=1)):
        wrong(doors, "carla", PASSWORD, early)
    wrong(doors, "carla", "not this one, no", NOW + 15 * MINUTE)
    assert doors.row(Credential).locked_until == NOW + 45 * MINUTE
    wrong(doors, "carla", PASSWORD, NOW + 44 * MINUTE)
    log_in(doors.engine, "carla", PASSWORD, NOW + 45 * MINUTE)
    assert (doors.row(Credential).failures, doors.row(Credential).locked_until) == (0, None)


def test_tries_of_one_moment_count_one_after_the_other(doors: Doors) -> None:
    """Guesses that were compared before the lock fell are not heard after it, not even the right one."""
    doors.password_of("carla")
    compared = [try_password(doors.engine, "carla", f"guess number {number}") for number in range(5)]
    compared.append(try_password(doors.engine, "carla", PASSWORD))
    assert compared[-1].fits
    with doors.engine.database.session() as session:
        assert [judge(session, each, NOW)[0] for each in compared] == [None] * 6


def test_a_password_that_was_replaced_meanwhile_does_not_count(doors: Doors) -> None:
    doors.password_of("carla")
    compared = try_password(doors.engine, "carla", PASSWORD)
    give_password(doors.engine, "carla", "root", NOW)
    with doors.engine.database.session() as session:
        assert judge(session, compared, NOW)[0] is None


def test_a_password_that_is_given_while_one_is_changed_stands(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever knows the old one does not get back in after an administrator locked them out."""
    doors.password_of("carla")
    given: list[str] = []

    def meanwhile(password: str, memory: int) -> str:
        monkeypatch.undo()
        given.append(give_password(doors.engine, "carla", "root", NOW))
        return hashed(password, memory)

    monkeypatch.setattr("tasks.access.credentials.hashed", meanwhile)
    with pytest.raises(RefusedError, match="changed meanwhile"):
        change_password(doors.engine, "carla", PASSWORD, "other four grey herons", NOW)
    assert log_in(doors.engine, "carla", given[0], NOW)[1].must_change_password


def test_who_is_stopped_while_they_log_in_is_not_let_in(doors: Doors) -> None:
    doors.password_of("carla")
    compared = try_password(doors.engine, "carla", PASSWORD)
    doors.set("carla", active=False)
    with doors.engine.database.session() as session:
        assert judge(session, compared, NOW)[0] is None


def test_a_given_password_is_changed_first_and_ends_locks_and_sessions(doors: Doors) -> None:
    doors.password_of("carla")
    kept, _ = log_in(doors.engine, "carla", PASSWORD, NOW)
    for _ in range(5):
        wrong(doors, "carla", "not this one, no")
    given = give_password(doors.engine, "carla", "root", NOW)
    assert doors.visitor(kept) is None
    wrong(doors, "carla", PASSWORD)
    token, visitor = log_in(doors.engine, "carla", given, NOW)
    other, _ = log_in(doors.engine, "carla", given, NOW)
    assert visitor.must_change_password
    change_password(doors.engine, "carla", given, PASSWORD, NOW, keep=visitor.key)
    went_on = doors.visitor(token)
    assert went_on is not None
    assert not went_on.must_change_password
    assert doors.visitor(other) is None
    assert [kind for kind, actor, _ in doors.events() if actor == "carla"][-1] == "password_changed"
    assert given not in json.dumps(doors.events())


@pytest.mark.parametrize(
    ("old", "new", "refusal", "said"),
    [
        pytest.param("not this one, no", "other four grey herons", RefusedError, "not your password", id="old wrong"),
        pytest.param(PASSWORD, PASSWORD, UsageError, "you have", id="no other"),
        pytest.param(PASSWORD, "short", UsageError, "at least 12", id="too short"),
        pytest.param(PASSWORD, "carla janssen 1", UsageError, "your name", id="the name"),
    ],
)
def test_passwords_that_are_not_changed(doors: Doors, old: str, new: str, refusal: type[Exception], said: str) -> None:
    doors.password_of("carla")
    before = doors.row(Credential).hash
    with pytest.raises(refusal, match=said):
        change_password(doors.engine, "carla", old, new, NOW)
    assert doors.row(Credential).hash == before
    assert doors.row(Credential).failures == (refusal is RefusedError)


@pytest.mark.parametrize(
    ("login", "actor", "password", "refusal", "said"),
    [
        pytest.param("carla", "mo", None, RefusedError, "may not give a password", id="no administrator"),
        pytest.param("carla", "ghost", None, RefusedError, "nobody", id="nobody"),
        pytest.param("ghost", "root", None, UsageError, "no 'ghost'", id="to nobody"),
        pytest.param("carla", "root", "carla", UsageError, "at least 12", id="too short"),
    ],
)
def test_passwords_that_are_not_given(
    doors: Doors, login: str, actor: str, password: str | None, refusal: type[Exception], said: str
) -> None:
    with pytest.raises(refusal, match=said):
        give_password(doors.engine, login, actor, NOW, password)
    assert doors.events() == []


def test_hashes_are_made_anew_when_the_parameters_change(doors: Doors, settings: Settings) -> None:
    doors.password_of("carla")
    stronger = open_engine(settings.model_copy(update={"password_memory": 64}))
    try:
        log_in(stronger, "carla", PASSWORD, NOW)
        assert "m=64," in doors.row(Credential).hash
        log_in(stronger, "carla", PASSWORD, NOW)
    finally:
        stronger.close()


def test_who_was_proved_elsewhere_is_let_in_if_they_may_act(doors: Doors) -> None:
    token, visitor = let_in(doors.engine, "carla", NOW, "oidc")
    assert (doors.visitor(token), visitor.login) == (visitor, "carla")
    assert doors.events()[-1][2]["way"] == "oidc"
    doors.set("carla", active=False)
    for login in ("carla", "ghost"):
        with pytest.raises(RefusedError, match="not known here"):
            let_in(doors.engine, login, NOW, "oidc")


def test_somebody_is_logged_out_everywhere_by_themselves_or_an_administrator(doors: Doors) -> None:
    for actor in ("carla", "root"):
        tokens = [let_in(doors.engine, "carla", NOW, "oidc")[0] for _ in range(2)]
        with pytest.raises(RefusedError):
            end_sessions_of(doors.engine, "carla", "mo", NOW)
        assert end_sessions_of(doors.engine, "carla", actor, NOW) == 2
        assert [doors.visitor(token) for token in tokens] == [None, None]
    with pytest.raises(UsageError):
        end_sessions_of(doors.engine, "ghost", "root", NOW)


def test_no_event_holds_more_than_ids_and_codes(doors: Doors) -> None:
    doors.password_of("carla")
    log_in(doors.engine, "carla", PASSWORD, NOW)
    wrong(doors, "carla", "not this one, no")
    with doors.engine.database.session() as session:
        for event in session.exec(select(Event)):
            assert set(event.body) <= {"person_id", "way", "minutes", "count"}

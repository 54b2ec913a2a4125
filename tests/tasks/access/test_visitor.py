"""Who a visitor is, request by request; how sessions and tokens end."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import event, text

from maatpak.kernel.errors import RefusedError, UsageError
from maatpak.kernel.words import Role
from maatpak.ledger.tables import ApiToken, ConsoleSession
from tasks.access.login import let_in
from tasks.access.people import change_person
from tasks.access.sessions import log_out
from tasks.access.tokens import make_token, revoke_token, tokens
from tasks.access.visitor import Visitor, csrf_mark, visitor_of, visitor_of_token
from tests.tasks.access.conftest import NOW, Doors

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def by_token(doors: Doors, token: str, now: datetime = NOW) -> Visitor | None:
    with doors.engine.database.session() as session:
        return visitor_of_token(session, token, now)


def test_a_visitor_is_read_in_one_query(doors: Doors) -> None:
    token, _ = let_in(doors.engine, "mo", NOW, "oidc")
    statements: list[str] = []
    listener = lambda *given: statements.append(given[2])  # noqa: E731
    event.listen(doors.engine.database.engine, "before_cursor_execute", listener)
    visitor = doors.visitor(token, NOW + timedelta(seconds=59))
    event.remove(doors.engine.database.engine, "before_cursor_execute", listener)
    assert len(statements) == 1
    assert visitor is not None
    assert (visitor.role, visitor.approval_limit, visitor.limit_currency) == (Role.CREDIT_MANAGER, 5_000_00, "EUR")
    assert [(each.code, each.currency, str(each.business_date)) for each in visitor.creditors] == [
        ("DE01", "EUR", "2026-03-02"),
        ("NL01", "EUR", "2026-03-02"),
    ]
    assert visitor.creditor_ids == (2, 1)


@pytest.mark.parametrize(
    ("used_after", "there"),
    [
        pytest.param([], True, id="at once"),
        pytest.param([29 * MINUTE], True, id="within the half hour"),
        pytest.param([30 * MINUTE], False, id="idle for half an hour"),
        pytest.param([29 * MINUTE * count for count in range(1, 5)], True, id="used again and again"),
        pytest.param([25 * MINUTE * count for count in range(1, 29)], True, id="until shortly before twelve hours"),
        pytest.param([25 * MINUTE * count for count in range(1, 29)] + [12 * HOUR], False, id="for twelve hours"),
    ],
)
def test_sessions_end(doors: Doors, used_after: list[timedelta], there: bool) -> None:
    token, visitor = let_in(doors.engine, "carla", NOW, "oidc")
    found: Visitor | None = visitor
    for after in used_after:
        found = doors.visitor(token, NOW + after)
    assert (found is not None) == there


def test_that_a_session_is_seen_is_written_once_a_minute(doors: Doors) -> None:
    token, _ = let_in(doors.engine, "carla", NOW, "oidc")
    seen = []
    for seconds in (59, 60, 119, 120):
        doors.visitor(token, NOW + timedelta(seconds=seconds))
        seen.append((doors.row(ConsoleSession).seen_at - NOW).seconds)
    assert seen == [0, 60, 60, 120]


def test_requests_of_one_visitor_do_not_wait_for_each_other(doors: Doors) -> None:
    token, _ = let_in(doors.engine, "carla", NOW, "oidc")
    later = NOW + 2 * MINUTE
    with doors.engine.database.session() as first, doors.engine.database.session() as second:
        second.connection().execute(text("SET LOCAL lock_timeout = '1ms'"))
        assert visitor_of(first, token, later, 30)
        assert visitor_of(second, token, later, 30)


def test_log_out_ends_a_session_once(doors: Doors) -> None:
    token, visitor = let_in(doors.engine, "carla", NOW, "oidc")
    other, _ = let_in(doors.engine, "carla", NOW, "oidc")
    for _ in range(2):
        log_out(doors.engine, visitor, NOW)
    assert doors.visitor(token) is None
    assert doors.visitor(other) is not None
    assert [kind for kind, _, _ in doors.events()].count("logged_out") == 1


def test_sessions_that_are_long_over_go_with_the_next_login(doors: Doors) -> None:
    let_in(doors.engine, "carla", NOW, "oidc")
    let_in(doors.engine, "mo", NOW, "oidc")
    token, _ = let_in(doors.engine, "carla", NOW + timedelta(days=2), "oidc")
    assert doors.row(ConsoleSession, person_id=doors.person("carla").id).created_at == NOW + timedelta(days=2)
    assert doors.row(ConsoleSession, person_id=doors.person("mo").id).created_at == NOW
    assert doors.visitor(token, NOW + timedelta(days=2)) is not None


def test_what_changes_of_a_person_counts_with_the_next_request(doors: Doors) -> None:
    token, visitor = let_in(doors.engine, "carla", NOW, "oidc")
    mark, _ = make_token(doors.engine, "carla", "report", "write", NOW)
    assert visitor.may_write
    doors.set("carla", role=Role.AUDITOR, approval_limit=7)
    for found in (doors.visitor(token), by_token(doors, mark)):
        assert found is not None
        assert (found.role, found.approval_limit, found.may_write) == (Role.AUDITOR, 7, True)
    change_person(doors.engine, "carla", "root", NOW, active=False)
    assert (doors.visitor(token), by_token(doors, mark)) == (None, None)
    doors.set("carla", active=True)
    assert (doors.visitor(token), by_token(doors, mark)) == (None, None)


def test_tokens_are_of_one_kind_only(doors: Doors) -> None:
    token, _ = let_in(doors.engine, "carla", NOW, "oidc")
    mark, row = make_token(doors.engine, "carla", "report", "read", NOW)
    assert mark.startswith("mpk_")
    assert mark not in row.token_hash
    assert (doors.visitor(mark), by_token(doors, token)) == (None, None)
    for odd in ("", "mpk_", "mpk_\0", "\ud800", mark + "x", mark[:-1]):
        assert (doors.visitor(odd), by_token(doors, odd)) == (None, None)


@pytest.mark.parametrize(
    ("scope", "days", "after", "writes"),
    [
        pytest.param("read", 90, timedelta(days=89), False, id="for reading"),
        pytest.param("write", 90, timedelta(days=89), True, id="for acts"),
        pytest.param("write", 1, timedelta(days=1), None, id="expired"),
    ],
)
def test_tokens_do_what_they_were_made_for(
    doors: Doors, scope: str, days: int, after: timedelta, writes: bool | None
) -> None:
    mark, _ = make_token(doors.engine, "carla", "report", scope, NOW, days)  # type: ignore[arg-type]
    found = by_token(doors, mark, NOW + after)
    assert (None if found is None else found.may_write) == writes
    assert doors.row(ApiToken).last_used_on == (None if found is None else (NOW + after).date())


@pytest.mark.parametrize(
    ("actor", "revoked"),
    [
        pytest.param("carla", True, id="its person"),
        pytest.param("root", True, id="an administrator"),
        pytest.param("mo", False, id="somebody else"),
    ],
)
def test_who_revokes_a_token(doors: Doors, actor: str, revoked: bool) -> None:
    mark, row = make_token(doors.engine, "carla", "report", "read", NOW)
    number = int(row.id or 0)
    if revoked:
        for _ in range(2):
            revoke_token(doors.engine, number, actor, NOW)
        make_token(doors.engine, "carla", "report", "read", NOW)
    else:
        with pytest.raises(UsageError, match="no token"):
            revoke_token(doors.engine, number, actor, NOW)
    assert (by_token(doors, mark) is None) == revoked
    assert [kind for kind, _, _ in doors.events()].count("token_revoked") == revoked


@pytest.mark.parametrize(
    ("actor", "name", "scope", "days", "refusal"),
    [
        pytest.param("carla", "report", "read", 90, UsageError, id="a name that is taken"),
        pytest.param("carla", " ", "read", 90, UsageError, id="no name"),
        pytest.param("carla", "other", "read", 0, UsageError, id="no days"),
        pytest.param("carla", "other", "read", 367, UsageError, id="too many days"),
        pytest.param("audrey", "other", "write", 90, RefusedError, id="an auditor's for acts"),
        pytest.param("ghost", "other", "read", 90, RefusedError, id="nobody's"),
    ],
)
def test_tokens_that_are_not_made(
    doors: Doors, actor: str, name: str, scope: str, days: int, refusal: type[Exception]
) -> None:
    make_token(doors.engine, "carla", "report", "read", NOW)
    with pytest.raises(refusal):
        make_token(doors.engine, actor, name, scope, NOW, days)  # type: ignore[arg-type]
    (listed,) = tokens(doors.engine)
    assert (listed["login"], listed["name"], listed["scope"]) == ("carla", "report", "read")
    assert not any("hash" in name for name in listed)
    assert tokens(doors.engine, "mo") == []


def test_the_mark_of_forms_is_of_one_session_and_one_key(doors: Doors) -> None:
    one, other = (let_in(doors.engine, "carla", NOW, "oidc")[1] for _ in range(2))
    marks = {csrf_mark("key", one), csrf_mark("key", other), csrf_mark("other key", one)}
    assert len(marks) == 3
    assert csrf_mark("key", one) in marks

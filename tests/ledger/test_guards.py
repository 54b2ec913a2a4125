"""History stays what it was and states move only as they may, whoever writes (law 10)."""

from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session

from maatpak.kernel.words import ACTION_TRANSITIONS, MESSAGE_TRANSITIONS, ActionState, MessageState
from maatpak.ledger import guards
from maatpak.ledger.database import Database
from maatpak.ledger.tables import metadata
from tests.ledger.world import small_world


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session over a small world."""
    with database.session() as session:
        small_world(session)
        yield session


def run(session: Session, statement: str) -> None:
    with session.begin_nested():
        session.connection().exec_driver_sql(statement)


def refused(session: Session, statement: str) -> str:
    with pytest.raises(IntegrityError) as caught:
        run(session, statement)
    return str(caught.value.orig)


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_nothing_is_truncated(session: Session, table: str) -> None:
    assert "keeps its history" in refused(session, f'TRUNCATE "{table}" CASCADE')


@pytest.mark.parametrize("table", ["action", "message", "debtor_profile", "touch", "case", "round", "creditor"])
def test_nothing_is_removed(session: Session, table: str) -> None:
    assert f"DELETE on {table} refused" in refused(session, f'DELETE FROM "{table}"')


def test_a_claimed_day_is_given_back(session: Session) -> None:
    run(session, "DELETE FROM contact_slot")


def test_append_only_rows_are_written_once(session: Session) -> None:
    assert "written once" in refused(session, "UPDATE touch SET rating = 1")
    assert "written once" in refused(session, "UPDATE policy_pack SET note = 'x'")
    run(session, "UPDATE touch SET party_id = party_id")  # two parties may turn out to be one


def test_every_append_only_table_exists_and_is_guarded(session: Session) -> None:
    assert set(guards.APPEND_ONLY) <= set(metadata.tables)
    guarded = session.connection().execute(
        text("SELECT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE tgname = 'keep_update'")
    )
    assert set(guards.APPEND_ONLY) <= {row[0] for row in guarded}


@pytest.mark.parametrize(
    "change",
    [
        "name = 'B'",
        "name = 'B', replaced_from = DATE '2024-03-02', replaced_at = now()",
        "replaced_at = now()",
        "replaced_from = DATE '2024-03-02'",
        "recorded_at = now()",
    ],
)
def test_a_version_is_never_rewritten(session: Session, change: str) -> None:
    assert "only stamped as replaced" in refused(session, f"UPDATE debtor_profile SET {change}")


def test_a_version_is_stamped_once(session: Session) -> None:
    stamp = "UPDATE debtor_profile SET replaced_from = DATE '2024-03-02', replaced_at = now()"
    run(session, stamp)
    assert "only stamped as replaced, once" in refused(session, stamp)


@pytest.mark.parametrize("column", ["step = 'x'", "segment = 'x'", "case_id = case_id + 1", "proposed_at = now()"])
def test_what_an_action_is_never_changes(session: Session, column: str) -> None:
    assert "only the state of a row changes" in refused(session, f"UPDATE action SET {column}")


def test_what_a_message_says_never_changes(session: Session) -> None:
    assert "only the state of a row changes" in refused(session, "UPDATE message SET content = 'x'")
    run(session, "UPDATE message SET leased_by = 'me', tries = 1")


def force(session: Session, table: str, state: str) -> None:
    for order in ("DISABLE", "ENABLE"):
        session.connection().exec_driver_sql(f"ALTER TABLE {table} {order} TRIGGER keep_state")
        if order == "DISABLE":
            extra = (
                "executed_on = DATE '2024-03-01', reason = 'paid'"
                if table == "action"
                else "sent_on = DATE '2024-03-01', failure = 'x'"
            )
            session.connection().exec_driver_sql(f"UPDATE {table} SET state = '{state}', {extra}")


def test_actions_move_only_as_they_may(session: Session) -> None:
    for old in ActionState:
        for new in set(ActionState) - {old}:
            force(session, "action", old)
            statement = f"UPDATE action SET state = '{new}'"
            if new in ACTION_TRANSITIONS[old]:
                run(session, statement)
            else:
                assert f"{old} may not become {new}" in refused(session, statement)


def test_messages_move_only_as_they_may(session: Session) -> None:
    for old in MessageState:
        for new in set(MessageState) - {old}:
            force(session, "message", old)
            statement = f"UPDATE message SET state = '{new}'"
            if new in MESSAGE_TRANSITIONS[old]:
                run(session, statement)
            else:
                assert f"{old} may not become {new}" in refused(session, statement)


def test_a_round_closes_once(session: Session) -> None:
    close = "UPDATE round SET closed_on = DATE '2024-04-01', closed_at = now()"
    run(session, close)
    for again in (close, "UPDATE round SET closed_on = NULL, closed_at = NULL"):
        assert "a round closes once" in refused(session, again)


def test_the_head_only_moves_on(session: Session) -> None:
    run(session, "UPDATE event_head SET seq = 5, hash = 'x'")
    assert "the chain only grows" in refused(session, "UPDATE event_head SET seq = 4")

"""Publishing a pack that replaces one takes two people, and is one act: all of it, or nothing."""

from datetime import date

import pytest
from sqlmodel import select

from maatpak.kernel.errors import PolicyError, RefusedError
from maatpak.ledger.packs import publish_pack
from maatpak.ledger.tables import (
    Action,
    Creditor,
    CreditorPack,
    Event,
    PackDraft,
    PolicyPack,
    RoundCourse,
    Wake,
)
from maatpak.ledger.versions import succeed
from policies.pack import standard_pack_files
from tasks.drafts import confirm_pack, submit_pack
from tasks.four_eyes import objections
from tasks.publishing import publish
from tasks.version_move import move_running
from tests.tasks.act.house import House, at, build_house


def standard_changed() -> dict[str, str]:
    named = standard_pack_files()
    return {**named, "guardrails.yaml": named["guardrails.yaml"].replace("tolerance: 500", "tolerance: 600")}


def softer() -> dict[str, str]:
    """Every journey waits a day longer for its tail."""
    named = standard_pack_files()
    return {
        name: text.replace("after: [final_demand], wait: 5", "after: [final_demand], wait: 6")
        for name, text in named.items()
    }


def files(needs: str) -> dict[str, str]:
    named = standard_pack_files()
    return {**named, "pack.yaml": named["pack.yaml"] + f"\nneeds: [{needs}]\n"}


def test_a_refusal_of_one_creditor_leaves_all_as_they_were(house: House) -> None:
    other = build_house(house.engine, house.day, code="OTHER")
    house.debtor("C9", customer_since=date(2020, 1, 1))
    draft = submit_pack(house.engine, files("customer_since"), "new", "mo", at(house.day), ["ACME"])
    both = submit_pack(house.engine, standard_changed(), "new", "mo", at(house.day), ["ACME", "OTHER"])
    other.debtor("D1")
    before = [house.all_rows(PolicyPack), house.all_rows(CreditorPack), house.rows_of(Event)]
    with house.engine.database.session() as session:
        # OTHER got another pack meanwhile, from the same hands as ever.
        pack = publish_pack(session, "standard", files("customer_since"), "x", "ada", house.day, at(house.day))
        present = session.exec(select(CreditorPack).where(CreditorPack.creditor_id == other.creditor_id)).one()
        succeed(session, present, house.day, at(house.day), pack_id=pack.id)
    before = [house.all_rows(PolicyPack), house.all_rows(CreditorPack), house.rows_of(Event)]
    with pytest.raises(RefusedError, match="OTHER has another pack than when draft"):
        confirm_pack(house.engine, int(both.id or 0), "mia", "fine", at(house.day))
    assert [house.all_rows(PolicyPack), house.all_rows(CreditorPack), house.rows_of(Event)] == before
    made = confirm_pack(house.engine, int(draft.id or 0), "frans", "fine", at(house.day)).published
    assert (made.is_new, house.row(CreditorPack, creditor_id=house.creditor_id).pack_id) == (False, made.pack_id)
    with pytest.raises(RefusedError, match=f"Draft {draft.id} is published"):
        confirm_pack(house.engine, int(draft.id or 0), "mia", "again", at(house.day))
    again = publish(house.engine, files("customer_since"), "new", "mo", at(house.day), ["ACME"])
    assert (again.is_new, again.pack_id) == (False, made.pack_id)


def test_a_creditor_without_a_pack_gets_its_first_from_one_person(house: House) -> None:
    with house.engine.database.session() as session:
        row = session.get_one(Creditor, house.creditor_id)
        session.add(Creditor(**{**row.model_dump(exclude={"id", "looked_at"}), "code": "NEW", "business_date": None}))
    made = publish(house.engine, files("customer_since"), "first", "mo", at(house.day), ["NEW"])
    assert house.row(CreditorPack, pack_id=made.pack_id).actor == "mo"
    with pytest.raises(RefusedError, match="NEW has a pack, which one person does not replace"):
        publish(house.engine, standard_pack_files(), "another", "mo", at(house.day), ["NEW"])


@pytest.mark.parametrize(
    ("who", "said"),
    [("mo", "does not publish it"), ("carla", "may not publish"), ("ada", "may not publish"), ("ghost", "nobody who")],
)
def test_who_may_not_confirm(house: House, who: str, said: str) -> None:
    draft = submit_pack(house.engine, standard_changed(), "new", "mo", at(house.day), ["ACME"])
    with pytest.raises(RefusedError, match=said):
        confirm_pack(house.engine, int(draft.id or 0), who, "fine", at(house.day))
    assert house.row(PackDraft).state == "submitted"


def test_a_draft_that_compiles_no_more_is_not_published(house: House) -> None:
    draft = submit_pack(house.engine, standard_changed(), "new", "ada", at(house.day), ["ACME"])
    broken = {**standard_changed(), "guardrails.yaml": "tolerance: much"}
    with house.engine.database.session() as session:
        kept = draft.model_dump(exclude={"id", "files"})
        session.add(other := PackDraft(**kept, files=broken))
        session.flush()
        number = int(other.id or 0)
    with pytest.raises(PolicyError):
        confirm_pack(house.engine, number, "mia", "fine", at(house.day))
    assert house.count(PolicyPack) == 1


@pytest.mark.stage("demanding")
@pytest.mark.parametrize("move", [False, True])
def test_neither_hand_approves_what_follows(house: House, demand: Action, move: bool) -> None:
    draft = submit_pack(house.engine, softer(), "one more", "mo", at(house.day), ["ACME"], move_running=move)
    done = confirm_pack(house.engine, int(draft.id or 0), "mia", "fine", at(house.day))
    assert house.row(Action, id=demand.id).state == ("cancelled" if move else "awaiting_approval")
    course = house.row(RoundCourse)
    assert course.pack_id == (done.published.pack_id if move else demand.pack_id)
    if not move:
        return
    assert (course.actor, course.by_hand, course.entry_stage, course.entered_on) == ("mia", False, "solve", house.day)
    assert [(event.actor, event.body["rounds"]) for event in house.rows_of_events("rounds_moved")] == [("mia", 1)]
    assert [wake.cause for wake in house.rows(Wake)] == ["policy_given", "rounds_moved"]
    with house.engine.database.session() as session:
        later = Action(**{**demand.model_dump(exclude={"id"}), "pack_id": done.published.pack_id, "attempt": 9})
        session.add(later)
        session.flush()
        number = int(later.id or 0)
    for who, act in (("mo", "published the pack"), ("mia", "gave the creditor the pack"), ("frans", None)):
        with house.desk(who) as desk:
            against = objections(desk.session, desk.person, [number], desk.as_of).get(number)
        assert (against and act in against.told) if act else against is None
    again = move_running(house.engine, house.creditor_id, "mia", "again", house.day, at(house.day))
    assert (again.rounds, again.content_hash) == (0, None)


@pytest.mark.stage("demanding")
def test_a_journey_that_comes_to_threaten_is_entered_by_hand_only(house: House) -> None:
    segment = house.row(RoundCourse).segment
    key = standard_pack_files()["journeys/key.yaml"].replace("journey: key", f"journey: {segment}")
    quiet = {**standard_pack_files(), f"journeys/{segment}.yaml": key}
    for files_, moved, kept in ((quiet, 1, 0), (standard_changed(), 0, 1)):
        draft = submit_pack(house.engine, files_, "other", "ada", at(house.day), ["ACME"], move_running=True)
        done = confirm_pack(house.engine, int(draft.id or 0), "mia", "fine", at(house.day)).moved["ACME"]
        assert (done.rounds, done.kept) == (moved, kept)

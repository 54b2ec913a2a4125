"""Law 9. Whoever had a hand in the round, lacks the role or the limit, or saw something else, does not approve."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import Action, Approval, Case, Person
from policies.reach import Learned
from tasks.approvals import approve
from tasks.preferences import mark_address
from tests.laws.examples import house_at, played
from tests.tasks.act.house import STAFF
from tests.tasks.act.stages import Stages

TALKERS = ["carla", "anna", "mo", "mia", "max", "frans"]


@played
@given(st.sets(st.sampled_from(TALKERS)), st.permutations(sorted(STAFF)))
def test_a_yes_counts_only_from_somebody_who_may(stages: Stages, hands: set[str], order: list[str]) -> None:
    with house_at(stages, "demanding") as house:
        demand = house.row(Action, step="final_demand")
        case_id = int(house.row(Case).id)
        for who in sorted(hands):
            with house.desk(who) as desk:
                # An address that no message goes to: what was approved stays as it was shown.
                mark_address(desk, desk.case(case_id), "email", f"{who}@old.example", Learned.GONE, "it came back")
        people = {person.login: person for person in house.rows(Person)}
        may = {
            login
            for login, person in people.items()
            if person.role in ("credit_manager", "finance_director")
            and person.approval_limit >= demand.amount
            and login not in hands
        }
        for who in order:
            if house.row(Action, id=demand.id).state != "awaiting_approval":
                break
            if who in may:
                with house.desk(who) as desk:
                    approve(desk, [demand.id], "looked at it")
            else:
                with house.desk(who) as desk, pytest.raises(RefusedError):
                    approve(desk, [demand.id], "looked at it")
        given_by = {word.actor for word in house.rows(Approval)}
        assert given_by <= may
        assert (house.row(Action, id=demand.id).state == "approved") == bool(may)

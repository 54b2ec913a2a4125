"""Publishing a pack and giving it to creditors is one act: all of it, or nothing."""

from datetime import date

import pytest

from maatpak.kernel.errors import RefusedError
from maatpak.ledger.tables import CreditorPack, Event, PolicyPack
from policies.pack import standard_pack_files
from tasks.publishing import publish
from tests.tasks.act.house import House, at, build_house


def files(needs: str) -> dict[str, str]:
    named = standard_pack_files()
    return {**named, "pack.yaml": named["pack.yaml"] + f"\nneeds: [{needs}]\n"}


def test_a_refusal_of_one_creditor_leaves_all_as_they_were(house: House) -> None:
    build_house(house.engine, house.day, code="OTHER")
    house.debtor("C9", customer_since=date(2020, 1, 1))
    before = [house.all_rows(PolicyPack), house.all_rows(CreditorPack), house.rows_of(Event)]
    with pytest.raises(RefusedError, match="The ledger of OTHER has no customer_since"):
        publish(house.engine, files("customer_since"), "new", "mo", at(house.day), ["ACME", "OTHER"])
    assert [house.all_rows(PolicyPack), house.all_rows(CreditorPack), house.rows_of(Event)] == before
    made = publish(house.engine, files("customer_since"), "new", "mo", at(house.day), ["ACME"])
    assert (made.is_new, house.row(CreditorPack, creditor_id=house.creditor_id).pack_id) == (True, made.pack_id)
    again = publish(house.engine, files("customer_since"), "new", "mo", at(house.day), ["ACME"])
    assert (again.is_new, again.pack_id) == (False, made.pack_id)

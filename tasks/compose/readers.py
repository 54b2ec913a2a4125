"""Who reads the messages of a customer: the account itself or who pays for it, by the ways that may be used."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from maatpak.kernel.reasons import SwitchReason
from maatpak.kernel.words import Channel
from policies.guardrails import Texts
from policies.journey import Step
from policies.render import Templates
from tasks.compose.reading import Material, Row
from tasks.compose.recipients import Customer, Hindrance, customer_of, marks_for, phone_known, unknown_profile


class Readers:
    """The readers of one creditor's messages."""

    def __init__(self, material: Material, creditor: Row, texts: Texts) -> None:
        self._material = material
        self._creditor = creditor
        self._texts = texts

    def known(self, group: Sequence[Row]) -> dict[str, Any]:
        """What conditions of the steps to come may ask of a customer."""
        material, debtor_id = self._material, group[0]["debtor_id"]
        profile = material.profiles.get(debtor_id)
        consult = material.consults.get(group[0]["round_id"])
        payer_id = self._payer(debtor_id)
        payer = material.profiles.get(payer_id)
        return {
            "party_kind": profile and profile["kind"],
            "asked_amount": sum(row["amount"] for row in group),
            "consult_answer": consult and consult["result"],
            "phone_known": bool(
                payer and phone_known(payer, material.contacts.get(payer_id, ()), self._told(payer_id, debtor_id))
            ),
        }

    def _payer(self, debtor_id: int) -> int:
        """The account that pays for this one, if it is known; else itself."""
        payer_id: int = self._material.payers.get(debtor_id, debtor_id)
        return payer_id if payer_id in self._material.profiles else debtor_id

    def _told(self, reader_id: int, debtor_id: int) -> list[Row]:
        """What is known of the addresses of who is written to."""
        own = self._material.addresses.get(debtor_id, [])
        if reader_id == debtor_id:
            return own
        return marks_for(
            own, self._material.addresses.get(reader_id, ()), self._material.profiles[reader_id]["country"]
        )

    def customer(self, templates: Templates, step: Step, group: Sequence[Row]) -> tuple[Customer, Row]:
        """Who is written to, and what the master data says of who owes: the payer hears of it, but a threat is for the
        legal entity itself (rule 22)."""
        material, debtor_id = self._material, group[0]["debtor_id"]
        owing = material.profiles.get(debtor_id) or unknown_profile(group[0], self._creditor)
        reader_id: int = debtor_id if step.escalating else self._payer(debtor_id)
        role = templates.about(str(group[0]["template"]), str(step.tone)).to
        customer = customer_of(
            group[0]["debtor_no"],
            material.profiles.get(reader_id, owing),
            material.contacts.get(reader_id, ()),
            self._told(reader_id, debtor_id),
            material.preferences.get(reader_id, {}),
            role,
            self._creditor["country"],
            self._creditor["language"],
        )
        return self._texted_on_a_ground(customer, {debtor_id, reader_id}), owing

    def _texted_on_a_ground(self, customer: Customer, debtors: set[int]) -> Customer:
        """Without the way by text, where the customer would have to agree to it and did not: another way is taken."""
        if not self._texts.need_consent(customer.kind, customer.country):
            return customer
        agreed = {row["number"] for each in debtors for row in self._material.consents.get(each, ())}
        kept = tuple(each for each in customer.reaches if each.channel is not Channel.SMS or each.address in agreed)
        if kept == customer.reaches:
            return customer
        hindered = {**customer.hindered, Channel.SMS: Hindrance(SwitchReason.NO_CONSENT)}
        return replace(customer, reaches=kept, hindered=hindered)

"""Where the customer can be reached, and what happened in the round."""

from datetime import date, timedelta

from maatpak.ledger.tables import (
    AddressState,
    Answer,
    ContactPerson,
    DebtorProfile,
    Evidence,
    Plan,
    Preference,
    Promise,
)
from tests.tasks.facts.calendar_oracle import add
from tests.tasks.facts.oracle.talk import Talk
from tests.tasks.facts.oracle.view import Row, best, digits


def plain(text: str) -> str:
    """An address however it is spaced."""
    return "".join(text.lower().replace(",", " ").split())


def posted(profile: DebtorProfile | None, marks: list[AddressState]) -> str:
    """The state of a postal address, from what is known of addresses that hold its street and postcode."""
    if profile is None or not profile.street or not profile.city:
        return "dead"
    known = {
        m.address: m.state
        for m in marks
        if m.channel == "post"
        and plain(profile.street) in plain(m.address)
        and plain(profile.postal_code or "") in plain(m.address)
    }
    return best(list(known.values()) or ["unproven"])


class Reach(Talk):
    """Addresses and reactions of a case."""

    def reach_facts(self) -> Row:
        oracle, own = self.oracle, self.row.debtor_id
        payer = oracle.payer(own)
        profile = next((p for p in oracle.seen(DebtorProfile) if p.debtor_id == payer), None)
        contacts = [c for c in oracle.seen(ContactPerson) if c.debtor_id == payer]
        wishes = {w.name: w.value for w in oracle.seen(Preference) if w.debtor_id == payer}
        own_wishes = {w.name: w.value for w in oracle.seen(Preference) if w.debtor_id == own}
        emails = {c.email.lower() for c in [profile, *contacts] if c and c.email}
        phones = {digits(c.phone) for c in [profile, *contacts] if c and c.phone}
        marks = [m for m in oracle.seen(AddressState) if m.debtor_id == payer]
        own_marks = [m for m in oracle.seen(AddressState) if m.debtor_id == own]
        # What is known of an address from this account's own messages weighs more than what others' told.
        told = {
            (m.channel, digits(m.address) if m.channel == "phone" else m.address.lower()): m.state
            for m in (*marks, *own_marks)
        }
        email = best([told.get(("email", address), "unproven") for address in emails])
        phone = best([told.get(("phone", address), "unproven") for address in phones])
        letter = posted(profile, [*marks, *own_marks])
        own_letter = posted(self.profile, own_marks)
        role = wishes.get("contact_role", "payables")
        speakers = sorted((c for c in contacts if c.language), key=lambda c: (c.role != role, c.role, c.name))
        language = profile.language if profile else self.oracle.creditor.language
        if speakers:
            language = speakers[0].language
        closed = ("dead", "opted_out")
        day = own_wishes.get("statement_day")
        return {
            "language": wishes.get("language", language),
            "preferred_channel": wishes.get("channel", profile.preferred_channel if profile else "email"),
            "email_state": email,
            "phone_state": phone,
            "email_known": email not in closed,
            "phone_known": phone not in closed,
            "post_known": letter not in closed,
            "own_post_known": own_letter not in closed,
            "statement_on": add(self.as_of.replace(day=int(day)), 0, self.country) if day else None,
        }

    def reaction_facts(self) -> Row:
        oracle = self.oracle
        messages = [
            m
            for a in self.actions()
            for m in self.messages_of(a)
            if a.state == "executed"
            and not a.escalating
            and (self.in_open_round(a) or (a.round_id is None and a.business_date > self.as_of - timedelta(days=400)))
            and m.state == "sent"
            and m.sent_on
            and m.sent_on <= self.as_of
            and (m.sent_at is None or m.sent_at <= oracle.known_at)
        ]
        ids = {m.id for m in messages}
        bounced = [
            e.observed_on
            for e in oracle.recorded(Evidence, "observed_on")
            if e.message_id in ids and e.kind in ("bounced", "returned")
        ]
        answers = [a.received_on for a in self.of_debtor(oracle.seen(Answer)) if a.case_id in (None, self.row.id)]
        received = self.received()
        happened: dict[str, list[date | None]] = {
            "paid": [day for day, _, whole in received if whole],
            "part_paid": [day for day, _, whole in received if not whole],
            "promise_broken": [p.valid_from for p in self.mine(oracle.seen(Promise)) if p.state == "broken"],
            "bounced": list(bounced),
            "answered": list(answers),
            "plan_breached": [p.breached_on for p in self.mine(oracle.seen(Plan)) if p.offered_on <= self.as_of],
            "agreed": [
                *(p.made_on for p in self.mine(oracle.seen(Promise)) if p.state == "open"),
                *(
                    p.accepted_on
                    for p in self.mine(oracle.seen(Plan))
                    if p.state == "active" and p.offered_on <= self.as_of
                ),
            ],
        }
        last = {
            f"{name}_on": max((day for day in days if day and self.in_round(day)), default=None)
            for name, days in happened.items()
        }
        returns = self.answered_returns()
        day, _, cause = returns[-1] if returns else (None, 0, "none")
        part_paid_on = last["part_paid_on"]
        half = part_paid_on is not None and self.at_least_half(part_paid_on)
        return {**last, "part_paid_half": half, "debit_returned_on": day, "debit_return_cause": cause}

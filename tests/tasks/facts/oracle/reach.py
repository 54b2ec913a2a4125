"""Where the customer can be reached, and what happened in the round."""

from datetime import date, timedelta

from maatpak.ledger.tables import (
    AddressState,
    Answer,
    ContactPerson,
    Evidence,
    Plan,
    Preference,
    Promise,
)
from tests.tasks.facts.calendar_oracle import add
from tests.tasks.facts.oracle.talk import Talk
from tests.tasks.facts.oracle.view import Row, best, digits


class Reach(Talk):
    """Addresses and reactions of a case."""

    def reach_facts(self) -> Row:
        profile = self.profile
        contacts = self.of_debtor(self.oracle.seen(ContactPerson))
        wishes = {w.name: w.value for w in self.of_debtor(self.oracle.seen(Preference))}
        emails = {c.email.lower() for c in [profile, *contacts] if c and c.email}
        phones = {digits(c.phone) for c in [profile, *contacts] if c and c.phone}
        marks = self.of_debtor(self.oracle.seen(AddressState))
        post = bool(profile and profile.street and profile.city)
        told = {(m.channel, digits(m.address) if m.channel == "phone" else m.address.lower()): m.state for m in marks}
        letters = [
            m.state
            for m in marks
            if m.channel == "post"
            and profile
            and profile.street
            and profile.street in m.address
            and (profile.postal_code or "") in m.address
        ]
        email = best([told.get(("email", address), "unproven") for address in emails])
        phone = best([told.get(("phone", address), "unproven") for address in phones])
        letter = best(letters or ["unproven"]) if post else "dead"
        role = wishes.get("contact_role", "payables")
        speakers = sorted((c for c in contacts if c.language), key=lambda c: (c.role != role, c.role, c.name))
        language = profile.language if profile else self.oracle.creditor.language
        if speakers:
            language = speakers[0].language
        closed = ("dead", "opted_out")
        day = wishes.get("statement_day")
        return {
            "language": wishes.get("language", language),
            "preferred_channel": wishes.get("channel", profile.preferred_channel if profile else "email"),
            "email_state": email,
            "phone_state": phone,
            "email_known": email not in closed,
            "phone_known": phone not in closed,
            "post_known": letter not in closed,
            "statement_on": add(self.as_of.replace(day=int(day)), 0, self.country) if day else None,
        }

    def reaction_facts(self) -> Row:
        oracle = self.oracle
        messages = [
            m
            for a in self.actions()
            for m in self.messages_of(a)
            if a.state == "executed"
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

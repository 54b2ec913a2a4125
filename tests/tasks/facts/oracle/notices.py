"""What was sent, what arrived of it, and what each open item was told (rule 7)."""

from datetime import date, timedelta
from typing import Any

from maatpak.kernel.words import SPOKEN_RESULTS
from maatpak.ledger.tables import (
    Action,
    ActionItem,
    AddressState,
    Case,
    ContactResult,
    Evidence,
    ItemVersion,
    Message,
    MessageAction,
    Preference,
)
from tests.tasks.facts.calendar_oracle import add, bank_day, between
from tests.tasks.facts.oracle.owing import Owing
from tests.tasks.facts.oracle.view import STEP_SAME, Row, View, as_it_stood


class Notices(Owing):
    """What the open items of a case were told."""

    def __init__(self, oracle: View, case: Case) -> None:
        super().__init__(oracle, case)
        self.notices()

    def actions(self) -> list[Action]:
        """Actions of the case that existed, as they stood (copies)."""
        existed = self.mine(self.oracle.recorded(Action, "business_date", "proposed_at"))
        return [as_it_stood(action, self.as_of, self.oracle.known_at) for action in existed]

    def in_open_round(self, action: Action) -> bool:
        return self.round is not None and action.round_id == self.round.id

    def calls(self) -> list[ContactResult]:
        floor = self.as_of - timedelta(days=400)
        found = [call for call in self.mine(self.oracle.recorded(ContactResult, "called_on")) if call.called_on > floor]
        return sorted(found, key=lambda call: (call.called_on, call.id))

    def evidence_of(self, message: Message) -> tuple[str, date | None]:
        """(level, since when) of a message."""
        oracle = self.oracle
        if message.state != "sent" or message.sent_on is None or message.sent_on > self.as_of:
            return "none", None
        if message.sent_at is not None and message.sent_at > oracle.known_at:
            return "none", None
        seen = [e for e in oracle.recorded(Evidence, "observed_on") if e.message_id == message.id]
        if any(e.kind in ("bounced", "returned") for e in seen):
            return "none", None
        strong = [e.observed_on for e in seen if e.kind in ("answered", "link_used", "receipt", "spoken")]
        strong += [c.called_on for c in self.calls() if c.code in SPOKEN_RESULTS and c.called_on > message.sent_on]
        weak = [e.observed_on for e in seen if e.kind == "delivered"]
        posted = min((e.observed_on for e in seen if e.kind == "handed_over"), default=None)
        if posted is not None or not any(e.kind == "printed" for e in seen):
            weak.append(add(posted or message.sent_on, 7 if message.channel == "post" else 3, self.country))
        since = min([*strong, *weak], default=None)
        if since is None or since > self.as_of:
            return "none", None
        return ("strong" if strong else "weak"), since

    def messages_of(self, action: Action) -> list[Message]:
        ids = {each.message_id for each in self.oracle.world.of(MessageAction) if each.action_id == action.id}
        return [message for message in self.oracle.world.of(Message) if message.id in ids]

    def evidence_on(self, action: Action) -> date | None:
        if action.state != "executed":
            return None
        # A demand is its letter: a mail beside it says nothing.
        counted = [m for m in self.messages_of(action) if not action.escalating or m.channel == "post"]
        found = [since for m in counted if (since := self.evidence_of(m)[1])]
        return min(found, default=None)

    def lost_on(self, message: Message) -> date | None:
        """The last day on which a message that was sent was told to be lost."""
        oracle = self.oracle
        gone = message.state == "sent" and message.sent_on is not None and message.sent_on <= self.as_of
        if not gone or (message.sent_at is not None and message.sent_at > oracle.known_at):
            return None
        seen = [e for e in oracle.recorded(Evidence, "observed_on") if e.message_id == message.id]
        return max((e.observed_on for e in seen if e.kind in ("bounced", "returned")), default=None)

    def returned_on(self, action: Action) -> date | None:
        """When the last letter of a demand came back, if none stands."""
        if action.state != "executed" or not action.escalating:
            return None
        letters = [
            m
            for m in self.messages_of(action)
            if m.channel == "post"
            and m.state == "sent"
            and m.sent_on
            and m.sent_on <= self.as_of
            and (m.sent_at is None or m.sent_at <= self.oracle.known_at)
        ]
        lost = [day for m in letters if (day := self.lost_on(m))]
        return max(lost) if lost and len(lost) == len(letters) else None

    def items_of(self, action: Action) -> set[int]:
        return {each.item_id for each in self.oracle.world.of(ActionItem) if each.action_id == action.id}

    def notices(self) -> None:
        """What each open item was told by written notices of the open round."""
        self.told: dict[int, list[list[tuple[str, Message]]]] = {v.item_id: [] for v in self.debts}
        for action in self.actions():
            is_notice = action.written and action.kind in ("message", "plan_offer") and action.state == "executed"
            if not is_notice or not self.in_open_round(action):
                continue
            levels = [(self.evidence_of(m)[0], m) for m in self.messages_of(action)]
            proven = [(level, m) for level, m in levels if level != "none"]
            for item_id in self.items_of(action):
                if proven and item_id in self.told:
                    self.told[item_id].append(proven)

    def level(self, item_id: int) -> int:
        levels = [level for notice in self.told[item_id] for level, _ in notice]
        return 2 if "strong" in levels else 1 if levels else 0

    def is_complete(self, item_id: int) -> bool:
        """One strong, or two weak on two channels, one of them post."""
        channels = {m.channel for notice in self.told[item_id] for _, m in notice}
        return self.level(item_id) == 2 or ("post" in channels and len(channels) > 1)

    def is_demandable(self, item_id: int) -> bool:
        days = [m.sent_on for notice in self.told[item_id] for _, m in notice if m.sent_on]
        return self.is_complete(item_id) and between(min(days), self.as_of, self.country) >= 10

    def is_lost(self, invoice: Any) -> bool:
        """Not due, and nothing says that the customer got it; rule 29."""
        told = any(
            v.creditor_id == self.oracle.creditor.id and (v.invoice_sent_on or v.invoice_channel)
            for v in self.oracle.recorded(ItemVersion, "valid_from")
        )
        if not told or invoice.item_type != "invoice" or self.is_overdue(invoice):
            return False
        if sum(taken[invoice.item_id] for taken in self.cover.values()) >= self.open[invoice.item_id]:
            return False
        floor = self.as_of - timedelta(days=400)
        for action in self.actions():
            read = self.in_open_round(action) or (action.round_id is None and action.business_date > floor)
            stands = read and action.state not in ("skipped", "rejected", "cancelled", "failed")
            if stands and invoice.item_id in self.items_of(action):
                return False
        if invoice.approved_on is not None and invoice.approved_on <= self.as_of:
            return False
        sent_on, way = invoice.invoice_sent_on, (invoice.invoice_channel or "").lower().replace("-", "")
        if sent_on is None or sent_on > self.as_of:
            return between(invoice.issued_on, self.as_of, self.country) >= 3
        takes_portal = any(
            wish.name == "portal" for wish in self.oracle.seen(Preference) if wish.debtor_id == invoice.debtor_id
        )
        came_back = any(
            state.state == "dead" and state.channel == (way or "email") and state.valid_from >= sent_on
            for state in self.oracle.seen(AddressState)
            if state.debtor_id == invoice.debtor_id and state.channel != "phone"
        )
        return came_back or (takes_portal and way != "portal")

    def item_rows(self) -> list[Row]:
        return [
            {
                "case_id": self.row.id,
                "item_id": v.item_id,
                "document_no": v.document_no,
                "item_type": v.item_type,
                "issued_on": v.issued_on,
                "due_on": v.due_on,
                "bank_due_on": bank_day(v.due_on),
                "amount": v.amount,
                "open_amount": self.open[v.item_id],
                "overdue": self.is_overdue(v),
                "asked": self.asked[v.item_id],
                **{name: taken[v.item_id] for name, taken in self.cover.items()},
                "notices": len(self.told[v.item_id]),
                "evidence_complete": self.is_complete(v.item_id),
                "demandable": self.is_demandable(v.item_id),
                "is_driver": v is self.driver,
                "unreceived_wd": between(self.as_of, bank_day(v.due_on), self.country) if self.is_lost(v) else None,
            }
            for v in self.debts
        ]

    def step_rows(self) -> list[Row]:
        floor = self.as_of - timedelta(days=400)
        rows = []
        # Who owes and is asked nothing keeps its place: that of the item that would be asked first.
        first = self.driver or next(filter(self.is_overdue, self.debts), None)
        for action in sorted(self.actions(), key=lambda each: each.id or 0):
            if not (self.in_open_round(action) or (action.round_id is None and action.business_date > floor)):
                continue
            named = self.items_of(action)
            joined = self.named.get(first.item_id) if first else None
            if action.state == "skipped":
                counts = joined is not None and joined <= action.business_date
            else:
                counts = not named or (first is not None and first.item_id in named)
            same = {name: getattr(action, name) for name in STEP_SAME}
            rows.append(
                {
                    **same,
                    "proposed_on": action.business_date,
                    "evidence_on": self.evidence_on(action),
                    "returned_on": self.returned_on(action),
                    "for_driver": counts,
                }
            )
        return rows

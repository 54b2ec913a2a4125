"""What was said and agreed."""

from datetime import date, timedelta

from maatpak.kernel.words import SPOKEN_RESULTS, HoldReason
from maatpak.ledger.tables import (
    Action,
    Answer,
    Case,
    ClaimedPayment,
    ContactResult,
    Debtor,
    Dispute,
    Evidence,
    Plan,
    Promise,
    StatedReason,
    Ticket,
    Touch,
    WorkTask,
)
from tests.tasks.facts.calendar_oracle import add, between
from tests.tasks.facts.oracle.past import Past
from tests.tasks.facts.oracle.view import OPEN_STATES, Row, as_it_stood


class Talk(Past):
    """The conversation of a case."""

    def paying_party(self) -> int:
        """The party that letters about this case go to, demands aside."""
        payer = self.oracle.payer(self.row.debtor_id)
        return next(d.party_id for d in self.oracle.world.of(Debtor) if d.id == payer)

    def letters(self, party_id: int) -> list[date]:
        """Days on which one of our creditors wrote to a party, or is about to; the last sixty days'."""
        oracle, floor = self.oracle, self.as_of - timedelta(days=60)
        owners = {c.id: c.party_id for c in oracle.world.of(Case)}
        found = set()
        for action in oracle.recorded(Action, "business_date", "proposed_at"):
            then = as_it_stood(action, self.as_of, oracle.known_at)
            addressee = action.payer_party_id or owners[action.case_id]
            if not action.written or addressee != party_id or action.business_date <= floor:
                continue
            if then.state not in ("skipped", "rejected", "cancelled", "failed"):
                found.add((action.creditor_id, then.executed_on or action.business_date))
        return [day for _, day in found]

    def talk_facts(self) -> Row:
        paying, own = self.paying_party(), self.row.party_id
        letters, own_letters = self.letters(paying), self.letters(own)
        calls, rung, heard = self.calls(), self.heard(paying), self.heard(paying, own)
        here = [c for c in calls if self.in_round(c.called_on)]
        spoken = [c for c in heard if c.code in SPOKEN_RESULTS]
        tries = [c for c in here if c.code in ("no_answer", "voicemail")]
        tried = len({c.called_on for c in tries}) >= 3 and len({c.day_part for c in tries}) >= 2
        lately = [c for c in rung if between(c.called_on, self.as_of, self.country) < 5]
        reasons = sorted(
            (r for r in self.mine(self.oracle.seen(StatedReason)) if 0 <= (self.as_of - r.stated_on).days <= 90),
            key=lambda r: (r.stated_on, r.id),
        )
        self.reason = reasons[-1] if reasons else None
        steps = [a for a in self.actions() if self.in_open_round(a)]
        consults = [
            a
            for a in steps
            if a.kind == "consult" and (a.state in OPEN_STATES or a.result in ("agree", "i_talk", "no", "not_heard"))
        ]
        last = max(consults, key=lambda a: a.id or 0, default=None)
        answer = "none" if last is None else "open" if last.state in OPEN_STATES else str(last.result)
        party = {d.id for d in self.oracle.world.of(Debtor) if d.party_id in (paying, own)}
        unread = [
            a
            for a in self.oracle.seen(Answer)
            if a.debtor_id in party and a.received_on <= self.as_of and (a.read_on is None or a.read_on > self.as_of)
        ]
        has_spoken = any(c.code in SPOKEN_RESULTS for c in here)
        return {
            "contacts_20wd": sum(between(day, self.as_of, self.country) < 20 for day in letters),
            "last_written_on": max(letters, default=None),
            "own_contacts_20wd": sum(between(day, self.as_of, self.country) < 20 for day in own_letters),
            "own_last_written_on": max(own_letters, default=None),
            "payer_party_id": paying,
            "call_attempts": len(here),
            "spoken": has_spoken,
            "tried_call": has_spoken or tried,
            "call_waived": any(a.kind == "call" and a.result == "waived" for a in steps) or self.unmade_call_waived(),
            "calls_5wd": len(lately),
            "last_call_on": max((c.called_on for c in rung), default=None),
            "last_spoken_on": max((c.called_on for c in spoken), default=None),
            "callback_on": self.callback_on(),
            "reason": self.reason.reason if self.reason else "none",
            "reason_on": self.reason.stated_on if self.reason else None,
            "reason_answered_on": self.reason_answered_on(),
            "unread_reply": bool(unread),
            "consult_answer": answer,
            "manager_heard": answer in ("agree", "not_heard"),
            "experience_balance": self.balance(),
            "manager_letters_12m": sum(
                t.kind == "manager_letter" and t.touched_on > self.oracle.ago(12)
                for t in self.oracle.recorded(Touch, "touched_on")
                if t.party_id == self.row.party_id
            ),
        }

    def heard(self, *party_ids: int) -> list[ContactResult]:
        """Calls of 400 days to these parties, whichever of our creditors made them, oldest first."""
        oracle, floor = self.oracle, self.as_of - timedelta(days=400)
        recent = [c for c in oracle.recorded(ContactResult, "called_on") if c.called_on > floor]
        made = [c for c in recent if self.rung_party(c) in party_ids]
        return sorted(made, key=lambda call: (call.called_on, call.id))

    def rung_party(self, call: ContactResult) -> int:
        """Whom a call was made to."""
        owner = next(c.party_id for c in self.oracle.world.of(Case) if c.id == call.case_id)
        return call.payer_party_id or owner

    def callback_on(self) -> date | None:
        """The latest callback that was agreed in the last call about a case with the party, or with who pays."""
        heard = self.heard(self.paying_party(), self.row.party_id)
        last = {(call.case_id, self.rung_party(call)): call for call in heard}
        agreed = [c.callback_on for c in last.values() if c.code == "callback_agreed" and c.callback_on]
        return max(agreed, default=None)

    def unmade_call_waived(self) -> bool:
        """A credit manager waived the call in whose place a letter of the open round went."""
        of_round = {a.id for a in self.actions() if a.round_id is not None and self.in_open_round(a)}
        return any(
            w.kind == "review"
            and w.outcome == "waived"
            and w.action_id in of_round
            and w.done_on <= self.as_of
            and w.done_at <= self.oracle.known_at
            for w in self.mine(self.oracle.world.of(WorkTask))
        )

    def reason_answered_on(self) -> date | None:
        """When we last did our part: work that kept the case waiting is done, or the copy of an invoice arrived."""
        if self.reason is None:
            return None
        oracle = self.oracle
        found = [
            w.done_on
            for w in self.mine(oracle.world.of(WorkTask))
            if w.blocks and w.state == "done" and w.done_on <= self.as_of and w.done_at <= oracle.known_at
        ]
        found += [
            self.evidence_on(a) or a.executed_on
            for a in self.actions()
            if a.template == "invoice_copy" and a.state == "executed" and self.looked_at(a)
        ]
        return max((day for day in found if day >= self.reason.stated_on), default=None)

    def looked_at(self, action: Action) -> bool:
        """Steps of the open round, and those outside rounds of 400 days."""
        if action.round_id is None:
            return action.business_date > self.as_of - timedelta(days=400)
        return self.in_open_round(action)

    def balance(self) -> int:
        touches = [t for t in self.oracle.recorded(Touch, "touched_on") if t.party_id == self.row.party_id]
        good_days = {t.touched_on for t in touches if t.rating > 0}
        total: int = sum(day > self.oracle.ago(12) for day in good_days)
        for touch in touches:
            if touch.rating >= 0:
                continue
            outweighed = sum(day > touch.touched_on for day in good_days) >= 12
            if touch.touched_on > self.oracle.ago(12) or (touch.wrongful and not outweighed):
                total += touch.rating
        return max(min(total, 12), -36)

    def agreement_facts(self) -> Row:
        oracle = self.oracle
        promises = self.mine(oracle.seen(Promise))
        plans = sorted(
            (p for p in self.mine(oracle.seen(Plan)) if p.offered_on <= self.as_of),
            key=lambda p: (p.offered_on, p.id),
        )
        holds = [h for h in self.live_holds() if h.scope != "item"]
        order = [str(reason) for reason in HoldReason]
        disputes = [d for d in self.mine(oracle.seen(Dispute)) if d.opened_on <= self.as_of]
        tickets = [
            t
            for t in self.of_debtor(oracle.seen(Ticket))
            if t.opened_on <= self.as_of and (t.closed_on is None or t.closed_on > self.as_of)
        ]
        work = [
            w
            for w in self.of_debtor(oracle.recorded(WorkTask, "opened_on"))
            if w.blocks
            and w.case_id in (None, self.row.id)
            and (
                w.state == "open"
                or (w.done_at and w.done_at > oracle.known_at)
                or (w.done_on and w.done_on > self.as_of)
            )
        ]
        running = [d for d in disputes if d.state == "open"]
        ours = [each.opened_on for each in (*running, *tickets, *work)]
        open_promises = [p for p in promises if p.state == "open"]
        ends = [h.until_on for h in holds] + [p.promised_on for p in open_promises]
        ends += [p.valid_until for p in plans if p.state == "offered"]
        ends += [max(date.fromisoformat(i["due_on"]) for i in p.instalments) for p in plans if p.state == "active"]
        ends += [
            c.until_on
            for c in self.mine(oracle.seen(ClaimedPayment))
            if c.claimed_on <= self.as_of and (c.state == "open" or self.awaits_booking(c))
        ]
        ends += [until for v in self.debts if (until := self.flies_until(v))]
        return {
            "promises_broken_6m": sum(p.state == "broken" and p.valid_from > oracle.ago(6) for p in promises),
            "promise_open": bool(open_promises),
            "promise_due_on": max((p.promised_on for p in open_promises), default=None),
            "plan_state": plans[-1].state if plans else "none",
            "offer_open": any(p.state == "offered" for p in plans),
            "plans_breached_12m": sum(p.breached_on is not None and p.breached_on > oracle.ago(12) for p in plans),
            "hold_reason": min((h.reason for h in holds), key=order.index, default="none"),
            "dispute_open": bool(running) or any(self.flag(v) > 0 for v in self.debts),
            "tickets_open": len(tickets),
            "our_turn": bool(work),
            "our_turn_wd": between(min(ours), self.as_of, self.country) if ours else 0,
            "wake_on": min((day for day in ends if day >= self.as_of), default=None),
            "paused_until": self.paused_until(disputes),
            "term_until": self.term_until(),
        }

    def received(self) -> list[tuple[date, int, bool]]:
        """(day, amount, whole) of what came in for items of the open round."""
        found = [
            (v.settled_on, v.amount, True)
            for v in self.settled
            if v.item_id in self.named and self.is_paid(v) and self.in_round(v.settled_on)
        ]
        found += [
            (p.paid_on, p.applied, False)
            for p in self.part_payments()
            if p.item_id in self.named and self.in_round(p.paid_on)
        ]
        return [(day, amount, whole) for day, amount, whole in found if day]

    def at_least_half(self, day: date) -> bool:
        """Whether at least half of what the round's items still stood for came in on a day."""
        came_in = stood_for = 0
        parts = self.part_payments()
        for item_id, joined_on in self.named.items():
            version = self.items.get(item_id)
            if version is None or joined_on > day:
                continue
            mine = [p for p in parts if p.item_id == item_id]
            came_in += sum(p.applied for p in mine if p.paid_on == day)
            later = sum(p.applied for p in mine if p.paid_on >= day)
            if version in self.settled and version.settled_on and version.settled_on >= day:
                last = max(version.amount - sum(p.applied for p in mine), 0)
                stood_for += last + later
                came_in += last if version.settled_on == day and self.is_paid(version) else 0
            elif version in self.debts:
                stood_for += self.open[item_id] - self.cover["disputed"][item_id] + later
        return stood_for > 0 and came_in * 2 >= stood_for

    def term_until(self) -> date | None:
        """The last date by which a message that was not lost asks for an answer."""
        seen = self.oracle.recorded(Evidence, "observed_on")
        lost = {each.message_id for each in seen if each.kind in ("bounced", "returned")}
        given = [
            message.reply_by
            for action in self.actions()
            if action.state == "executed" and self.looked_at(action) and not self.returned_on(action)
            for message in self.messages_of(action)
            if message.state == "sent" and message.reply_by and message.id not in lost
            if message.sent_on and message.sent_on <= self.as_of
            if message.sent_at is None or message.sent_at <= self.oracle.known_at
        ]
        return max(given, default=None)

    def paused_until(self, disputes: list[Dispute]) -> date | None:
        quiet = []
        quiet += [add(day, 5, self.country) for day, _, _ in self.received() if self.at_least_half(day)]
        refused = [d.decided_on for d in disputes if d.state in ("rejected", "part_accepted") and d.decided_on]
        quiet += [add(day, 7, self.country) for day in refused]
        disputed = {d.dispute_no for d in self.oracle.world.of(Dispute)}
        quiet += [
            add(w.done_on, 7 if w.record_no in disputed else 5, self.country)
            for w in self.mine(self.oracle.world.of(WorkTask))
            if w.kind == "reply" and w.blocks and w.state == "done"
            if w.done_on <= self.as_of and w.done_at <= self.oracle.known_at
        ]
        quiet += [add(day, 5, self.country) for day, _, cause in self.answered_returns() if cause == "funds"]
        callback_on = self.callback_on()
        if callback_on:
            quiet.append(add(callback_on, 1, self.country))
        if self.reason and self.reason.reason in ("policy", "pay_run"):
            run = self.next_run(self.reason.stated_on)
            if run:
                quiet.append(add(run, 1, self.country))
        touches = [t for t in self.oracle.recorded(Touch, "touched_on") if t.party_id == self.row.party_id]
        quiet += [add(t.touched_on, 10, self.country) for t in touches if t.wrongful]
        return max((day for day in quiet if day > self.as_of), default=None)
